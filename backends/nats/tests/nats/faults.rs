//! NATS is unreachable, answers partly, or is killed: handlers still answer, and acknowledged events are in the stream.

use std::{collections::HashMap, sync::Arc, time::Duration};

use graceful::{Code, Step, StepErrorKind, orchestrate};
use graceful_nats::Events;
use graceful_tests::{Link, Proxy, User, World, ada, gate::until, servers::Server};

use super::Nats;

#[orchestrate(pattern = "user", id = user.id, event = "user_updated")]
async fn update(user: User, error: Option<Code>) -> Result<User, Code> {
    error.map_or(Ok(user), Err)
}

/// Whether the event was acknowledged. The step never waits for its budget: the emitter gives up before.
fn was_emitted(world: &World) -> bool {
    let report = world.reports.last();
    let error = report.step(Step::Event).error();
    assert!(error.is_none_or(|error| error.kind() != StepErrorKind::TimedOut), "{error:?}");
    error.is_none()
}

#[test(requires(Nats), flavor = "multi_thread", worker_threads = 2)]
async fn cut_off_a_hundred_times_no_acknowledged_event_is_lost() {
    let nats = Nats::connect().await;
    let nats = Arc::new(nats);
    // Each connection goes through all faults three times, and starts with another.
    let connections: Vec<_> =
        (0..Link::FAULTS.len()).map(|first| tokio::spawn(cut_off(Arc::clone(&nats), first))).collect();
    let (mut acknowledged, mut failed) = (Vec::new(), [0; Link::FAULTS.len()]);
    for connection in connections {
        let (more_acknowledged, more_failed) = connection.await.unwrap();
        acknowledged.extend(more_acknowledged);
        failed.iter_mut().zip(more_failed).for_each(|(failed, more)| *failed += more);
    }
    for (fault, failed) in Link::FAULTS.iter().zip(failed) {
        assert!(failed >= 18 || matches!(fault, Link::Slow(_)), "{fault:?} failed {failed} of 36 calls only");
    }

    let mut count = HashMap::<_, u32>::new();
    for message in nats.messages().await {
        *count.entry(message.id.unwrap()).or_default() += 1;
    }
    assert!(count.values().all(|&count| count == 1), "each event is in the stream once");
    for id in &acknowledged {
        assert!(count.contains_key(id), "acknowledged, and not in the stream: {id}");
    }
    assert!(acknowledged.len() >= 108, "{} acknowledged", acknowledged.len());
    Arc::into_inner(nats).unwrap().clean().await;
}

/// The ids that were acknowledged, and how often each fault made a call fail.
async fn cut_off(nats: Arc<Nats>, first: usize) -> (Vec<String>, [usize; Link::FAULTS.len()]) {
    let proxy = Proxy::to(nats.address).await;
    let events = Events::connect(&nats.url_at(proxy.address())).await.unwrap();
    let world = World::with(|builder| builder.events(events.timeout(Duration::from_millis(250))));
    let mut failed = [0; Link::FAULTS.len()];
    for round in 0..3 * Link::FAULTS.len() {
        let index = (first + round) % Link::FAULTS.len();
        proxy.set(Link::FAULTS[index]).await;
        assert_eq!(world.run(update(ada(), None)).await, Ok(ada()));
        failed[index] += usize::from(!was_emitted(&world));
        assert_eq!(world.run(update(ada(), Some(Code::Internal))).await, Err(Code::Internal));
        failed[index] += usize::from(!was_emitted(&world));

        proxy.set(Link::Up).await;
        until(|| async {
            world.run(update(ada(), None)).await.unwrap();
            was_emitted(&world)
        })
        .await;
    }
    let reports = world.reports.all();
    let acknowledged = reports.iter().filter(|report| report.step(Step::Event).error().is_none());
    (acknowledged.map(|report| report.flow().id().to_string()).collect(), failed)
}

#[test(requires(Nats))]
async fn emits_to_an_unavailable_server_fail_at_once_until_a_probe_succeeds() {
    let nats = Nats::connect().await;
    let proxy = Proxy::to(nats.address).await;
    let events = Events::connect(&nats.url_at(proxy.address())).await.unwrap();
    let world = World::with(|builder| builder.events(events.timeout(Duration::from_millis(50))));
    for fault in [Link::BlackHole, Link::Refused] {
        proxy.set(fault).await;
        until(|| async {
            world.run(update(ada(), None)).await.unwrap();
            world.last(Step::Event).1.starts_with("FAILED: NATS is unavailable")
        })
        .await;
        proxy.set(Link::Up).await;
        until(|| async {
            world.run(update(ada(), None)).await.unwrap();
            was_emitted(&world)
        })
        .await;
    }
    nats.clean().await;
}

#[test(requires("nats-server"))]
async fn acknowledged_events_survive_a_kill_of_the_server() {
    let mut server = Server::nats("").await;
    let nats = Nats::at(server.address()).await;
    let events = nats.events().await;
    let world = World::with(|builder| builder.events(events));
    for round in 1..=3 {
        until(|| async {
            world.run(update(ada(), None)).await.unwrap();
            was_emitted(&world)
        })
        .await;
        server.kill();
        world.run(update(ada(), None)).await.unwrap();
        assert!(!was_emitted(&world));
        server.start_again().await;
        let nats = Nats { stream: nats.stream.clone(), ..Nats::at(server.address()).await };
        let ids: Vec<_> = nats.messages().await.into_iter().map(|message| message.id.unwrap()).collect();
        let emitted =
            world.reports.all().into_iter().filter(|report| report.step(Step::Event).error().is_none());
        let emitted: Vec<_> = emitted.map(|report| report.flow().id().to_string()).collect();
        assert!(emitted.len() >= round && emitted.iter().all(|id| ids.contains(id)), "{emitted:?} {ids:?}");
    }
}
