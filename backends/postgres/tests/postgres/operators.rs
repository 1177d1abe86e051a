//! Queries of operators use no connection of the service, and end in time; what an operator may do.

use std::time::{Duration, Instant};

use graceful::backends::{FlowFilter, FlowStore as _, Operations as _, RelayInfo, Uuid};
use graceful_postgres::Store;
use graceful_tests::{gate::until, servers::unique};
use sqlx::PgPool;

use super::{Postgres, execute};

/// How many statements of these sessions run.
async fn running(pool: &PgPool, application: &str) -> i64 {
    let query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND state = 'active'";
    sqlx::query_scalar(query).bind(application).fetch_one(pool).await.unwrap()
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn blocked_queries_of_operators_end_and_leave_the_service_alone() {
    let postgres = Postgres::new();
    let (schema, name) = (postgres.migrated().await, unique("operators"));
    let url = format!("{}&application_name={name}&max_connections=1", postgres.url(&schema));
    let store = Store::connect(&url).await.unwrap().timeout(Duration::from_millis(1500));
    let mut locking = postgres.connection(&schema).await;
    execute(&mut locking, "BEGIN; LOCK TABLE graceful_flows IN ACCESS EXCLUSIVE MODE").await;
    let other = PgPool::connect(&postgres.url(&schema)).await.unwrap();

    let start = Instant::now();
    let blocked: Vec<_> = (0..5).map(|_| tokio::spawn(store.count(FlowFilter::default(), 1000))).collect();
    until(async || running(&other, &name).await == 2).await;
    store.pauses().await.unwrap();
    store.operation(Uuid::nil()).await.unwrap();
    assert!(blocked.iter().all(|query| !query.is_finished()), "the service did not wait for them");
    let mut errors = Vec::new();
    for query in blocked {
        errors.push(query.await.unwrap().unwrap_err().message().to_owned());
    }
    assert!(start.elapsed() < Duration::from_secs(10));
    assert!(errors[0].contains("statement timeout"), "the server ends it: {errors:?}");
    // The lock is still held.
    until(async || running(&other, &name).await == 0).await;
    // The circuit breaker is closed: it would refuse this call.
    store.announce(RelayInfo::new(Uuid::nil(), "users", Vec::new())).await.unwrap();

    execute(&mut locking, "ROLLBACK").await;
    assert_eq!(store.count(FlowFilter::default(), 1000).await.unwrap().number, 0);
    postgres.clean().await;
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn role_that_may_only_read_is_read_only_and_creates_no_secret() {
    let postgres = Postgres::new();
    let schema = postgres.migrated().await;
    let role = unique("reader").replace('-', "_");
    let mut owner = postgres.connection(&schema).await;
    let rights = format!(
        "CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA {schema} TO {role};
         GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}"
    );
    execute(&mut owner, &rights).await;
    let url = postgres.url(&schema);
    let service = Store::connect(&url).await.unwrap();
    let reader = Store::connect(&url.replace("postgres@", &format!("{role}@"))).await.unwrap();
    let by_default = format!("{url}&options[default_transaction_read_only]=on");
    let by_default = Store::connect(&by_default).await.unwrap();
    assert!(!service.is_read_only().await.unwrap());
    assert!(reader.is_read_only().await.unwrap());
    assert!(by_default.is_read_only().await.unwrap());
    execute(&mut owner, &format!("GRANT UPDATE ON graceful_flows TO {role}")).await;
    assert!(reader.is_read_only().await.unwrap(), "it can add no operation");
    execute(&mut owner, &format!("GRANT INSERT ON graceful_operations TO {role}")).await;
    assert!(!reader.is_read_only().await.unwrap());

    let refused = reader.secret("forms").await.unwrap_err();
    assert!(refused.message().contains("permission denied"), "{refused}");
    let secret = service.secret("forms").await.unwrap();
    assert_eq!(reader.secret("forms").await.unwrap(), secret);
    drop(reader);
    execute(&mut owner, &format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    postgres.clean().await;
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn processes_that_create_a_secret_at_once_get_the_same() {
    let postgres = Postgres::new();
    let schema = postgres.migrated().await;
    let stores = [postgres.store(&schema).await, postgres.store(&schema).await];
    // Both have read that there is none, and have not created one.
    let mut locking = postgres.connection(&schema).await;
    execute(&mut locking, "BEGIN; LOCK TABLE graceful_secrets IN SHARE MODE").await;
    let calls = stores.map(|store| tokio::spawn(async move { store.secret("forms").await.unwrap() }));
    let other = PgPool::connect(&postgres.url(&schema)).await.unwrap();
    until(async || {
        let query =
            "SELECT count(*) FROM pg_locks WHERE relation = 'graceful_secrets'::regclass AND NOT granted";
        sqlx::query_scalar::<_, i64>(query).fetch_one(&other).await.unwrap() == 2
    })
    .await;
    execute(&mut locking, "COMMIT").await;
    let [first, second] = calls;
    let secret = first.await.unwrap();
    assert_eq!(second.await.unwrap(), secret);
    assert_eq!(postgres.store(&schema).await.secret("forms").await.unwrap(), secret, "after a restart");
    postgres.clean().await;
}
