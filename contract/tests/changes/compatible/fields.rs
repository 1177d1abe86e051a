//! Fields of an event: which there are, where, and whether they can be missing or null.

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
    fields_in_another_order {
        emits! { struct Out { id: u32, email: String } }
    } => {
        emits! { struct Out { email: String, id: u32 } }
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
}
