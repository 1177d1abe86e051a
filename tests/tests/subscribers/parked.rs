//! Parked events.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use graceful::{
    Code, EventData, State,
    backends::{ParkedEvent, Resubmitted, Subscriptions},
    subscribe,
};

use graceful_tests::Gate;
use tokio::sync::Notify;

use super::{Handled, Program, awaited, by_turns};

const POISONED: &str = "subscribers::parked::poisoned";

/// Whether the handler of the second event of entity 3 works.
#[derive(Clone, Default)]
struct Mended(Arc<AtomicBool>);

#[subscribe(event = "user_updated", pattern = "user", from = "start", attempts = 2)]
async fn poisoned(
    event: EventData<u64>,
    State(handled): State<Handled>,
    State(mended): State<Mended>,
) -> Result<(), Code> {
    let entity = event.entity_id.as_deref().unwrap_or_default();
    if entity == "3" && event.result == 1 && !mended.0.load(Ordering::SeqCst) {
        return Err(Code::Internal);
    }
    handled.add(entity, event.result);
    Ok(())
}

struct Poisoned {
    program: Program,
    handled: Handled,
    mended: Mended,
    subscriptions: Arc<dyn Subscriptions>,
}

impl Poisoned {
    async fn new() -> Self {
        let program = Program::new();
        program.emit(by_turns(100, 5)).await;
        let subscriptions = program.orchestrator.subscriptions().unwrap();
        Self { program, handled: Handled::new(), mended: Mended::default(), subscriptions }
    }

    async fn run_until(&self, end: impl Future<Output = ()>) {
        let subscribers = self.program.orchestrator.subscribers().only(POISONED);
        let subscribers = subscribers.provide(self.handled.clone()).provide(self.mended.clone());
        awaited(subscribers.run_until(end)).await.unwrap();
    }

    async fn parked(&self) -> Vec<ParkedEvent> {
        self.subscriptions.parked(POISONED.into(), 0, 100).await.unwrap()
    }

    async fn until_parked(&self, events: usize) {
        while self.parked().await.len() != events {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The numbers of entity 3, and how many others were handled.
    fn seen(&self) -> (Vec<u64>, usize) {
        let mut by_entity = self.handled.by_entity();
        (by_entity.remove("3").unwrap_or_default(), by_entity.values().map(Vec::len).sum())
    }
}

#[tokio::test]
async fn failing_event_is_parked_with_the_later_ones_of_its_entity_only() {
    let poisoned = Poisoned::new().await;
    poisoned
        .run_until(async {
            tokio::join!(poisoned.until_parked(4), poisoned.handled.wait_for(99 * 5 + 1));
        })
        .await;
    assert_eq!(poisoned.seen(), (vec![0], 99 * 5));
    let attempts: Vec<_> = poisoned.parked().await.iter().map(|event| event.attempts).collect();
    assert_eq!(attempts, [2, 0, 0, 0]);
    let state = poisoned.subscriptions.subscribers().await.unwrap().remove(0);
    assert_eq!((state.parked, state.handled_to), (4, poisoned.program.newest().await));
}

static GATE: Gate = Gate::closed();

/// The first event fails, and waits at the gate when it is resubmitted.
#[subscribe(event = "user_updated", pattern = "user", from = "start", attempts = 1)]
async fn gated(
    event: EventData<u64>,
    State(handled): State<Handled>,
    State(begun): State<Arc<Notify>>,
    State(mended): State<Mended>,
) -> Result<(), Code> {
    if event.result == 0 && !mended.0.swap(true, Ordering::SeqCst) {
        return Err(Code::Internal);
    }
    handled.add("", event.result);
    if event.result == 0 {
        begun.notify_one();
        GATE.pass().await;
    }
    Ok(())
}

#[tokio::test]
async fn event_that_is_discarded_while_it_runs_again_does_not_hold_up_the_later_ones() {
    const GATED: &str = "subscribers::parked::gated";
    let program = Program::new();
    program.emit((0..3).map(|number| ("ada".to_owned(), number))).await;
    let subscriptions = program.orchestrator.subscriptions().unwrap();
    let (handled, begun) = (Handled::new(), Arc::new(Notify::new()));
    let subscribers = program.orchestrator.subscribers().only(GATED).provide(handled.clone());
    let subscribers = subscribers.provide(Arc::clone(&begun)).provide(Mended::default());
    let discarded = async {
        let parked = async || subscriptions.parked(GATED.into(), 0, 10).await.unwrap();
        while parked().await.len() < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let first = parked().await[0].position;
        assert_eq!(subscriptions.resubmit(GATED.into(), first).await.unwrap(), Resubmitted::Released);
        begun.notified().await;
        subscriptions.discard(GATED.into(), first).await.unwrap().expect("it is parked");
        GATE.open_for(1);
        handled.wait_for(3).await;
    };
    awaited(subscribers.run_until(discarded)).await.unwrap();
    assert_eq!(handled.by_entity()[""], [0, 1, 2], "each once, in order");
}

#[tokio::test]
async fn resubmitted_event_runs_before_those_that_wait_behind_it() {
    let poisoned = Poisoned::new().await;
    poisoned
        .run_until(async {
            poisoned.until_parked(4).await;
            let parked = poisoned.parked().await;
            let resubmit = async |at: usize| {
                poisoned.subscriptions.resubmit(POISONED.into(), parked[at].position).await.unwrap()
            };
            assert_eq!(resubmit(2).await, Resubmitted::WaitsBehind { first: parked[0].position });
            // It fails again, in one attempt.
            assert_eq!(resubmit(0).await, Resubmitted::Released);
            while poisoned.parked().await[0].attempts != 3 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            poisoned.mended.0.store(true, Ordering::SeqCst);
            poisoned.program.emit([("3".to_owned(), 5)]).await;
            assert_eq!(resubmit(0).await, Resubmitted::Released);
            poisoned.until_parked(0).await;
            assert_eq!(resubmit(0).await, Resubmitted::NotParked);
            poisoned.program.emit([("3".to_owned(), 6)]).await;
            poisoned.handled.wait_for(99 * 5 + 7).await;
        })
        .await;
    assert_eq!(poisoned.seen(), ((0..7).collect(), 99 * 5));
}

#[tokio::test]
async fn discarded_event_lets_the_later_ones_run() {
    let poisoned = Poisoned::new().await;
    poisoned
        .run_until(async {
            poisoned.until_parked(4).await;
            let first = poisoned.parked().await.remove(0);
            assert!(poisoned.subscriptions.discard(POISONED.into(), first.position).await.unwrap().is_some());
            poisoned.handled.wait_for(99 * 5 + 4).await;
        })
        .await;
    assert_eq!(poisoned.seen(), (vec![0, 2, 3, 4], 99 * 5));
}

#[tokio::test]
async fn event_that_was_resubmitted_while_no_process_runs_is_handled_by_the_next() {
    let poisoned = Poisoned::new().await;
    poisoned.run_until(poisoned.until_parked(4)).await;
    poisoned.mended.0.store(true, Ordering::SeqCst);
    let first = poisoned.parked().await.remove(0);
    poisoned.subscriptions.resubmit(POISONED.into(), first.position).await.unwrap();
    poisoned.program.emit([("3".to_owned(), 5)]).await;
    poisoned.run_until(poisoned.handled.wait_for(99 * 5 + 6)).await;
    assert_eq!(poisoned.seen(), ((0..6).collect(), 99 * 5));
}
