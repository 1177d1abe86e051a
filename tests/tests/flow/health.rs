//! The health of a process: its store, its cache, its shutdown.

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use graceful::{
    Code, Health, HealthStatus, Orchestrator, StepError,
    backends::{
        ActionResult, AttemptOutcome, Claim, ClaimId, Count, FailedAttempt, FailureGroups, FlowFilter,
        FlowQuery, FlowState, FlowStore, FlowSummary, Lag, Page, QueuedFlow, Reply, Room, StoredFlow, Uuid,
        memory,
    },
    orchestrate,
};
use graceful_tests::{FaultyProtocol, Method, ProtocolFault};
use tokio::time::{advance, pause, sleep};

/// How a store answers a probe.
#[derive(Clone, Copy, Debug)]
enum Answer {
    AtOnce,
    Fails,
    Hangs,
    After(Duration),
}

/// A store whose probe does what a test says.
#[derive(Clone, Debug)]
struct Probed {
    flows: memory::Flows,
    answer: Arc<Mutex<Answer>>,
    probes: Arc<AtomicUsize>,
}

impl Probed {
    fn new(answer: Answer) -> Self {
        Self { flows: memory::Flows::new(), answer: Arc::new(Mutex::new(answer)), probes: Arc::default() }
    }

    fn set(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    fn probes(&self) -> usize {
        self.probes.load(Ordering::Relaxed)
    }

    fn orchestrator(&self) -> Orchestrator {
        Orchestrator::builder().in_memory().flows(self.clone()).build().unwrap()
    }
}

impl FlowStore for Probed {
    fn enqueue(&self, flow: QueuedFlow) -> Reply<()> {
        self.flows.enqueue(flow)
    }

    fn claim(&self, room: Room, lease: Duration) -> Reply<Vec<Claim>> {
        self.flows.claim(room, lease)
    }

    fn extend(&self, held: Vec<ClaimId>, lease: Duration) -> Reply<()> {
        self.flows.extend(held, lease)
    }

    fn record_outcome(&self, held: ClaimId, outcome: AttemptOutcome) -> Reply<bool> {
        self.flows.record_outcome(held, outcome)
    }

    fn get(&self, id: Uuid) -> Reply<Option<StoredFlow>> {
        self.flows.get(id)
    }

    fn flows(&self, query: FlowQuery) -> Reply<Page<FlowSummary>> {
        self.flows.flows(query)
    }

    fn count(&self, filter: FlowFilter, cap: u64) -> Reply<Count> {
        self.flows.count(filter, cap)
    }

    fn groups(&self, filter: FlowFilter, cap: u64) -> Reply<FailureGroups> {
        self.flows.groups(filter, cap)
    }

    fn attempts(&self, id: Uuid) -> Reply<Vec<FailedAttempt>> {
        self.flows.attempts(id)
    }

    fn lag(&self, cap: u64) -> Reply<Lag> {
        self.flows.lag(cap)
    }

    fn resubmit(&self, id: Uuid) -> Reply<ActionResult> {
        self.flows.resubmit(id)
    }

    fn discard(&self, id: Uuid, from: FlowState) -> Reply<ActionResult> {
        self.flows.discard(id, from)
    }

    fn postpone(&self, id: Uuid, time: Duration) -> Reply<ActionResult> {
        self.flows.postpone(id, time)
    }

    fn purge(&self, state: FlowState, age: Duration) -> Reply<u64> {
        self.flows.purge(state, age)
    }

    fn probe(&self) -> Reply<()> {
        self.probes.fetch_add(1, Ordering::Relaxed);
        let answer = *self.answer.lock().unwrap();
        match answer {
            Answer::AtOnce => Reply::ready(()),
            Answer::Fails => Reply::failed(StepError::new("no route to host")),
            Answer::Hangs => Reply::pending(pending()),
            Answer::After(time) => Reply::pending(async move {
                sleep(time).await;
                Ok(())
            }),
        }
    }
}

#[track_caller]
fn assert_health(health: &Health, status: HealthStatus, reasons: &[&str]) {
    assert_eq!(
        (health.status, health.reasons.iter().map(|reason| &**reason).collect()),
        (status, reasons.to_vec())
    );
}

#[tokio::test]
async fn process_without_a_store_is_ready() {
    assert_health(&Orchestrator::in_memory().health().await, HealthStatus::Ready, &[]);
}

#[tokio::test]
async fn process_is_unavailable_while_its_store_does_not_answer() {
    pause();
    let store = Probed::new(Answer::AtOnce);
    let orchestrator = store.orchestrator();
    assert_health(&orchestrator.health().await, HealthStatus::Ready, &[]);
    for (answer, reason) in [
        (Answer::Fails, "the store does not answer: no route to host"),
        (Answer::Hangs, "the store does not answer: nothing within 2s"),
    ] {
        store.set(answer);
        advance(Duration::from_secs(1)).await;
        assert_health(&orchestrator.health().await, HealthStatus::Unavailable, &[reason]);
        store.set(Answer::AtOnce);
        advance(Duration::from_secs(1)).await;
        assert_health(&orchestrator.health().await, HealthStatus::Ready, &[]);
    }
}

#[tokio::test]
async fn store_is_asked_once_a_second_by_all_together() {
    pause();
    let store = Probed::new(Answer::After(Duration::from_millis(500)));
    let orchestrator = store.orchestrator();
    for probes in 1..=3 {
        let asking: Vec<_> = (0..100)
            .map(|_| {
                let orchestrator = orchestrator.clone();
                tokio::spawn(async move { orchestrator.health().await.status })
            })
            .collect();
        for asking in asking {
            assert_eq!(asking.await.unwrap(), HealthStatus::Ready);
        }
        assert_eq!(store.probes(), probes);
        advance(Duration::from_millis(999)).await;
        orchestrator.health().await;
        assert_eq!(store.probes(), probes, "the answer is fresh");
        advance(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn dropped_question_does_not_keep_others_from_asking() {
    pause();
    let store = Probed::new(Answer::Hangs);
    let orchestrator = store.orchestrator();
    let asked = tokio::time::timeout(Duration::from_millis(10), orchestrator.health()).await;
    assert!(asked.is_err());
    store.set(Answer::AtOnce);
    assert_health(&orchestrator.health().await, HealthStatus::Ready, &[]);
    assert_eq!(store.probes(), 2);
}

#[orchestrate(pattern = "health_user", cache(key = id, read))]
async fn get(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "health_user", cache(key = id, on_ok = "invalidate"))]
async fn put(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[tokio::test(start_paused = true)]
async fn unconfirmed_end_of_a_write_degrades_the_process_until_it_is_confirmed() {
    let cache = FaultyProtocol::default();
    let orchestrator = Orchestrator::builder().cache(cache.clone()).build().unwrap();
    orchestrator.scope(get(1)).await.unwrap();
    cache.fail(Method::End, ProtocolFault::Fails);
    orchestrator.scope(put(1)).await.unwrap();
    let reason = "the cache has not confirmed the ends of 1 writes";
    assert_health(&orchestrator.health().await, HealthStatus::Degraded, &[reason]);
    cache.mend(Method::End);
    while orchestrator.health().await.status == HealthStatus::Degraded {
        // The clock is paused, so this awaits the next try.
        sleep(Duration::from_secs(1)).await;
    }
    assert_health(&orchestrator.health().await, HealthStatus::Ready, &[]);
}

#[tokio::test]
async fn process_is_unavailable_from_the_beginning_of_its_shutdown() {
    let store = Probed::new(Answer::Fails);
    let orchestrator = store.orchestrator();
    orchestrator.shutdown(Duration::from_secs(5)).await;
    let reasons = ["the process is shutting down", "the store does not answer: no route to host"];
    assert_health(&orchestrator.health().await, HealthStatus::Unavailable, &reasons);
}
