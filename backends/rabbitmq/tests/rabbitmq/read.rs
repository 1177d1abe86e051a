//! A subscriber handles each emitted event once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use graceful::{
    Code, OrchestrationConfig, Orchestrator, Step, Success,
    backends::{ReceivedEvent, memory},
};
use graceful_rabbitmq::{Events, Filter, PoisonEvent, Rejected, Subscriber};
use graceful_tests::{
    Link, Proxy,
    gate::{awaited, until},
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::Rabbit;

/// Emits events named `said`, with a number as their value.
pub struct Emitter(pub Orchestrator);

impl Emitter {
    pub async fn new(rabbit: &Rabbit) -> Self {
        Self::of(known(rabbit).await)
    }

    pub fn of(events: Events) -> Self {
        Self(Orchestrator::builder().service("users").events(events).build().unwrap())
    }

    pub async fn say(&self, number: usize) {
        self.emit("said", number).await;
    }

    pub async fn emit(&self, name: &str, number: usize) {
        assert_eq!(self.emitted(name, number).await, "emitted");
    }

    pub async fn emitted(&self, name: &str, number: usize) -> String {
        let config = OrchestrationConfig::new("user").id(number).event(name).on(&self.0);
        let report = Success::wrap(Code::Ok, "said", &number).orchestrate(&config).await;
        report.step(Step::Event).to_string()
    }
}

/// An emitter that knows the subscriber.
async fn known(rabbit: &Rabbit) -> Events {
    rabbit.events().await.subscriber("reader", &Filter::new()).await.unwrap()
}

pub async fn subscriber(rabbit: &Rabbit) -> Subscriber {
    let filter = Filter::new().service("users").pattern("user").event("said");
    Subscriber::connect(&rabbit.url(), "reader", &filter).await.unwrap()
}

/// A poison event is reported.
pub fn poison(subscriber: Subscriber) -> (Subscriber, mpsc::UnboundedReceiver<PoisonEvent>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (subscriber.on_poison(move |poison| sender.send(poison.clone()).unwrap()), receiver)
}

/// A reading in a task of its own.
pub struct Reading {
    pub task: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl Reading {
    /// Ends it like the end of its process.
    pub fn abort(&self) {
        self.task.abort();
    }

    /// Ends it after the event that is being handled.
    pub async fn stop(self) {
        self.stop.send(()).unwrap();
        awaited(self.task).await.unwrap();
    }
}

/// Reads in a task of its own. The handler answers as it is told for a number and the count of its calls so far; what it
/// has handled is received.
pub fn read(
    subscriber: Subscriber,
    inbox: &memory::Inbox,
    answer: impl Fn(usize, usize) -> Result<(), Rejected> + Send + Sync + 'static,
) -> (Reading, mpsc::UnboundedReceiver<usize>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let (inbox, calls) = (inbox.clone(), AtomicUsize::new(0));
    let task = tokio::spawn(async move {
        let handler = |event: Arc<ReceivedEvent>, transaction| {
            let (answer, calls, sender) = (&answer, &calls, &sender);
            async move {
                tokio::task::yield_now().await;
                let number = event.result()?;
                answer(number, calls.fetch_add(1, Ordering::SeqCst))?;
                sender.send(number)?;
                Ok(transaction)
            }
        };
        let end = async { _ = stopped.await };
        subscriber.run_until(end, &inbox, handler).await.unwrap();
    });
    (Reading { task, stop }, receiver)
}

pub async fn next(handled: &mut mpsc::UnboundedReceiver<usize>) -> usize {
    awaited(handled.recv()).await.unwrap()
}

/// Ends the reading, after which the broker has an answer to every event.
pub async fn all_answered(rabbit: &Rabbit, reading: Reading) {
    let queue = rabbit.queue("reader");
    until(async || rabbit.state(&queue).await.0 == 0).await;
    // The last answer may be on its way; it is sent before the end.
    reading.stop().await;
    assert!(rabbit.all_answered("reader").await, "the broker has not had an answer to every event");
}

#[test(requires(RabbitMq))]
async fn events_are_handled_in_order_and_acknowledged() {
    let rabbit = Rabbit::connect().await;
    let emitter = Emitter::new(&rabbit).await;
    for number in 0..20 {
        emitter.say(number).await;
    }
    let (reading, mut handled) = read(subscriber(&rabbit).await, &memory::Inbox::new(), |_, _| Ok(()));
    for number in 0..20 {
        assert_eq!(next(&mut handled).await, number);
    }
    emitter.say(20).await;
    assert_eq!(next(&mut handled).await, 20);
    all_answered(&rabbit, reading).await;

    // What was handled is known to the server: another process begins after it.
    emitter.say(21).await;
    let (reading, mut handled) = read(subscriber(&rabbit).await, &memory::Inbox::new(), |_, _| Ok(()));
    assert_eq!(next(&mut handled).await, 21);
    reading.abort();
    rabbit.clean().await;
}

#[test(requires(RabbitMq))]
async fn subscriber_receives_only_events_of_its_filter() {
    let rabbit = Rabbit::connect().await;
    let emitter = Emitter::new(&rabbit).await;
    emitter.emit("sung", 1).await;
    emitter.emit("said.failed", 2).await;
    emitter.say(3).await;
    let (reading, mut handled) = read(subscriber(&rabbit).await, &memory::Inbox::new(), |_, _| Ok(()));
    assert_eq!(next(&mut handled).await, 3);
    all_answered(&rabbit, reading).await;
    rabbit.clean().await;
}

#[test(requires(RabbitMq))]
async fn repeated_event_is_not_handled_again() {
    let rabbit = Rabbit::connect().await;
    let emitter = Emitter::new(&rabbit).await;
    emitter.say(1).await;
    let original = rabbit.messages().await.remove(0);
    for _ in 0..3 {
        rabbit.publish(&original.key, &original.data).await;
    }
    emitter.say(2).await;
    let (reading, mut handled) = read(subscriber(&rabbit).await, &memory::Inbox::new(), |_, _| Ok(()));
    assert_eq!((next(&mut handled).await, next(&mut handled).await), (1, 2));
    all_answered(&rabbit, reading).await;
    rabbit.clean().await;
}

#[test(requires(RabbitMq))]
async fn event_whose_handler_fails_or_panics_is_redelivered() {
    let rabbit = Rabbit::connect().await;
    Emitter::new(&rabbit).await.say(1).await;
    let (subscriber, mut poison) = poison(subscriber(&rabbit).await);
    let (reading, mut handled) = read(subscriber, &memory::Inbox::new(), |_, call| match call {
        0 => Err("not now".into()),
        1 => panic!("the handler panicked"),
        _ => Ok(()),
    });
    assert_eq!(next(&mut handled).await, 1);
    all_answered(&rabbit, reading).await;
    assert!(poison.try_recv().is_err());
    rabbit.clean().await;
}

#[test(requires(RabbitMq))]
async fn poison_event_is_reported_and_delays_no_other() {
    let rabbit = Rabbit::connect().await;
    let emitter = Emitter::new(&rabbit).await;
    let (subscriber, mut poison) = poison(subscriber(&rabbit).await.attempts(2));
    emitter.say(1).await;
    emitter.say(2).await;
    let garbage = "users.%.user.said";
    rabbit.publish(garbage, b"no JSON").await;
    emitter.say(4).await;
    let (reading, mut handled) = read(subscriber, &memory::Inbox::new(), |number, _| match number {
        1 => Err(Rejected::poison("never")),
        2 => Err("not now".into()),
        _ => Ok(()),
    });
    assert_eq!(next(&mut handled).await, 4, "it need not wait for the others");

    let mut told = Vec::new();
    for _ in 0..3 {
        told.push(awaited(poison.recv()).await.unwrap());
    }
    let number = |poison: &PoisonEvent| poison.event.as_ref().map(|event| event.result::<usize>().unwrap());
    told.sort_by_key(number);
    let told: Vec<_> = told
        .iter()
        .map(|poison| {
            assert_eq!((&poison.queue, &*poison.routing_key), (&rabbit.queue("reader.poison"), garbage));
            (number(poison), poison.attempts, poison.error.message())
        })
        .collect();
    assert_eq!(told[1..], [(Some(1), 1, "never"), (Some(2), 2, "not now")]);
    assert_eq!((told[0].0, told[0].1), (None, 1));
    assert!(told[0].2.starts_with("not a CloudEvent: "), "{told:?}");
    // They are still there.
    let poison = rabbit.queue("reader.poison");
    until(async || rabbit.state(&poison).await.0 == 3).await;
    all_answered(&rabbit, reading).await;
    let kept = rabbit.take(&poison).await;
    assert!(kept.iter().any(|message| message.data == b"no JSON"), "{kept:?}");
    rabbit.clean().await;
}

/// The subscriber is dropped while its handler, which never returns, runs.
async fn dropped_in_a_handler(subscriber: Subscriber, inbox: memory::Inbox) {
    let (sender, mut begun) = mpsc::unbounded_channel();
    let reading = tokio::spawn(async move {
        let handler = |_, transaction| {
            sender.send(()).unwrap();
            async {
                std::future::pending::<()>().await;
                Ok(transaction)
            }
        };
        subscriber.run(&inbox, handler).await.unwrap();
    });
    awaited(begun.recv()).await.unwrap();
    reading.abort();
}

#[test(requires(RabbitMq))]
async fn event_whose_attempts_never_end_is_poison() {
    let rabbit = Rabbit::connect().await;
    Emitter::new(&rabbit).await.say(1).await;
    // Two processes that die of it.
    for _ in 0..2 {
        dropped_in_a_handler(subscriber(&rabbit).await, memory::Inbox::new()).await;
    }
    let (subscriber, mut poison) = poison(subscriber(&rabbit).await.attempts(2));
    let (reading, mut handled) = read(subscriber, &memory::Inbox::new(), |_, _| Ok(()));
    let told = awaited(poison.recv()).await.unwrap();
    assert_eq!((told.attempts, told.error.message()), (3, "all attempts were interrupted"));
    assert!(handled.try_recv().is_err());
    all_answered(&rabbit, reading).await;
    rabbit.clean().await;
}

#[test(requires(RabbitMq))]
async fn subscriber_dropped_in_a_handler_has_not_handled_the_event() {
    let rabbit = Rabbit::connect().await;
    Emitter::new(&rabbit).await.say(1).await;
    let inbox = memory::Inbox::new();
    dropped_in_a_handler(subscriber(&rabbit).await, inbox.clone()).await;
    let (reading, mut handled) = read(subscriber(&rabbit).await, &inbox, |_, _| Ok(()));
    assert_eq!(next(&mut handled).await, 1);
    all_answered(&rabbit, reading).await;
    rabbit.clean().await;
}

#[test(requires(RabbitMq))]
async fn run_until_ends_after_the_current_event() {
    let rabbit = Rabbit::connect().await;
    let emitter = Emitter::new(&rabbit).await;
    emitter.say(1).await;
    emitter.say(2).await;
    let subscriber = subscriber(&rabbit).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let stop = std::sync::Mutex::new(Some(stop));
    let count = AtomicUsize::new(0);
    let handler = |_, transaction| {
        drop(stop.lock().unwrap().take());
        async {
            // By now, it has been told to end.
            tokio::task::yield_now().await;
            count.fetch_add(1, Ordering::SeqCst);
            Ok(transaction)
        }
    };
    let end = async { _ = stopped.await };
    awaited(subscriber.run_until(end, &memory::Inbox::new(), handler)).await.unwrap();
    assert_eq!(count.into_inner(), 1);
    // Without an event it ends, too.
    awaited(
        subscriber.run_until(async {}, &memory::Inbox::new(), |_, transaction| async { Ok(transaction) }),
    )
    .await
    .unwrap();
    rabbit.clean().await;
}

/// Each of six connections is cut eighteen times while events arrive: each event is handled once, and all are acknowledged.
#[test(requires(RabbitMq), flavor = "multi_thread", worker_threads = 2)]
async fn cut_off_a_hundred_times_each_event_is_handled_once() {
    let connections: Vec<_> = (0..Link::FAULTS.len()).map(|first| tokio::spawn(cut_off(first))).collect();
    for connection in connections {
        connection.await.unwrap();
    }
}

async fn cut_off(first: usize) {
    let rabbit = Rabbit::connect().await;
    let emitter = Emitter::new(&rabbit).await;
    let proxy = Arc::new(Proxy::to(rabbit.address).await);
    let filter = Filter::new().event("said");
    let reader = Subscriber::connect(&rabbit.url_at(proxy.address()), "reader", &filter).await.unwrap();
    let (reading, mut handled) = read(reader, &memory::Inbox::new(), |_, _| Ok(()));
    let (mut seen, mut said) = (Vec::new(), 0);
    for round in 0..3 * Link::FAULTS.len() {
        let fault = Link::FAULTS[(first + round) % Link::FAULTS.len()];
        // One before it, of which the answer may get lost; one while it lasts; one after it.
        emitter.say(said).await;
        proxy.set(fault).await;
        emitter.say(said + 1).await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        proxy.set(Link::Up).await;
        emitter.say(said + 2).await;
        said += 3;
        while seen.len() < said {
            seen.push(next(&mut handled).await);
        }
    }
    all_answered(&rabbit, reading).await;
    assert!(handled.try_recv().is_err(), "one was handled again");
    seen.sort_unstable();
    assert_eq!(seen, (0..said).collect::<Vec<_>>());
    rabbit.clean().await;
}

#[test(requires(RabbitMq))]
async fn two_subscribers_each_handle_the_same_event() {
    let rabbit = Rabbit::connect().await;
    let (inbox, mut readers) = (memory::Inbox::new(), Vec::new());
    for name in ["reader", "other"] {
        let reader = Subscriber::connect(&rabbit.url(), name, &Filter::new()).await.unwrap();
        readers.push(read(reader, &inbox, |_, _| Ok(())));
    }
    Emitter::new(&rabbit).await.say(1).await;
    for (reading, mut handled) in readers {
        assert_eq!(next(&mut handled).await, 1);
        reading.abort();
    }
    rabbit.clean().await;
}
