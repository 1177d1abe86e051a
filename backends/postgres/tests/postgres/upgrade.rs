//! Flows that wait in the tables of an earlier version are delivered in their order.

use std::time::Duration;

use graceful::{
    __private010::Sample,
    Code,
    backends::{
        AttemptOutcome, Claim, Claimed, EventEmitter as _, EventLog, FlowStore as _, IdempotentCall, Lane,
        LogQuery, Operations as _, PauseTarget, QueuedFlow, Room, Uuid,
    },
};
use graceful_postgres::Store;
use graceful_tests::servers::unique;
use sqlx::{
    AssertSqlSafe, SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};

use super::{Postgres, execute};

const EARLIER: [(i64, &str, &str); 6] = [
    (1, "store", include_str!("../../migrations/1_store.sql")),
    (2, "claims", include_str!("../../migrations/2_claims.sql")),
    (3, "alerts", include_str!("../../migrations/3_alerts.sql")),
    (10, "heads", include_str!("../../migrations/10_heads.sql")),
    (40, "incidents", include_str!("../../migrations/40_incidents.sql")),
    (50, "inbox attempts", include_str!("../../migrations/50_inbox_attempts.sql")),
];

/// The tables as an earlier version made them.
async fn migrate(connection: &mut sqlx::PgConnection, migrations: &[(i64, &'static str, &'static str)]) {
    let migration = |(version, name, sql): &(i64, &'static str, &'static str)| {
        let sql = AssertSqlSafe(*sql).into_sql_str();
        Migration::new(*version, (*name).into(), MigrationType::Simple, sql, false)
    };
    let mut migrator = Migrator::with_migrations(migrations.iter().map(migration).collect());
    migrator.dangerous_set_table_name("graceful_migrations");
    migrator.run_direct(None, connection, false).await.unwrap();
}

/// A claim reads tables that the role has no rights on before the migration.
#[test(requires(Postgres), flavor = "multi_thread")]
async fn role_of_a_service_claims_and_operates_after_the_migration() {
    let postgres = Postgres::new();
    let schema = postgres.schema().await;
    let mut owner = postgres.connection(&schema).await;
    migrate(&mut owner, &EARLIER).await;
    let (role, reader) = (unique("service").replace('-', "_"), unique("reader").replace('-', "_"));
    let rights = format!(
        "CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA {schema} TO {role};
         GRANT SELECT ON graceful_migrations TO {role};
         GRANT SELECT, INSERT, UPDATE, DELETE ON graceful_flows, graceful_relays TO {role};
         GRANT USAGE ON SEQUENCE graceful_flows_order TO {role};
         CREATE ROLE {reader}; GRANT SELECT ON graceful_flows TO {reader}"
    );
    execute(&mut owner, &rights).await;
    Store::migrate(&postgres.url(&schema)).await.unwrap();
    let url = postgres.url(&schema).replace("postgres@", &format!("{role}@"));
    let store = Store::connect(&url).await.unwrap();
    let flow = QueuedFlow::new(Uuid::nil(), "e", "h", Lane::default(), Vec::new());
    store.enqueue(flow).await.unwrap();
    assert_eq!(store.claim(Room::of(10), Duration::from_hours(1)).await.unwrap().len(), 1);
    assert!(store.pause(PauseTarget::Relays, "ada", "a test").await.unwrap());
    assert_eq!(store.list(None, 10).await.unwrap().items, []);
    assert_eq!(store.relays().await.unwrap(), []);
    assert_eq!(store.secret("forms").await.unwrap().len(), 32);
    let call = IdempotentCall::new(["a".to_owned()], Uuid::nil(), None);
    let calls = store.idempotency().unwrap();
    assert_eq!(calls.claim(call.clone(), Duration::from_hours(1)).await.unwrap(), Claimed::New);
    calls.release(call).await.unwrap();
    drop(calls);
    store.emit(Sample::new("1", Code::Ok, 1).event("user_updated")).await.unwrap();
    assert_eq!(store.read(LogQuery::new(0, 10)).await.unwrap().events.len(), 1);
    assert_eq!(EventLog::purge(&store).await.unwrap(), 0);
    for (table, expected) in [
        ("graceful_operations", true),
        ("graceful_secrets", false),
        ("graceful_idempotent_calls", false),
        ("graceful_events", false),
    ] {
        let query = "SELECT has_table_privilege($1, $2, 'SELECT')";
        let can: bool =
            sqlx::query_scalar(query).bind(&reader).bind(table).fetch_one(&mut owner).await.unwrap();
        assert_eq!(can, expected, "whoever reads the flows may read {table}");
    }
    drop(store);
    execute(&mut owner, &format!("DROP OWNED BY {role}, {reader}; DROP ROLE {role}, {reader}")).await;
    postgres.clean().await;
}

#[test(requires(Postgres))]
async fn flows_of_earlier_version_are_delivered_in_order() {
    let postgres = Postgres::new();
    let schema = postgres.schema().await;
    let mut connection = postgres.connection(&schema).await;
    migrate(&mut connection, &EARLIER[..3]).await;
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
