//! Stores with many flows.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};

/// A store to fill: the expressions of row `n`, in SQL of both databases: the entity, the handler, the state, the group, step and error of
/// its last failure, and the seconds from now at which it was stored.
pub struct Filled {
    schema: &'static str,
    row: [&'static str; 7],
    rows: u32,
}

impl Filled {
    pub const fn new(schema: &'static str, row: [&'static str; 7], rows: u32) -> Self {
        Self { schema, row, rows }
    }

    pub async fn sqlite(&self) -> (tempfile::TempDir, graceful_sqlite::Store) {
        let [entity, handler, state, group, step, error, at] = self.row;
        let dir = tempfile::tempdir().unwrap();
        let store = graceful_sqlite::Store::open(dir.path().join("graceful.db")).await.unwrap();
        let url = format!("sqlite://{}", store.path().display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        let fill = format!(
            "PRAGMA synchronous = OFF; \
             WITH RECURSIVE rows (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM rows WHERE n < {rows}) \
             INSERT INTO graceful_flows (id, entity, handler, lane, body, state, failure_group, step, error, code, stored_at, \
             due, failed_at, ended_at, head) SELECT unhex(printf('%032x', n)), {entity}, {handler}, n % 10, zeroblob(600), \
             {state}, {group}, {step}, {error}, iif({group} IS NULL, NULL, 'OK'), (unixepoch() + {at}) * 1000000, \
             (unixepoch() + {at}) * 1000000, iif({group} IS NULL, NULL, (unixepoch() + {at}) * 1000000), \
             iif({state} = 0, NULL, (unixepoch() + {at}) * 1000000), FALSE FROM rows; \
             UPDATE graceful_flows SET head = 1 WHERE state = 0 AND NOT EXISTS (SELECT 1 FROM graceful_flows AS other \
             WHERE other.state = 0 AND other.entity = graceful_flows.entity AND other.seq < graceful_flows.seq); \
             PRAGMA wal_checkpoint(TRUNCATE)",
            rows = self.rows,
        );
        connection.execute(sqlx::raw_sql(AssertSqlSafe(fill))).await.unwrap();
        (dir, store)
    }

    /// Returns none without PostgreSQL.
    pub async fn postgres(&self) -> Option<graceful_postgres::Store> {
        let [entity, handler, state, group, step, error, at] = self.row;
        let schema = self.schema;
        let mut connection = PgConnection::connect(&url()).await.ok()?;
        let store = empty(&mut connection, schema).await;
        let at = format!("{schema}.graceful_now() + ({at}) * 1000000::bigint");
        // Without the trigger that notifies of each row.
        let fill = format!(
            "ALTER TABLE {schema}.graceful_flows DISABLE TRIGGER USER; \
             INSERT INTO {schema}.graceful_flows (id, entity, handler, lane, body, state, failure_group, step, error, code, \
             stored_at, due, failed_at, ended_at) SELECT lpad(to_hex(n), 32, '0')::uuid, {entity}, {handler}, n % 10, \
             decode(repeat('00', 600), 'hex'), {state}, {group}, {step}, {error}, CASE WHEN {group} IS NULL THEN NULL ELSE 'OK' END, \
             {at}, {at}, CASE WHEN {group} IS NULL THEN NULL ELSE {at} END, CASE WHEN {state} = 0 THEN NULL ELSE {at} END \
             FROM generate_series(1, {rows}) AS n; \
             UPDATE {schema}.graceful_flows AS flow SET head = NOT EXISTS (SELECT FROM {schema}.graceful_flows AS other \
             WHERE other.state = 0 AND other.entity = flow.entity AND other.seq < flow.seq) WHERE state = 0; \
             ALTER TABLE {schema}.graceful_flows ENABLE TRIGGER USER",
            rows = self.rows,
        );
        connection.execute(sqlx::raw_sql(AssertSqlSafe(fill))).await.unwrap();
        let analyze = AssertSqlSafe(format!("VACUUM ANALYZE {schema}.graceful_flows"));
        connection.execute(sqlx::raw_sql(analyze)).await.unwrap();
        connection.execute(sqlx::raw_sql("CHECKPOINT")).await.unwrap();
        Some(store)
    }
}

/// A store in a new schema.
pub async fn empty(connection: &mut PgConnection, schema: &str) -> graceful_postgres::Store {
    let make = format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}");
    connection.execute(sqlx::raw_sql(AssertSqlSafe(make))).await.unwrap();
    let url = format!("{}?options[search_path]={schema}", url());
    graceful_postgres::Store::migrate(&url).await.unwrap();
    graceful_postgres::Store::connect(&url).await.unwrap()
}

/// Removes the schema, if there is PostgreSQL.
pub async fn drop_schema(schema: &str) {
    if let Ok(mut connection) = PgConnection::connect(&url()).await {
        let drop = AssertSqlSafe(format!("DROP SCHEMA IF EXISTS {schema} CASCADE"));
        connection.execute(sqlx::raw_sql(drop)).await.unwrap();
    }
}

pub fn url() -> String {
    std::env::var("GRACEFUL_BENCH_POSTGRES")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/test".to_owned())
}
