//! A subscriber whose effects are in the inbox's database has each effect once.

use graceful::backends::{Inbox as _, InboxEntry, ReceivedEvent, Timestamp};
use graceful_tests::{inboxes, servers};

use super::{Postgres, execute};

#[tokio::test]
async fn what_is_purged_was_not_handled_and_is_forgotten_in_batches() {
    let Some(postgres) = Postgres::find().await else { return };
    let schema = postgres.schema().await;
    let (store, mut connection) = (postgres.store(&schema).await, postgres.connection(&schema).await);
    let json = r#"{"specversion": "1.0", "id": "1", "source": "s", "type": "t"}"#;
    let event: ReceivedEvent = serde_json::from_str(json).unwrap();
    let entry = store.begin("a", &event).await.unwrap();
    let InboxEntry::First(transaction) = entry else { panic!("{entry:?}") };
    store.commit(transaction).await.unwrap();
    execute(
        &mut connection,
        "INSERT INTO graceful_inbox SELECT 'a', 's', 'id ' || n, n FROM generate_series(1, 2500) AS n",
    )
    .await;
    assert_eq!(store.purge_inbox(Timestamp::from_microsecond(2401).unwrap()).await.unwrap(), 2400);
    assert!(matches!(store.begin("a", &event).await.unwrap(), InboxEntry::Again));
    assert_eq!(store.purge_inbox(Timestamp::MAX).await.unwrap(), 101);
    assert!(matches!(store.begin("a", &event).await.unwrap(), InboxEntry::First(_)));
    postgres.clean().await;
}

/// The effect is written, and then the handler fails, or panics; and each event comes twice.
#[tokio::test]
async fn what_fails_half_way_has_no_effect_and_what_comes_twice_has_one() {
    let (Some(postgres), Some(nats)) = (Postgres::find().await, servers::nats().await) else { return };
    let schema = postgres.schema().await;
    let (store, mut connection) = (postgres.store(&schema).await, postgres.connection(&schema).await);
    execute(&mut connection, "CREATE TABLE greeted (name bigint)").await;
    let calls = inboxes::read_twice(nats, &store, async |mut transaction, number| {
        let query = sqlx::query("INSERT INTO greeted (name) VALUES ($1)").bind(number);
        query.execute(&mut *transaction).await?;
        Ok(transaction)
    });
    assert_eq!(calls.await, 7);
    let greeted = sqlx::query_scalar::<_, i64>("SELECT name FROM greeted ORDER BY name");
    assert_eq!(greeted.fetch_all(&mut connection).await.unwrap(), [0, 1, 2, 3, 4]);
    postgres.clean().await;
}
