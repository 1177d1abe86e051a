//! The store keeps the promises of its trait, and an orchestrator uses it like any other.
#![allow(missing_docs, reason = "tests")]

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use graceful::{Code, Orchestrator, RelaySettings, backends::FlowState, orchestrate};
use graceful_testing::InState as _;
use graceful_testing::conformance;
use graceful_tests_outside::{BACKEND, Store};

#[tokio::test]
async fn store_of_another_crate_passes_the_conformance_suite() {
    let directory = tempfile::tempdir().unwrap();
    let stores = AtomicU32::new(0);
    let fresh = async || {
        let name = format!("{}.json", stores.fetch_add(1, Ordering::Relaxed));
        Store::open(directory.path().join(name)).unwrap()
    };
    conformance::flow_store(fresh, async |store: &Store, time| store.elapse(time)).await;
}

#[orchestrate(pattern = "user", id = id, event = "user_renamed", delivery = "durable")]
async fn rename(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[tokio::test]
async fn flow_stored_by_one_orchestrator_is_delivered_by_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("json://{}", directory.path().join("flows.json").display());
    let builder =
        || Orchestrator::builder().service("users").settings(&[BACKEND], [("GRACEFUL_STORE", url.clone())]);
    let first = builder().await.unwrap().relay(RelaySettings::off()).in_memory().build().unwrap();
    first.scope(rename(42)).await.unwrap();
    drop(first);

    let (sender, mut reports) = tokio::sync::mpsc::unbounded_channel();
    let observer = move |report: &graceful::FlowReport| drop(sender.send(report.clone()));
    let second = builder().await.unwrap().in_memory().on_report(observer).build().unwrap();
    let report = tokio::time::timeout(Duration::from_secs(30), reports.recv()).await.unwrap().unwrap();
    assert_eq!(report.flow().entity_id(), "42");
    let flows = second.flows().unwrap();
    assert!(flows.in_state(FlowState::Queued).await.unwrap().is_empty());
    assert_eq!(flows.in_state(FlowState::Completed).await.unwrap().len(), 1);
}
