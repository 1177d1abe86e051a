//! The answers of idempotent calls in transactions of the user.

use std::time::Duration;

use graceful::{
    Payload, StepError, StepErrorKind,
    backends::{
        AnotherDatabase, CallState, Claimed, FlowStore as _, Idempotency, IdempotentAnswer, IdempotentCall,
        KnownCall, Lane, QueuedFlow, RequestHash, StoredAnswer, Transaction, Uuid,
    },
};
use graceful_sqlite::Store;
use graceful_tests::gate::awaited;
use sqlx::{Connection as _, SqliteConnection};

use super::{elapse, fresh};

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

async fn find(connection: &mut SqliteConnection, name: &str) -> Option<KnownCall> {
    // It is for transactions only.
    let mut transaction = connection.begin().await.unwrap();
    let found = Transaction::<Store>::find(&mut *transaction, &names(&[name])).await.unwrap();
    transaction.commit().await.unwrap();
    found
}

async fn insert(connection: &mut SqliteConnection, flow: QueuedFlow) -> Result<(), StepError> {
    Transaction::<Store>::insert(connection, flow).await
}

async fn claim(store: &Store, call: IdempotentCall) -> Claimed {
    Idempotency::claim(store, call, LEASE).await.unwrap()
}

async fn is_stored(store: &Store, id: u128) -> bool {
    store.get(Uuid::from_u128(id)).await.unwrap().is_some()
}

async fn connect(store: &Store) -> SqliteConnection {
    SqliteConnection::connect(store.path().to_str().unwrap()).await.unwrap()
}

#[tokio::test]
async fn answer_commits_with_its_flow_or_not_at_all() {
    let (_dir, store) = fresh().await;
    let (mut first, mut second) = (connect(&store).await, connect(&store).await);
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
}

#[tokio::test]
async fn answer_without_a_flow_is_stored_once() {
    let (_dir, store) = fresh().await;
    let mut connection = connect(&store).await;
    Transaction::<Store>::answer(&mut connection, answer(call(1, &["a", "b"]), "ada")).await.unwrap();
    for names in [&["a", "b"][..], &["b"], &["b", "c"], &["0", "a"]] {
        let again = Transaction::<Store>::answer(&mut connection, answer(call(2, names), "grace")).await;
        assert_eq!(again.unwrap_err().kind(), StepErrorKind::Aborted, "{names:?}");
    }
    assert_eq!(find(&mut connection, "b").await, Some(answered("ada")));
    for name in ["0", "c"] {
        assert_eq!(find(&mut connection, name).await, None, "{name}");
    }
}

#[tokio::test]
async fn key_is_locked_by_one_transaction_at_a_time() {
    let (_dir, store) = fresh().await;
    let (mut first, mut second) = (connect(&store).await, connect(&store).await);
    sqlx::raw_sql("PRAGMA busy_timeout = 1").execute(&mut second).await.unwrap();
    let mut transaction = first.begin().await.unwrap();
    assert!(Transaction::<Store>::try_lock(&mut *transaction, &names(&["a"])).await.unwrap());
    let mut other = second.begin().await.unwrap();
    Transaction::<Store>::try_lock(&mut *other, &names(&["b"])).await.unwrap_err();
    transaction.rollback().await.unwrap();
    assert!(Transaction::<Store>::try_lock(&mut *other, &names(&["a"])).await.unwrap());
}

/// It has read before the other one has committed, and without the lock.
#[tokio::test]
async fn transaction_that_is_older_than_an_answer_is_aborted() {
    let (_dir, store) = fresh().await;
    let (mut first, mut second) = (connect(&store).await, connect(&store).await);
    let mut older = second.begin().await.unwrap();
    assert_eq!(find(&mut older, "a").await, None);
    insert(&mut first, flow(call(1, &["a"]), "ada")).await.unwrap();
    assert_eq!(find(&mut older, "a").await, None);
    let error = insert(&mut older, flow(call(2, &["a"]), "grace")).await.unwrap_err();
    assert_eq!(error.kind(), StepErrorKind::Aborted, "{error}");
    // Whoever ignores the error commits no flow.
    older.commit().await.unwrap();
    assert_eq!((is_stored(&store, 1).await, is_stored(&store, 2).await), (true, false));
    let error = insert(&mut second, flow(call(2, &["a"]), "grace")).await.unwrap_err();
    assert_eq!(error.kind(), StepErrorKind::Aborted, "{error}");
    assert!(!is_stored(&store, 2).await);
    assert_eq!(find(&mut second, "a").await, Some(answered("ada")));
}

#[tokio::test]
async fn expired_answer_is_replaced_though_it_was_not_purged() {
    let (_dir, store) = fresh().await;
    let mut connection = connect(&store).await;
    for (token, value) in [(1, "ada"), (2, "grace")] {
        assert_eq!(find(&mut connection, "a").await, None);
        insert(&mut connection, flow(call(token, &["a", "b"]), value)).await.unwrap();
        assert_eq!(find(&mut connection, "b").await, Some(answered(value)));
        elapse(&store, WINDOW).await;
    }
    assert!(is_stored(&store, 1).await && is_stored(&store, 2).await);
}

/// Before it used transactions, the handler has claimed its keys.
#[tokio::test]
async fn running_claim_is_found_in_a_transaction_and_not_replaced() {
    let (_dir, store) = fresh().await;
    let mut connection = connect(&store).await;
    assert_eq!(claim(&store, call(1, &["a"])).await, Claimed::New);
    let known = find(&mut connection, "a").await.unwrap();
    assert!(matches!(known.state, CallState::Running(_)), "{known:?}");
    let error = insert(&mut connection, flow(call(2, &["a"]), "grace")).await.unwrap_err();
    assert_eq!(error.kind(), StepErrorKind::Aborted, "{error}");
    elapse(&store, LEASE).await;
    assert_eq!(find(&mut connection, "a").await, None);
    insert(&mut connection, flow(call(2, &["a"]), "grace")).await.unwrap();
    assert!(!store.answer(answer(call(1, &["a"]), "ada")).await.unwrap(), "it has lost the key");
}

#[tokio::test]
async fn transaction_of_another_database_says_so() {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    let mut elsewhere = connection.begin().await.unwrap();
    let errors = [
        Transaction::<Store>::find(&mut *elsewhere, &names(&["a"])).await.unwrap_err(),
        Transaction::<Store>::try_lock(&mut *elsewhere, &names(&["a"])).await.unwrap_err(),
        Transaction::<Store>::answer(&mut *elsewhere, answer(call(1, &["a"]), "ada")).await.unwrap_err(),
        insert(&mut elsewhere, flow(call(1, &["a"]), "ada")).await.unwrap_err(),
    ];
    for error in errors {
        let source = std::error::Error::source(&error);
        assert!(source.is_some_and(<dyn std::error::Error>::is::<AnotherDatabase>), "{error}");
    }
}

/// This runtime has one thread, which waits for the thread that renews.
#[tokio::test]
async fn lease_is_renewed_while_the_runtime_of_the_store_is_blocked() {
    let (_dir, store) = fresh().await;
    assert_eq!(claim(&store, call(1, &["a"])).await, Claimed::New);
    elapse(&store, LEASE * 9 / 10).await;
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
    elapse(&store, LEASE * 9 / 10).await;
    assert!(matches!(claim(&store, call(2, &["a"])).await, Claimed::Known(_)));
}

#[tokio::test]
async fn renewal_of_a_deleted_file_fails() {
    let (_dir, store) = fresh().await;
    assert_eq!(claim(&store, call(1, &["a"])).await, Claimed::New);
    let renewal = store.renewal().await.unwrap();
    assert!(renewal.renew(call(1, &["a"]), LEASE).await.unwrap());
    std::fs::remove_file(store.path()).unwrap();
    let error = renewal.renew(call(1, &["a"]), LEASE).await.unwrap_err();
    assert!(error.message().contains("was deleted or replaced"), "{error}");
}

#[tokio::test]
async fn purge_uses_the_index_of_expiry() {
    let (_dir, store) = fresh().await;
    let mut connection = connect(&store).await;
    sqlx::raw_sql(
        "WITH RECURSIVE some (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM some WHERE n < 20000)
         INSERT INTO graceful_idempotent_calls SELECT randomblob(32), randomblob(16), NULL, TRUE,
         (unixepoch() + (n - 2500) * 60) * 1000000, NULL FROM some",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    let plan = "EXPLAIN QUERY PLAN SELECT rowid FROM graceful_idempotent_calls WHERE expires <= ? ORDER BY expires LIMIT 1000";
    let plan =
        sqlx::query_as::<_, (i64, i64, i64, String)>(plan).bind(0).fetch_all(&mut connection).await.unwrap();
    assert!(plan[0].3.contains("graceful_idempotent_calls_expired"), "{plan:?}");
    let mut purged = Vec::new();
    for _ in 0..4 {
        purged.push(store.idempotency().unwrap().purge().await.unwrap());
    }
    assert_eq!(purged, [1000, 1000, 500, 0]);
}
