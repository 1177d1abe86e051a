//! Idempotent handlers with `tx` on SQLite. The tests of PostgreSQL are in its crate.

use graceful::{
    CallOutcome, Context, Orchestrator, RelaySettings, StepError, StepErrorKind,
    backends::{FlowState, memory},
    orchestrate,
};
use graceful_sqlite::Store;
use graceful_testing::InState as _;
use sqlx::{Connection as _, Sqlite, SqliteConnection, Transaction, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use super::{Account, PayError};

#[orchestrate(pattern = "tx_payment", event = "paid", tx = tx, idempotent = key)]
async fn pay(tx: &mut Transaction<'_, Sqlite>, key: &str, fails: bool) -> Result<i64, StepError> {
    let number = paid(tx).await;
    if fails { Err(StepError::new("no funds")) } else { Ok(number) }
}

/// On a connection, on which a transaction may be open.
#[orchestrate(pattern = "tx_payment", event = "paid", tx = connection, idempotent = key)]
async fn pay_by(connection: &mut SqliteConnection, key: &str) -> Result<i64, StepError> {
    Ok(paid(connection).await)
}

#[orchestrate(pattern = "tx_payment", idempotent = key)]
async fn pay_without_tx(account: &Account, key: &str) -> Result<u64, PayError> {
    Ok(account.pay())
}

#[orchestrate(pattern = "tx_payment", tx = tx)]
async fn pay_within(tx: &mut Transaction<'_, Sqlite>, account: &Account) -> Result<u64, PayError> {
    paid(tx).await;
    pay_without_tx(account, "k").await
}

/// While it runs, another handler stores an answer under the same key.
#[orchestrate(pattern = "tx_payment", id = id, tx = tx, name = "tx::new", was = "tx::old", idempotent = key)]
async fn overtaken(tx: &mut Transaction<'_, Sqlite>, id: i64, key: &str) -> Result<i64, StepError> {
    overtakes(tx, key).await?;
    Ok(id)
}

#[orchestrate(pattern = "tx_payment", tx = tx, name = "tx::old", idempotent = key)]
async fn overtakes(tx: &mut Transaction<'_, Sqlite>, key: &str) -> Result<i64, StepError> {
    Ok(paid(tx).await)
}

async fn paid(connection: &mut SqliteConnection) -> i64 {
    sqlx::query_scalar("INSERT INTO payments (cents) VALUES (1) RETURNING rowid")
        .fetch_one(connection)
        .await
        .unwrap()
}

struct Service {
    directory: TempDir,
    store: Store,
    orchestrator: Orchestrator,
}

impl Service {
    async fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let store = Store::open(directory.path().join("shop.db")).await.unwrap();
        let builder = Orchestrator::builder().store(store.clone()).cache(memory::Cache::new());
        let orchestrator = builder.relay(RelaySettings::off()).build().unwrap();
        let service = Self { directory, store, orchestrator };
        sqlx::query("CREATE TABLE payments (cents INTEGER)")
            .execute(&mut service.connection().await)
            .await
            .unwrap();
        service
    }

    async fn connection(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.directory.path().join("shop.db"));
        SqliteConnection::connect_with(&options.busy_timeout(std::time::Duration::from_millis(200)))
            .await
            .unwrap()
    }

    async fn by_ada<T>(&self, call: impl Future<Output = T>) -> T {
        Context::new().user("ada").scope(self.orchestrator.scope(call)).await
    }

    async fn pay(&self, key: &str, fails: bool) -> Result<i64, StepError> {
        let mut connection = self.connection().await;
        let mut tx = connection.begin().await.unwrap();
        let answer = self.by_ada(async { pay(&mut tx, key, fails).await }).await;
        match answer {
            Ok(_) => tx.commit().await.unwrap(),
            Err(_) => tx.rollback().await.unwrap(),
        }
        answer
    }

    /// Payments, flows of an `Ok`, and flows of an `Err`.
    async fn counts(&self) -> (i64, usize, usize) {
        self.orchestrator.idle().await;
        let mut connection = self.connection().await;
        let payments = sqlx::query_scalar("SELECT count(*) FROM payments");
        let payments = payments.fetch_one(&mut connection).await.unwrap();
        let flows = self.store.in_state(FlowState::Queued).await.unwrap();
        let of = |ending| flows.iter().filter(|stored| stored.flow().unwrap().ending() == ending).count();
        (payments, of(CallOutcome::Ok), of(CallOutcome::Err))
    }
}

#[tokio::test]
async fn repetition_gets_the_answer_that_was_committed_with_its_effect() {
    let service = Service::new().await;
    assert_eq!(service.pay("k", true).await.unwrap_err().message(), "no funds");
    for _ in 0..2 {
        assert_eq!(service.pay("k", false).await.unwrap(), 1);
    }
    assert_eq!(service.counts().await, (1, 1, 1));
}

#[tokio::test]
async fn concurrent_repetition_waits_for_the_writer_and_gets_its_answer() {
    let service = Service::new().await;
    let pay = || async {
        // It waits in the order of the callers of this process, and not at the file.
        let mut connection = service.connection().await;
        let mut tx = connection.begin().await.unwrap();
        let answer = service.by_ada(async { pay(&mut tx, "k", false).await }).await;
        tx.commit().await.unwrap();
        answer
    };
    let answers = tokio::join!(pay(), pay(), pay());
    assert_eq!([answers.0.unwrap(), answers.1.unwrap(), answers.2.unwrap()], [1, 1, 1]);
    assert_eq!(service.counts().await, (1, 1, 0));
}

#[tokio::test]
async fn connection_without_a_transaction_is_refused_before_the_body() {
    let service = Service::new().await;
    let mut connection = service.connection().await;
    let error = service.by_ada(async { pay_by(&mut connection, "k").await }).await.unwrap_err();
    assert!(error.message().contains("without an open transaction"), "{error}");
    assert_eq!(service.counts().await, (0, 0, 0));
    // One that was begun by a statement is a transaction, too.
    sqlx::raw_sql("BEGIN").execute(&mut connection).await.unwrap();
    assert_eq!(service.by_ada(async { pay_by(&mut connection, "k").await }).await.unwrap(), 1);
    sqlx::raw_sql("COMMIT").execute(&mut connection).await.unwrap();
}

#[tokio::test]
async fn store_that_is_busy_is_unavailable_and_no_flow_follows() {
    let service = Service::new().await;
    let mut writer = service.connection().await;
    let busy = writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
    assert_eq!(service.pay("k", false).await.unwrap_err().kind(), StepErrorKind::Unavailable);
    busy.rollback().await.unwrap();
    assert_eq!(service.counts().await, (0, 0, 0));
    assert_eq!(service.pay("k", false).await.unwrap(), 1);
}

#[tokio::test]
async fn handler_with_tx_and_without_a_store_does_not_run() {
    let service = Service::new().await;
    let without = Orchestrator::builder().in_memory().build().unwrap();
    let mut connection = service.connection().await;
    let mut tx = connection.begin().await.unwrap();
    let call = without.scope(async { pay(&mut tx, "k", false).await });
    let error = Context::new().user("ada").scope(call).await.unwrap_err();
    assert!(error.message().contains("no durable store"), "{error}");
    tx.commit().await.unwrap();
    assert_eq!(service.counts().await, (0, 0, 0));
}

/// It would wait for the lock that its own caller has.
#[tokio::test]
async fn call_without_tx_in_the_transaction_of_its_caller_is_refused_at_once() {
    let (service, account) = (Service::new().await, Account::default());
    let mut connection = service.connection().await;
    let mut tx = connection.begin().await.unwrap();
    let error = service.by_ada(async { pay_within(&mut tx, &account).await }).await.unwrap_err();
    let PayError::Refused(error) = error else { panic!("{error:?}") };
    assert!(error.message().contains("locks the store"), "{error}");
    assert_eq!(account.payments(), 0);
}

#[tokio::test]
async fn call_that_was_overtaken_is_refused_by_the_unique_index() {
    let service = Service::new().await;
    let mut connection = service.connection().await;
    let mut tx = connection.begin().await.unwrap();
    let answer = service.by_ada(async { overtaken(&mut tx, 1, "k").await }).await;
    assert_eq!(answer.unwrap_err().kind(), StepErrorKind::Aborted);
    tx.rollback().await.unwrap();
    assert_eq!(service.counts().await, (0, 0, 0), "no flow follows");
}
