//! Stores of the tests' own, and flows in them.

use std::{sync::Arc, time::Duration};

use graceful::backends::{
    AttemptFailure, AttemptOutcome, FailureCause, FlowStore, Lane, QueuedFlow, Room, Uuid,
};
use graceful_tests::servers::{POSTGRES, drop_schema, unique};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, SqliteConnection,
    sqlite::SqliteConnectOptions,
};
use tempfile::TempDir;

pub const HANDLER: &str = "orders::ship";

pub fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A SQLite file in a directory of its own.
#[derive(Debug)]
pub struct Sqlite {
    pub directory: TempDir,
}

impl Sqlite {
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub fn url(&self) -> String {
        format!("sqlite://{}", self.directory.path().join("orders.db").display())
    }

    pub async fn connection(&self) -> SqliteConnection {
        let path = self.directory.path().join("orders.db");
        SqliteConnectOptions::new().filename(path).connect().await.unwrap()
    }

    pub async fn execute(&self, statement: &str) {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut self.connection().await).await.unwrap();
    }

    pub async fn store(&self) -> Arc<dyn FlowStore> {
        Arc::new(graceful_sqlite::Store::open(self.url()).await.unwrap())
    }
}

/// A schema of PostgreSQL.
#[derive(Debug)]
pub struct Postgres {
    pub schema: String,
}

impl Postgres {
    pub async fn new() -> Self {
        let schema = unique("graceful_cli").replace('-', "_");
        let made = Self { schema };
        made.execute(&format!("CREATE SCHEMA {}", made.schema)).await;
        made
    }

    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    pub fn url_of(&self, role: &str) -> String {
        format!("postgres://{role}@{POSTGRES}/test?options[search_path]={}", self.schema)
    }

    pub async fn store(&self) -> Arc<dyn FlowStore> {
        graceful_postgres::Store::migrate(&self.url()).await.unwrap();
        Arc::new(graceful_postgres::Store::connect(&self.url()).await.unwrap())
    }

    pub async fn connection(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.unwrap()
    }

    pub async fn execute(&self, statement: &str) {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut self.connection().await).await.unwrap();
    }

    pub async fn drop(self) {
        drop_schema(&mut self.connection().await, &self.schema).await;
    }
}

/// Stores due flows with these numbers, each of an entity of its own.
pub async fn queue(store: &Arc<dyn FlowStore>, numbers: std::ops::Range<u128>) {
    let stored = numbers.map(|number| {
        let entity = format!("orders::parcel:{number}");
        let flow = QueuedFlow::new(id(number), entity, HANDLER, Lane::of(HANDLER, ""), b"{}".to_vec());
        let store = Arc::clone(store);
        tokio::spawn(async move { store.enqueue(flow).await.unwrap() })
    });
    for stored in stored.collect::<Vec<_>>() {
        stored.await.unwrap();
    }
}

/// Makes all queued flows dead letters, except for those that wait for another.
pub async fn kill(store: &Arc<dyn FlowStore>) {
    loop {
        let claims = store.claim(Room::of(100), Duration::from_secs(60)).await.unwrap();
        if claims.is_empty() {
            return;
        }
        for claim in claims {
            let failure = AttemptFailure::new(FailureCause::new(HANDLER, "no parcel service"));
            let outcome = AttemptOutcome::Dead { failure, body: None };
            assert!(store.record_outcome(claim.claim_id(), outcome).await.unwrap());
        }
    }
}
