//! A subscriber handles each emitted event once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use graceful::{
    Code, OrchestrationConfig, Orchestrator, Step, Success,
    backends::{ReceivedEvent, memory},
};
use graceful_nats::{Filter, PoisonEvent, Rejected, Subscriber};
use graceful_tests::{
    Link, Proxy,
    gate::{awaited, until},
    servers::unique,
};
use tokio::{sync::mpsc, task::JoinHandle};

use super::Nats;

/// Short, so that a test need not wait long for what comes again because nobody has answered.
const ACK_WAIT: Duration = Duration::from_millis(600);

/// Emits events named `said`, with a number as their value.
pub struct Emitter(pub Orchestrator);

impl Emitter {
    pub async fn new(nats: &Nats) -> Self {
        Self(Orchestrator::builder().service("users").events(nats.events().await).build().unwrap())
    }

    pub async fn say(&self, number: usize) {
        self.emit("said", number).await;
    }

    async fn emit(&self, name: &str, number: usize) {
        let config = OrchestrationConfig::new("user").id(number).event(name).on(&self.0);
        let report = Success::wrap(Code::Ok, "said", &number).orchestrate(&config).await;
        assert_eq!(report.step(Step::Event).to_string(), "emitted");
    }
}

async fn subscriber(nats: &Nats) -> Subscriber {
    let filter = Filter::new().service("users").pattern("user").event("said");
    Subscriber::connect(&nats.url(), "reader", &filter).await.unwrap().ack_wait(ACK_WAIT)
}

/// A poison event is reported.
fn poison(subscriber: Subscriber) -> (Subscriber, mpsc::UnboundedReceiver<PoisonEvent>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (subscriber.on_poison(move |poison| sender.send(poison.clone()).unwrap()), receiver)
}

/// Reads in a task of its own. The handler answers as it is told for a number and the count of its calls so far; what it
/// has handled is received.
fn read(
    subscriber: Subscriber,
    inbox: &memory::Inbox,
    answer: impl Fn(usize, usize) -> Result<(), Rejected> + Send + Sync + 'static,
) -> (JoinHandle<()>, mpsc::UnboundedReceiver<usize>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let (inbox, calls) = (inbox.clone(), AtomicUsize::new(0));
    let reading = tokio::spawn(async move {
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
        subscriber.run(&inbox, handler).await.unwrap();
    });
    (reading, receiver)
}

async fn next(handled: &mut mpsc::UnboundedReceiver<usize>) -> usize {
    awaited(handled.recv()).await.unwrap()
}

/// Until the server has an answer to every event.
async fn all_answered(nats: &Nats) {
    until(|| async {
        let consumer = nats.stream().await.consumer_info("reader").await.unwrap();
        consumer.num_ack_pending == 0 && consumer.num_pending == 0
    })
    .await;
}

#[test(requires(Nats))]
async fn events_are_handled_in_order_and_acknowledged() {
    let nats = Nats::connect().await;
    let emitter = Emitter::new(&nats).await;
    for number in 0..20 {
        emitter.say(number).await;
    }
    let (reading, mut handled) = read(subscriber(&nats).await, &memory::Inbox::new(), |_, _| Ok(()));
    for number in 0..20 {
        assert_eq!(next(&mut handled).await, number);
    }
    emitter.say(20).await;
    assert_eq!(next(&mut handled).await, 20);
    all_answered(&nats).await;
    reading.abort();

    // What was handled is known to the server: another process begins after it.
    emitter.say(21).await;
    let (reading, mut handled) = read(subscriber(&nats).await, &memory::Inbox::new(), |_, _| Ok(()));
    assert_eq!(next(&mut handled).await, 21);
    reading.abort();
    nats.clean().await;
}

#[test(requires(Nats))]
async fn subscriber_receives_only_events_of_its_filter() {
    let nats = Nats::connect().await;
    let emitter = Emitter::new(&nats).await;
    emitter.emit("sung", 1).await;
    emitter.emit("said.failed", 2).await;
    emitter.say(3).await;
    let (reading, mut handled) = read(subscriber(&nats).await, &memory::Inbox::new(), |_, _| Ok(()));
    assert_eq!(next(&mut handled).await, 3);
    all_answered(&nats).await;
    reading.abort();
    nats.clean().await;
}

#[test(requires(Nats))]
async fn repeated_event_is_not_handled_again() {
    let nats = Nats::connect().await;
    let emitter = Emitter::new(&nats).await;
    emitter.say(1).await;
    let original = nats.stream().await.get_raw_message(1).await.unwrap();
    // Without its id, the stream cannot know that it is one.
    for _ in 0..3 {
        let sent = nats.jetstream.publish(original.subject.clone(), original.payload.clone()).await.unwrap();
        sent.await.unwrap();
    }
    emitter.say(2).await;
    let (reading, mut handled) = read(subscriber(&nats).await, &memory::Inbox::new(), |_, _| Ok(()));
    assert_eq!((next(&mut handled).await, next(&mut handled).await), (1, 2));
    all_answered(&nats).await;
    reading.abort();
    nats.clean().await;
}

#[test(requires(Nats))]
async fn event_whose_handler_fails_or_panics_is_redelivered() {
    let nats = Nats::connect().await;
    Emitter::new(&nats).await.say(1).await;
    let (subscriber, mut poison) = poison(subscriber(&nats).await);
    let (reading, mut handled) = read(subscriber, &memory::Inbox::new(), |_, call| match call {
        0 => Err("not now".into()),
        1 => panic!("the handler panicked"),
        _ => Ok(()),
    });
    assert_eq!(next(&mut handled).await, 1);
    all_answered(&nats).await;
    assert!(poison.try_recv().is_err());
    reading.abort();
    nats.clean().await;
}

#[test(requires(Nats))]
async fn poison_event_is_reported_and_delays_no_other() {
    let nats = Nats::connect().await;
    let emitter = Emitter::new(&nats).await;
    let (subscriber, mut poison) = poison(subscriber(&nats).await.attempts(2));
    emitter.say(1).await;
    emitter.say(2).await;
    let garbage = format!("{}.users.%.user.said", nats.stream);
    nats.jetstream.publish(garbage.clone(), "no JSON".into()).await.unwrap().await.unwrap();
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
    told.sort_by_key(|poison| poison.sequence);
    let told: Vec<_> = told
        .iter()
        .map(|poison| {
            let number = poison.event.as_ref().map(|event| event.result::<usize>().unwrap());
            (poison.sequence, number, poison.attempts, poison.error.message())
        })
        .collect();
    assert_eq!(told[..2], [(1, Some(1), 1, "never"), (2, Some(2), 2, "not now")]);
    assert_eq!((told[2].0, told[2].1, told[2].2), (3, None, 1));
    assert!(told[2].3.starts_with("not a CloudEvent: "), "{told:?}");
    all_answered(&nats).await;
    // It is still there.
    let kept = nats.stream().await.get_raw_message(3).await.unwrap();
    assert_eq!((kept.subject.as_str(), &*kept.payload), (garbage.as_str(), &b"no JSON"[..]));
    reading.abort();
    nats.clean().await;
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

#[test(requires(Nats))]
async fn event_whose_attempts_never_end_is_poison() {
    let nats = Nats::connect().await;
    Emitter::new(&nats).await.say(1).await;
    // Two processes that die of it.
    for _ in 0..2 {
        dropped_in_a_handler(subscriber(&nats).await, memory::Inbox::new()).await;
    }
    let (subscriber, mut poison) = poison(subscriber(&nats).await.attempts(2));
    let (reading, mut handled) = read(subscriber, &memory::Inbox::new(), |_, _| Ok(()));
    let told = awaited(poison.recv()).await.unwrap();
    assert_eq!((told.attempts, told.error.message()), (3, "all attempts were interrupted"));
    assert!(handled.try_recv().is_err());
    all_answered(&nats).await;
    reading.abort();
    nats.clean().await;
}

#[test(requires(Nats))]
async fn subscriber_dropped_in_a_handler_has_not_handled_the_event() {
    let nats = Nats::connect().await;
    Emitter::new(&nats).await.say(1).await;
    let inbox = memory::Inbox::new();
    dropped_in_a_handler(subscriber(&nats).await, inbox.clone()).await;
    let (reading, mut handled) = read(subscriber(&nats).await, &inbox, |_, _| Ok(()));
    assert_eq!(next(&mut handled).await, 1);
    all_answered(&nats).await;
    reading.abort();
    nats.clean().await;
}

#[test(requires(Nats))]
async fn run_until_ends_after_the_current_event() {
    let nats = Nats::connect().await;
    let emitter = Emitter::new(&nats).await;
    emitter.say(1).await;
    emitter.say(2).await;
    let subscriber = subscriber(&nats).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
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
    nats.clean().await;
}

#[test(requires(Nats))]
async fn handler_may_take_longer_than_the_servers_ack_wait() {
    let nats = Nats::connect().await;
    Emitter::new(&nats).await.say(1).await;
    let slow = subscriber(&nats).await;
    let (sender, mut done) = mpsc::unbounded_channel();
    let reading = tokio::spawn(async move {
        let handler = |_, transaction| async {
            // That is its work.
            tokio::time::sleep(ACK_WAIT * 4).await;
            sender.send(())?;
            Ok(transaction)
        };
        slow.run(&memory::Inbox::new(), handler).await.unwrap();
    });
    // Whoever else reads would get it, if the server gave it up.
    let (other, mut taken) = read(subscriber(&nats).await, &memory::Inbox::new(), |_, _| Ok(()));
    tokio::select! {
        _ = awaited(done.recv()) => {}
        number = taken.recv() => panic!("{number:?} has come again"),
    }
    all_answered(&nats).await;
    reading.abort();
    other.abort();
    nats.clean().await;
}

#[test(requires(Nats))]
async fn deleted_consumer_is_created_again() {
    let nats = Nats::connect().await;
    let emitter = Emitter::new(&nats).await;
    emitter.say(1).await;
    let (reading, mut handled) = read(subscriber(&nats).await, &memory::Inbox::new(), |_, _| Ok(()));
    assert_eq!(next(&mut handled).await, 1);
    nats.stream().await.delete_consumer("reader").await.unwrap();
    emitter.say(2).await;
    assert_eq!(next(&mut handled).await, 2, "the inbox still knows the first");
    reading.abort();
    nats.clean().await;
}

/// Each of six connections is cut eighteen times while events arrive: each event is handled once, and all are acknowledged.
#[test(requires(Nats), flavor = "multi_thread", worker_threads = 2)]
async fn cut_off_a_hundred_times_each_event_is_handled_once() {
    let connections: Vec<_> = (0..Link::FAULTS.len()).map(|first| tokio::spawn(cut_off(first))).collect();
    for connection in connections {
        connection.await.unwrap();
    }
}

async fn cut_off(first: usize) {
    let nats = Nats::connect().await;
    let emitter = Emitter::new(&nats).await;
    let proxy = Arc::new(Proxy::to(nats.address).await);
    let filter = Filter::new().event("said");
    let reader = Subscriber::connect(&nats.url_at(proxy.address()), "reader", &filter).await.unwrap();
    let (reading, mut handled) = read(reader.ack_wait(ACK_WAIT), &memory::Inbox::new(), |_, _| Ok(()));
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
    all_answered(&nats).await;
    assert!(handled.try_recv().is_err(), "one was handled again");
    seen.sort_unstable();
    assert_eq!(seen, (0..said).collect::<Vec<_>>());
    reading.abort();
    nats.clean().await;
}

#[test(requires(Nats))]
async fn two_consumers_each_handle_the_same_event() {
    let nats = Nats::connect().await;
    Emitter::new(&nats).await.say(1).await;
    let inbox = memory::Inbox::new();
    for name in [unique("a"), unique("b")] {
        let reader = Subscriber::connect(&nats.url(), &name, &Filter::new()).await.unwrap();
        let (reading, mut handled) = read(reader, &inbox, |_, _| Ok(()));
        assert_eq!(next(&mut handled).await, 1);
        reading.abort();
    }
    nats.clean().await;
}
