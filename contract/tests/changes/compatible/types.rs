//! Types of an event's values, and their limits.

use crate::changes;

changes! {
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
}
