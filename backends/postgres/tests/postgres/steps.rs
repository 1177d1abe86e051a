//! Several processes run the steps of the same entity.

use graceful::{
    Code, Key, Orchestrator, RelaySettings,
    backends::{AuditLog as _, IncidentFilter, MetadataStore as _, Nexus as _, Scheduler as _},
    orchestrate,
};
use tokio::task::JoinSet;

use super::Postgres;

#[orchestrate(pattern = "user", id = 42)]
async fn touch(error: Option<Code>) -> Result<(), Code> {
    error.map_or(Ok(()), Err)
}

const EACH: u64 = 15;

#[test(requires(Postgres), flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_processes_count_every_flow_once() {
    let postgres = Postgres::new();
    let schema = postgres.schema().await;
    let store = postgres.store(&schema).await;
    let mut tasks = JoinSet::new();
    for error in [None, Some(Code::Internal), None, Some(Code::Internal)] {
        let store = postgres.store(&schema).await;
        let builder = Orchestrator::builder().service("users").store(store).relay(RelaySettings::off());
        let orchestrator = builder.build().unwrap();
        tasks.spawn(async move {
            for _ in 0..EACH {
                assert_eq!(orchestrator.scope(touch(error)).await.err(), error);
            }
            graceful::Step::ALL.map(|step| orchestrator.stats().failures(step))
        });
    }
    for failures in tasks.join_all().await {
        assert_eq!(failures, [0; 9], "by step");
    }

    let entity = Key::new("users", None, "user", "42");
    let state = store.latest(&entity).await.unwrap().unwrap();
    assert_eq!((state.score, state.error_count), (2 * EACH, 2 * EACH));
    // The chain of states is whole.
    let (mut length, mut previous) = (1, state.previous);
    while let Some(id) = previous {
        let state = store.state(id).await.unwrap().unwrap();
        (length, previous) = (length + 1, state.previous);
    }
    assert_eq!(length, 4 * EACH);
    let patterns = store.patterns(None, 100).await.unwrap();
    let patterns: Vec<_> = patterns.iter().map(|used| (used.pattern.as_str(), used.count)).collect();
    assert_eq!(patterns, [("user", 2 * EACH), ("user.error", 2 * EACH)]);
    assert_eq!(store.records(Some(&entity), usize::MAX).await.unwrap().len() as u64, 4 * EACH);
    assert!(store.jobs(IncidentFilter::default(), None, 9).await.unwrap().items.len() <= 1);
    postgres.clean().await;
}
