//! Claims and outcomes do not read all queued flows, whatever the planner knows of the table.

use sqlx::PgConnection;

use super::{Postgres, execute};

const CLAIM: &str = "CREATE TEMPORARY TABLE held AS \
    SELECT id, token FROM graceful_claim(64, 64, 600000000, gen_random_uuid(), '{}', '{}', '{}', 64)";

/// Completes what is claimed.
const RECORD: &str = "SELECT graceful_record(array_agg(id), array_agg(token), array_agg(1::smallint), array_agg(0::bigint), array_agg(''::bytea), \
    array_agg(''::text), array_agg(''::text), array_agg(0::bigint), array_agg(''::text), array_agg(0::bigint), array_agg(''::text)) FROM held";

/// How often the index of all flows by state and handler was read; no statement of a relay needs it.
async fn reads_by_handler(connection: &mut PgConnection) -> i64 {
    execute(connection, "SELECT pg_stat_force_next_flush()").await;
    execute(connection, "SELECT pg_stat_clear_snapshot()").await;
    let query = "SELECT idx_scan FROM pg_stat_user_indexes \
                 WHERE schemaname = current_schema() AND indexrelname = 'graceful_flows_by_handler'";
    sqlx::query_scalar(query).fetch_one(connection).await.unwrap()
}

/// A service that has nothing to do is analysed; then there is a burst.
#[test(requires(Postgres))]
async fn claims_after_statistics_of_an_empty_queue_read_few_flows() {
    let postgres = Postgres::new();
    let schema = postgres.migrated().await;
    let mut connection = postgres.connection(&schema).await;
    execute(&mut connection, "ALTER TABLE graceful_flows SET (autovacuum_enabled = off)").await;
    for statement in [
        "INSERT INTO graceful_flows (id, entity, handler, body, state, ended_at) \
         SELECT gen_random_uuid(), n::text, 'h', '', 1, 0 FROM generate_series(1, 5000) AS n",
        "ANALYZE graceful_flows",
        "INSERT INTO graceful_flows (id, entity, handler, body) \
         SELECT gen_random_uuid(), (n % 64)::text, 'h', '' FROM generate_series(1, 20000) AS n",
    ] {
        execute(&mut connection, statement).await;
    }
    // Its plans are made with these statistics.
    let mut connection = postgres.connection(&schema).await;
    let before = reads_by_handler(&mut connection).await;
    for _ in 0..3 {
        execute(&mut connection, CLAIM).await;
        let recorded: Vec<bool> = sqlx::query_scalar(RECORD).fetch_one(&mut connection).await.unwrap();
        assert!(recorded.len() > 64 && recorded.iter().all(|recorded| *recorded), "{}", recorded.len());
        execute(&mut connection, "DROP TABLE held").await;
    }
    assert_eq!(reads_by_handler(&mut connection).await - before, 0, "reads of the index by state");
    postgres.clean().await;
}
