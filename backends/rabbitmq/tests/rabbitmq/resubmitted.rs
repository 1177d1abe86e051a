//! A resubmitted flow emits its event again, although a queue has that event already.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use graceful::{
    Code, Flow, Orchestrator, RelaySettings, StepError,
    backends::{FlowFilter, FlowQuery, FlowState, FlowStore as _, memory},
    orchestrate,
};
use graceful_tests::gate::until;
use tokio::runtime::Runtime;

use super::Rabbit;

/// Whether the audit step hangs, until its process dies.
static HANGS: AtomicBool = AtomicBool::new(true);

async fn audited(_: &Flow) -> Result<(), StepError> {
    match HANGS.load(Ordering::Relaxed) {
        true => std::future::pending().await,
        false => Ok(()),
    }
}

#[orchestrate(pattern = "user", id = id, event = "saved", delivery = "durable", audit = audited)]
async fn save(id: u8, error: Option<Code>) -> Result<u8, Code> {
    error.map_or(Ok(id), Err)
}

#[test(requires(RabbitMq), flavor = "multi_thread")]
async fn resubmitted_flow_is_emitted_again() {
    let rabbit = Rabbit::connect().await;
    let flows = memory::Flows::new();
    let relay =
        RelaySettings::default().poll(Duration::from_millis(5)).lease(Duration::from_secs(1)).attempts(1);
    let count = async |state: FlowState| flows.count(FlowFilter::from(state), 9).await.unwrap().number;
    let builder = || Orchestrator::builder().service("users").flows(flows.clone()).relay(relay);
    let messages = tokio::sync::Mutex::new(Vec::new());
    for times in 0..3 {
        // Its relay publishes the events and dies before it can record that.
        let process = Runtime::new().unwrap();
        HANGS.store(true, Ordering::Relaxed);
        let dying =
            builder().events(rabbit.events().await).runtime(process.handle().clone()).build().unwrap();
        if times == 0 {
            for (id, error) in [(1, None), (2, Some(Code::Internal))] {
                assert_eq!(dying.scope(save(id, error)).await.err(), error);
            }
        }
        until(async || {
            messages.lock().await.extend(rabbit.messages().await);
            messages.lock().await.len() == 2 * (times + 1)
        })
        .await;
        process.shutdown_background();
        drop(dying);
        let next = builder().build().unwrap();
        until(async || count(FlowState::Dead).await == 2).await;
        next.shutdown(Duration::from_secs(10)).await;
        for flow in flows.flows(FlowQuery::new(FlowState::Dead, 9)).await.unwrap().items {
            assert_eq!(flow.error(), Some("all 1 attempts were interrupted"));
            assert!(flows.resubmit(flow.id).await.unwrap().is_done());
        }
    }
    let messages = messages.into_inner();
    for first in &messages[..2] {
        let of_flow: Vec<_> =
            messages.iter().filter(|message| message.event["id"] == first.event["id"]).collect();
        let ids: Vec<_> = of_flow.iter().map(|message| message.id.clone().unwrap()).collect();
        let id = first.event["id"].as_str().unwrap();
        assert_eq!(ids, [id.to_owned(), format!("{id}.1"), format!("{id}.2")]);
    }
    rabbit.clean().await;
}
