//! The inbox forgets what is older than its retention.

use std::time::Duration;

use graceful::backends::{Inbox as _, InboxEntry, ReceivedEvent};
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
