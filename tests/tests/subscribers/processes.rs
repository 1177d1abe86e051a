//! Several processes that read the events of one subscriber, and the end of one.

use std::{sync::Arc, time::Duration};

use graceful::{Code, EventData, State, subscribe};
use graceful_tests::gate::until;
use tokio::sync::Semaphore;

use super::{Gauge, Handled, Program, awaited, by_turns};

const COLLECT: &str = "subscribers::processes::collect";
const GATED: &str = "subscribers::processes::gated";

#[subscribe(event = "user_updated", pattern = "user", from = "start")]
async fn collect(event: EventData<u64>, State(handled): State<Handled>) -> Result<(), Code> {
    tokio::time::sleep(Duration::from_millis(1)).await;
    handled.add(event.entity_id.as_deref().unwrap_or_default(), event.result);
    Ok(())
}

/// Lets handlers go on.
#[derive(Clone)]
struct Gate(Arc<Semaphore>);

#[subscribe(event = "user_updated", pattern = "user", from = "start")]
async fn gated(
    event: EventData<u64>,
    State(handled): State<Handled>,
    State(gauge): State<Gauge>,
    State(gate): State<Gate>,
) -> Result<(), Code> {
    let running = gauge.running();
    gate.0.acquire().await.map_err(|_| Code::Aborted)?.forget();
    drop(running);
    handled.add(event.entity_id.as_deref().unwrap_or_default(), event.result);
    Ok(())
}

#[tokio::test]
async fn two_processes_share_the_entities_and_keep_their_order() {
    let program = Program::new();
    let (first, second) = (Handled::new(), Handled::new());
    let run = |handled: &Handled| {
        let subscribers = program.orchestrator.subscribers().only(COLLECT).lease(Duration::from_secs(1));
        subscribers.provide(handled.clone())
    };
    let both = async {
        let mut round = 0;
        while first.all().len() < 500 || second.all().len() < 500 {
            program.emit((0..100).map(|entity| (entity.to_string(), round))).await;
            round += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let total = usize::try_from(round).unwrap() * 100;
        while first.all().len() + second.all().len() < total {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        round
    };
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let wait = || {
        let mut stopped = stopped.clone();
        async move { drop(stopped.wait_for(|stopped| *stopped).await) }
    };
    let (one, two, rounds) = awaited(async {
        tokio::join!(run(&first).run_until(wait()), run(&second).run_until(wait()), async {
            let rounds = both.await;
            stop.send_replace(true);
            rounds
        })
    })
    .await;
    one.and(two).unwrap();
    let (first, second) = (first.by_entity(), second.by_entity());
    for entity in (0..100).map(|entity| entity.to_string()) {
        // A partition moves once, from the first process to the second.
        let numbers = [&first, &second].into_iter().filter_map(|process| process.get(&entity)).flatten();
        assert_eq!(numbers.copied().collect::<Vec<_>>(), (0..rounds).collect::<Vec<_>>(), "{entity}");
    }
}

#[tokio::test]
async fn running_handlers_are_finished_when_the_process_stops() {
    let program = Program::new();
    program.emit(by_turns(10, 3)).await;
    let (handled, gauge, gate) = (Handled::new(), Gauge::default(), Gate(Arc::new(Semaphore::new(0))));
    let run = || {
        let subscribers = program.orchestrator.subscribers().only(GATED).concurrency(4);
        subscribers.provide(handled.clone()).provide(gauge.clone()).provide(gate.clone())
    };
    let stopping = async {
        while gauge.most() < 4 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let opening = async {
        stopping.await;
        let gate = gate.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            gate.0.add_permits(1000);
        });
    };
    awaited(run().run_until(opening)).await.unwrap();
    let before = handled.all().len();
    assert!((4..30).contains(&before), "the running ones, and no more than their turn: {before}");
    awaited(run().run_until(handled.wait_for(30))).await.unwrap();
    assert_eq!(handled.all().len(), 30);
    assert!(handled.by_entity().values().all(|numbers| *numbers == [0, 1, 2]));
}

#[tokio::test]
async fn interrupted_events_run_one_at_a_time_in_the_next_process() {
    let program = Program::new();
    program.emit(by_turns(10, 1)).await;
    let (handled, gate) = (Handled::new(), Gate(Arc::new(Semaphore::new(0))));
    let run = |gauge: &Gauge| {
        let subscribers = program.orchestrator.subscribers().only(GATED).lease(Duration::from_secs(1));
        subscribers.provide(handled.clone()).provide(gauge.clone()).provide(gate.clone())
    };
    let first = Gauge::default();
    let all_run = async {
        while first.most() < 10 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    // Dropped, it gives nothing back, as a process that dies.
    tokio::select! {
        ended = run(&first).run() => ended.unwrap(),
        () = awaited(all_run) => {}
    }
    until(|| async { first.now() == 0 }).await;
    assert_eq!(handled.all(), []);
    program.emit((10..20).map(|entity| (entity.to_string(), 0))).await;
    gate.0.add_permits(10);
    let second = Gauge::default();
    let rest = async {
        handled.wait_for(10).await;
        // One that waited at the gate has begun only after the tenth has ended.
        assert_eq!(handled.all().len(), 10);
        gate.0.add_permits(1000);
        handled.wait_for(20).await;
    };
    awaited(run(&second).run_until(rest)).await.unwrap();
    let mut first_ten: Vec<u64> =
        handled.all()[..10].iter().map(|(entity, _)| entity.parse().unwrap()).collect();
    first_ten.sort_unstable();
    assert_eq!(first_ten, (0..10).collect::<Vec<_>>(), "nothing else runs before them");
}
