//! The three servers of this machine, and the names that a run uses in them.

use async_nats::jetstream;
use graceful::{Orchestrator, OrchestratorBuilder};
use graceful_nats::Events;
use graceful_postgres::Store;
use graceful_redis::Cache;
use redis::aio::MultiplexedConnection;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool, postgres::PgPoolOptions};

const REDIS: &str = "redis://127.0.0.1";
const NATS: &str = "nats://127.0.0.1";
const POSTGRES: &str = "postgres://postgres:graceful@127.0.0.1/postgres";

/// The number of connections, the same as that of the store.
const CONNECTIONS: u32 = 10;

pub struct Place {
    /// The name of a stream and of a schema.
    pub name: String,
}

impl Place {
    pub async fn create(name: &str) -> Self {
        let place = Self { name: format!("{name}_{}", std::process::id()) };
        place.execute(POSTGRES, &format!("CREATE SCHEMA {}", place.name)).await;
        let tables = "CREATE TABLE records (flow uuid PRIMARY KEY, entity text NOT NULL, code text NOT NULL, at bigint NOT NULL, \
                      record text NOT NULL); \
                      CREATE INDEX records_entity ON records (entity, at); \
                      CREATE TABLE jobs (entity text PRIMARY KEY, due bigint NOT NULL, opened_at bigint NOT NULL, \
                      bumps bigint NOT NULL, flow uuid NOT NULL, code text NOT NULL); \
                      CREATE INDEX jobs_due ON jobs (due); \
                      CREATE TABLE outbox (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id uuid NOT NULL UNIQUE, \
                      entity text NOT NULL, handler text NOT NULL, body bytea NOT NULL, state smallint NOT NULL DEFAULT 0, \
                      attempts bigint NOT NULL DEFAULT 0, due bigint NOT NULL); \
                      CREATE INDEX outbox_due ON outbox (due, seq) WHERE state = 0; \
                      CREATE INDEX outbox_entity ON outbox (entity, seq) WHERE state = 0";
        place.execute(&place.postgres(), tables).await;
        place
    }

    pub async fn remove(&self) {
        self.execute(POSTGRES, &format!("DROP SCHEMA {} CASCADE", self.name)).await;
        self.jetstream().await.delete_stream(&self.name).await.unwrap();
    }

    /// Adds the cache and the events.
    pub async fn orchestrator(&self) -> OrchestratorBuilder {
        let events = Events::connect(&format!("{NATS}?stream={}", self.name)).await.unwrap();
        Orchestrator::builder().service("users").cache(Cache::connect(REDIS).await.unwrap()).events(events)
    }

    pub async fn store(&self) -> Store {
        Store::migrate(&self.postgres()).await.unwrap();
        Store::connect(&self.postgres()).await.unwrap()
    }

    pub async fn redis(&self) -> MultiplexedConnection {
        redis::Client::open(REDIS).unwrap().get_multiplexed_async_connection().await.unwrap()
    }

    pub async fn jetstream(&self) -> jetstream::Context {
        jetstream::new(async_nats::connect(NATS).await.unwrap())
    }

    pub async fn pool(&self) -> PgPool {
        PgPoolOptions::new().max_connections(CONNECTIONS).connect(&self.postgres()).await.unwrap()
    }

    fn postgres(&self) -> String {
        format!("{POSTGRES}?options[search_path]={}", self.name)
    }

    async fn execute(&self, url: &str, statements: &str) {
        let mut connection = PgConnection::connect(url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await.unwrap();
    }
}
