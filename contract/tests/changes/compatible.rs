//! Changes with which nobody fails.

use crate::changes;

changes! {
    nothing {
        emits! { struct Out { id: u32 } }
    } => {
        emits! { struct Out { id: u32 } }
    }
    required_field_added {
        emits! { struct Out { id: u32 } }
    } => {
        emits! { struct Out { id: u32, email: String } }
    }
    optional_field_added {
        emits! { struct Out { id: u32 } }
    } => {
        emits! { struct Out { id: u32, #[serde(skip_serializing_if = "Option::is_none")] email: Option<String> } }
    }
    optional_to_required {
        emits! { struct Out { #[serde(skip_serializing_if = "String::is_empty")] email: String } }
    } => {
        emits! { struct Out { email: String } }
    }
    nullable_to_value {
        emits! { struct Out { email: Option<String> } }
    } => {
        emits! { struct Out { email: String } }
    }
    default_of_reading_added {
        emits! { struct Out { email: String } }
    } => {
        emits! { struct Out { #[serde(default)] email: String } }
    }
    integer_narrowed {
        emits! { struct Out { id: u64 } }
    } => {
        emits! { struct Out { id: u32 } }
    }
    integer_gets_positive {
        emits! { struct Out { age: i32 } }
    } => {
        emits! { struct Out { age: u8 } }
    }
    float_to_integer {
        emits! { struct Out { score: f64 } }
    } => {
        emits! { struct Out { score: i32 } }
    }
    enum_value_gone {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum State { Active, Locked }
        emits! { struct Out { state: State } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum State { Active }
        emits! { struct Out { state: State } }
    }
    variant_gone {
        emits! { enum Out { Card { number: String }, Cash { cents: u32 }, Transfer { iban: String } } }
    } => {
        emits! { enum Out { Card { number: String }, Cash { cents: u32 } } }
    }
    variants_in_another_order {
        emits! { enum Out { Card { number: String }, Cash { cents: u32 }, None } }
    } => {
        emits! { enum Out { None, Cash { cents: u32 }, Card { number: String } } }
    }
    tagged_variants_in_another_order {
        emits! { #[serde(tag = "kind")] enum Out { Card { number: String }, Cash { cents: u32 } } }
    } => {
        emits! { #[serde(tag = "kind")] enum Out { Cash { cents: u32 }, Card { number: String } } }
    }
    field_of_variant_added {
        emits! { #[serde(tag = "kind")] enum Out { Card { number: String }, Cash } }
    } => {
        emits! { #[serde(tag = "kind")] enum Out { Card { number: String, name: String }, Cash } }
    }
    fields_in_another_order {
        emits! { struct Out { id: u32, email: String } }
    } => {
        emits! { struct Out { email: String, id: u32 } }
    }
    type_renamed {
        #[derive(Serialize, Deserialize, JsonSchema)]
        struct Address { city: String }
        emits! { struct Out { address: Address } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        struct Place { city: String }
        emits! { struct Out { address: Place } }
    }
    type_inlined {
        #[derive(Serialize, Deserialize, JsonSchema)]
        struct Address { city: String }
        emits! { struct Out { address: Address } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        #[schemars(inline)]
        struct Address { city: String }
        emits! { struct Out { address: Address } }
    }
    described {
        emits! { struct Out { id: u32, plain: Plain } }
    } => {
        emits! {
            /// A user.
            struct Out {
                /// The number of the user.
                #[schemars(title = "The id", example = 7)]
                id: u32,
                /// More.
                plain: Plain,
            }
        }
    }
    values_of_enum_described {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum State { Active, Locked }
        emits! { struct Out { state: State } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum State {
            /// May log in.
            Active,
            /// May not.
            Locked,
        }
        emits! { struct Out { state: State } }
    }
    value_in_a_pointer {
        emits! { struct Out { plain: Plain, name: String } }
    } => {
        emits! { struct Out { plain: Box<Plain>, name: Cow<'static, str> } }
    }
    another_list {
        emits! { struct Out { tags: Vec<String>, counts: HashMap<String, u32> } }
    } => {
        emits! { struct Out { tags: Box<[String]>, counts: BTreeMap<String, u32> } }
    }
    newtype_around_a_value {
        emits! { struct Out { id: u32 } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        struct Id(u32);
        emits! { struct Out { id: Id } }
    }
    flattened_fields_are_the_same {
        emits! { struct Out { id: u32, email: String } }
    } => {
        emits! { struct Out { #[serde(flatten)] plain: Plain, email: String } }
    }
    field_in_tree_added {
        emits! { struct Out { name: String, children: Vec<Out> } }
    } => {
        emits! { struct Out { name: String, size: u32, children: Vec<Out> } }
    }
    anything_to_type {
        emits! { struct Out { more: serde_json::Value } }
    } => {
        emits! { struct Out { more: String } }
    }
    opaque_to_known {
        #[orchestrate(pattern = "user", id = 1, event = "user_updated", name = "users::update", payload = 1)]
        async fn update() -> Result<Plain, Code> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, event = "user_updated", name = "users::update")]
        async fn update() -> Result<Plain, Code> { pending().await }
    }
    unchecked_to_known {
        #[derive(Serialize)]
        struct Out { id: u32 }
        #[orchestrate(pattern = "user", id = 1, event = "user_updated", name = "users::update")]
        async fn update() -> Result<Out, Code> { pending().await }
    } => {
        emits! { struct Out { id: u32 } }
    }
    text_shorter {
        emits! { struct Out { #[schemars(length(max = 20))] name: String } }
    } => {
        emits! { struct Out { #[schemars(length(max = 10))] name: String } }
    }
    range_narrower {
        emits! { struct Out { #[schemars(range(max = 20))] stars: u8 } }
    } => {
        emits! { struct Out { #[schemars(range(max = 10))] stars: u8 } }
    }
    format_added {
        emits! { struct Out { name: String } }
    } => {
        emits! { struct Out { #[schemars(email)] name: String } }
    }
    event_added {
        emits! { struct Out { id: u32 } }
    } => {
        emits! { struct Out { id: u32 } }
        #[orchestrate(pattern = "user", id = 1, event = "user_deleted", name = "users::delete")]
        async fn delete() -> Result<(), Code> { pending().await }
    }
    second_emitter_of_the_type {
        emits! { struct Out { id: u32 } }
    } => {
        emits! { struct Out { id: u32 } }
        #[orchestrate(pattern = "user", id = 1, event = "user_updated", name = "users::rename")]
        async fn rename() -> Result<Out, Code> { pending().await }
    }
    parameter_and_function_renamed {
        #[orchestrate(pattern = "user", cache = id, event = "user_updated", name = "users::update")]
        async fn update(id: u32) -> Result<Plain, Code> { pending().await }
    } => {


        #[orchestrate(pattern = "user", cache = user, event = "user_updated", name = "users::update")]
        async fn change(user: u32) -> Result<Plain, Code> { pending().await }
    }
    code_added {
        #[derive(Debug, Classify)]
        enum Fault {
            #[classify(code = NotFound)]
            Missing,
        }
        #[orchestrate(pattern = "user", id = 1, event = "user_updated", name = "users::update")]
        async fn update() -> Result<(), Fault> { pending().await }
    } => {
        #[derive(Debug, Classify)]
        enum Fault {
            #[classify(code = NotFound, message = "no such user")]
            Gone,
            #[classify(code = Aborted)]
            Conflict,
            #[classify(transparent)]
            Number(std::num::ParseIntError),
        }
        #[orchestrate(pattern = "user", id = 1, event = "user_updated", name = "users::update")]
        async fn update() -> Result<(), Fault> { pending().await }
    }
    key_form_added {
        #[orchestrate(pattern = "user", cache = id, name = "users::update")]
        async fn update(id: u32) -> Result<u32, Code> { pending().await }
    } => {
        #[orchestrate(pattern = "user", cache = id, name = "users::update")]
        async fn update(id: u32) -> Result<u32, Code> { pending().await }
        #[orchestrate(pattern = "user", cache(key = "list/{page}", read), name = "users::list")]
        async fn list(page: u32) -> Result<Vec<u32>, Code> { pending().await }
    }
    durable_handler_renamed {
        #[orchestrate(pattern = "user", id = 1, delivery = "durable", name = "users::update")]
        async fn update() -> Result<(), Code> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, delivery = "durable", name = "users::change", was = "users::update")]
        async fn change() -> Result<(), Code> { pending().await }
    }
    idempotent_handler_renamed_twice {
        #[orchestrate(pattern = "user", id = 1, idempotent = key, name = "users::pay")]
        async fn pay(key: String) -> Result<u32, StepError> { pending().await }
        #[orchestrate(pattern = "user", id = 1, idempotent = key, name = "users::buy")]
        async fn buy(key: String) -> Result<u32, StepError> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, idempotent = key, name = "users::charge", was = ["users::pay", "users::buy"])]
        async fn charge(key: String) -> Result<u32, StepError> { pending().await }
    }
    stored_value_of_renamed_handler {
        #[orchestrate(pattern = "user", id = 1, idempotent = key, name = "users::pay")]
        async fn pay(key: String) -> Result<u32, StepError> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, idempotent = key, name = "users::charge", was = "users::pay")]
        async fn charge(key: String) -> Result<u64, StepError> { pending().await }
    }
    plain_handler_renamed {
        #[orchestrate(pattern = "user", id = 1, name = "users::update")]
        async fn update() -> Result<(), Code> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, name = "users::change")]
        async fn change() -> Result<(), Code> { pending().await }
    }
    inline_to_durable {
        #[orchestrate(pattern = "user", id = 1, name = "users::update")]
        async fn update() -> Result<(), Code> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, delivery = "durable", name = "users::update")]
        async fn update() -> Result<(), Code> { pending().await }
    }
    stored_optional_field_added {
        stores! { struct Out { id: u32 } }
    } => {
        stores! { struct Out { id: u32, #[serde(default)] email: String, more: Option<String> } }
    }
    value_of_a_typed_hook_defaulted {
        stores_for_a_hook! { struct Out { id: u32 } }
    } => {
        stores_for_a_hook! { struct Out { id: u32, #[serde(default)] email: String } }
    }
    generic_parameter_renamed {
        struct Rows<T>(T);
        impl<T> Rows<T> {
            #[orchestrate(pattern = "user", id = 1, delivery = "durable")]
            async fn save(&self) -> Result<(), Code> { pending().await }
        }
        #[orchestrate(pattern = "user", id = 1, name = "users::get")]
        async fn get() -> Result<(), Code> { pending().await }
    } => {
        struct Rows<Key>(Key);
        impl<Key> Rows<Key> {
            // The identity has the path of the module, which is another one here.
            #[orchestrate(pattern = "user", id = 1, delivery = "durable", was = "changes::compatible::generic_parameter_renamed::old::Rows::save")]
            async fn save(&self) -> Result<(), Code> { pending().await }
        }
        #[orchestrate(pattern = "user", id = 1, name = "users::get")]
        async fn get() -> Result<(), Code> { pending().await }
    }
    stored_integer_widened {
        stores! { struct Out { id: u32 } }
    } => {
        stores! { struct Out { id: u64 } }
    }
    stored_enum_value_added {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum State { Active }
        stores! { struct Out { state: State } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum State { Active, Locked }
        stores! { struct Out { state: State } }
    }
    stored_field_gone {
        stores! { struct Out { id: u32, email: String } }
    } => {
        stores! { struct Out { id: u32 } }
    }
    stored_field_nullable {
        stores! { struct Out { email: String } }
    } => {
        stores! { struct Out { email: Option<String> } }
    }
    stored_field_skipped_if_empty {
        stores! { struct Out { #[serde(default)] email: String } }
    } => {
        stores! { struct Out { #[serde(default, skip_serializing_if = "String::is_empty")] email: String } }
    }
    stored_value_is_not_read_any_more {
        stores! { struct Out { id: u32 } }
    } => {
        #[orchestrate(pattern = "user", cache = 1, name = "users::get")]
        async fn get() -> Result<String, Code> { pending().await }
    }
    all_variants_but_one_gone {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum Pay { Card { number: String }, Cash { cents: u32 } }
        emits! { struct Out { pay: Pay } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum Pay { Cash { cents: u32 } }
        emits! { struct Out { pay: Pay } }
    }
    all_variants_with_fields_gone {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum Pay { Card { number: String }, Cash }
        emits! { struct Out { pay: Pay } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum Pay { Cash }
        emits! { struct Out { pay: Pay } }
    }
    tagged_variants_but_one_gone {
        #[derive(Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind")]
        enum Pay { Card { number: String }, Cash { cents: u32 } }
        emits! { struct Out { pay: Option<Pay> } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind")]
        enum Pay { Card { number: String } }
        emits! { struct Out { pay: Option<Pay> } }
    }
    text_to_enum {
        emits! { struct Out { state: String } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum State { Active, Locked }
        emits! { struct Out { state: State } }
    }
    stored_variant_added {
        stores! { enum Out { Card { number: String } } }
    } => {
        stores! { enum Out { Card { number: String }, Cash { cents: u32 }, Nothing } }
    }
    untagged_text_or_number_to_text {
        #[derive(Serialize, Deserialize, JsonSchema)]
        #[serde(untagged)]
        enum Id { Number(u32), Text(String) }
        emits! { struct Out { id: Id } }
    } => {
        emits! { struct Out { id: String } }
    }
    field_added_behind_an_encoded_reference {
        #[derive(Serialize, Deserialize, JsonSchema)]
        #[schemars(rename = "Page<{T}>")]
        struct Page<T> { items: Vec<T> }
        emits! { struct Out { page: Page<Plain>, other: Page<u8> } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        #[schemars(rename = "Page<{T}>")]
        struct Page<T> { items: Vec<T>, next: u32 }
        emits! { struct Out { page: Page<Plain>, other: Page<u8> } }
    }
    subscriber_added {
        emits_plain!();
    } => {
        emits_plain!();
        receives! { struct In { id: u64 } }
    }
    subscriber_reads_more_of_what_is_emitted {
        emits! { struct Out { id: u32, email: String } }
        receives! { struct In { id: u32 } }
    } => {
        emits! { struct Out { id: u32, email: String } }
        receives! { struct In { id: u32, email: String } }
    }
    subscriber_reads_more_if_it_is_there {
        receives! { struct In { id: u32 } }
    } => {
        receives! { struct In { id: u64, #[serde(default)] email: String } }
    }
    subscriber_reads_less {
        receives! { struct In { id: u32, email: String } }
    } => {
        receives! { struct In { email: String } }
    }
    field_that_no_subscriber_reads_added {
        emits! { struct Out { id: u32 } }
        receives! { struct In { id: u32 } }
    } => {
        emits! { struct Out { id: u32, email: String } }
        receives! { struct In { id: u32 } }
    }
}
