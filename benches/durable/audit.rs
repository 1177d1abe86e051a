//! Audit logs with many records, and the queries of them.

use graceful::{
    Key,
    backends::{AuditFilter, AuditLog, AuditQuery, AuditRecord},
};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};

use crate::{filled, median};

/// Record `n`: one second older than the next, of one of a thousand actors, and of an entity that has three records; one of a hundred is of
/// the same entity.
const ENTITY: &str = "CASE WHEN n % 100 = 0 THEN 'svc::user:busy' ELSE 'svc::user:' || (n / 3) END";
const ACTOR: &str = "'actor_' || (n % 1000)";

const QUERIES: [(&str, &[(&str, &str)]); 9] = [
    ("none", &[]),
    ("actor", &[("actor", "actor_7")]),
    ("entity of three records", &[("entity", "svc::user:1001")]),
    ("entity of one percent", &[("entity", "svc::user:busy")]),
    ("since", &[("since", "1h")]),
    ("until", &[("until", "1h")]),
    ("actor, until", &[("actor", "actor_7"), ("until", "1h")]),
    ("entity, since", &[("entity", "svc::user:busy"), ("since", "1h")]),
    ("actor and entity", &[("actor", "actor_100"), ("entity", "svc::user:busy")]),
];

/// The text of a record, which all rows share.
fn record() -> String {
    let entity = Key::new("svc", Some("acme"), "user", "42");
    let mut record = AuditRecord::new(entity, "svc::users::update_user", "user updated");
    record.actor = Some("actor_7".into());
    record.correlation_id = "0191e5b0-6d7a-7c3e-8f00-1234567890ab".into();
    serde_json::to_string(&record).unwrap()
}

pub async fn sqlite(rows: u32) -> (tempfile::TempDir, graceful_sqlite::Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = graceful_sqlite::Store::open(dir.path().join("graceful.db")).await.unwrap();
    let url = format!("sqlite://{}", store.path().display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let fill = format!(
        "PRAGMA synchronous = OFF; \
         WITH RECURSIVE rows (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM rows WHERE n < {rows}) \
         INSERT INTO graceful_audit (seq, flow, entity, record, hash, at, actor) SELECT n, unhex(printf('%032x', n)), {ENTITY}, \
         '{}', zeroblob(32), (unixepoch() - {rows} + n) * 1000000, {ACTOR} FROM rows; PRAGMA wal_checkpoint(TRUNCATE)",
        record(),
    );
    connection.execute(sqlx::raw_sql(AssertSqlSafe(fill))).await.unwrap();
    (dir, store)
}

/// Returns none without PostgreSQL.
pub async fn postgres(schema: &str, rows: u32) -> Option<graceful_postgres::Store> {
    let mut connection = PgConnection::connect(&filled::url()).await.ok()?;
    let store = filled::empty(&mut connection, schema).await;
    let fill = format!(
        "INSERT INTO {schema}.graceful_audit (seq, flow, entity, record, hash, at, actor) SELECT n, lpad(to_hex(n), 32, '0')::uuid, \
         {ENTITY}, '{}', decode(repeat('00', 32), 'hex'), {schema}.graceful_now() - ({rows} - n) * 1000000::bigint, {ACTOR} \
         FROM generate_series(1, {rows}) AS n",
        record(),
    );
    connection.execute(sqlx::raw_sql(AssertSqlSafe(fill))).await.unwrap();
    let analyze = AssertSqlSafe(format!("VACUUM ANALYZE {schema}.graceful_audit"));
    connection.execute(sqlx::raw_sql(analyze)).await.unwrap();
    connection.execute(sqlx::raw_sql("CHECKPOINT")).await.unwrap();
    Some(store)
}

pub async fn measured(log: &impl AuditLog) -> Vec<(String, f64)> {
    let mut figures = Vec::new();
    for (name, pairs) in QUERIES {
        let filter = AuditFilter::parse(pairs.iter().copied()).unwrap();
        let query = AuditQuery::new(filter, 50);
        let page = median(async || log.query(query.clone()).await.unwrap()).await;
        figures.push((format!("audit: {name}"), page));
        // A small store may have one page.
        let next = match log.query(query.clone()).await.unwrap().next {
            Some(next) => {
                let next = query.clone().continued(next).unwrap();
                median(async || log.query(next.clone()).await.unwrap()).await
            }
            None => f64::NAN,
        };
        figures.push((format!("audit, next page: {name}"), next));
    }
    figures
}
