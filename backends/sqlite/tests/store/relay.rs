//! A relay and the store: flows of one entity, one after the other.

use std::{sync::Arc, time::Duration};

use graceful::{
    Event, Orchestrator, RelaySettings,
    backends::{EventEmitter, FlowState, FlowStore as _, Reply},
    orchestrate,
};
use tokio::sync::mpsc;

use super::{fresh, outcomes::transactions};

/// All flows are of one entity.
const ONE: &str = "one";

#[orchestrate(pattern = "number", id = ONE, event = "counted", delivery = "durable")]
async fn count(number: u64) -> Result<u64, graceful::Code> {
    Ok(number)
}

#[derive(Debug)]
struct Events(mpsc::UnboundedSender<serde_json::Value>);

impl EventEmitter for Events {
    fn emit(&self, event: Event) -> Reply<()> {
        self.0.send(serde_json::from_str(&event.to_json().unwrap()).unwrap()).unwrap();
        Reply::ready(())
    }
}

/// So few that the write-ahead log does not begin again.
const FLOWS: u64 = 20;

/// One by one, each flow needs one or two.
#[tokio::test(flavor = "multi_thread")]
async fn flows_of_one_entity_run_in_order_and_share_transactions() {
    let (_dir, store) = fresh().await;
    let (events, mut emitted) = mpsc::unbounded_channel();
    let events = Arc::new(events);
    let orchestrator = |relay| {
        let builder = Orchestrator::builder().service("tests").flows(store.clone()).relay(relay);
        builder.events(Events((*events).clone())).build().unwrap()
    };
    let storing = orchestrator(RelaySettings::off());
    for number in 0..FLOWS {
        storing.scope(count(number)).await.unwrap();
    }
    let before = transactions(store.path());
    let relaying = orchestrator(RelaySettings::default());
    for number in 0..FLOWS {
        let event = emitted.recv().await.unwrap();
        assert_eq!(event["data"]["result"], number, "{event}");
    }
    relaying.shutdown(Duration::from_mins(1)).await;
    assert_eq!(store.count(FlowState::Queued.into(), 1).await.unwrap().number, 0);
    let needed = transactions(store.path()) - before;
    assert!(needed <= usize::try_from(FLOWS / 2).unwrap(), "{needed} transactions");
}
