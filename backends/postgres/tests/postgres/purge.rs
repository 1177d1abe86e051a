//! Completed flows are purged in batches while other flows are delivered.

use std::time::Duration;

use graceful::{
    Code, Orchestrator, RelaySettings,
    backends::{FlowState, FlowStore as _},
    orchestrate,
};
use graceful_testing::InState as _;
use graceful_tests::{Reports, gate::until};
use sqlx::PgConnection;

use super::{Postgres, execute};

/// So many have ended, one in each second until now.
async fn ended(connection: &mut PgConnection, count: i64, state: i16) {
    sqlx::query(
        "INSERT INTO graceful_flows (id, entity, handler, body, due, state, ended_at) \
         SELECT gen_random_uuid(), n, '', '', 0, $1, graceful_now() - n * 1000000 FROM generate_series(0, $2 - 1) AS n",
    )
    .bind(state)
    .bind(count)
    .execute(connection)
    .await
    .unwrap();
}

#[test(requires(Postgres))]
async fn purge_deletes_at_most_a_thousand_rows_a_statement() {
    let postgres = Postgres::new();
    let schema = postgres.schema().await;
    let (store, mut connection) = (postgres.store(&schema).await, postgres.connection(&schema).await);
    ended(&mut connection, 2600, 1).await;
    ended(&mut connection, 10, 2).await;
    execute(
        &mut connection,
        "CREATE TABLE statements (deleted bigint);
         CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN INSERT INTO statements SELECT count(*) FROM gone; RETURN NULL; END $$;
         CREATE TRIGGER noted AFTER DELETE ON graceful_flows REFERENCING OLD TABLE AS gone
         FOR EACH STATEMENT EXECUTE FUNCTION noted()",
    )
    .await;
    // A few seconds may have gone by.
    let purged = store.purge(FlowState::Completed, Duration::from_secs(100)).await.unwrap();
    assert!((2500..2550).contains(&purged), "{purged}");
    let statements: Vec<i64> = sqlx::query_scalar("SELECT deleted FROM statements ORDER BY deleted DESC")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert_eq!(statements.iter().map(|deleted| (*deleted).min(500)).collect::<Vec<_>>(), [500, 500, 500]);
    assert_eq!(statements[..2], [1000, 1000]);
    let kept = u64::try_from(store.in_state(FlowState::Completed).await.unwrap().len()).unwrap();
    assert_eq!(kept, 2600 - purged);
    assert_eq!(store.in_state(FlowState::Dead).await.unwrap().len(), 10);
    postgres.clean().await;
}

#[orchestrate(pattern = "user", id = id, delivery = "durable")]
async fn save(id: i64, error: Option<Code>) -> Result<i64, Code> {
    error.map_or(Ok(id), Err)
}

#[test(requires(Postgres))]
async fn relay_delivers_while_it_purges() {
    let postgres = Postgres::new();
    let schema = postgres.schema().await;
    let (store, mut connection) = (postgres.store(&schema).await, postgres.connection(&schema).await);
    ended(&mut connection, 1, 1).await;
    execute(&mut connection, "UPDATE graceful_flows SET ended_at = 0").await;
    // To forget takes until this connection lets go.
    execute(
        &mut connection,
        "CREATE FUNCTION waits() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN PERFORM pg_advisory_xact_lock('graceful_flows'::regclass::oid::bigint); RETURN OLD; END $$;
         CREATE TRIGGER waits BEFORE DELETE ON graceful_flows FOR EACH ROW EXECUTE FUNCTION waits();
         SELECT pg_advisory_lock('graceful_flows'::regclass::oid::bigint)",
    )
    .await;
    let reports = Reports::default();
    let store = store.timeout(Duration::from_mins(10));
    let builder = reports.of(Orchestrator::builder().service("users").flows(store.clone()));
    let orchestrator = builder.relay(RelaySettings::default()).build().unwrap();

    let waits =
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid)))";
    let looking = tokio::sync::Mutex::new(&mut connection);
    let is_forgetting =
        async || sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut **looking.lock().await).await.unwrap();
    until(is_forgetting).await;
    for (id, error) in [(1, None), (2, Some(Code::Internal))] {
        assert_eq!(orchestrator.scope(save(id, error)).await.err(), error);
    }
    reports.until(2).await;
    assert!(is_forgetting().await);
    execute(&mut connection, "SELECT pg_advisory_unlock_all()").await;
    until(async || store.in_state(FlowState::Completed).await.unwrap().len() == 2).await;
    postgres.clean().await;
}
