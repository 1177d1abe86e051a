//! What must survive a restart, in one file.
#![allow(missing_docs, reason = "tests")]

mod audit;
mod conformance;
mod inbox;
mod model;
mod open;

use graceful::backends::sqlite::Store;
use tempfile::TempDir;

/// A store in a directory that goes with it.
async fn fresh() -> (TempDir, Store) {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path().join("test.db")).await.unwrap();
    (dir, store)
}
