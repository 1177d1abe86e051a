//! Flows that wait in the tables of an earlier version are delivered in their order.

use std::time::Duration;

use graceful::backends::{AttemptOutcome, Claim, FlowStore as _, Room};
use graceful_postgres::Store;
use sqlx::{
    AssertSqlSafe, SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};

use super::{Postgres, execute};

#[test(requires(Postgres))]
async fn flows_of_earlier_version_are_delivered_in_order() {
    let postgres = Postgres::new();
    let schema = postgres.schema().await;
    let mut connection = postgres.connection(&schema).await;
    let migration = |version, name: &'static str, sql: &'static str| {
        Migration::new(version, name.into(), MigrationType::Simple, AssertSqlSafe(sql).into_sql_str(), false)
    };
    let of = |file| match file {
        1 => include_str!("../../migrations/1_store.sql"),
        2 => include_str!("../../migrations/2_claims.sql"),
        _ => include_str!("../../migrations/3_alerts.sql"),
    };
    let names = [(1, "store"), (2, "claims"), (3, "alerts")];
    let mut migrator =
        Migrator::with_migrations(names.map(|(file, name)| migration(file, name, of(file))).to_vec());
    migrator.dangerous_set_table_name("graceful_migrations");
    migrator.run_direct(None, &mut connection, false).await.unwrap();
    // Of `a` a later flow is under way, since the first was committed late; `b` waits for a retry; `c` is due.
    execute(
        &mut connection,
        "INSERT INTO graceful_flows (id, entity, handler, body, due, token, attempts) SELECT gen_random_uuid(), entity, n, '', \
         (extract(epoch FROM now()) * 1000000)::bigint + later * 1000000, CASE WHEN held THEN gen_random_uuid() END, 0 FROM (VALUES \
         ('a', 'a1', 0, false), ('a', 'a2', 60, true), ('b', 'b1', 60, false), ('b', 'b2', 0, false), ('c', 'c1', 0, false), \
         ('c', 'c2', 0, false)) AS flow (entity, n, later, held)",
    )
    .await;
    let store = postgres.store(&schema).await;
    let names = |claims: &[Claim]| claims.iter().map(|claim| claim.handler.clone()).collect::<Vec<_>>();
    let claim = async || store.claim(Room::of(10), Duration::from_hours(1)).await.unwrap();
    let complete = async |store: &Store, claims: Vec<Claim>| {
        for claim in claims {
            assert!(store.record_outcome(claim.claim_id(), AttemptOutcome::Completed).await.unwrap());
        }
    };
    let first = claim().await;
    assert_eq!(names(&first), ["c1"]);
    complete(&store, first).await;
    postgres.elapse(&store, Duration::from_mins(2)).await;
    for expected in [["a2", "b1", "c2"].as_slice(), &["a1", "b2"], &[]] {
        let claims = claim().await;
        assert_eq!(names(&claims), expected);
        complete(&store, claims).await;
    }
    postgres.clean().await;
}
