//! A resubmitted flow emits its event again, although the stream has that event already.

use std::time::Duration;

use graceful::{
    Code, Orchestrator, RelaySettings,
    backends::{FlowState, FlowStore as _, memory},
    orchestrate,
};
use graceful_tests::gate::until;

use super::Nats;

#[orchestrate(pattern = "user", id = id, event = "saved", delivery = "durable")]
async fn save(id: u8, error: Option<Code>) -> Result<u8, Code> {
    error.map_or(Ok(id), Err)
}

#[test(requires(Nats), flavor = "multi_thread")]
async fn resubmitted_flow_within_duplicate_window_reaches_stream() {
    let nats = Nats::connect().await;
    let flows = memory::Flows::new();
    let builder = Orchestrator::builder().service("users").flows(flows.clone()).events(nats.events().await);
    let relay = RelaySettings::default().poll(Duration::from_millis(5));
    let orchestrator = builder.relay(relay).build().unwrap();
    let completed = async || flows.list(FlowState::Completed, 9).await.unwrap();
    for (id, error) in [(1, None), (2, Some(Code::Internal))] {
        assert_eq!(orchestrator.scope(save(id, error)).await.err(), error);
        until(async || completed().await.len() == usize::from(id)).await;
    }
    let before = nats.messages().await;
    for times in 1..=2 {
        for stored in completed().await {
            assert!(flows.resubmit(stored.id).await.unwrap());
        }
        until(async || completed().await.iter().filter(|flow| flow.resubmitted == times).count() == 2).await;
    }
    let messages = nats.messages().await;
    assert_eq!((before.len(), messages.len()), (2, 6), "each resubmission is one more");
    for first in &before {
        let of_flow: Vec<_> =
            messages.iter().filter(|message| message.event["id"] == first.event["id"]).collect();
        let ids: Vec<_> = of_flow.iter().map(|message| message.id.clone().unwrap()).collect();
        let id = first.event["id"].as_str().unwrap();
        assert_eq!(ids, [id.to_owned(), format!("{id}.1"), format!("{id}.2")]);
    }
    nats.clean().await;
}
