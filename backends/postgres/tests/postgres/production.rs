//! PostgreSQL as in production: roles with few rights, pools of the user, other defaults, and an idle service.

use std::time::Duration;

use graceful::{
    Code, Orchestrator, RelaySettings, Step, StepError,
    backends::{
        Claimed, EventLog, FlowState, FlowStore as _, Idempotency, IdempotentAnswer, IdempotentCall, Inbox,
        InboxEntry, Join, Lane, LogQuery, NewEvent, NewSubscriber, ParkedEvent, Progress, QueuedFlow,
        ReaderId, Resubmitted, StoredAnswer, Subscriptions, Transaction as _, Uuid,
    },
    orchestrate,
};
use graceful_postgres::Store;
use graceful_testing::InState as _;
use graceful_tests::{Reports, gate::until, servers::unique};
use sqlx::{PgPool, Postgres as Database, Transaction, postgres::PgPoolOptions};

use super::{Postgres, execute};

const PATIENT: Duration = Duration::from_secs(30);

const GRANTS: &str = include_str!("../../src/grants.sql");

#[orchestrate(pattern = "user", id = id, event = "saved", delivery = "durable")]
pub(super) async fn save(id: usize, error: Option<Code>) -> Result<usize, Code> {
    error.map_or(Ok(id), Err)
}

#[orchestrate(pattern = "user", id = id, event = "saved", delivery = "durable", tx = tx)]
pub(super) async fn save_in(tx: &mut Transaction<'_, Database>, id: usize) -> Result<usize, StepError> {
    let _ = tx;
    Ok(id)
}

/// Under load, too, it is about whether the steps work.
#[orchestrate(
    pattern = "user",
    id = 1,
    metadata(timeout = "30s"),
    nexus(timeout = "30s"),
    audit(timeout = "30s"),
    schedule(timeout = "30s"),
    alert(timeout = "30s")
)]
async fn touch(error: Option<Code>) -> Result<u8, Code> {
    error.map_or(Ok(1), Err)
}

fn event(id: usize) -> graceful::backends::ReceivedEvent {
    let json = format!(r#"{{"specversion": "1.0", "id": "{id}", "source": "s", "type": "t"}}"#);
    serde_json::from_str(&json).unwrap()
}

/// Everything that a service does with its store, and that all of it succeeds.
pub(super) async fn works(store: &Store, pool: &PgPool) {
    let store = &store.clone().timeout(PATIENT);
    let reports = Reports::default();
    let builder = Orchestrator::builder().service("users").store(store.clone()).alerts(store.clone());
    let builder = builder.reviewer(async |_| Ok(()));
    let orchestrator = reports.of(builder.in_memory()).build().unwrap();
    for error in [None, Some(Code::Internal), None] {
        let _ = orchestrator.scope(touch(error)).await;
        let report = reports.last();
        for step in [Step::Metadata, Step::Nexus, Step::Audit, Step::Schedule, Step::Alert] {
            assert!(report.step(step).error().is_none(), "{step}: {}", report.step(step));
        }
    }
    for round in 0..5 {
        let error = (round % 2 == 1).then_some(Code::Internal);
        let _ = orchestrator.scope(save(round, error)).await;
        let mut transaction = pool.begin().await.unwrap();
        orchestrator.scope(save_in(&mut transaction, 10 + round)).await.unwrap();
        transaction.commit().await.unwrap();
        let InboxEntry::First(transaction) = Inbox::begin(store, "reader", &event(round)).await.unwrap()
        else {
            panic!("it is the first");
        };
        store.commit(transaction).await.unwrap();
        assert!(matches!(Inbox::begin(store, "reader", &event(round)).await.unwrap(), InboxEntry::Again));
    }
    repeats_calls(store, pool).await;
    assert!(!store.read(LogQuery::new(0, 100)).await.unwrap().events.is_empty());
    assert!(store.span().await.unwrap().newest > 0);
    assert_eq!(EventLog::purge(store).await.unwrap(), 0);
    subscribes(store).await;
    assert_eq!(orchestrator.stats().store_failures(), 0);
    until(async || store.in_state(FlowState::Completed).await.unwrap().len() == 10).await;
    store.verify(None).await.unwrap();
    orchestrator.shutdown(Duration::from_secs(10)).await;
}

/// Everything that a subscriber does with its store.
async fn subscribes(store: &Store) {
    let reader = ReaderId::new("on_user", Uuid::from_u128(1));
    store.register(NewSubscriber::new("on_user", 0)).await.unwrap();
    for round in 0..3 {
        let known = if round == 0 { 0 } else { u32::MAX };
        let joined =
            store.join(reader.clone(), Join::new(Duration::from_hours(1), known, true)).await.unwrap();
        assert_eq!((joined.held, joined.copies), (u32::MAX, true));
        let position = 10 * (round + 1);
        let event = |position| ParkedEvent::new(position, 5, *b"{}", 1, "it failed");
        let begun = Subscriptions::begin(store, reader.clone(), 5, position, false).await.unwrap();
        begun.unwrap().commit().await.unwrap();
        assert_eq!(Subscriptions::attempted(store, reader.clone(), 5, position + 1).await.unwrap(), 1);
        assert!(store.park(reader.clone(), event(position + 1)).await.unwrap());
        assert!(store.park_behind(reader.clone(), event(position + 2)).await.unwrap());
        assert_eq!(
            Subscriptions::resubmit(store, "on_user".into(), position + 1).await.unwrap(),
            Resubmitted::Released
        );
        assert_eq!(store.released(reader.clone(), u32::MAX, 9).await.unwrap().len(), 1);
        let again = Subscriptions::begin(store, reader.clone(), 5, position + 1, true).await.unwrap();
        again.unwrap().commit().await.unwrap();
        assert!(store.end_released(reader.clone(), 5, position + 2, None).await.unwrap());
        let received = NewEvent::new(5, "users", position.to_string(), *b"{}");
        assert!(store.receive(reader.clone(), vec![received]).await.unwrap());
        let page = store.received("on_user".into(), 0, u32::MAX, 9).await.unwrap();
        assert_eq!((page.events[0].position, page.read_to), (1, round + 1));
        let progress = vec![Progress::new(5, position + 2, position + 2)];
        assert_eq!(store.advance(reader.clone(), progress, vec![(5, position)]).await.unwrap(), 1 << 5);
    }
    assert_eq!(store.purge_received(Duration::ZERO).await.unwrap(), 3);
    assert_eq!(store.parked("on_user".into(), 0, 9).await.unwrap(), []);
    store.skip("on_user".into(), 100).await.unwrap();
    assert_eq!(store.subscribers().await.unwrap()[0].handled_to, 100);
    Subscriptions::release(store, reader, u32::MAX).await.unwrap();
    assert!(store.unregister("on_user".into()).await.unwrap());
}

/// Everything that an idempotent handler does with its store.
async fn repeats_calls(store: &Store, pool: &PgPool) {
    let lease = Duration::from_hours(1);
    let call = |token| IdempotentCall::new(["a", "b"].map(str::to_owned), Uuid::from_u128(token), None);
    let answered = |token| {
        let lane = Lane::default();
        let body = b"unreadable".to_vec();
        let mut flow = QueuedFlow::new(Uuid::from_u128(token), format!("e{token}"), "h", lane, body);
        flow.answer = Some(IdempotentAnswer::new(call(token), StoredAnswer::NotStorable, lease));
        flow
    };
    for token in 1..3 {
        assert_eq!(Idempotency::claim(store, call(token), lease).await.unwrap(), Claimed::New);
        assert!(matches!(Idempotency::claim(store, call(0), lease).await.unwrap(), Claimed::Known(_)));
        let renewal = store.renewal().await.unwrap();
        for _ in 0..2 {
            assert!(renewal.renew(call(token), lease).await.unwrap());
        }
        Idempotency::release(store, call(token)).await.unwrap();
    }
    assert_eq!(Idempotency::claim(store, call(3), lease).await.unwrap(), Claimed::New);
    store.enqueue(answered(3)).await.unwrap();
    assert!(store.answer(answered(3).answer.unwrap()).await.unwrap());
    assert_eq!(Idempotency::purge(store).await.unwrap(), 0);

    for token in 4..6 {
        let mut transaction = pool.begin().await.unwrap();
        sqlx::raw_sql("DELETE FROM graceful_idempotent_calls").execute(&mut *transaction).await.unwrap();
        let names = call(token).names;
        assert_eq!(transaction.find(&names).await.unwrap(), None);
        assert!(transaction.try_lock(&names).await.unwrap());
        transaction.insert(answered(token)).await.unwrap();
        assert!(transaction.find(&names).await.unwrap().is_some());
        transaction.rollback().await.unwrap();
    }
}

async fn refused(url: &str) -> String {
    Store::connect(url).await.unwrap_err().to_string()
}

#[test(requires(Postgres))]
async fn store_without_its_tables_says_how_to_make_them() {
    let postgres = Postgres::new();
    let schema = postgres.schema().await;
    let url = postgres.url(&schema);
    let text = refused(&url).await;
    assert!(text.contains("has the tables of `graceful`") && text.contains("Store::migrate(url)"), "{text}");
    Store::migrate(&url).await.unwrap();
    Store::connect(&url).await.unwrap();
    let older = "DELETE FROM graceful_migrations WHERE version = 3";
    execute(&mut postgres.connection(&schema).await, older).await;
    let text = refused(&url).await;
    assert!(text.contains("lack migration 3 (alerts)"), "{text}");
    postgres.clean().await;
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn role_with_the_documented_rights_runs_a_service_and_makes_no_tables() {
    let postgres = Postgres::new();
    let (schema, empty) = (postgres.migrated().await, postgres.schema().await);
    let role = unique("service").replace('-', "_");
    let mut owner = postgres.connection(&schema).await;
    execute(&mut owner, &format!("CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA {empty} TO {role}")).await;
    let grants = GRANTS.replace("SCHEMA app", &format!("SCHEMA {schema}"));
    let grants = grants.replace("app.", &format!("{schema}.")).replace("TO service", &format!("TO {role}"));
    execute(&mut owner, &grants).await;
    let url = postgres.url(&schema).replace("postgres@", &format!("{role}@"));

    // It changes nothing, and so it may.
    Store::migrate(&url).await.unwrap();
    let store = Store::connect(&url).await.unwrap();
    works(&store, &PgPool::connect(&url).await.unwrap()).await;
    let mut service = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.unwrap();
    sqlx::query("DELETE FROM graceful_audit").execute(&mut service).await.unwrap_err();

    let without = postgres.url(&empty).replace("postgres@", &format!("{role}@"));
    let error = Store::migrate(&without).await.unwrap_err().to_string();
    assert!(error.contains("permission denied"), "{error}");
    execute(&mut owner, &format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    postgres.clean().await;
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn store_in_a_pool_of_the_users_uses_no_other() {
    let postgres = Postgres::new();
    let url = format!("{}&application_name=own_pool", postgres.url(&postgres.migrated().await));
    let pool = PgPoolOptions::new().max_connections(2).connect(&url).await.unwrap();
    let store = Store::from_pool(pool.clone()).await.unwrap();
    works(&store, &pool).await;
    assert!(pool.size() <= 2);
    let small = Store::connect(&format!("{url}&max_connections=1")).await.unwrap();
    small.in_state(FlowState::Queued).await.unwrap();
    for wrong in ["0", "many", "-1"] {
        let text = refused(&format!("{url}&max_connections={wrong}")).await;
        assert!(text.contains("`max_connections` is not a number; expected 1 or more"), "{text}");
    }
    postgres.clean().await;
}

/// The default isolation level is set for the database or for the role.
#[test(requires(Postgres), flavor = "multi_thread")]
async fn store_in_a_database_of_another_isolation_works() {
    let postgres = Postgres::new();
    for isolation in ["repeatable read", "serializable"] {
        let url = postgres.url(&postgres.migrated().await);
        let url = format!("{url}&options[default_transaction_isolation]={}", isolation.replace(' ', "%20"));
        let store = Store::connect(&url).await.unwrap().timeout(PATIENT);
        works(&store, &PgPool::connect(&url).await.unwrap()).await;
        // Of two statements that wait for each other, the one with an older view would fail.
        let reports = Reports::default();
        let builder = Orchestrator::builder().service("users").store(store).relay(RelaySettings::off());
        let orchestrator = reports.of(builder).build().unwrap();
        let calls: Vec<_> = (0..20).map(|_| tokio::spawn(orchestrator.scope(touch(None)))).collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
        for report in reports.all() {
            for step in [Step::Metadata, Step::Nexus, Step::Audit] {
                assert!(report.step(step).error().is_none(), "{isolation}: {}", report.step(step));
            }
        }
    }
    postgres.clean().await;
}

#[test(requires(Postgres))]
async fn database_in_another_encoding_is_refused() {
    let postgres = Postgres::new();
    let name = unique("latin").replace('-', "_");
    let mut connection = postgres.connection("public").await;
    let create =
        format!("CREATE DATABASE {name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
    execute(&mut connection, &create).await;
    let text = refused(&format!("postgres://postgres@{}/{name}", postgres.address)).await;
    assert!(text.contains("its encoding is LATIN1"), "{text}");
    execute(&mut connection, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
    postgres.clean().await;
}

/// No other client uses the database.
#[test(requires(Postgres), flavor = "multi_thread")]
async fn idle_service_asks_the_server_seldom() {
    let postgres = Postgres::new();
    let name = unique("idle").replace('-', "_");
    let mut connection = postgres.connection("public").await;
    execute(&mut connection, &format!("CREATE DATABASE {name}")).await;
    let url = format!("postgres://postgres@{}/{name}", postgres.address);
    Store::migrate(&url).await.unwrap();
    let store = Store::connect(&url).await.unwrap();
    let builder = Orchestrator::builder().service("users").store(store.clone()).reviewer(async |_| Ok(()));
    let orchestrator = builder.in_memory().build().unwrap();
    orchestrator.scope(save(1, None)).await.unwrap();
    until(async || store.in_state(FlowState::Completed).await.unwrap().len() == 1).await;
    let commits = async |connection: &mut sqlx::PgConnection| -> i64 {
        let query = "SELECT xact_commit FROM pg_stat_database WHERE datname = $1";
        sqlx::query_scalar(query).bind(&name).fetch_one(connection).await.unwrap()
    };
    // A server process may report what it did ten seconds later: of what was done at the start, the first windows know, too. One
    // in which a busy service had so few there is never.
    let mut seen = Vec::new();
    while seen.last().is_none_or(|committed| *committed > 4 * 4) {
        assert!(seen.len() < 15, "commits in 4 s each: {seen:?}");
        let before = commits(&mut connection).await;
        tokio::time::sleep(Duration::from_secs(4)).await;
        seen.push(commits(&mut connection).await - before);
    }
    drop((orchestrator, store));
    execute(&mut connection, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
    postgres.clean().await;
}
