//! PostgreSQL is cut off: handlers answer all the same, and no flow is lost that was stored.

use std::time::Duration;

use graceful::{
    Code, Orchestrator, RelaySettings, Step, StepError,
    backends::{FlowState, FlowStore as _, postgres::Store},
    orchestrate,
};
use graceful_tests::{Link, Proxy, Reports, gate::until};

use super::{Postgres, url};

#[orchestrate(pattern = "user", id = id, delivery = "durable")]
async fn save(id: usize, error: Option<Code>) -> Result<usize, StepError> {
    error.map_or(Ok(id), |code| Err(StepError::new(code.name())))
}

/// Six stores, each cut off eighteen times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_off_a_hundred_times_no_stored_flow_is_lost() {
    let Some(postgres) = Postgres::find().await else { return };
    let mut stores = Vec::new();
    for first in 0..Link::FAULTS.len() {
        let schema = postgres.schema().await;
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
    let store = store.with_timeout(Duration::from_millis(300));
    let builder = Orchestrator::builder().service("users").store(store).relay(RelaySettings::off());
    let orchestrator = builder.build().unwrap();
    let mut stored = Vec::new();
    let save = async |id: usize, error| {
        let before = orchestrator.stats().not_stored();
        // Whatever becomes of the flow, the answer is the handler's.
        assert_eq!(orchestrator.scope(save(id, error)).await.is_ok(), error.is_none());
        orchestrator.stats().not_stored() == before
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
    let found = direct.list(FlowState::Queued, usize::MAX).await.unwrap();
    let found: Vec<_> = found.iter().map(|stored| stored.flow().unwrap().entity_id().to_string()).collect();
    for id in stored {
        assert!(found.contains(&id.to_string()), "stored, and not there: {id}");
    }
}

#[orchestrate(pattern = "user", id = id)]
async fn touch(id: usize, error: Option<Code>) -> Result<usize, Code> {
    error.map_or(Ok(id), Err)
}

/// Inline, the four steps of the store fail, and nothing else.
#[tokio::test]
async fn cut_off_handlers_answer_and_the_steps_come_back() {
    let Some(postgres) = Postgres::find().await else { return };
    let proxy = Proxy::to(postgres.address).await;
    let store = Store::connect(&url(proxy.address(), &postgres.schema().await)).await.unwrap();
    let store = store.with_timeout(Duration::from_millis(100));
    let reports = Reports::default();
    let builder = Orchestrator::builder().service("users").store(store).relay(RelaySettings::off());
    let orchestrator = reports.of(builder).build().unwrap();
    let failed = || {
        let report = reports.last();
        let failed = report.steps().filter(|(_, result)| result.error().is_some());
        failed.map(|(step, _)| step).collect::<Vec<_>>()
    };
    for fault in [Link::BlackHole, Link::Refused, Link::Reset] {
        for error in [None, Some(Code::Internal)] {
            proxy.set(fault).await;
            assert_eq!(orchestrator.scope(touch(1, error)).await.err(), error);
            assert_eq!(failed(), [Step::Metadata, Step::Schedule, Step::Nexus, Step::Audit], "{fault:?}");
            proxy.set(Link::Up).await;
            until(|| async {
                assert_eq!(orchestrator.scope(touch(1, error)).await.err(), error);
                failed().is_empty()
            })
            .await;
        }
    }
    postgres.clean().await;
}
