//! Fields of an event: which there are, where, and whether they can be missing or null.

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
    nested_field_gone [lock "event user_updated data.address.street"] {
        #[derive(Serialize, Deserialize, JsonSchema)]
        struct Address { street: String, city: String }
        emits! { struct Out { address: Address } }
    } => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        struct Address { city: String }
        emits! { struct Out { address: Address } }
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
    nested_fields_flattened [lock "event user_updated data.plain"] {
        emits! { struct Out { plain: Plain } }
    } => {
        emits! { struct Out { #[serde(flatten)] plain: Plain } }
    }
    field_in_tree_gone [lock "event user_updated data.size"] {
        emits! { struct Out { name: String, size: u32, children: Vec<Out> } }
    } => {
        emits! { struct Out { name: String, children: Vec<Out> } }
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
}
