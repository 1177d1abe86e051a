//! The disk under a store is full or read-only.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use graceful::{
    Code, Orchestrator, RelaySettings,
    backends::{FlowState, Inbox as _, InboxEntry, ReceivedEvent},
    orchestrate,
};
use graceful_sqlite::Store;
use graceful_testing::InState as _;
use tempfile::TempDir;

#[orchestrate(pattern = "file", id = id, delivery = "durable", payload = "x".repeat(50_000))]
async fn save(id: usize) -> Result<usize, Code> {
    Ok(id)
}

/// A small disk of the test's own, in memory.
struct Disk {
    // It goes before its directory.
    _mounted: Mounted,
    dir: TempDir,
}

impl Disk {
    fn mount(size: &str) -> Self {
        let dir = TempDir::new().unwrap();
        mount(&["-t", "tmpfs", "-o", &format!("size={size}"), "graceful"], dir.path());
        Self { _mounted: Mounted(dir.path().to_owned()), dir }
    }
}

/// Unmounted when it is dropped.
struct Mounted(PathBuf);

impl Mounted {
    /// The file, which nobody can write to.
    fn read_only(file: &Path) -> Self {
        mount(&["--bind", file.to_str().unwrap()], file);
        mount(&["-o", "remount,bind,ro"], file);
        Self(file.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: the store may still be closing its files.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn mount(arguments: &[&str], path: &Path) {
    let mounted = Command::new("mount").args(arguments).arg(path).output().unwrap();
    assert!(mounted.status.success(), "{mounted:?}");
}

fn event(id: &str) -> ReceivedEvent {
    let json = format!(r#"{{"specversion": "1.0", "id": "{id}", "source": "s", "type": "t"}}"#);
    serde_json::from_str(&json).unwrap()
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

#[test(requires(Mount))]
async fn store_whose_disk_was_full_stores_again_when_there_is_room() {
    let disk = Disk::mount("4m");
    let path = disk.dir.path();
    fs::write(path.join("ballast"), vec![1; 2 << 20]).unwrap();
    let store = Store::open(path.join("app.db")).await.unwrap();
    let builder = Orchestrator::builder().service("users").store(store.clone()).in_memory();
    let orchestrator = builder.relay(RelaySettings::off()).build().unwrap();
    fill(&orchestrator).await;
    let stored = store.in_state(FlowState::Queued).await.unwrap().len();

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
    assert_eq!(store.in_state(FlowState::Queued).await.unwrap().len(), stored + 10);
}

/// SQLite opens such a file for reading only, and no flow could be stored.
#[test(requires(Mount))]
async fn store_in_a_file_that_is_read_only_is_refused() {
    let disk = Disk::mount("4m");
    let path = disk.dir.path().join("app.db");
    drop(Store::open(&path).await.unwrap());
    // Rights do not hold root back.
    let _file = Mounted::read_only(&path);
    let error = Store::open(&path).await.unwrap_err().to_string();
    assert!(error.contains("readonly database"), "{error}");
}
