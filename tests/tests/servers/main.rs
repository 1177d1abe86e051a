//! What requires servers of several kinds, their programs, or root; what requires one server is tested with its backend.
#![allow(missing_docs, reason = "tests")]

#[macro_use(test)]
extern crate graceful_tests;

mod answers;
mod disk;
mod repeats;
mod settings;
mod sqlx_errors;
mod subscribes;
mod tls;

use std::process::ExitCode;

use graceful_tests::servers::{NATS, POSTGRES, REDIS, drop_schema, unique};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

fn main() -> ExitCode {
    graceful_tests::harness::main()
}

/// Paused time advances to the next timer whenever every task waits, although a server is still working.
#[test(requires(Redis, Nats, Postgres), start_paused = true)]
async fn servers_connect_under_paused_time() {
    graceful_redis::Cache::connect(&format!("redis://{REDIS}")).await.unwrap();
    let url = format!("nats://{NATS}?stream={}", unique("paused"));
    graceful_nats::Events::connect(&url).await.unwrap();
    graceful_nats::Subscriber::connect(&url, "greeter", &graceful_nats::Filter::new()).await.unwrap();
    let schema = unique("paused").replace('-', "_");
    let mut connection =
        PgConnection::connect(&format!("postgres://postgres@{POSTGRES}/test")).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA {schema}"))).execute(&mut connection).await.unwrap();
    let url = format!("postgres://postgres@{POSTGRES}/test?options[search_path]={schema}");
    graceful_postgres::Store::migrate(&url).await.unwrap();
    graceful_postgres::Store::connect(&url).await.unwrap();
    drop_schema(&mut connection, &schema).await;
}
