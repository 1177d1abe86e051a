//! The file of the store is deleted or replaced while it is open.

use std::fs;

use graceful::backends::{Inbox as _, InboxEntry, ReceivedEvent};
use graceful_testing::InState as _;
use sqlx::{Sqlite, SqlitePool, Transaction, sqlite::SqliteConnectOptions};

use super::*;

#[orchestrate(pattern = "file", id = id, delivery = "durable")]
async fn save(id: usize) -> Result<usize, Code> {
    Ok(id)
}

#[orchestrate(pattern = "file", id = id, delivery = "durable", tx = tx)]
async fn save_with(tx: &mut Transaction<'_, Sqlite>, id: usize) -> Result<usize, StepError> {
    sqlx::query("SELECT 1").execute(&mut **tx).await.map_err(StepError::caused_by)?;
    Ok(id)
}

fn event(id: &str) -> ReceivedEvent {
    let json = format!(r#"{{"specversion": "1.0", "id": "{id}", "source": "s", "type": "t"}}"#);
    serde_json::from_str(&json).unwrap()
}

/// A write through the store's own writer, whose error can be read.
async fn write(store: &Store) -> Result<u64, StepError> {
    store.purge_inbox(Duration::from_secs(1 << 30)).await
}

/// A flow that is acknowledged into a deleted file is lost. A new connection would create a new log beside the old one.
#[tokio::test]
async fn store_whose_file_is_deleted_or_replaced_acknowledges_nothing() {
    for (file, replaced) in
        ["app.db", "app.db-wal", "app.db-shm"].iter().flat_map(|file| [(file, false), (file, true)])
    {
        let service = Service::new().await;
        let orchestrator = service.without_a_relay();
        orchestrator.scope(save(1)).await.unwrap();
        let pool =
            SqlitePool::connect_with(SqliteConnectOptions::new().filename(service.dir.path().join("app.db")))
                .await
                .unwrap();
        let mut transaction = pool.begin().await.unwrap();
        orchestrator.scope(save_with(&mut transaction, 2)).await.unwrap();
        transaction.commit().await.unwrap();
        let InboxEntry::First(before) = service.store.begin("reader", &event("1")).await.unwrap() else {
            panic!("it is the first");
        };
        let (path, moved) = (service.dir.path().join(file), service.dir.path().join("moved"));
        fs::rename(&path, &moved).unwrap();
        if replaced {
            fs::copy(&moved, &path).unwrap();
        }

        let store = &service.store;
        let refused = [
            store.commit(before).await.unwrap_err(),
            write(store).await.unwrap_err(),
            store.in_state(FlowState::Queued).await.unwrap_err(),
            store.begin("reader", &event("2")).await.unwrap_err(),
        ];
        for error in refused {
            assert!(
                error.message().contains(&format!("{file} was deleted or replaced while it was open")),
                "{error}"
            );
        }
        let failed = orchestrator.stats().store_failures();
        orchestrator.scope(save(2)).await.unwrap();
        assert_eq!(orchestrator.stats().store_failures(), failed + 1);

        // Neither does a handler with `tx`, on a connection that was opened before.
        let mut transaction = pool.begin().await.unwrap();
        let refused = orchestrator.scope(save_with(&mut transaction, 4)).await.unwrap_err();
        assert!(refused.message().contains("was deleted or replaced while it was open"), "{refused}");
        drop(transaction);

        // Put back, it is the store again.
        fs::rename(&moved, &path).unwrap();
        write(store).await.unwrap();
        orchestrator.scope(save(3)).await.unwrap();
        assert_eq!(orchestrator.stats().store_failures(), failed + 2);
    }
}
