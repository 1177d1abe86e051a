//! A subscriber whose effects are in the inbox's database has each effect once.

use std::sync::atomic::{AtomicUsize, Ordering};

use graceful::{
    Code, OrchestrationConfig, Orchestrator, RelaySettings, Success,
    backends::{
        Inbox as _, InboxEntry, ReceivedEvent, Timestamp,
        nats::{Events, Filter, Rejected, Subscriber},
    },
};
use graceful_tests::{
    gate::until,
    servers::{self, unique},
};

use super::{Postgres, execute};

fn event(source: &str, id: &str) -> ReceivedEvent {
    let json = serde_json::json!({"specversion": "1.0", "id": id, "source": source, "type": "t"});
    serde_json::from_value(json).unwrap()
}

#[tokio::test]
async fn an_event_is_first_once_for_each_consumer() {
    let Some(postgres) = Postgres::find().await else { return };
    let store = postgres.fresh().await;
    let names = [("a", "s", "1"), ("b", "s", "1"), ("a", "t", "1"), ("a", "s", "2"), ("a", "s", "\0")];
    for (consumer, source, id) in names {
        let event = event(source, id);
        let InboxEntry::First(dropped) = store.begin(consumer, &event).await.unwrap() else { panic!("{id}") };
        drop(dropped);
        let InboxEntry::First(transaction) = store.begin(consumer, &event).await.unwrap() else {
            panic!("{id}")
        };
        store.commit(transaction).await.unwrap();
        assert!(matches!(store.begin(consumer, &event).await.unwrap(), InboxEntry::Again));
    }
    assert_eq!(store.purge_inbox(Timestamp::UNIX_EPOCH).await.unwrap(), 0);
    assert_eq!(store.purge_inbox(Timestamp::MAX).await.unwrap(), names.len() as u64);
    assert!(matches!(store.begin("a", &event("s", "1")).await.unwrap(), InboxEntry::First(_)));
    postgres.clean().await;
}

/// The effect is written, and then the handler fails, or panics; and each event comes twice.
#[tokio::test]
async fn what_fails_half_way_has_no_effect_and_what_comes_twice_has_one() {
    let (Some(postgres), Some(nats)) = (Postgres::find().await, servers::nats().await) else { return };
    let schema = postgres.schema().await;
    let store = postgres.store(&schema).await;
    let mut connection = postgres.connection(&schema).await;
    execute(&mut connection, "CREATE TABLE greeted (name bigint)").await;

    let url = format!("nats://{nats}?stream={}", unique("test"));
    let events = Events::connect(&url).await.unwrap();
    let builder = Orchestrator::builder().service("users").store(store.clone()).relay(RelaySettings::off());
    let orchestrator = builder.events(events).build().unwrap();
    let subscriber = Subscriber::connect(&url, "greeter", &Filter::new()).await.unwrap();
    for number in 0..5_i64 {
        let config = OrchestrationConfig::new("user").id(number).event("said").on(&orchestrator);
        Success::wrap(Code::Ok, "said", &number).orchestrate(&config).await;
    }
    // Once more, as if the stream did not know them any more.
    let jetstream = async_nats::jetstream::new(async_nats::connect(format!("nats://{nats}")).await.unwrap());
    let stream = jetstream.get_stream(url.split_once("stream=").unwrap().1).await.unwrap();
    for sequence in 1..=5 {
        let message = stream.get_raw_message(sequence).await.unwrap();
        jetstream.publish(message.subject, message.payload).await.unwrap().await.unwrap();
    }

    let calls = AtomicUsize::new(0);
    let handler = |event: std::sync::Arc<ReceivedEvent>, mut transaction: sqlx::Transaction<'static, _>| {
        let call = calls.fetch_add(1, Ordering::SeqCst);
        async move {
            let query = sqlx::query("INSERT INTO greeted (name) VALUES ($1)").bind(event.result::<i64>()?);
            query.execute(&mut *transaction).await?;
            match call {
                0 => Err("after its effect".into()),
                1 => panic!("after its effect"),
                _ => Ok(transaction),
            }
        }
    };
    let all_answered = until(|| async {
        let consumer = stream.consumer_info("greeter").await.unwrap();
        consumer.num_pending == 0 && consumer.num_ack_pending == 0
    });
    let read: Result<(), Rejected> = async {
        subscriber.run_until(all_answered, &store, handler).await?;
        Ok(())
    }
    .await;
    read.unwrap();
    let greeted: Vec<i64> = sqlx::query_scalar("SELECT name FROM greeted ORDER BY name")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert_eq!(greeted, [0, 1, 2, 3, 4]);
    assert_eq!(calls.into_inner(), 7);
    let name = stream.cached_info().config.name.clone();
    jetstream.delete_stream(name).await.unwrap();
    postgres.clean().await;
}
