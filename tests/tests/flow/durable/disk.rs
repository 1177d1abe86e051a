//! The disk under the store is full, is read-only, or has another file in place of the database.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use graceful::backends::{Inbox as _, InboxEntry, ReceivedEvent};
use sqlx::{Sqlite, SqlitePool, Transaction, sqlite::SqliteConnectOptions};

use super::*;

#[orchestrate(pattern = "file", id = id, delivery = "durable", payload = "x".repeat(50_000))]
async fn save(id: usize) -> Result<usize, Code> {
    Ok(id)
}

#[orchestrate(pattern = "file", id = id, delivery = "durable", tx = tx)]
async fn save_with(tx: &mut Transaction<'_, Sqlite>, id: usize) -> Result<usize, StepError> {
    sqlx::query("SELECT 1").execute(&mut **tx).await.map_err(StepError::caused_by)?;
    Ok(id)
}

/// A small disk of the test's own, in memory.
struct Disk {
    // It goes before its directory.
    _mounted: Mounted,
    dir: TempDir,
}

impl Disk {
    /// `None` where the test may not mount: whoever is not root has the unit test of the writer.
    fn mount(size: &str) -> Option<Self> {
        let dir = TempDir::new().unwrap();
        let mounted = mount(&["-t", "tmpfs", "-o", &format!("size={size}"), "graceful"], dir.path());
        if !mounted {
            assert!(graceful_tests::services::may_be_missing(), "a small disk cannot be mounted");
            eprintln!("SKIPPED: only root can mount a small disk");
        }
        mounted.then(|| Self { _mounted: Mounted(dir.path().to_owned()), dir })
    }
}

/// Unmounted when it is dropped.
struct Mounted(PathBuf);

impl Mounted {
    /// The file, which nobody can write to.
    fn read_only(file: &Path) -> Self {
        assert!(mount(&["--bind", file.to_str().unwrap()], file));
        assert!(mount(&["-o", "remount,bind,ro"], file));
        Self(file.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: the store may still be closing its files.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn mount(arguments: &[&str], path: &Path) -> bool {
    let mut mount = Command::new("mount");
    mount.args(arguments).arg(path).stderr(Stdio::null());
    mount.status().is_ok_and(|status| status.success())
}

fn event(id: &str) -> ReceivedEvent {
    let json = format!(r#"{{"specversion": "1.0", "id": "{id}", "source": "s", "type": "t"}}"#);
    serde_json::from_str(&json).unwrap()
}

/// A write through the store's own writer, whose error can be read.
async fn write(store: &Store) -> Result<u64, StepError> {
    store.purge_inbox(Duration::from_secs(1 << 30)).await
}

/// One flow after the other, until one is not stored.
async fn fill(orchestrator: &Orchestrator) {
    for id in 0..1000 {
        orchestrator.scope(save(id)).await.unwrap();
        if orchestrator.stats().store_failures() > 0 {
            return;
        }
    }
    panic!("the disk never was full");
}

#[tokio::test]
async fn store_whose_disk_was_full_stores_again_when_there_is_room() {
    let Some(disk) = Disk::mount("4m") else { return };
    let path = disk.dir.path();
    fs::write(path.join("ballast"), vec![1; 2 << 20]).unwrap();
    let store = Store::open(path.join("app.db")).await.unwrap();
    let builder = Orchestrator::builder().service("users").store(store.clone()).in_memory();
    let orchestrator = builder.relay(RelaySettings::off()).build().unwrap();
    fill(&orchestrator).await;
    let stored = store.list(FlowState::Queued, 1000).await.unwrap().len();

    // A subscriber's transaction is rolled back by the same error.
    let entry = store.begin("reader", &event("1")).await.unwrap();
    let InboxEntry::First(mut transaction) = entry else { panic!("{entry:?}") };
    let query = sqlx::query("INSERT INTO graceful_graph VALUES (x'00', printf('%.2000000c', 'x'))");
    query.execute(&mut *transaction).await.unwrap_err();
    drop(transaction);

    fs::remove_file(path.join("ballast")).unwrap();
    let failed = orchestrator.stats().store_failures();
    for id in 0..10 {
        orchestrator.scope(save(id)).await.unwrap();
        let entry = store.begin("reader", &event(&id.to_string())).await.unwrap();
        let InboxEntry::First(transaction) = entry else { panic!("{entry:?}") };
        store.commit(transaction).await.unwrap();
    }
    assert_eq!(orchestrator.stats().store_failures(), failed);
    assert_eq!(store.list(FlowState::Queued, 1000).await.unwrap().len(), stored + 10);
}

/// SQLite opens such a file for reading only, and no flow could be stored.
#[tokio::test]
async fn store_in_a_file_that_is_read_only_is_refused() {
    let Some(disk) = Disk::mount("4m") else { return };
    let path = disk.dir.path().join("app.db");
    drop(Store::open(&path).await.unwrap());
    // Rights do not hold root back.
    let _file = Mounted::read_only(&path);
    let error = Store::open(&path).await.unwrap_err().to_string();
    assert!(error.contains("readonly database"), "{error}");
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
            store.list(FlowState::Queued, 10).await.unwrap_err(),
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
