//! The answers of idempotent calls in transactions of the user.

use std::time::Duration;

use graceful::{
    Payload, StepError, StepErrorKind,
    backends::{
        AnotherDatabase, CallState, Claimed, FlowStore as _, Idempotency, IdempotentAnswer, IdempotentCall,
        KnownCall, Lane, QueuedFlow, RequestHash, StoredAnswer, Transaction, Uuid,
    },
};
use graceful_postgres::Store;
use graceful_tests::{gate::awaited, servers::unique};
use sqlx::{Connection as _, PgConnection};

use super::{Postgres, execute};

const LEASE: Duration = Duration::from_mins(10);
const WINDOW: Duration = Duration::from_hours(24);

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn call(token: u128, of: &[&str]) -> IdempotentCall {
    IdempotentCall::new(names(of), Uuid::from_u128(token), RequestHash::from_bytes(&[7; 48]))
}

fn answer(call: IdempotentCall, value: &str) -> IdempotentAnswer {
    IdempotentAnswer::new(call, StoredAnswer::Value(Payload::of(value).unwrap()), WINDOW)
}

/// A flow whose id is the token of its call.
fn flow(call: IdempotentCall, value: &str) -> QueuedFlow {
    let mut flow = QueuedFlow::new(call.token, "e", "h", Lane::default(), Vec::new());
    flow.answer = Some(answer(call, value));
    flow
}

fn answered(value: &str) -> KnownCall {
    let answer = StoredAnswer::Value(Payload::of(value).unwrap());
    KnownCall::new(RequestHash::from_bytes(&[7; 48]), CallState::Answered(answer))
}

async fn find(connection: &mut PgConnection, name: &str) -> Option<KnownCall> {
    Transaction::<Store>::find(connection, &names(&[name])).await.unwrap()
}

async fn try_lock(connection: &mut PgConnection, of: &[&str]) -> bool {
    Transaction::<Store>::try_lock(connection, &names(of)).await.unwrap()
}

async fn insert(connection: &mut PgConnection, flow: QueuedFlow) -> Result<(), StepError> {
    Transaction::<Store>::insert(connection, flow).await
}

async fn claim(store: &Store, call: IdempotentCall) -> Claimed {
    Idempotency::claim(store, call, LEASE).await.unwrap()
}

async fn is_stored(store: &Store, id: u128) -> bool {
    store.get(Uuid::from_u128(id)).await.unwrap().is_some()
}

async fn service(postgres: &Postgres) -> (Store, PgConnection, PgConnection) {
    let schema = postgres.schema().await;
    let store = postgres.store(&schema).await;
    (store, postgres.connection(&schema).await, postgres.connection(&schema).await)
}

#[test(requires(Postgres))]
async fn answer_commits_with_its_flow_or_not_at_all() {
    let postgres = Postgres::new();
    let (store, mut first, mut second) = service(&postgres).await;
    let mut transaction = first.begin().await.unwrap();
    insert(&mut transaction, flow(call(1, &["a", "b"]), "ada")).await.unwrap();
    assert_eq!(find(&mut transaction, "a").await, Some(answered("ada")));
    assert_eq!(find(&mut second, "a").await, None, "not before the commit");
    transaction.rollback().await.unwrap();
    assert_eq!((find(&mut second, "a").await, is_stored(&store, 1).await), (None, false));

    let mut transaction = first.begin().await.unwrap();
    insert(&mut transaction, flow(call(2, &["a", "b"]), "grace")).await.unwrap();
    transaction.commit().await.unwrap();
    for name in ["a", "b"] {
        assert_eq!(find(&mut second, name).await, Some(answered("grace")), "{name}");
    }
    assert!(is_stored(&store, 2).await);
    postgres.clean().await;
}

/// Rows of one statement have one command id.
#[test(requires(Postgres))]
async fn answer_and_flow_are_inserted_by_one_statement() {
    let postgres = Postgres::new();
    let (_store, mut connection, _) = service(&postgres).await;
    let mut transaction = connection.begin().await.unwrap();
    insert(&mut transaction, flow(call(1, &["a"]), "ada")).await.unwrap();
    let commands =
        "SELECT cmin::text FROM graceful_flows UNION SELECT cmin::text FROM graceful_idempotent_calls";
    let commands: Vec<String> = sqlx::query_scalar(commands).fetch_all(&mut *transaction).await.unwrap();
    assert_eq!(commands.len(), 1, "{commands:?}");
    transaction.rollback().await.unwrap();
    postgres.clean().await;
}

#[test(requires(Postgres))]
async fn answer_without_a_flow_is_stored_once() {
    let postgres = Postgres::new();
    let (_store, mut first, mut second) = service(&postgres).await;
    Transaction::<Store>::answer(&mut first, answer(call(1, &["a", "b"]), "ada")).await.unwrap();
    for names in [&["a", "b"][..], &["b"], &["b", "c"], &["0", "a"]] {
        let again = Transaction::<Store>::answer(&mut second, answer(call(2, names), "grace")).await;
        assert_eq!(again.unwrap_err().kind(), StepErrorKind::Aborted, "{names:?}");
    }
    assert_eq!(find(&mut second, "b").await, Some(answered("ada")));
    for name in ["0", "c"] {
        assert_eq!(find(&mut second, name).await, None, "{name}");
    }
    postgres.clean().await;
}

#[test(requires(Postgres))]
async fn key_is_locked_by_one_transaction_at_a_time() {
    let postgres = Postgres::new();
    let (_store, mut first, mut second) = service(&postgres).await;
    let mut elsewhere = postgres.connection(&postgres.migrated().await).await;
    let mut transaction = first.begin().await.unwrap();
    assert!(try_lock(&mut transaction, &["a", "b"]).await);
    assert!(try_lock(&mut transaction, &["a", "b"]).await, "it has the lock already");
    for (names, expected) in
        [(&["b", "a"][..], false), (&["b", "c"], false), (&["0", "a"], false), (&["c"], true)]
    {
        let mut other = second.begin().await.unwrap();
        assert_eq!(try_lock(&mut other, names).await, expected, "{names:?}");
        other.rollback().await.unwrap();
    }
    let mut other_schema = elsewhere.begin().await.unwrap();
    assert!(try_lock(&mut other_schema, &["a", "b"]).await, "another schema has other keys");
    transaction.rollback().await.unwrap();
    let mut other = second.begin().await.unwrap();
    assert!(try_lock(&mut other, &["a", "b"]).await);
    other.rollback().await.unwrap();
    other_schema.rollback().await.unwrap();
    postgres.clean().await;
}

/// A transaction of this isolation does not see the answer, although it looks for it with the lock.
#[test(requires(Postgres))]
async fn transaction_that_is_older_than_an_answer_is_aborted() {
    let postgres = Postgres::new();
    for isolation in ["REPEATABLE READ", "SERIALIZABLE"] {
        let (store, mut first, mut second) = service(&postgres).await;
        execute(&mut second, &format!("BEGIN ISOLATION LEVEL {isolation}")).await;
        assert_eq!(find(&mut second, "a").await, None);
        insert(&mut first, flow(call(1, &["a"]), "ada")).await.unwrap();
        assert!(try_lock(&mut second, &["a"]).await);
        assert_eq!(find(&mut second, "a").await, None);
        let error = insert(&mut second, flow(call(2, &["a"]), "grace")).await.unwrap_err();
        assert_eq!(error.kind(), StepErrorKind::Aborted, "{error}");
        // Whoever ignores the error commits nothing.
        execute(&mut second, "COMMIT").await;
        assert_eq!((is_stored(&store, 1).await, is_stored(&store, 2).await), (true, false));
        assert_eq!(find(&mut second, "a").await, Some(answered("ada")));
    }
    postgres.clean().await;
}

#[test(requires(Postgres))]
async fn expired_answer_is_replaced_though_it_was_not_purged() {
    let postgres = Postgres::new();
    let (store, mut connection, _) = service(&postgres).await;
    for (token, value) in [(1, "ada"), (2, "grace")] {
        assert_eq!(find(&mut connection, "a").await, None);
        insert(&mut connection, flow(call(token, &["a", "b"]), value)).await.unwrap();
        assert_eq!(find(&mut connection, "b").await, Some(answered(value)));
        postgres.elapse(&store, WINDOW).await;
    }
    assert!(is_stored(&store, 1).await && is_stored(&store, 2).await);
    postgres.clean().await;
}

/// Before it used transactions, the handler has claimed its keys.
#[test(requires(Postgres))]
async fn running_claim_is_found_in_a_transaction_and_not_replaced() {
    let postgres = Postgres::new();
    let (store, mut connection, _) = service(&postgres).await;
    assert_eq!(claim(&store, call(1, &["a"])).await, Claimed::New);
    let known = find(&mut connection, "a").await.unwrap();
    assert!(matches!(known.state, CallState::Running(_)), "{known:?}");
    let error = insert(&mut connection, flow(call(2, &["a"]), "grace")).await.unwrap_err();
    assert_eq!(error.kind(), StepErrorKind::Aborted, "{error}");
    postgres.elapse(&store, LEASE).await;
    assert_eq!(find(&mut connection, "a").await, None);
    insert(&mut connection, flow(call(2, &["a"]), "grace")).await.unwrap();
    assert!(!store.answer(answer(call(1, &["a"]), "ada")).await.unwrap(), "it has lost the key");
    postgres.clean().await;
}

#[test(requires(Postgres))]
async fn transaction_of_another_schema_says_so() {
    let postgres = Postgres::new();
    let mut elsewhere = postgres.connection(&postgres.schema().await).await;
    let errors = [
        Transaction::<Store>::find(&mut elsewhere, &names(&["a"])).await.unwrap_err(),
        Transaction::<Store>::try_lock(&mut elsewhere, &names(&["a"])).await.unwrap_err(),
        Transaction::<Store>::answer(&mut elsewhere, answer(call(1, &["a"]), "ada")).await.unwrap_err(),
        insert(&mut elsewhere, flow(call(1, &["a"]), "ada")).await.unwrap_err(),
    ];
    for error in errors {
        let source = std::error::Error::source(&error);
        assert!(source.is_some_and(<dyn std::error::Error>::is::<AnotherDatabase>), "{error}");
    }
    postgres.clean().await;
}

/// This runtime has one thread, which waits for the thread that renews.
#[test(requires(Postgres))]
async fn lease_is_renewed_while_the_runtime_of_the_store_is_blocked() {
    let postgres = Postgres::new();
    for isolation in ["read committed", "repeatable read"] {
        let url = postgres.url(&postgres.migrated().await);
        let url = format!("{url}&options[default_transaction_isolation]={}", isolation.replace(' ', "%20"));
        let store = Store::connect(&url).await.unwrap();
        assert_eq!(claim(&store, call(1, &["a"])).await, Claimed::New);
        postgres.elapse(&store, LEASE * 9 / 10).await;
        let renewing = store.clone();
        let renew = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(awaited(async {
                let renewal = renewing.renewal().await.unwrap();
                for _ in 0..3 {
                    assert!(renewal.renew(call(1, &["a"]), LEASE).await.unwrap());
                }
                assert!(!renewal.renew(call(2, &["a"]), LEASE).await.unwrap());
            }));
        };
        std::thread::spawn(renew).join().unwrap();
        postgres.elapse(&store, LEASE * 9 / 10).await;
        assert!(matches!(claim(&store, call(2, &["a"])).await, Claimed::Known(_)));
    }
    postgres.clean().await;
}

#[test(requires(Postgres))]
async fn lost_connection_of_renewals_is_opened_again() {
    let postgres = Postgres::new();
    let (schema, name) = (postgres.migrated().await, unique("renewals"));
    let mut connection = postgres.connection(&schema).await;
    let store = Store::connect(&format!("{}&application_name={name}", postgres.url(&schema))).await.unwrap();
    assert_eq!(claim(&store, call(1, &["a"])).await, Claimed::New);
    let renewal = store.renewal().await.unwrap();
    assert!(renewal.renew(call(1, &["a"]), LEASE).await.unwrap());
    let kill = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{name}' \
         AND query LIKE 'UPDATE graceful_idempotent_calls%'"
    );
    execute(&mut connection, &kill).await;
    renewal.renew(call(1, &["a"]), LEASE).await.unwrap_err();
    assert!(renewal.renew(call(1, &["a"]), LEASE).await.unwrap());
    postgres.clean().await;
}

#[test(requires(Postgres))]
async fn purge_uses_the_index_of_expiry() {
    let postgres = Postgres::new();
    let (store, mut connection, _) = service(&postgres).await;
    execute(
        &mut connection,
        "INSERT INTO graceful_idempotent_calls SELECT sha256(n::text::bytea), gen_random_uuid(), NULL, TRUE, \
         graceful_now() + (n - 2500) * 60000000::bigint, NULL FROM generate_series(1, 20000) AS n; ANALYZE graceful_idempotent_calls",
    )
    .await;
    let plan = "EXPLAIN SELECT ctid FROM graceful_idempotent_calls WHERE expires <= graceful_now() ORDER BY expires LIMIT 1000 \
                FOR UPDATE SKIP LOCKED";
    let plan: Vec<String> = sqlx::query_scalar(plan).fetch_all(&mut connection).await.unwrap();
    assert!(plan.iter().any(|line| line.contains("graceful_idempotent_calls_expired")), "{plan:#?}");
    let mut purged = Vec::new();
    for _ in 0..4 {
        purged.push(store.idempotency().unwrap().purge().await.unwrap());
    }
    assert_eq!(purged, [1000, 1000, 500, 0]);
    postgres.clean().await;
}

#[test(requires(Postgres))]
async fn server_that_may_forget_answers_is_unfit_unless_allowed() {
    let postgres = Postgres::new();
    let url = postgres.url(&postgres.migrated().await);
    assert_eq!(Store::connect(&url).await.unwrap().unfit(), None);
    let off = format!("{url}&options[synchronous_commit]=off");
    let store = Store::connect(&off).await.unwrap();
    let why = store.unfit().unwrap();
    assert!(
        why.contains("`synchronous_commit` is `off`") && why.contains("SET synchronous_commit = on"),
        "{why}"
    );
    assert_eq!(store.allow_asynchronous_commit().unfit(), None);
    let with = async |value: &str| Store::connect(&format!("{off}&allow_asynchronous_commit={value}")).await;
    assert_eq!(with("true").await.unwrap().unfit(), None);
    assert!(with("false").await.unwrap().unfit().is_some());
    let error = with("s3cret").await.unwrap_err().to_string();
    assert!(error.contains("expected `true` or `false`") && !error.contains("s3cret"), "{error}");
    postgres.clean().await;
}
