//! Enums in an event: their values, variants and representation.

use crate::changes;

changes! {
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
    untagged_text_or_number_to_text {
        #[derive(Serialize, Deserialize, JsonSchema)]
        #[serde(untagged)]
        enum Id { Number(u32), Text(String) }
        emits! { struct Out { id: Id } }
    } => {
        emits! { struct Out { id: String } }
    }
}
