//! The conformance suites that every store must pass, for the store in one file. The stores in memory run them as documentation
//! examples.

use std::sync::atomic::{AtomicUsize, Ordering};

use graceful_sqlite::Store;
use graceful_testing::conformance;
use tempfile::TempDir;

use super::elapse;

/// Stores that live as long as the directory.
struct Stores {
    dir: TempDir,
    made: AtomicUsize,
}

impl Stores {
    fn new() -> Self {
        Self { dir: TempDir::new().unwrap(), made: AtomicUsize::new(0) }
    }

    async fn fresh(&self) -> Store {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        Store::open(self.dir.path().join(format!("{number}.db"))).await.unwrap()
    }
}

macro_rules! suites {
    ($($suite:ident $(($elapse:ident))?)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $suite() {
            let stores = Stores::new();
            conformance::$suite(async || stores.fresh().await $(, $elapse)?).await;
        }
    )*};
}

suites! { flow_store(elapse) followers(elapse) operations(elapse) live_relays(elapse) metadata_store scheduler(elapse) nexus audit_log alerter inbox idempotency(elapse) event_log event_log_retention(elapse) subscriptions(elapse) }
