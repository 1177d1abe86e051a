//! RabbitMQ is unreachable, answers partly, or is slow: handlers still answer, and confirmed events are in a queue.

use std::{collections::HashMap, sync::Arc, time::Duration};

use graceful::{Code, Step, StepErrorKind, orchestrate};
use graceful_rabbitmq::Events;
use graceful_tests::{Link, Proxy, User, World, ada, gate::until};

use super::Rabbit;

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

#[test(requires(RabbitMq), flavor = "multi_thread", worker_threads = 2)]
async fn cut_off_a_hundred_times_no_acknowledged_event_is_lost() {
    let rabbit = Rabbit::connect().await;
    rabbit.tap().await;
    let rabbit = Arc::new(rabbit);
    // Each connection goes through all faults three times, and starts with another.
    let connections: Vec<_> =
        (0..Link::FAULTS.len()).map(|first| tokio::spawn(cut_off(Arc::clone(&rabbit), first))).collect();
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
    for message in rabbit.messages().await {
        *count.entry(message.id.unwrap()).or_default() += 1;
    }
    for id in &acknowledged {
        assert!(count.contains_key(id), "confirmed, and in no queue: {id}");
    }
    assert!(acknowledged.len() >= 108, "{} acknowledged", acknowledged.len());
    Arc::into_inner(rabbit).unwrap().clean().await;
}

/// The ids that were acknowledged, and how often each fault made a call fail.
async fn cut_off(rabbit: Arc<Rabbit>, first: usize) -> (Vec<String>, [usize; Link::FAULTS.len()]) {
    let proxy = Proxy::to(rabbit.address).await;
    let events = Events::connect(&rabbit.url_at(proxy.address())).await.unwrap();
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

#[test(requires(RabbitMq))]
async fn emits_to_an_unavailable_server_fail_at_once_until_a_probe_succeeds() {
    let rabbit = Rabbit::connect().await;
    rabbit.tap().await;
    let proxy = Proxy::to(rabbit.address).await;
    let events = Events::connect(&rabbit.url_at(proxy.address())).await.unwrap();
    let world = World::with(|builder| builder.events(events.timeout(Duration::from_millis(50))));
    for fault in [Link::BlackHole, Link::Refused] {
        proxy.set(fault).await;
        until(|| async {
            world.run(update(ada(), None)).await.unwrap();
            world.last(Step::Event).1.starts_with("FAILED: RabbitMQ is unavailable")
        })
        .await;
        proxy.set(Link::Up).await;
        until(|| async {
            world.run(update(ada(), None)).await.unwrap();
            was_emitted(&world)
        })
        .await;
    }
    rabbit.clean().await;
}
