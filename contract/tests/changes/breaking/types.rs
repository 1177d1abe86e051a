//! Types of an event's values, and their limits.

use crate::changes;

changes! {
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
    item_retyped [handler "event user_updated data.tags[]"] {
        emits! { struct Out { tags: Vec<String> } }
    } => {
        emits! { struct Out { tags: Vec<u32> } }
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
}
