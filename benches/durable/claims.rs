//! The cost of a claim with 1,000 and with 1,000,000 queued flows, in five shapes, for both stores.
//!
//! `cargo bench -p graceful-benches-durable --bench claims` prints a table of the medians of 15 claims, in milliseconds. PostgreSQL is
//! expected at its standard port or at the URL in `GRACEFUL_BENCH_POSTGRES`; the bench creates a schema in it, and removes it. Without
//! PostgreSQL its rows are missing. `-- sqlite` or `-- postgres` measures one store.

use std::time::{Duration, Instant};

use graceful::backends::{AttemptFailure, AttemptOutcome, FailureCause, FlowStore, Room, Uuid};
use sqlx::{AssertSqlSafe, Connection as _, Database, Executor, PgConnection, SqliteConnection};

const CLAIMS: usize = 15;
const LEASE: Duration = Duration::from_hours(1);
const SCHEMA: &str = "graceful_bench_claims";

/// Row `n`: its entity, the seconds until it is due, whether it is its entity's head, and whether it is claimed.
const SHAPES: [(&str, [&str; 4]); 5] = [
    ("many entities", ["'e' || n", "-1", "TRUE", "FALSE"]),
    ("one entity", ["'e'", "-1", "n = 1", "FALSE"]),
    ("all in backoff", ["'e' || n", "3600", "TRUE", "FALSE"]),
    ("all claimed", ["'e' || n", "3600", "TRUE", "TRUE"]),
    // Two rows per entity; of three entities one is in backoff, one is due, and one is claimed.
    (
        "mixed",
        [
            "'e' || (n / 2)",
            "CASE n / 2 % 3 WHEN 0 THEN -1 ELSE 3600 END",
            "n % 2 = 0 OR n = 1",
            "n % 2 = 0 AND n / 2 % 3 = 2",
        ],
    ),
];

/// Claims as an idle relay does. The claimed flows are returned, so that each claim finds the same flows.
async fn median(store: &impl FlowStore) -> f64 {
    let mut room = Room::of(64);
    room.per_handler = 16;
    let mut took = Vec::new();
    for _ in 0..CLAIMS {
        // Makes the store query again: a PostgreSQL store that has found nothing does not query for a while.
        store.resubmit(Uuid::nil()).await.unwrap();
        let begun = Instant::now();
        let claims = store.claim(room.clone(), LEASE).await.unwrap();
        took.push(begun.elapsed().as_secs_f64() * 1e3);
        for claim in claims {
            let again = AttemptOutcome::Retry {
                after: Duration::ZERO,
                failure: AttemptFailure::new(FailureCause::new("", "")),
                body: None,
            };
            assert!(store.record_outcome(claim.claim_id(), again).await.unwrap());
        }
    }
    took.sort_unstable_by(f64::total_cmp);
    took[CLAIMS / 2]
}

async fn execute<DB: Database>(connection: &mut DB::Connection, statements: String)
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    connection.execute(sqlx::raw_sql(AssertSqlSafe(statements))).await.unwrap();
}

async fn in_sqlite([entity, later, head, claimed]: [&str; 4], rows: u32) -> f64 {
    let dir = tempfile::tempdir().unwrap();
    let store = graceful_sqlite::Store::open(dir.path().join("graceful.db")).await.unwrap();
    let mut connection =
        SqliteConnection::connect(&format!("sqlite://{}", store.path().display())).await.unwrap();
    let fill = format!(
        "PRAGMA synchronous = OFF; \
         WITH RECURSIVE rows (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM rows WHERE n < {rows}) \
         INSERT INTO graceful_flows (id, entity, handler, lane, body, due, head, token) \
         SELECT unhex(printf('%032x', n)), {entity}, 'h', (n % 3) * 4294967296 + n % 10, zeroblob(600), \
         (unixepoch() + {later}) * 1000000, {head}, iif({claimed}, randomblob(16), NULL) FROM rows; \
         ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)"
    );
    execute::<sqlx::Sqlite>(&mut connection, fill).await;
    median(&store).await
}

async fn in_postgres(connection: &mut PgConnection, of: [&str; 4], rows: u32) -> f64 {
    let [entity, later, head, claimed] = of;
    let make = format!("DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}");
    execute::<sqlx::Postgres>(connection, make).await;
    let url = format!("{}?options[search_path]={SCHEMA}", url());
    graceful_postgres::Store::migrate(&url).await.unwrap();
    let store = graceful_postgres::Store::connect(&url).await.unwrap();
    // Without the trigger that notifies of each row. The heads are marked as claims would mark them.
    let fill = format!(
        "ALTER TABLE {SCHEMA}.graceful_flows DISABLE TRIGGER USER; \
         INSERT INTO {SCHEMA}.graceful_flows (id, entity, handler, lane, body, due, head, token) \
         SELECT lpad(to_hex(n), 32, '0')::uuid, {entity}, 'h', (n % 3) * 4294967296 + n % 10, \
         decode(repeat('00', 600), 'hex'), {SCHEMA}.graceful_now() + ({later}) * 1000000::bigint, {head}, \
         CASE WHEN {claimed} THEN gen_random_uuid() END FROM generate_series(1, {rows}) AS n; \
         ALTER TABLE {SCHEMA}.graceful_flows ENABLE TRIGGER USER"
    );
    execute::<sqlx::Postgres>(connection, fill).await;
    execute::<sqlx::Postgres>(connection, format!("VACUUM ANALYZE {SCHEMA}.graceful_flows")).await;
    execute::<sqlx::Postgres>(connection, "CHECKPOINT".to_owned()).await;
    median(&store).await
}

fn url() -> String {
    std::env::var("GRACEFUL_BENCH_POSTGRES")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/test".to_owned())
}

fn row(store: &str, shape: &str, [few, many]: [f64; 2]) {
    println!("| {store} | {shape} | {few:.2} | {many:.2} |");
}

async fn claims(is_measured: impl Fn(&str) -> bool) {
    println!("| store | shape | beside 1,000 | beside 1,000,000 |\n| --- | --- | --- | --- |");
    for (shape, of) in SHAPES.iter().filter(|_| is_measured("sqlite")) {
        row("SQLite", shape, [in_sqlite(*of, 1_000).await, in_sqlite(*of, 1_000_000).await]);
    }
    if !is_measured("postgres") {
        return;
    }
    let Ok(mut connection) = PgConnection::connect(&url()).await else { return };
    for (shape, of) in SHAPES {
        let few = in_postgres(&mut connection, of, 1_000).await;
        row("PostgreSQL", shape, [few, in_postgres(&mut connection, of, 1_000_000).await]);
    }
    execute::<sqlx::Postgres>(&mut connection, format!("DROP SCHEMA {SCHEMA} CASCADE")).await;
}

fn main() {
    let chosen = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let is_measured = |store: &str| chosen.as_deref().is_none_or(|chosen| chosen == store);
    tokio::runtime::Runtime::new().unwrap().block_on(claims(is_measured));
}
