//! Changes with which somebody fails.

use crate::changes;

changes! {
    field_gone [lock "event user_updated data.email"] {
        emits! { struct Out { id: u32, email: String } }
    } => {
        emits! { struct Out { id: u32 } }
    }
    optional_field_gone [lock "event user_updated data.email"] {
        emits! { struct Out { id: u32, #[serde(skip_serializing_if = "Option::is_none")] email: Option<String> } }
    } => {
        emits! { struct Out { id: u32 } }
    }
    field_renamed [lock "event user_updated data.email"] {
        emits! { struct Out { email: String } }
    } => {
        emits! { struct Out { mail: String } }
    }
    field_renamed_by_serde [lock "event user_updated data.first_name"] {
        emits! { struct Out { first_name: String } }
    } => {
        emits! { #[serde(rename_all = "camelCase")] struct Out { first_name: String } }
    }
    field_skipped [lock "event user_updated data.email"] {
        emits! { struct Out { id: u32, email: String } }
    } => {
        emits! { struct Out { id: u32, #[serde(skip_serializing, default)] email: String } }
    }
    field_retyped [handler "event user_updated data.id"] {
        emits! { struct Out { id: String } }
    } => {
        emits! { struct Out { id: u32 } }
    }
    integer_to_text [handler "event user_updated data.id"] {
        emits! { struct Out { id: u32 } }
    } => {
        emits! { struct Out { id: String } }
    }
    required_to_optional [handler "event user_updated data.email"] {
        emits! { struct Out { email: String } }
    } => {
        emits! { struct Out { #[serde(skip_serializing_if = "String::is_empty")] email: String } }
    }
    value_to_nullable [handler "event user_updated data.email"] {
        emits! { struct Out { email: String } }
    } => {
        emits! { struct Out { email: Option<String> } }
    }
    nested_to_nullable [handler "event user_updated data.plain"] {
        emits! { struct Out { plain: Plain } }
    } => {
        emits! { struct Out { plain: Option<Plain> } }
    }
    integer_widened [handler "event user_updated data.id"] {
        emits! { struct Out { id: u32 } }
    } => {
        emits! { struct Out { id: u64 } }
    }
    small_integer_widened [handler "event user_updated data.age"] {
        emits! { struct Out { age: u8 } }
    } => {
        emits! { struct Out { age: u16 } }
    }
    integer_gets_negative [handler "event user_updated data.id"] {
        emits! { struct Out { id: u32 } }
    } => {
        emits! { struct Out { id: i32 } }
    }
    integer_to_float [handler "event user_updated data.score"] {
        emits! { struct Out { score: i32 } }
    } => {
        emits! { struct Out { score: f64 } }
    }
    enum_value_added [handler "event user_updated data.state=\"Locked\""] {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum State { Active }
        emits! { struct Out { state: State } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum State { Active, Locked }
        emits! { struct Out { state: State } }
    }
    value_of_optional_enum_added [handler "event user_updated data.state=\"Locked\""] {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum State { Active, Idle }
        emits! { struct Out { state: Option<State> } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum State { Active, Idle, Locked }
        emits! { struct Out { state: Option<State> } }
    }
    variant_added [handler "event user_updated data|Transfer"] {
        emits! { enum Out { Card { number: String }, Cash } }
    } => {
        emits! { enum Out { Card { number: String }, Cash, Transfer { iban: String } } }
    }
    tagged_variant_added [handler "event user_updated data|kind:Transfer"] {
        emits! { #[serde(tag = "kind")] enum Out { Card { number: String }, Cash } }
    } => {
        emits! { #[serde(tag = "kind")] enum Out { Card { number: String }, Cash, Transfer { iban: String } } }
    }
    field_of_variant_gone [lock "event user_updated data|kind:Card.name"] {
        emits! { #[serde(tag = "kind")] enum Out { Card { number: String, name: String }, Cash } }
    } => {
        emits! { #[serde(tag = "kind")] enum Out { Card { number: String }, Cash } }
    }
    representation_of_enum_changed [handler "event user_updated data|kind:Card", handler "event user_updated data|kind:Cash"] {
        emits! { enum Out { Card { number: String }, Cash { cents: u32 } } }
    } => {
        emits! { #[serde(tag = "kind")] enum Out { Card { number: String }, Cash { cents: u32 } } }
    }
    nested_field_gone [lock "event user_updated data.address.street"] {
        #[derive(Serialize, Deserialize, JsonSchema)]
        struct Address { street: String, city: String }
        emits! { struct Out { address: Address } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        struct Address { city: String }
        emits! { struct Out { address: Address } }
    }
    item_retyped [handler "event user_updated data.tags[]"] {
        emits! { struct Out { tags: Vec<String> } }
    } => {
        emits! { struct Out { tags: Vec<u32> } }
    }
    field_of_item_gone [lock "event user_updated data.lines[].count"] {
        #[derive(Serialize, Deserialize, JsonSchema)]
        struct Line { sku: String, count: u32 }
        emits! { struct Out { lines: Vec<Line> } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        struct Line { sku: String }
        emits! { struct Out { lines: Vec<Line> } }
    }
    list_to_one [handler "event user_updated data.tags"] {
        emits! { struct Out { tags: Vec<String> } }
    } => {
        emits! { struct Out { tags: String } }
    }
    tuple_longer [handler "event user_updated data"] {
        emits! { struct Out(u8, u8); }
    } => {
        emits! { struct Out(u8, u8, u8); }
    }
    item_of_tuple_retyped [handler "event user_updated data[1]"] {
        emits! { struct Out(u8, String); }
    } => {
        emits! { struct Out(u8, u8); }
    }
    value_of_map_retyped [handler "event user_updated data.counts{}"] {
        emits! { struct Out { counts: BTreeMap<String, u32> } }
    } => {
        emits! { struct Out { counts: BTreeMap<String, String> } }
    }
    enum_to_any_text [handler "event user_updated data.state"] {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum State { Active, Locked }
        emits! { struct Out { state: State } }
    } => {
        emits! { struct Out { state: String } }
    }
    type_to_anything [handler "event user_updated data.more"] {
        emits! { struct Out { more: String } }
    } => {
        emits! { struct Out { more: serde_json::Value } }
    }
    struct_to_text [handler "event user_updated data"] {
        emits! { struct Out { id: u32 } }
    } => {
        emits! { struct Out(String); }
    }
    nested_fields_flattened [lock "event user_updated data.plain"] {
        emits! { struct Out { plain: Plain } }
    } => {
        emits! { struct Out { #[serde(flatten)] plain: Plain } }
    }
    known_to_opaque [handler "event user_updated data"] {
        #[orchestrate(pattern = "user", id = 1, event = "user_updated", name = "users::update")]
        async fn update() -> Result<Plain, Code> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, event = "user_updated", name = "users::update", payload = 1)]
        async fn update() -> Result<Plain, Code> { pending().await }
    }
    known_to_unchecked [handler "event user_updated data"] {
        emits! { struct Out { id: u32 } }
    } => {
        #[derive(Serialize)]
        struct Out { id: u32 }
        #[orchestrate(pattern = "user", id = 1, event = "user_updated", name = "users::update")]
        async fn update() -> Result<Out, Code> { pending().await }
    }
    text_longer [handler "event user_updated data.name"] {
        emits! { struct Out { #[schemars(length(max = 10))] name: String } }
    } => {
        emits! { struct Out { #[schemars(length(max = 20))] name: String } }
    }
    range_wider [handler "event user_updated data.stars"] {
        emits! { struct Out { #[schemars(range(max = 10))] stars: u8 } }
    } => {
        emits! { struct Out { #[schemars(range(max = 20))] stars: u8 } }
    }
    format_gone [handler "event user_updated data.name"] {
        emits! { struct Out { #[schemars(email)] name: String } }
    } => {
        emits! { struct Out { name: String } }
    }
    field_in_tree_gone [lock "event user_updated data.size"] {
        emits! { struct Out { name: String, size: u32, children: Vec<Out> } }
    } => {
        emits! { struct Out { name: String, children: Vec<Out> } }
    }
    event_gone [lock "event user_updated", lock "event user_updated.failed"] {
        emits! { struct Out { id: u32 } }
    } => {
        #[orchestrate(pattern = "user", id = 1, name = "users::update")]
        async fn update() -> Result<Plain, Code> { pending().await }
    }
    event_renamed [lock "event user_updated", lock "event user_updated.failed"] {
        emits! { struct Out { id: u32 } }
    } => {
        #[derive(Serialize, JsonSchema)]
        struct Out { id: u32 }
        #[orchestrate(pattern = "user", id = 1, event = "user_changed", name = "users::update")]
        async fn update() -> Result<Out, Code> { pending().await }
    }
    failure_event_renamed [lock "event user_updated.failed"] {
        emits! { struct Out { id: u32 } }
    } => {
        #[derive(Serialize, JsonSchema)]
        struct Out { id: u32 }
        #[orchestrate(pattern = "user", id = 1, event(name = "user_updated", failed = "user_lost"), name = "users::update")]
        async fn update() -> Result<Out, Code> { pending().await }
    }
    pattern_of_event_changed [lock "event user_updated pattern user", lock "event user_updated.failed pattern user"] {
        emits! { struct Out { id: u32 } }
    } => {
        #[derive(Serialize, JsonSchema)]
        struct Out { id: u32 }
        #[orchestrate(pattern = "person", id = 1, event = "user_updated", name = "users::update")]
        async fn update() -> Result<Out, Code> { pending().await }
    }
    second_emitter_of_another_type [handler "event user_updated data"] {
        emits! { struct Out { id: u32 } }
    } => {
        emits! { struct Out { id: u32 } }
        #[orchestrate(pattern = "user", id = 1, event = "user_updated", name = "users::rename")]
        async fn rename() -> Result<String, Code> { pending().await }
    }
    code_gone [lock "event user_updated.failed code ABORTED"] {
        #[derive(Debug, Classify)]
        enum Fault {
            #[classify(code = NotFound)]
            Missing,
            #[classify(code = Aborted)]
            Conflict,
        }
        #[orchestrate(pattern = "user", id = 1, event = "user_updated", name = "users::update")]
        async fn update() -> Result<(), Fault> { pending().await }
    } => {
        #[derive(Debug, Classify)]
        enum Fault {
            #[classify(code = NotFound)]
            Missing,
        }
        #[orchestrate(pattern = "user", id = 1, event = "user_updated", name = "users::update")]
        async fn update() -> Result<(), Fault> { pending().await }
    }
    code_only_through_a_wrapped_error [lock "event user_updated.failed code DEADLINE_EXCEEDED"] {
        #[derive(Debug, Classify)]
        #[classify(code = DeadlineExceeded)]
        struct Late;
        #[derive(Debug, Classify)]
        enum Fault {
            #[classify(code = DeadlineExceeded)]
            Late(Late),
        }
        #[orchestrate(pattern = "user", id = 1, event = "user_updated", name = "users::update")]
        async fn update() -> Result<(), Fault> { pending().await }
    } => {
        #[derive(Debug, Classify)]
        #[classify(code = DeadlineExceeded)]
        struct Late;
        #[derive(Debug, Classify)]
        enum Fault {
            #[classify(transparent)]
            Late(Late),
        }
        #[orchestrate(pattern = "user", id = 1, event = "user_updated", name = "users::update")]
        async fn update() -> Result<(), Fault> { pending().await }
    }
    key_form_changed [lock "key user {}"] {
        #[orchestrate(pattern = "user", cache = id, name = "users::update")]
        async fn update(id: u32) -> Result<u32, Code> { pending().await }
    } => {
        #[orchestrate(pattern = "user", cache = "by-id/{id}", name = "users::update")]
        async fn update(id: u32) -> Result<u32, Code> { pending().await }
    }
    durable_handler_gone [lock "handler users::update"] {
        #[orchestrate(pattern = "user", id = 1, delivery = "durable", name = "users::update")]
        async fn update() -> Result<(), Code> { pending().await }
        #[orchestrate(pattern = "user", id = 1, name = "users::other")]
        async fn other() -> Result<(), Code> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, name = "users::other")]
        async fn other() -> Result<(), Code> { pending().await }
    }
    durable_handler_renamed [lock "handler users::update"] {
        #[orchestrate(pattern = "user", id = 1, delivery = "durable", name = "users::update")]
        async fn update() -> Result<(), Code> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, delivery = "durable", name = "users::change")]
        async fn change() -> Result<(), Code> { pending().await }
    }
    idempotent_handler_renamed [lock "handler users::pay"] {
        #[orchestrate(pattern = "user", id = 1, idempotent = key, name = "users::pay")]
        async fn pay(key: String) -> Result<u32, StepError> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, idempotent = key, name = "users::charge")]
        async fn charge(key: String) -> Result<u32, StepError> { pending().await }
    }
    durable_to_inline [handler "handler users::update"] {
        #[orchestrate(pattern = "user", id = 1, delivery = "durable", name = "users::update")]
        async fn update() -> Result<(), Code> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, name = "users::update")]
        async fn update() -> Result<(), Code> { pending().await }
    }
    stored_field_required [handler "stored users::get value.email"] {
        stores! { struct Out { id: u32 } }
    } => {
        stores! { struct Out { id: u32, email: String } }
    }
    value_of_a_typed_hook_required [handler "stored users::update value.email"] {
        stores_for_a_hook! { struct Out { id: u32 } }
    } => {
        stores_for_a_hook! { struct Out { id: u32, email: String } }
    }
    stored_enum_value_gone [lock "stored users::get value.state=\"Locked\""] {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum State { Active, Locked }
        stores! { struct Out { state: State } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum State { Active }
        stores! { struct Out { state: State } }
    }
    stored_integer_narrowed [handler "stored users::get value.id"] {
        stores! { struct Out { id: u64 } }
    } => {
        stores! { struct Out { id: u32 } }
    }
    stored_field_retyped [handler "stored users::get value.id"] {
        stores! { struct Out { id: u32 } }
    } => {
        stores! { struct Out { id: String } }
    }
    stored_field_not_null [handler "stored users::get value.email"] {
        stores! { struct Out { email: Option<String> } }
    } => {
        stores! { struct Out { email: String } }
    }
    stored_field_unknown [lock "stored users::get value.email"] {
        stores! { struct Out { id: u32, email: String } }
    } => {
        stores! { #[serde(deny_unknown_fields)] struct Out { id: u32 } }
    }
    was_names_a_living_handler [handler "handler users::change"] {
        #[orchestrate(pattern = "user", id = 1, name = "users::update")]
        async fn update() -> Result<(), Code> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, name = "users::update")]
        async fn update() -> Result<(), Code> { pending().await }
        #[orchestrate(pattern = "user", id = 1, name = "users::change", was = "users::update")]
        async fn change() -> Result<(), Code> { pending().await }
    }
    was_is_misspelt [handler "handler users::change", lock "handler users::update"] {
        #[orchestrate(pattern = "user", id = 1, delivery = "durable", name = "users::update")]
        async fn update() -> Result<(), Code> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, delivery = "durable", name = "users::change", was = "user::update")]
        async fn change() -> Result<(), Code> { pending().await }
    }
    enum_to_struct [handler "event user_updated data.pay"] {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum Pay { Card { number: String }, Cash { cents: u32 } }
        emits! { struct Out { pay: Pay } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        struct Pay { cents: u32 }
        emits! { struct Out { pay: Pay } }
    }
    struct_to_enum [lock "event user_updated data.pay.cents", handler "event user_updated data.pay|Card", handler "event user_updated data.pay|Cash"] {
        #[derive(Serialize, Deserialize, JsonSchema)]
        struct Pay { #[serde(skip_serializing_if = "Option::is_none")] cents: Option<u32> }
        emits! { struct Out { pay: Pay } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum Pay { Card { number: String }, Cash { cents: u32 } }
        emits! { struct Out { pay: Pay } }
    }
    tagged_enum_to_struct [handler "event user_updated data.pay"] {
        #[derive(Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind")]
        enum Pay { Card { number: String }, Cash { cents: u32 } }
        emits! { struct Out { pay: Option<Pay> } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        struct Pay { kind: String, number: String }
        emits! { struct Out { pay: Option<Pay> } }
    }
    items_from_enum_to_struct [handler "event user_updated data.events[]"] {
        emits! { struct Out { events: Vec<Event> } }
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum Event { Opened { at: u32 }, Closed { at: u32, by: String } }
    } => {
        emits! { struct Out { events: Vec<Event> } }
        #[derive(Serialize, Deserialize, JsonSchema)]
        struct Event { at: u32, by: String }
    }
    mixed_enum_to_text [handler "event user_updated data.pay"] {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum Pay { Card { number: String }, Cash }
        emits! { struct Out { pay: Pay } }
    } => {
        emits! { struct Out { pay: String } }
    }
    text_to_mixed_enum [handler "event user_updated data.pay"] {
        emits! { struct Out { pay: String } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum Pay { Card { number: String }, Cash }
        emits! { struct Out { pay: Pay } }
    }
    enum_of_values_to_struct [handler "event user_updated data.pay"] {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum Pay { Card, Cash }
        emits! { struct Out { pay: Pay } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        struct Pay {}
        emits! { struct Out { pay: Pay } }
    }
    stored_enum_to_struct [lock "stored users::get value|Card", lock "stored users::get value|Cash"] {
        stores! { enum Out { Card { number: String }, Cash { cents: u32 } } }
    } => {
        stores! { struct Out { number: Option<String> } }
    }
    stored_struct_to_enum [handler "stored users::get value"] {
        stores! { struct Out { number: String } }
    } => {
        stores! { enum Out { Card { number: String }, Cash { cents: u32 } } }
    }
    stored_text_to_mixed_enum [handler "stored users::get value.pay"] {
        stores! { struct Out { pay: String } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum Pay { Card { number: String }, Cash }
        stores! { struct Out { pay: Pay } }
    }
    field_gone_behind_an_encoded_reference [lock "event user_updated data.other.next", lock "event user_updated data.page.next"] {
        #[derive(Serialize, Deserialize, JsonSchema)]
        #[schemars(rename = "Page<{T}>")]
        struct Page<T> { items: Vec<T>, next: u32 }
        emits! { struct Out { page: Page<Plain>, other: Page<u8> } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        #[schemars(rename = "Page<{T}>")]
        struct Page<T> { items: Vec<T> }
        emits! { struct Out { page: Page<Plain>, other: Page<u8> } }
    }
    field_gone_behind_a_reference_with_a_slash [lock "event user_updated data.page.next"] {
        #[derive(Serialize, Deserialize, JsonSchema)]
        #[schemars(rename = "user/a~b Page 100%")]
        struct Page { size: u32, next: u32 }
        emits! { struct Out { page: Page } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        #[schemars(rename = "user/a~b Page 100%")]
        struct Page { size: u32 }
        emits! { struct Out { page: Page } }
    }
    was_names_the_former_identity_of_two [handler "handler users::change", handler "handler users::rename"] {
        #[orchestrate(pattern = "user", id = 1, delivery = "durable", name = "users::update")]
        async fn update() -> Result<(), Code> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, delivery = "durable", name = "users::change", was = "users::update")]
        async fn change() -> Result<(), Code> { pending().await }
        #[orchestrate(pattern = "user", id = 1, delivery = "durable", name = "users::rename", was = "users::update")]
        async fn rename() -> Result<(), Code> { pending().await }
    }
    subscriber_gone [lock "handler users::mail"] {
        receives! { struct In { id: u32 } }
        emits_nothing!();
    } => {
        emits_nothing!();
    }
    subscriber_requires_more_of_an_event_of_others [handler "receives users::mail value.email"] {
        receives! { struct In { id: u32 } }
    } => {
        receives! { struct In { id: u32, email: String } }
    }
    subscriber_requires_more_than_is_emitted [handler "receives users::mail value.email"] {
        receives! { struct In { id: u32 } }
        emits_plain!();
    } => {
        receives! { struct In { id: u32, email: String } }
        emits_plain!();
    }
    new_subscriber_requires_more_than_is_emitted [handler "receives users::mail value.id"] {
        emits_plain!();
    } => {
        receives! { struct In { id: String } }
        emits_plain!();
    }
    producer_breaks_a_known_subscriber [lock "event user_updated data.age", lock "event user_updated data.email"] {
        emits! { struct Out { id: u32, email: String, age: u32 } }
        receives! { struct In { email: String } }
    } => {
        emits! { struct Out { id: u32 } }
        receives! { struct In { email: String } }
    }
}
