//! Stored flows of the tests.

use std::{sync::Arc, time::Duration};

use graceful::{
    Code, Orchestrator, RelaySettings, Step,
    backends::{
        AttemptFailure, AttemptOutcome, FailureCause, FlowStore, Lane, QueuedFlow, Room, Uuid, memory,
    },
};

pub const SHIP: &str = "orders::ship";

/// An orchestrator with a store in which no relay changes anything.
pub fn orchestrator() -> Orchestrator {
    let builder = Orchestrator::builder().service("orders").environment("staging").in_memory();
    builder.flows(memory::Flows::new()).relay(RelaySettings::off()).build().unwrap()
}

pub fn store(orchestrator: &Orchestrator) -> &Arc<dyn FlowStore> {
    orchestrator.flows().unwrap()
}

pub fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// Stores a due flow of an entity.
pub async fn queue(orchestrator: &Orchestrator, number: u128, entity: &str, handler: &str) {
    let flow = QueuedFlow::new(id(number), entity, handler, Lane::of(handler, ""), b"{}".to_vec());
    store(orchestrator).enqueue(flow).await.unwrap();
}

/// Makes all due flows dead letters, with this error.
pub async fn kill(orchestrator: &Orchestrator, error: &str) {
    loop {
        let claims = store(orchestrator).claim(Room::of(100), Duration::from_secs(60)).await.unwrap();
        if claims.is_empty() {
            return;
        }
        for claim in claims {
            let cause = FailureCause::at_step(&claim.handler, Step::Event, Code::Unavailable, error);
            let outcome = AttemptOutcome::Dead { failure: AttemptFailure::new(cause), body: None };
            assert!(store(orchestrator).record_outcome(claim.claim_id(), outcome).await.unwrap());
        }
    }
}

/// Stores dead letters with these numbers, each of an entity of its own.
pub async fn dead(orchestrator: &Orchestrator, numbers: std::ops::Range<u128>) {
    for number in numbers {
        queue(orchestrator, number, &format!("orders::parcel:{number}"), SHIP).await;
    }
    kill(orchestrator, "no parcel service").await;
}
