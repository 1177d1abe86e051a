//! Enums in an event: their values, variants and representation.

use crate::changes;

changes! {
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
    enum_to_any_text [handler "event user_updated data.state"] {
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum State { Active, Locked }
        emits! { struct Out { state: State } }
    } => {
        emits! { struct Out { state: String } }
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
}
