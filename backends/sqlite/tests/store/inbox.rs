//! A subscriber that writes its effects in the inbox's file has each effect once.

use std::time::Duration;

use graceful::backends::{Inbox as _, InboxEntry, ReceivedEvent};
use graceful_tests::{inboxes, servers};
use sqlx::{Connection as _, SqliteConnection};

use super::fresh;

async fn connect(store: &graceful_sqlite::Store) -> SqliteConnection {
    SqliteConnection::connect(store.path().to_str().unwrap()).await.unwrap()
}

#[tokio::test]
async fn purged_event_is_first_again_and_purge_runs_in_batches() {
    let (_dir, store) = fresh().await;
    let json = r#"{"specversion": "1.0", "id": "1", "source": "s", "type": "t"}"#;
    let event: ReceivedEvent = serde_json::from_str(json).unwrap();
    let entry = store.begin("a", &event).await.unwrap();
    let InboxEntry::First(transaction) = entry else { panic!("{entry:?}") };
    store.commit(transaction).await.unwrap();
    sqlx::raw_sql(
        "WITH RECURSIVE some (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM some WHERE n < 2500)
         INSERT INTO graceful_inbox SELECT 'a', 's', 'id ' || n, (unixepoch() - iif(n > 100, 3600, 60)) * 1000000 FROM some",
    )
    .execute(&mut connect(&store).await)
    .await
    .unwrap();
    assert_eq!(store.purge_inbox(Duration::from_mins(30)).await.unwrap(), 2400);
    assert!(matches!(store.begin("a", &event).await.unwrap(), InboxEntry::Again));
    assert_eq!(store.purge_inbox(Duration::ZERO).await.unwrap(), 101);
    assert!(matches!(store.begin("a", &event).await.unwrap(), InboxEntry::First(_)));
}

/// The handler writes its effect and then fails or panics, and each event is delivered twice.
#[tokio::test]
async fn failed_handler_has_no_effect_and_repeated_event_has_one() {
    let Some(nats) = servers::nats().await else { return };
    let (_dir, store) = fresh().await;
    let mut connection = connect(&store).await;
    sqlx::raw_sql("CREATE TABLE greeted (name INTEGER)").execute(&mut connection).await.unwrap();
    let calls = inboxes::read_twice(nats, &store, async |mut transaction, number| {
        let query = sqlx::query("INSERT INTO greeted (name) VALUES (?)").bind(number);
        query.execute(&mut *transaction).await?;
        Ok(transaction)
    });
    assert_eq!(calls.await, 7);
    let greeted = sqlx::query_scalar::<_, i64>("SELECT name FROM greeted ORDER BY name");
    assert_eq!(greeted.fetch_all(&mut connection).await.unwrap(), [0, 1, 2, 3, 4]);
}
