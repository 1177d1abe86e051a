//! The store in a real PostgreSQL.

#[macro_use(test)]
extern crate graceful_tests;

mod alerts;
mod audit;
mod audit_queries;
mod batches;
mod conformance;
mod discard;
mod event_log;
mod faults;
mod heads;
mod health;
mod idempotency;
mod inbox;
mod locked;
mod many;
mod notifications;
mod old_audit;
mod operators;
mod outage;
mod outcomes;
mod plans;
mod pooler;
mod production;
mod purge;
mod relays;
mod repeated;
mod skew;
mod start;
mod steps;
mod subscribers;
mod transaction;
mod unrecorded;
mod upgrade;
mod values;

use std::{
    net::SocketAddr,
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use graceful_postgres::Store;
use graceful_tests::{
    gate::until,
    servers::{self, unique},
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

fn main() -> ExitCode {
    graceful_tests::harness::main()
}

/// The server, with schemas of the test's own, which are removed by [`clean`](Self::clean).
struct Postgres {
    address: SocketAddr,
    schema: String,
    made: AtomicUsize,
    schemas: Mutex<Vec<String>>,
}

impl Postgres {
    fn new() -> Self {
        let schema = unique("graceful").replace('-', "_");
        Self { address: servers::POSTGRES, schema, made: AtomicUsize::new(0), schemas: Mutex::default() }
    }

    /// A new schema, empty.
    async fn schema(&self) -> String {
        let schema = format!("{}_{}", self.schema, self.made.fetch_add(1, Ordering::Relaxed));
        self.schemas.lock().unwrap().push(schema.clone());
        execute(&mut self.connection("public").await, &format!("CREATE SCHEMA {schema}")).await;
        schema
    }

    fn url(&self, schema: &str) -> String {
        url(self.address, schema)
    }

    async fn connection(&self, schema: &str) -> PgConnection {
        PgConnection::connect(&self.url(schema)).await.unwrap()
    }

    /// A new schema, with the store's tables.
    async fn migrated(&self) -> String {
        let schema = self.schema().await;
        Store::migrate(&self.url(&schema)).await.unwrap();
        schema
    }

    async fn store(&self, schema: &str) -> Store {
        Store::migrate(&self.url(schema)).await.unwrap();
        Store::connect(&self.url(schema)).await.unwrap()
    }

    /// An empty store, in a schema of its own.
    async fn fresh(&self) -> Store {
        self.store(&self.schema().await).await
    }

    /// So much time goes by: all that stores have written is so much older.
    async fn elapse(&self, _: &Store, time: Duration) {
        let micros = time.as_micros();
        let schemas = self.schemas.lock().unwrap().clone();
        let last = schemas.last().expect("a store has a schema");
        let statements = format!(
            "UPDATE graceful_flows SET due = due - {micros}, ended_at = ended_at - {micros};
             UPDATE graceful_live_relays SET since = since - {micros}, seen_at = seen_at - {micros};
             UPDATE graceful_jobs SET due = due - {micros}, held_until = held_until - {micros};
             UPDATE graceful_events SET at = at - {micros};
             UPDATE graceful_subscriber_processes SET expires = expires - {micros};
             UPDATE graceful_fences SET at = at - {micros};
             UPDATE graceful_received_events SET at = at - {micros};
             UPDATE graceful_idempotent_calls SET expires = expires - {micros};
             UPDATE graceful_operations SET prepared_at = prepared_at - {micros}, lease_until = lease_until - {micros},
             ended_at = ended_at - {micros}"
        );
        execute(&mut self.connection(last).await, &statements).await;
    }

    /// The number of rows that connections have read from a table, when so many were inserted. A connection reports that at its end.
    async fn rows_read(&self, schema: &str, table: &str, inserted: i64) -> i64 {
        let counts = "SELECT n_tup_ins, seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables \
             WHERE schemaname = current_schema() AND relname = $1";
        let counted = async || {
            let mut connection = self.connection(schema).await;
            sqlx::query_as(counts).bind(table).fetch_one(&mut connection).await.unwrap()
        };
        until(async || {
            let (has, read): (i64, i64) = counted().await;
            has >= inserted && read >= inserted
        })
        .await;
        let (_, read): (i64, i64) = counted().await;
        read
    }

    async fn clean(self) {
        let mut connection = self.connection("public").await;
        for schema in self.schemas.into_inner().unwrap() {
            servers::drop_schema(&mut connection, &schema).await;
        }
    }
}

fn url(address: SocketAddr, schema: &str) -> String {
    format!("postgres://postgres@{address}/test?options[search_path]={schema}")
}

async fn execute(connection: &mut PgConnection, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.unwrap();
}
