//! PostgreSQL is unreachable: handlers still answer, and no stored flow is lost.

use std::time::Duration;

use graceful::{Code, Orchestrator, RelaySettings, Step, StepError, backends::FlowState, orchestrate};
use graceful_postgres::Store;
use graceful_testing::InState as _;
use graceful_tests::{Link, Proxy, Reports, gate::until};

use super::{Postgres, execute, url};

#[orchestrate(pattern = "user", id = id, delivery = "durable")]
async fn save(id: usize, error: Option<Code>) -> Result<usize, StepError> {
    error.map_or(Ok(id), |code| Err(StepError::new(code.as_str())))
}

/// Each of six stores is disconnected eighteen times.
#[test(requires(Postgres), flavor = "multi_thread", worker_threads = 2)]
async fn cut_off_a_hundred_times_no_stored_flow_is_lost() {
    let postgres = Postgres::new();
    let mut stores = Vec::new();
    for first in 0..Link::FAULTS.len() {
        let schema = postgres.migrated().await;
        stores.push(tokio::spawn(cut_off(postgres.address, schema, first)));
    }
    for store in stores {
        store.await.unwrap();
    }
    postgres.clean().await;
}

async fn cut_off(address: std::net::SocketAddr, schema: String, first: usize) {
    let proxy = Proxy::to(address).await;
    let store = Store::connect(&url(proxy.address(), &schema)).await.unwrap();
    let store = store.timeout(Duration::from_millis(300));
    let builder = Orchestrator::builder().service("users").store(store).relay(RelaySettings::off());
    let orchestrator = builder.build().unwrap();
    let mut stored = Vec::new();
    let save = async |id: usize, error| {
        let before = orchestrator.stats().store_failures();
        // Whatever becomes of the flow, the answer is the handler's.
        assert_eq!(orchestrator.scope(save(id, error)).await.is_ok(), error.is_none());
        orchestrator.stats().store_failures() == before
    };
    for round in 0..3 * Link::FAULTS.len() {
        proxy.set(Link::FAULTS[(first + round) % Link::FAULTS.len()]).await;
        for (id, error) in [(4 * round, None), (4 * round + 1, Some(Code::Internal))] {
            if save(id, error).await {
                stored.push(id);
            }
        }
        proxy.set(Link::Up).await;
        for (id, error) in [(4 * round + 2, None), (4 * round + 3, Some(Code::Internal))] {
            until(|| save(id, error)).await;
            stored.push(id);
        }
    }
    let direct = Store::connect(&url(address, &schema)).await.unwrap();
    let found = direct.in_state(FlowState::Queued).await.unwrap();
    let found: Vec<_> = found.iter().map(|stored| stored.flow().unwrap().entity_id().to_string()).collect();
    for id in stored {
        assert!(found.contains(&id.to_string()), "stored, and not there: {id}");
    }
}

#[orchestrate(pattern = "user", id = id)]
async fn touch(id: usize, error: Option<Code>) -> Result<usize, Code> {
    error.map_or(Ok(id), Err)
}

/// What became of the steps whose backend is the store.
fn steps(reports: &Reports) -> Vec<String> {
    let report = reports.last();
    let steps = [Step::Metadata, Step::Nexus, Step::Audit].map(|step| report.step(step).to_string());
    steps.into()
}

fn is_spared(step: &str) -> bool {
    step.contains("PostgreSQL is unavailable")
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn unavailable_server_fails_steps_at_once_and_flows_are_still_tried() {
    let postgres = Postgres::new();
    for fault in [Link::BlackHole, Link::Refused, Link::Reset] {
        let schema = postgres.migrated().await;
        let proxy = Proxy::to(postgres.address).await;
        let store = Store::connect(&url(proxy.address(), &schema)).await.unwrap();
        let store = store.timeout(Duration::from_millis(500));
        let reports = Reports::default();
        let builder = reports.of(Orchestrator::builder().service("users").store(store.clone()));
        let orchestrator = builder.relay(RelaySettings::off()).build().unwrap();
        let touch = async |error| {
            assert_eq!(orchestrator.scope(touch(1, error)).await.err(), error);
            steps(&reports)
        };
        assert_eq!(touch(None).await, ["normalised", "registered", "appended"]);

        proxy.set(fault).await;
        // Each of them waits in vain, for the store's time and not for the step's. Where that is no time, the flow and the first steps may
        // open the circuit for the next.
        let place = format!("PostgreSQL at {}", proxy.address());
        let failed = touch(Some(Code::Internal)).await;
        let waited = failed.iter().filter(|step| step.contains(&place)).count();
        let spared = failed.iter().filter(|step| is_spared(step)).count();
        let at_most_spared = if fault == Link::BlackHole { 0 } else { failed.len() - 1 };
        assert!(waited + spared == failed.len() && spared <= at_most_spared, "{fault:?}: {failed:?}");
        for error in [None, Some(Code::Internal)] {
            until(async || touch(error).await.iter().all(|step| is_spared(step))).await;
        }
        // A flow is tried all the same, and where that is in vain its steps run at once.
        let tried = orchestrator.stats().store_failures();
        for (id, error) in [(2, None), (3, Some(Code::Internal))] {
            assert_eq!(orchestrator.scope(save(id, error)).await.is_ok(), error.is_none());
        }
        assert_eq!(orchestrator.stats().store_failures(), tried + 2);

        until(async || touch(None).await.iter().all(|step| is_spared(step))).await;
        proxy.set(Link::Up).await;
        // The first flow that comes is stored, and tells the steps that the server is back.
        orchestrator.scope(save(4, None)).await.unwrap();
        assert_eq!(orchestrator.stats().store_failures(), tried + 2, "{fault:?}");
        assert_eq!(touch(Some(Code::Internal)).await, ["normalised", "registered", "appended"]);
        let queued = store.in_state(FlowState::Queued).await.unwrap();
        assert!(queued.iter().any(|stored| stored.summary.entity == "users::user:4"), "{queued:?}");
    }
    postgres.clean().await;
}

/// A server that answers is available.
#[test(requires(Postgres))]
async fn statement_refused_by_the_server_opens_no_breaker() {
    let postgres = Postgres::new();
    let schema = postgres.migrated().await;
    let store = postgres.store(&schema).await;
    let reports = Reports::default();
    let builder = reports.of(Orchestrator::builder().service("users").store(store));
    let orchestrator = builder.relay(RelaySettings::off()).build().unwrap();
    let mut connection = postgres.connection(&schema).await;
    execute(
        &mut connection,
        "DROP TABLE graceful_metadata, graceful_patterns, graceful_jobs, graceful_audit",
    )
    .await;
    for error in [None, Some(Code::Internal), None, Some(Code::Internal)] {
        let _ = orchestrator.scope(touch(1, error)).await;
        for (step, table) in steps(&reports).iter().zip(["metadata", "patterns", "audit"]) {
            assert!(step.contains(&format!("graceful_{table}")), "{step}");
        }
    }
    postgres.clean().await;
}
