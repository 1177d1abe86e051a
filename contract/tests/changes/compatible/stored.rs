//! Cached values, their keys, and the values of durable flows.

use crate::changes;

changes! {
    key_form_added {
        #[orchestrate(pattern = "user", cache = id, name = "users::update")]
        async fn update(id: u32) -> Result<u32, Code> { pending().await }
    } => {
        #[orchestrate(pattern = "user", cache = id, name = "users::update")]
        async fn update(id: u32) -> Result<u32, Code> { pending().await }
        #[orchestrate(pattern = "user", cache(key = "list/{page}", read), name = "users::list")]
        async fn list(page: u32) -> Result<Vec<u32>, Code> { pending().await }
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
    stored_variant_added {
        stores! { enum Out { Card { number: String } } }
    } => {
        stores! { enum Out { Card { number: String }, Cash { cents: u32 }, Nothing } }
    }
}
