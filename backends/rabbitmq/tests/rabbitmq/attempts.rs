//! Which deliveries of an event count as attempts, and how long an attempt may take.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use graceful::{StepErrorKind, backends::memory};
use graceful_rabbitmq::{Filter, PoisonEvent, Subscriber};
use graceful_tests::{gate::awaited, inboxes::Failing};
use tokio::sync::{mpsc, oneshot};

use super::{Rabbit, read::Emitter};

async fn subscriber(rabbit: &Rabbit) -> (Subscriber, mpsc::UnboundedReceiver<PoisonEvent>) {
    let (sender, poison) = mpsc::unbounded_channel();
    let subscriber = Subscriber::connect(&rabbit.url(), "reader", &Filter::new()).await.unwrap();
    (subscriber.on_poison(move |poison| sender.send(poison.clone()).unwrap()), poison)
}

/// Until the handler has answered for as many events; it is given the number and the count of its calls.
async fn read_until_handled(
    subscriber: &Subscriber,
    events: usize,
    inbox: &impl graceful::backends::Inbox,
    handle: impl AsyncFn(usize, usize),
) -> Vec<usize> {
    let (numbers, calls) = (std::sync::Mutex::new(Vec::new()), AtomicUsize::new(0));
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let end = async {
        for _ in 0..events {
            receiver.recv().await.unwrap();
        }
    };
    let (handle, done, calls, sender) = (&handle, &numbers, &calls, &sender);
    let handler = |event: Arc<graceful::backends::ReceivedEvent>, transaction| async move {
        let number = event.result()?;
        handle(number, calls.fetch_add(1, Ordering::SeqCst)).await;
        done.lock().unwrap().push(number);
        sender.send(()).unwrap();
        Ok(transaction)
    };
    awaited(subscriber.run_until(end, inbox, handler)).await.unwrap();
    numbers.into_inner().unwrap()
}

#[test(requires(RabbitMq))]
async fn inbox_that_fails_more_often_than_attempts_poisons_no_event() {
    let rabbit = Rabbit::connect().await;
    let emitter = Emitter::new(&rabbit).await;
    for number in 0..3 {
        emitter.say(number).await;
    }
    let (subscriber, mut poison) = subscriber(&rabbit).await;
    let inbox = Failing::new(memory::Inbox::new(), 3);
    let handled = read_until_handled(&subscriber.attempts(1), 3, &inbox, async |_, _| {}).await;
    assert_eq!((handled, inbox.failures()), (vec![0, 1, 2], 3), "each event keeps its turn");
    assert!(poison.try_recv().is_err());
    rabbit.clean().await;
}

#[test(requires(RabbitMq))]
async fn reading_that_ends_while_inbox_is_unavailable_gives_event_back() {
    let rabbit = Rabbit::connect().await;
    Emitter::new(&rabbit).await.say(1).await;
    let (first, _poison) = subscriber(&rabbit).await;
    let (failed, has_failed) = oneshot::channel();
    let inbox = Failing::new(memory::Inbox::new(), usize::MAX).tell(failed);
    let end = async { has_failed.await.unwrap() };
    awaited(first.run_until(end, &inbox, |_, transaction| async { Ok(transaction) })).await.unwrap();

    let (second, _poison) = subscriber(&rabbit).await;
    assert_eq!(read_until_handled(&second, 1, &memory::Inbox::new(), async |_, _| {}).await, [1]);
    rabbit.clean().await;
}

#[test(requires(RabbitMq))]
async fn handler_that_hangs_is_dropped_and_its_event_comes_again() {
    let rabbit = Rabbit::connect().await;
    let emitter = Emitter::new(&rabbit).await;
    emitter.say(1).await;
    emitter.say(2).await;
    let (subscriber, mut poison) = subscriber(&rabbit).await;
    let subscriber = subscriber.timeout(Duration::from_millis(200));
    let mut handled = read_until_handled(&subscriber, 2, &memory::Inbox::new(), async |_, call| {
        if call == 0 {
            pending::<()>().await;
        }
    })
    .await;
    handled.sort_unstable();
    assert_eq!(handled, [1, 2]);
    assert!(poison.try_recv().is_err());
    rabbit.clean().await;
}

#[test(requires(RabbitMq))]
async fn handler_that_always_hangs_makes_its_event_poison_and_not_the_next() {
    let rabbit = Rabbit::connect().await;
    let emitter = Emitter::new(&rabbit).await;
    emitter.say(1).await;
    emitter.say(2).await;
    let (subscriber, mut poison) = subscriber(&rabbit).await;
    let subscriber = subscriber.timeout(Duration::from_millis(200)).attempts(1);
    let handled = read_until_handled(&subscriber, 1, &memory::Inbox::new(), async |number, _| {
        if number == 1 {
            pending::<()>().await;
        }
    })
    .await;
    assert_eq!(handled, [2]);
    let told = awaited(poison.recv()).await.unwrap();
    assert_eq!((told.attempts, told.error.kind()), (1, StepErrorKind::TimedOut));
    assert_eq!(told.event.unwrap().result::<usize>().unwrap(), 1);
    assert_eq!(told.error.message(), "the handler did not finish within 200ms");
    rabbit.clean().await;
}
