//! The documents of a small program: what each says of handlers whose types are hard to name, and the AsyncAPI document by its own rules.
#![allow(dead_code, missing_docs, reason = "handlers and types that are described, and never used")]

mod asyncapi;
mod lock;

use std::{collections::BTreeMap, future::pending};

use graceful::{
    Classify, Code, StepError,
    catalogue::{Catalogue, CataloguedHandler, PayloadType},
    orchestrate,
};
use graceful_contract::{to_json, to_mermaid, to_snapshot};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct User {
    id: u64,
    address: a::Address,
    billing: Option<b::Address>,
}

pub mod a {
    use super::*;

    #[derive(Debug, Serialize, Deserialize, JsonSchema)]
    pub struct Address {
        pub street: String,
    }
}

pub mod b {
    use super::*;

    #[derive(Debug, Serialize, Deserialize, JsonSchema)]
    pub struct Address {
        zip: u32,
    }
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub enum State {
    Active,
    Locked { since: u64 },
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Tree {
    pair: (u8, String),
    state: Option<State>,
    children: Vec<Tree>,
}

#[derive(Debug, Classify)]
pub enum UserError {
    #[classify(code = NotFound, message = "user {0} not found")]
    Missing(u64),
    #[classify(transparent)]
    Step(StepError),
}

#[orchestrate(pattern = "user", cache(key = user.id, touches(team = 1)), event = "user_updated", audit(required))]
pub async fn update_user(user: User) -> Result<User, UserError> {
    pending::<()>().await;
    Ok(user)
}

impl From<StepError> for UserError {
    fn from(error: StepError) -> Self {
        Self::Step(error)
    }
}

#[orchestrate(pattern = "user", cache(key = id, read, depends_on(team = 1)))]
pub async fn get_user(id: u64) -> Result<User, UserError> {
    pending().await
}

#[orchestrate(pattern = "tree", id = 1, event = "tree_grown", delivery = "background")]
pub async fn grow() -> Result<Tree, Code> {
    pending().await
}

#[orchestrate(pattern = "user", event, catalogue = off)]
pub async fn hidden() -> Result<(), Code> {
    pending().await
}

/// Shapes of return types that an attribute can hardly name.
mod shapes {
    use super::*;

    pub struct Rows<T>(T);

    impl<T: Serialize + Clone> Rows<T> {
        #[orchestrate(pattern = "row", event, delivery = "durable")]
        async fn generic(&self) -> Result<User, Code> {
            pending().await
        }
    }

    #[derive(Serialize, JsonSchema)]
    pub struct Row;

    #[orchestrate(pattern = "row")]
    impl Row {
        #[orchestrate(event)]
        async fn of_self(&self) -> Result<Self, Code> {
            pending().await
        }
    }

    pub struct Table<M>(M);

    #[orchestrate(pattern = "row")]
    impl<M: Clone> Table<M> {
        #[orchestrate(event)]
        async fn of_a_block_with_parameters(&self) -> Result<User, UserError> {
            pending().await
        }

        #[orchestrate(event)]
        async fn parameter(&self) -> Result<M, UserError> {
            pending().await
        }
    }

    #[orchestrate(pattern = "row", event)]
    async fn opaque() -> Result<impl Serialize, UserError> {
        pending::<()>().await;
        Ok(1)
    }

    #[orchestrate(pattern = "row", event)]
    async fn json() -> Result<axum::Json<User>, UserError> {
        pending().await
    }

    #[orchestrate(pattern = "row", event, payload = user.id)]
    async fn expression(user: User) -> Result<(), Code> {
        pending().await
    }

    /// As two services of tonic on one type.
    pub trait Reads {
        async fn get(&self) -> Result<User, Code>;
    }

    pub trait Writes {
        async fn get(&self) -> Result<User, Code>;
    }

    impl Reads for Row {
        #[orchestrate(pattern = "row")]
        async fn get(&self) -> Result<User, Code> {
            pending().await
        }
    }

    impl Writes for Row {
        #[orchestrate(pattern = "row")]
        async fn get(&self) -> Result<User, Code> {
            pending().await
        }
    }
}

/// The handlers of this file.
fn program() -> Catalogue {
    let here = module_path!();
    Catalogue::of_program().filtered(|handler| handler.module == here)
}

fn shape(name: &str) -> CataloguedHandler {
    let catalogue = Catalogue::of_program().filtered(|handler| handler.module.ends_with("::shapes"));
    catalogue.handlers().iter().find(|handler| handler.name == name).unwrap().clone()
}

#[test]
fn every_shape_of_a_return_type_is_listed_with_its_schema_or_a_reason() {
    let payload = |name| shape(name).event.unwrap().payload;
    for name in ["json", "of_a_block_with_parameters"] {
        assert!(matches!(payload(name), PayloadType::Schema(_)), "{name}: {:?}", payload(name));
    }
    for (name, reason) in [
        (
            "generic",
            "its type may be a parameter of the `impl` block: write `#[orchestrate]` on the block, too",
        ),
        ("parameter", "it names a type parameter, which a static cannot"),
        ("of_self", "it names `Self`, which a static cannot"),
        ("opaque", "it is an `impl Trait`"),
        ("expression", "`payload` is an expression, whose type the attribute does not see"),
    ] {
        assert_eq!(payload(name), PayloadType::Opaque(reason), "{name}");
    }
    assert_eq!(shape("of_a_block_with_parameters").codes.own()[0].code, Code::NotFound);
    // The error is known, although the value is not.
    assert_eq!(shape("opaque").codes.own()[0].code, Code::NotFound);
    assert!(shape("generic").codes.is_any());
}

#[test]
fn identity_names_type_and_trait_and_no_generic_argument() {
    let here = module_path!();
    assert_eq!(shape("generic").identity, format!("{here}::shapes::Rows::generic"));
    let catalogue = Catalogue::of_program().filtered(|handler| handler.name == "get");
    let identities: Vec<_> = catalogue.handlers().iter().map(|handler| &handler.identity).collect();
    assert_eq!(
        identities,
        [
            &format!("<{here}::shapes::Row as {here}::shapes::Reads>::get"),
            &format!("<{here}::shapes::Row as {here}::shapes::Writes>::get")
        ]
    );
}

#[test]
fn json_lists_each_handler_with_place_events_types_and_codes() {
    let json = to_json(&program());
    let handlers: BTreeMap<_, _> =
        json["handlers"].as_array().unwrap().iter().map(|of| (of["name"].as_str().unwrap(), of)).collect();
    assert_eq!(handlers.keys().copied().collect::<Vec<_>>(), ["get_user", "grow", "update_user"]);
    let update = handlers["update_user"];
    assert_eq!(update["event"]["failed"], "user_updated.failed");
    assert_eq!(update["event"]["payload"]["schema"]["$ref"], "#/definitions/User");
    assert_eq!(update["file"], file!());
    assert!(update["line"].as_u64().unwrap() > 0);
    assert_eq!(update["codes"]["own"][0]["message"], "user {0} not found");
    let through: Vec<_> = update["codes"]["through_wrapped"].as_array().unwrap().iter().collect();
    assert!(
        through.contains(&&"UNAVAILABLE".into()) && !through.contains(&&"NOT_FOUND".into()),
        "{through:?}"
    );
    assert_eq!((&update["writes"], &update["reads"]), (&true.into(), &false.into()));
    assert_eq!(handlers["grow"]["delivery"], "background");
    assert!(json["schemas"]["emitted"]["User"].is_object() && json["schemas"]["stored"]["User"].is_object());
}

#[test]
fn mermaid_shows_writers_readers_and_events_of_both_arms() {
    let chart = to_mermaid(&program());
    let lines: Vec<_> = chart.lines().map(str::trim).collect();
    let number = |of: &str| {
        let line = lines.iter().find(|line| line.contains(of)).unwrap_or_else(|| panic!("{of}: {chart}"));
        line.split(['(', '>', '[']).next().unwrap().to_owned()
    };
    let (update, get) = (number("::update_user\""), number("::get_user\""));
    let (user, team) = (number("[(\"user\")]"), number("[(\"team\")]"));
    let (emitted, failed) = (number("\"user_updated\""), number("\"user_updated.failed\""));
    for expected in [
        format!("{update} -->|writes| {user}"),
        format!("{update} -->|writes| {team}"),
        format!("{user} -->|read by| {get}"),
        format!("{team} -->|read by| {get}"),
        format!("{update} -.->|Ok| {emitted}"),
        format!("{update} -.->|Err| {failed}"),
    ] {
        assert!(lines.contains(&expected.as_str()), "{expected}: {chart}");
    }
}

#[test]
fn snapshot_has_no_line_numbers() {
    let expected = "\
documents::get_user
  pattern user, key {}, reads, inline
  depends on team
  steps cache
  stored: with a schema
  code NOT_FOUND: user {0} not found
  codes of wrapped errors CANCELLED, INVALID_ARGUMENT, DEADLINE_EXCEEDED, FAILED_PRECONDITION, ABORTED, INTERNAL, UNAVAILABLE
documents::grow
  pattern tree, background
  steps event
  event tree_grown: with a schema
  event tree_grown.failed
  any code
documents::update_user
  pattern user, key {}, writes, inline
  touches team
  steps cache, event, audit
  required audit
  event user_updated: with a schema
  event user_updated.failed
  code NOT_FOUND: user {0} not found
  codes of wrapped errors CANCELLED, INVALID_ARGUMENT, DEADLINE_EXCEEDED, FAILED_PRECONDITION, ABORTED, INTERNAL, UNAVAILABLE
";
    assert_eq!(to_snapshot(&program()), expected);
}
