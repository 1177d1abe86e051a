//! Cached values, their keys, and the values of durable flows.

use crate::changes;

changes! {
    key_form_changed [lock "key user {}"] {
        #[orchestrate(pattern = "user", cache = id, name = "users::update")]
        async fn update(id: u32) -> Result<u32, Code> { pending().await }
    } => {
        #[orchestrate(pattern = "user", cache = "by-id/{id}", name = "users::update")]
        async fn update(id: u32) -> Result<u32, Code> { pending().await }
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
}
