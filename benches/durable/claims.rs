//! What a claim costs beside 1 000 and beside 1 000 000 queued flows, in five shapes, for both stores.
//!
//! `cargo bench -p graceful-benches-durable --bench claims` prints a table. PostgreSQL is asked at its standard port, in a schema that is
//! made for it and removed; without one, its rows are missing.

use std::time::{Duration, Instant};

use graceful::backends::{FlowStore, Room};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

const LEASE: Duration = Duration::from_hours(1);
const SCHEMA: &str = "graceful_bench_claims";

/// Of row `n`: its entity, the seconds until it is due, whether it is its entity's head, and whether somebody holds it.
const SHAPES: [(&str, [&str; 4]); 5] = [
    ("many entities", ["'e' || n", "-1", "TRUE", "FALSE"]),
    ("one entity", ["'e'", "-1", "n = 1", "FALSE"]),
    ("all in backoff", ["'e' || n", "3600", "TRUE", "FALSE"]),
    ("all held", ["'e' || n", "3600", "TRUE", "TRUE"]),
    // Two of each entity; of three entities one is in backoff, one due, and one held.
    (
        "mixed",
        [
            "'e' || n / 2",
            "CASE n / 2 % 3 WHEN 0 THEN -1 ELSE 3600 END",
            "n % 2 = 0 OR n = 1",
            "n % 2 = 0 AND n / 2 % 3 = 2",
        ],
    ),
];

async fn median(store: &impl FlowStore) -> f64 {
    let mut took = Vec::new();
    for _ in 0..41 {
        let begun = Instant::now();
        store.claim(Room { per_handler: 16, ..Room::of(64) }, LEASE).await.unwrap();
        took.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    took.sort_unstable_by(f64::total_cmp);
    took[took.len() / 2]
}

async fn in_sqlite([entity, later, head, claimed]: [&str; 4], rows: u32) -> f64 {
    let dir = tempfile::tempdir().unwrap();
    let store = graceful_sqlite::Store::open(dir.path().join("graceful.db")).await.unwrap();
    let mut connection =
        SqliteConnection::connect(&format!("sqlite://{}", store.path().display())).await.unwrap();
    let insert = format!(
        "WITH RECURSIVE rows (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM rows WHERE n < {rows}) \
         INSERT INTO graceful_flows (id, entity, handler, lane, body, due, head, token) \
         SELECT randomblob(16), {entity}, 'h', (n % 3) * 4294967296 + n % 10, zeroblob(600), \
         (unixepoch() + {later}) * 1000000, {head}, iif({claimed}, randomblob(16), NULL) FROM rows"
    );
    sqlx::raw_sql(AssertSqlSafe(insert)).execute(&mut connection).await.unwrap();
    median(&store).await
}

async fn in_postgres(connection: &mut PgConnection, of: [&str; 4], rows: u32) -> f64 {
    let [entity, later, head, claimed] = of;
    let make = format!("DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}");
    sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut *connection).await.unwrap();
    let url = format!("{}?options[search_path]={SCHEMA}", url());
    graceful_postgres::Store::migrate(&url).await.unwrap();
    let store = graceful_postgres::Store::connect(&url).await.unwrap();
    // Nobody has analysed it: the plans must be good without.
    let insert = format!(
        "INSERT INTO {SCHEMA}.graceful_flows (id, entity, handler, lane, body, due, head, token) \
         SELECT gen_random_uuid(), {entity}, 'h', (n % 3) * 4294967296 + n % 10, decode(repeat('00', 600), 'hex'), \
         {SCHEMA}.graceful_now() + ({later}) * 1000000::bigint, {head}, CASE WHEN {claimed} THEN gen_random_uuid() END \
         FROM generate_series(1, {rows}) AS n"
    );
    sqlx::raw_sql(AssertSqlSafe(insert)).execute(&mut *connection).await.unwrap();
    median(&store).await
}

fn url() -> String {
    std::env::var("GRACEFUL_BENCH_POSTGRES")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/test".to_owned())
}

fn row(store: &str, shape: &str, [few, many]: [f64; 2]) {
    println!("| {store} | {shape} | {few:.2} | {many:.2} | {:.2} |", many / few);
}

async fn claims() {
    println!(
        "| store | shape | ms beside 1 000 | beside 1 000 000 | ratio |\n| --- | --- | --- | --- | --- |"
    );
    for (shape, of) in SHAPES {
        row("SQLite", shape, [in_sqlite(of, 1_000).await, in_sqlite(of, 1_000_000).await]);
    }
    let Ok(mut connection) = PgConnection::connect(&url()).await else { return };
    for (shape, of) in SHAPES {
        let few = in_postgres(&mut connection, of, 1_000).await;
        row("PostgreSQL", shape, [few, in_postgres(&mut connection, of, 1_000_000).await]);
    }
    let drop = format!("DROP SCHEMA {SCHEMA} CASCADE");
    sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut connection).await.unwrap();
}

fn main() {
    tokio::runtime::Runtime::new().unwrap().block_on(claims());
}
