//! Statements of a store that wait for a lock, so that further calls arrive meanwhile.

use graceful_postgres::Store;
use graceful_tests::{Proxy, gate::until};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::sync::Mutex;

use super::{Postgres, execute, url};

/// A store, and a transaction that keeps its statements waiting.
pub(super) struct World {
    pub(super) postgres: Postgres,
    pub(super) schema: String,
    pub(super) store: Store,
    pub(super) proxy: Proxy,
    pub(super) looking: Mutex<PgConnection>,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with_connections(10).await
    }

    /// One whose store has so many connections.
    pub(super) async fn with_connections(connections: u32) -> Self {
        let postgres = Postgres::new();
        let schema = postgres.migrated().await;
        let proxy = Proxy::to(postgres.address).await;
        let url = format!("{}&max_connections={connections}", url(proxy.address(), &schema));
        let store = Store::connect(&url).await.unwrap();
        let looking = Mutex::new(postgres.connection(&schema).await);
        Self { postgres, schema, store, proxy, looking }
    }

    /// Locks the table against all that write.
    pub(super) async fn lock(&self) -> Locked {
        let mut locked = Locked(self.postgres.connection(&self.schema).await);
        locked.lock().await;
        locked
    }

    pub(super) async fn execute(&self, statement: &str) {
        execute(&mut *self.looking.lock().await, statement).await;
    }

    /// Waits until so many sessions wait for the table.
    pub(super) async fn until_waiting(&self, sessions: i64) {
        until(async || {
            self.number(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'graceful_flows'::regclass",
            )
            .await
                == sessions
        })
        .await;
    }

    pub(super) async fn number(&self, query: &str) -> i64 {
        let query = sqlx::query_scalar(AssertSqlSafe(query));
        query.fetch_one(&mut *self.looking.lock().await).await.unwrap()
    }

    /// The number of rows of each transaction that has written, in their order.
    pub(super) async fn batches(&self) -> Vec<i64> {
        let query = "SELECT count(*) FROM graceful_flows GROUP BY xmin ORDER BY min(seq)";
        sqlx::query_scalar(query).fetch_all(&mut *self.looking.lock().await).await.unwrap()
    }

    pub(super) async fn clean(self) {
        drop(self.store);
        self.postgres.clean().await;
    }
}

/// A transaction that has locked the table.
pub(super) struct Locked(pub(super) PgConnection);

impl Locked {
    pub(super) async fn lock(&mut self) {
        execute(&mut self.0, "BEGIN; LOCK TABLE graceful_flows IN SHARE ROW EXCLUSIVE MODE").await;
    }

    pub(super) async fn release(mut self) {
        execute(&mut self.0, "COMMIT").await;
        self.0.close().await.unwrap();
    }
}
