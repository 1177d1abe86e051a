//! A subscriber that writes its effects in the inbox's database has each effect once.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use graceful::{
    Code, OrchestrationConfig, Orchestrator, Success,
    backends::{Inbox as _, InboxEntry, ReceivedEvent},
};
use graceful_nats::{Events, Filter, PoisonEvent, Subscriber};
use graceful_postgres::Store;
use graceful_tests::{
    Link, Log, Proxy,
    gate::{awaited, until},
    inboxes::{self, Failing},
    servers::{self, unique},
};
use tokio::sync::{mpsc, oneshot};

use super::{Postgres, execute, url};

#[test(requires(Postgres))]
async fn purged_event_is_first_again_and_purge_runs_in_batches() {
    let postgres = Postgres::new();
    let schema = postgres.migrated().await;
    let (store, mut connection) = (postgres.store(&schema).await, postgres.connection(&schema).await);
    let json = r#"{"specversion": "1.0", "id": "1", "source": "s", "type": "t"}"#;
    let event: ReceivedEvent = serde_json::from_str(json).unwrap();
    let entry = store.begin("a", &event).await.unwrap();
    let InboxEntry::First(transaction) = entry else { panic!("{entry:?}") };
    store.commit(transaction).await.unwrap();
    execute(
        &mut connection,
        "INSERT INTO graceful_inbox SELECT 'a', 's', 'id ' || n, graceful_now() - CASE WHEN n > 100 THEN 3600000000 ELSE 60000000 END
         FROM generate_series(1, 2500) AS n",
    )
    .await;
    assert_eq!(store.purge_inbox(Duration::from_mins(30)).await.unwrap(), 2400);
    assert!(matches!(store.begin("a", &event).await.unwrap(), InboxEntry::Again));
    assert_eq!(store.purge_inbox(Duration::ZERO).await.unwrap(), 101);
    assert!(matches!(store.begin("a", &event).await.unwrap(), InboxEntry::First(_)));
    postgres.clean().await;
}

/// The handler writes its effect and then fails or panics, and each event is delivered twice.
#[test(requires(Postgres, Nats))]
async fn failed_handler_has_no_effect_and_repeated_event_has_one() {
    let postgres = Postgres::new();
    let schema = postgres.migrated().await;
    let (store, mut connection) = (postgres.store(&schema).await, postgres.connection(&schema).await);
    execute(&mut connection, "CREATE TABLE greeted (name bigint)").await;
    let calls = inboxes::read_twice(servers::NATS, &store, async |mut transaction, number| {
        let query = sqlx::query("INSERT INTO greeted (name) VALUES ($1)").bind(number);
        query.execute(&mut *transaction).await?;
        Ok(transaction)
    });
    assert_eq!(calls.await, 7);
    let greeted = sqlx::query_scalar::<_, i64>("SELECT name FROM greeted ORDER BY name");
    assert_eq!(greeted.fetch_all(&mut connection).await.unwrap(), [0, 1, 2, 3, 4]);
    postgres.clean().await;
}

/// A stream with some events, and its subscriber.
struct Stream(String);

impl Stream {
    async fn with(events: usize) -> Self {
        let stream = format!("nats://{}?stream={}", servers::NATS, unique("test"));
        let emitter = Events::connect(&stream).await.unwrap();
        let orchestrator = Orchestrator::builder().service("users").events(emitter).build().unwrap();
        for number in 0..events {
            let config = OrchestrationConfig::new("user").id(number).event("said").on(&orchestrator);
            Success::wrap(Code::Ok, "said", &number).orchestrate(&config).await;
        }
        Self(stream)
    }

    /// Events that nobody answers come again soon.
    async fn subscriber(&self) -> (Subscriber, mpsc::UnboundedReceiver<PoisonEvent>) {
        let (sender, poison) = mpsc::unbounded_channel();
        let subscriber = Subscriber::connect(&self.0, "reader", &Filter::new()).await.unwrap();
        let subscriber = subscriber.ack_wait(Duration::from_millis(600));
        (subscriber.on_poison(move |poison| sender.send(poison.clone()).unwrap()), poison)
    }

    async fn clean(self) {
        let (server, stream) = self.0.split_once("?stream=").unwrap();
        let jetstream = async_nats::jetstream::new(async_nats::connect(server).await.unwrap());
        jetstream.delete_stream(stream).await.unwrap();
    }
}

#[test(requires(Postgres, Nats))]
async fn database_that_is_down_longer_than_all_attempts_poisons_no_event() {
    let postgres = Postgres::new();
    for fault in [Link::Refused, Link::BlackHole] {
        let stream = Stream::with(5).await;
        let schema = postgres.migrated().await;
        let proxy = Proxy::to(postgres.address).await;
        let store = Store::connect(&url(proxy.address(), &schema)).await.unwrap();
        let inbox = Failing::new(store.timeout(Duration::from_millis(250)), 0);
        let (subscriber, mut poison) = stream.subscriber().await;
        let subscriber = subscriber.attempts(2);
        proxy.set(fault).await;
        let calls = AtomicUsize::new(0);
        let handler = |_: Arc<ReceivedEvent>, transaction| {
            calls.fetch_add(1, Ordering::SeqCst);
            async { Ok(transaction) }
        };
        let end = async {
            until(|| async { inbox.failures() > 4 }).await;
            assert_eq!(calls.load(Ordering::SeqCst), 0);
            proxy.set(Link::Up).await;
            until(|| async { calls.load(Ordering::SeqCst) == 5 }).await;
        };
        awaited(subscriber.run_until(end, &inbox, handler)).await.unwrap();
        assert!(poison.try_recv().is_err(), "{fault:?}");
        stream.clean().await;
    }
    postgres.clean().await;
}

/// The database is down when the first attempt has failed. Of two attempts the event gets three.
#[test(requires(Postgres, Nats))]
async fn attempt_that_cannot_be_counted_is_logged_and_gives_one_more() {
    let postgres = Postgres::new();
    let stream = Stream::with(1).await;
    let (log, _guard) = Log::listen();
    let schema = postgres.migrated().await;
    let proxy = Proxy::to(postgres.address).await;
    let store = Store::connect(&url(proxy.address(), &schema)).await.unwrap();
    let (subscriber, mut poison) = stream.subscriber().await;
    let calls = AtomicUsize::new(0);
    let handler = |_: Arc<ReceivedEvent>, transaction| {
        let (call, proxy) = (calls.fetch_add(1, Ordering::SeqCst), &proxy);
        async move {
            match call {
                0 => proxy.set(Link::Refused).await,
                1 => {}
                _ => return Ok(transaction),
            }
            Err("not now".into())
        }
    };
    let uncounted = || {
        let lines = log.of("graceful::subscriber");
        lines.iter().filter(|line| line.field("message").ends_with("the event gets one attempt more")).count()
    };
    let end = async {
        until(|| async { uncounted() == 1 }).await;
        proxy.set(Link::Up).await;
        until(|| async { calls.load(Ordering::SeqCst) == 3 }).await;
    };
    awaited(subscriber.attempts(2).run_until(end, &store, handler)).await.unwrap();
    assert!(poison.try_recv().is_err());
    stream.clean().await;
    postgres.clean().await;
}

#[test(requires(Postgres, Nats))]
async fn processes_that_die_while_database_is_down_use_no_attempt() {
    let postgres = Postgres::new();
    let stream = Stream::with(1).await;
    let store = postgres.fresh().await;
    for _ in 0..3 {
        let (subscriber, _poison) = stream.subscriber().await;
        let (failed, has_failed) = oneshot::channel();
        let inbox = Failing::new(store.clone(), usize::MAX).tell(failed);
        let reading = tokio::spawn(async move {
            subscriber.run(&inbox, |_, transaction| async { Ok(transaction) }).await.unwrap();
        });
        awaited(has_failed).await.unwrap();
        reading.abort();
    }
    let (subscriber, mut poison) = stream.subscriber().await;
    let (called, mut receiver) = mpsc::unbounded_channel();
    let end = async { receiver.recv().await.unwrap() };
    let handler = |_, transaction| {
        called.send(()).unwrap();
        async { Ok(transaction) }
    };
    awaited(subscriber.attempts(1).run_until(end, &store, handler)).await.unwrap();
    assert!(poison.try_recv().is_err());
    stream.clean().await;
    postgres.clean().await;
}

/// The first process died in an attempt that was not counted: see `Subscriber`.
#[test(requires(Postgres, Nats))]
async fn event_in_which_each_process_dies_becomes_poison() {
    let postgres = Postgres::new();
    let stream = Stream::with(1).await;
    let store = postgres.fresh().await;
    for _ in 0..3 {
        let (subscriber, _poison) = stream.subscriber().await;
        let (begun, mut has_begun) = mpsc::unbounded_channel();
        let inbox = store.clone();
        let reading = tokio::spawn(async move {
            let handler = |_, transaction| {
                begun.send(()).unwrap();
                async {
                    pending::<()>().await;
                    Ok(transaction)
                }
            };
            subscriber.attempts(2).run(&inbox, handler).await.unwrap();
        });
        awaited(has_begun.recv()).await.unwrap();
        reading.abort();
    }
    let (subscriber, mut poison) = stream.subscriber().await;
    let told = async {
        let poison = poison.recv().await.unwrap();
        assert_eq!((poison.attempts, poison.error.message()), (3, "all attempts were interrupted"));
    };
    let handler = |_, _| async { panic!("it is poison") };
    awaited(subscriber.attempts(2).run_until(told, &store, handler)).await.unwrap();
    stream.clean().await;
    postgres.clean().await;
}

#[test(requires(Postgres, Nats))]
async fn transaction_that_is_idle_for_longer_than_a_call_may_take_is_committed() {
    let postgres = Postgres::new();
    let stream = Stream::with(1).await;
    let store = postgres.fresh().await;
    let (subscriber, mut poison) = stream.subscriber().await;
    let handler = |_, transaction| async {
        // That is its work: a call to somebody else, say.
        tokio::time::sleep(Duration::from_secs(4)).await;
        Ok(transaction)
    };
    let json = r#"{"specversion": "1.0", "id": "1", "source": "s", "type": "t"}"#;
    let event: ReceivedEvent = serde_json::from_str(json).unwrap();
    let InboxEntry::First(idle) = store.begin("other", &event).await.unwrap() else { panic!() };
    let answered = Box::pin(async {
        let jetstream = stream.0.split_once("?stream=").unwrap();
        let client = async_nats::connect(jetstream.0).await.unwrap();
        let stream = async_nats::jetstream::new(client).get_stream(jetstream.1).await.unwrap();
        until(|| async {
            let consumer = stream.consumer_info("reader").await.unwrap();
            consumer.num_pending == 0 && consumer.num_ack_pending == 0
        })
        .await;
    });
    awaited(subscriber.attempts(1).run_until(answered, &store, handler)).await.unwrap();
    assert!(poison.try_recv().is_err());
    store.commit(idle).await.unwrap();
    stream.clean().await;
    postgres.clean().await;
}
