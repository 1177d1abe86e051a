//! Subscribers whose state is in PostgreSQL.

use std::time::Duration;

use graceful::backends::{
    InboxTransaction, Join, NewEvent, NewSubscriber, ParkedEvent, Progress, ReaderId, Subscriptions as _,
    Uuid,
};
use graceful_postgres::Store;
use graceful_tests::gate::awaited;
use sqlx::{Connection as _, Postgres as Database, Transaction};

use super::{Postgres, execute};

const LEASE: Duration = Duration::from_mins(10);

fn reader() -> ReaderId {
    ReaderId::new("shop::on_order", Uuid::from_u128(1))
}

async fn joined(store: &Store) {
    store.register(NewSubscriber::new("shop::on_order", 0)).await.unwrap();
    assert_eq!(store.join(reader(), Join::new(LEASE, 0, false)).await.unwrap().held, u32::MAX);
}

async fn begin(store: &Store, entity: i64, position: u64) -> Option<Box<dyn InboxTransaction>> {
    store.begin(reader(), entity, position, false).await.unwrap()
}

fn all(handled_to: u64) -> Vec<Progress> {
    (0..32).map(|number| Progress::new(number, handled_to, handled_to)).collect()
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn event_waits_for_the_open_transaction_of_its_entity() {
    let postgres = Postgres::new();
    let store = postgres.fresh().await.timeout(Duration::from_mins(1));
    joined(&store).await;
    for (is_committed, later) in [(true, 12), (false, 14)] {
        let open = begin(&store, 5, later - 1).await.unwrap();
        let waiting = tokio::spawn({
            let store = store.clone();
            async move { begin(&store, 5, later).await.is_some() }
        });
        // Other entities and the progress of the subscriber do not wait.
        begin(&store, 37, later).await.unwrap().commit().await.unwrap();
        assert_eq!(store.advance(reader(), all(later - 2), Vec::new()).await.unwrap(), u32::MAX);
        assert_eq!(store.join(reader(), Join::new(LEASE, 0, false)).await.unwrap().held, u32::MAX);
        assert!(!waiting.is_finished());
        match is_committed {
            true => open.commit().await.unwrap(),
            false => drop(open),
        }
        assert!(awaited(waiting).await.unwrap(), "it is later than the other");
    }
    postgres.clean().await;
}

/// The server confirms the commit of a transaction in which a statement has failed, and rolls it back.
#[test(requires(Postgres), flavor = "multi_thread")]
async fn event_whose_handler_hides_a_failed_statement_is_not_handled() {
    let postgres = Postgres::new();
    let store = postgres.fresh().await;
    joined(&store).await;
    let mut open = begin(&store, 5, 10).await.unwrap();
    let transaction = open.transaction().downcast_mut::<Transaction<'_, Database>>().unwrap();
    sqlx::query("SELECT 1 / 0").execute(&mut **transaction).await.unwrap_err();
    let error = open.commit().await.unwrap_err();
    assert!(error.message().contains("current transaction is aborted"), "{error}");
    begin(&store, 5, 10).await.expect("it was not handled").commit().await.unwrap();
    postgres.clean().await;
}

/// A handler's statement can hold the lock of its entity long after its time budget.
#[test(requires(Postgres), flavor = "multi_thread")]
async fn locked_entity_holds_up_neither_the_subscriber_nor_its_connections() {
    const CONNECTIONS: u32 = 2;
    let postgres = Postgres::new();
    let store = postgres.fresh().await;
    joined(&store).await;
    begin(&store, 5, 10).await.unwrap().commit().await.unwrap();
    let schema = postgres.schemas.lock().unwrap()[0].clone();
    let mut connection = postgres.connection(&schema).await;
    let mut locked = connection.begin().await.unwrap();
    execute(&mut locked, "SELECT position FROM graceful_fences WHERE entity = 5 FOR UPDATE").await;

    let event = ParkedEvent::new(11, 5, *b"{}", 10, "out of time");
    let error = store.park(reader(), event.clone()).await.unwrap_err();
    assert!(error.message().contains("could not obtain lock"), "{error}");
    assert_eq!(store.join(reader(), Join::new(LEASE, 0, false)).await.unwrap().held, u32::MAX);

    let url = format!("{}&max_subscriber_connections={CONNECTIONS}", postgres.url(&schema));
    let store = Store::connect(&url).await.unwrap().timeout(Duration::from_millis(300));
    for _ in 0..2 * CONNECTIONS {
        let error = store.begin(reader(), 5, 11, false).await.map(drop).unwrap_err();
        assert!(error.message().contains("lock timeout"), "{error}");
    }
    let store = store.timeout(Duration::from_secs(10));
    let mut open = begin(&store, 37, 11).await.expect("there are connections");
    let transaction = open.transaction().downcast_mut::<Transaction<'_, Database>>().unwrap();
    let limit: String = sqlx::query_scalar("SHOW lock_timeout").fetch_one(&mut **transaction).await.unwrap();
    assert_eq!(limit, "0", "the statements of the handler wait as long as before");
    open.commit().await.unwrap();

    locked.rollback().await.unwrap();
    assert!(store.park(reader(), event).await.unwrap());
    postgres.clean().await;
}

/// A process deletes old fences when it joins, and must not wait for a handler.
#[test(requires(Postgres), flavor = "multi_thread")]
async fn process_that_joins_does_not_wait_for_the_transaction_of_an_old_entity() {
    let postgres = Postgres::new();
    let store = postgres.fresh().await.timeout(Duration::from_secs(10));
    joined(&store).await;
    for entity in [5, 6] {
        begin(&store, entity, 10).await.unwrap().commit().await.unwrap();
    }
    store.advance(reader(), all(10), Vec::new()).await.unwrap();
    let schema = postgres.schemas.lock().unwrap()[0].clone();
    let mut connection = postgres.connection(&schema).await;
    execute(&mut connection, "UPDATE graceful_fences SET at = at - 180000000").await;
    let open = begin(&store, 5, 11).await.unwrap();
    assert_eq!(store.join(reader(), Join::new(LEASE, 0, false)).await.unwrap().held, u32::MAX);
    let left = "SELECT entity FROM graceful_fences";
    let left: Vec<i64> = sqlx::query_scalar(left).fetch_all(&mut connection).await.unwrap();
    assert_eq!(left, [5], "the fence of the open transaction stays");
    open.commit().await.unwrap();
    postgres.clean().await;
}

/// In a table without statistics the planner may choose to read all rows for each page.
#[test(requires(Postgres), flavor = "multi_thread")]
async fn page_of_received_events_reads_no_row_of_the_others() {
    const EVENTS: u64 = 10_000;
    let postgres = Postgres::new();
    let schema = postgres.schema().await;
    let mut connection = postgres.connection(&schema).await;
    let store = postgres.store(&schema).await;
    execute(&mut connection, "ALTER TABLE graceful_received_events SET (autovacuum_enabled = false)").await;
    let mut of_a_broker = NewSubscriber::new("shop::on_order", 0);
    of_a_broker.reads_log = false;
    store.register(of_a_broker).await.unwrap();
    assert!(store.join(reader(), Join::new(LEASE, 0, true)).await.unwrap().copies);
    let ids: Vec<_> = (0..EVENTS).collect();
    for ids in ids.chunks(250) {
        let event = |id: &u64| NewEvent::new(id.cast_signed(), "users", id.to_string(), *b"{}");
        assert!(store.receive(reader(), ids.iter().map(event).collect()).await.unwrap());
    }
    let mut read_to = 0;
    while read_to < EVENTS {
        read_to = store.received("shop::on_order".into(), read_to, u32::MAX, 250).await.unwrap().read_to;
    }
    drop(store);
    let read = postgres.rows_read(&schema, "graceful_received_events", EVENTS.cast_signed()).await;
    assert!(read <= 2 * EVENTS.cast_signed(), "{read} rows were read for {EVENTS} events");
    postgres.clean().await;
}
