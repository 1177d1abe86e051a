//! What the pages show: users on both arms, and flows of parcels, which no relay changes.

use std::{path::Path, time::Duration};

use graceful::{
    Classify, Code, Context, Orchestrator, OrchestratorBuilder, RelaySettings, Step,
    backends::{
        AttemptFailure, AttemptOutcome, Claim, FailureCause, FlowFilter, FlowQuery, FlowState, Lane,
        QueuedFlow, Room, Uuid, memory,
    },
    operations::{self, Selection},
    orchestrate,
};
use serde_json::{Value, json};

pub const SHIP: &str = "orders::ship";

/// Names that a path would change.
pub const NAMES: [&str; 7] = ["a/b", "..", "%2F", "#", "x&y", "é 😀", "?a=b"];

#[orchestrate(pattern = "user", id = id, cache = id, event = off, graph(relation = "member_of", to = "7", to_pattern = "team"))]
async fn update_user(id: &str, error: Option<&str>) -> Result<String, Refused> {
    match error {
        None => Ok(format!("ada {id}")),
        Some(why) => Err(Refused::Because { why: why.to_owned() }),
    }
}

#[orchestrate(pattern = "order", id = id, event = off, delivery = "durable")]
async fn pay_order(id: u64, payload: Value) -> Result<Value, Refused> {
    Ok(payload)
}

/// An error whose message is shown.
#[derive(Debug, Classify)]
enum Refused {
    #[classify(code = Internal, message = "{why}")]
    Because { why: String },
}

fn builder() -> OrchestratorBuilder {
    let builder = Orchestrator::builder().service("orders").environment("staging").in_memory();
    builder.log_errors(false).flows(memory::Flows::new()).relay(RelaySettings::off())
}

pub fn orchestrator() -> Orchestrator {
    builder().build().unwrap()
}

/// One whose audit log has a chain, in this folder.
pub async fn chained(folder: &Path) -> Orchestrator {
    let url = format!("sqlite:{}?mode=rwc", folder.join("audit.db").display());
    builder().audit(graceful_sqlite::Store::open(&url).await.unwrap()).build().unwrap()
}

pub fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// Stores a due flow of an entity.
pub async fn queue(orchestrator: &Orchestrator, number: u128, entity: &str) {
    let flow = QueuedFlow::new(id(number), entity, SHIP, Lane::of(SHIP, ""), b"{}".to_vec());
    orchestrator.flows().unwrap().enqueue(flow).await.unwrap();
}

/// Claims all due flows, so that they run.
pub async fn claim(orchestrator: &Orchestrator) -> Vec<Claim> {
    let claims = orchestrator.flows().unwrap().claim(Room::of(100), Duration::from_secs(600)).await.unwrap();
    assert!(!claims.is_empty());
    claims
}

/// Makes running flows dead letters, with this error.
pub async fn bury(orchestrator: &Orchestrator, claims: Vec<Claim>, error: &str) {
    for claim in claims {
        let cause = FailureCause::at_step(&claim.handler, Step::Event, Code::Unavailable, error);
        let outcome = AttemptOutcome::Dead { failure: AttemptFailure::new(cause), body: None };
        let store = orchestrator.flows().unwrap();
        assert!(store.record_outcome(claim.claim_id(), outcome).await.unwrap());
    }
}

/// Makes all due flows dead letters, with this error.
pub async fn kill(orchestrator: &Orchestrator, error: &str) {
    let claims = claim(orchestrator).await;
    bury(orchestrator, claims, error).await;
}

/// Stores dead letters with these numbers, each of a parcel of its own.
pub async fn dead(orchestrator: &Orchestrator, numbers: std::ops::Range<u128>) {
    for number in numbers {
        queue(orchestrator, number, &format!("orders::parcel:{number}")).await;
    }
    kill(orchestrator, "connection to 10.0.3.7:4222 refused (os error 111)").await;
}

/// Updates a user, who is cached. With an error, an alert and a review job are opened.
pub async fn update(orchestrator: &Orchestrator, id: &str, error: Option<&str>) {
    let context = Context::new().actor("cleo");
    let _ = orchestrator.scope(context.scope(update_user(id, error))).await;
}

/// The id of a durable flow with a payload.
pub async fn pay(orchestrator: &Orchestrator) -> Uuid {
    orchestrator.scope(pay_order(7, json!({ "card": "visa 4711", "lines": [1, 2] }))).await.unwrap();
    let mut filter = FlowFilter::default();
    filter.entity = Some("orders::order:7".to_owned());
    let query = FlowQuery::new(filter, 1);
    orchestrator.flows().unwrap().flows(query).await.unwrap().items[0].id
}

/// Prepares to discard all dead letters.
pub async fn prepare_discard(orchestrator: &Orchestrator) -> Uuid {
    let selection = Selection::Filter(FlowFilter::from(FlowState::Dead));
    let prepared = operations::prepare(orchestrator, graceful::backends::Action::Discard, &selection, "ada");
    prepared.await.unwrap().operation.id
}

pub async fn state(orchestrator: &Orchestrator, number: u128) -> FlowState {
    orchestrator.flows().unwrap().get(id(number)).await.unwrap().unwrap().summary.state
}
