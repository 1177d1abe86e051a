//! Idempotent handlers with `tx`: effect, answer and flow are committed together, and a repetition gets the answer.

use std::sync::atomic::{AtomicU64, Ordering};

use graceful::{
    Code, Context, Orchestrator, RelaySettings, StepError, StepErrorKind, backends::FlowState, orchestrate,
};
use graceful_postgres::Store;
use graceful_testing::InState as _;
use graceful_tests::{gate::Gate, proxy::Proxy};
use sqlx::{Connection as _, PgConnection, Transaction};

use super::{Postgres, execute, url};

#[orchestrate(pattern = "payment", event = "paid", tx = tx, idempotent(key = key, request = cents))]
async fn pay(
    tx: &mut Transaction<'_, sqlx::Postgres>,
    key: &str,
    cents: i64,
    error: Option<Code>,
) -> Result<i64, StepError> {
    let id = paid(tx, cents).await?;
    error.map_or(Ok(id), |code| Err(StepError::new(code.as_str())))
}

/// The same without `idempotent`.
#[orchestrate(pattern = "payment", event = "paid", tx = tx)]
async fn pay_plainly(tx: &mut Transaction<'_, sqlx::Postgres>, cents: i64) -> Result<i64, StepError> {
    paid(tx, cents).await
}

#[orchestrate(pattern = "payment", event = "paid", when = *result > 1_000, tx = tx, idempotent = key)]
async fn pay_quietly(tx: &mut Transaction<'_, sqlx::Postgres>, key: &str) -> Result<i64, StepError> {
    paid(tx, 1).await
}

#[orchestrate(pattern = "payment", event = "paid", tx = tx, idempotent = key)]
async fn pay_oddly(tx: &mut Transaction<'_, sqlx::Postgres>, key: &str) -> Result<f64, StepError> {
    paid(tx, 1).await?;
    Ok(f64::NAN)
}

#[orchestrate(pattern = "payment", event = "paid", tx = tx, idempotent = key)]
async fn pay_slowly(
    tx: &mut Transaction<'_, sqlx::Postgres>,
    gate: &Gate,
    key: &str,
) -> Result<i64, StepError> {
    gate.pass().await;
    paid(tx, 1).await
}

/// On a connection, on which a transaction may be open.
#[orchestrate(pattern = "payment", event = "paid", tx = connection, idempotent = key)]
async fn pay_by(connection: &mut PgConnection, key: &str) -> Result<i64, StepError> {
    sqlx::query_scalar("INSERT INTO payments (cents) VALUES (1) RETURNING id")
        .fetch_one(connection)
        .await
        .map_err(StepError::caused_by)
}

/// How often a body has run.
static BODIES: AtomicU64 = AtomicU64::new(0);

async fn paid(tx: &mut Transaction<'_, sqlx::Postgres>, cents: i64) -> Result<i64, StepError> {
    BODIES.fetch_add(1, Ordering::SeqCst);
    sqlx::query_scalar("INSERT INTO payments (cents) VALUES ($1) RETURNING id")
        .bind(cents)
        .fetch_one(&mut **tx)
        .await
        .map_err(StepError::caused_by)
}

struct Service {
    postgres: Postgres,
    schema: String,
    store: Store,
    orchestrator: Orchestrator,
}

impl Service {
    async fn new() -> Self {
        let postgres = Postgres::new();
        let schema = postgres.schema().await;
        let store = postgres.store(&schema).await;
        let mut connection = postgres.connection(&schema).await;
        execute(
            &mut connection,
            "CREATE TABLE payments (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, cents bigint)",
        )
        .await;
        let builder = Orchestrator::builder().service("shop").store(store.clone());
        let orchestrator = builder.relay(RelaySettings::off()).build().unwrap();
        Self { postgres, schema, store, orchestrator }
    }

    async fn connection(&self) -> PgConnection {
        self.postgres.connection(&self.schema).await
    }

    /// Calls a handler as an actor.
    async fn by_ada<T>(&self, call: impl Future<Output = T>) -> T {
        Context::new().user("ada").scope(self.orchestrator.scope(call)).await
    }

    /// Pays in a transaction of its own, which is committed after an `Ok`.
    async fn pay(&self, key: &str, cents: i64, error: Option<Code>) -> Result<i64, StepError> {
        let mut connection = self.connection().await;
        let mut tx = connection.begin().await.unwrap();
        let answer = self.by_ada(async { pay(&mut tx, key, cents, error).await }).await;
        match answer {
            Ok(_) => tx.commit().await.unwrap(),
            Err(_) => tx.rollback().await.unwrap(),
        }
        answer
    }

    async fn payments(&self) -> Vec<i64> {
        let query = sqlx::query_scalar("SELECT id FROM payments ORDER BY id");
        query.fetch_all(&mut self.connection().await).await.unwrap()
    }

    /// The number of flows of each outcome.
    async fn flows(&self) -> (usize, usize) {
        let queued = self.store.in_state(FlowState::Queued).await.unwrap();
        let (ok, err): (Vec<_>, Vec<_>) =
            queued.iter().partition(|stored| stored.flow().unwrap().ending().is_success());
        (ok.len(), err.len())
    }

    async fn clean(self) {
        self.postgres.clean().await;
    }
}

#[track_caller]
fn kind<T: std::fmt::Debug>(answer: Result<T, StepError>) -> StepErrorKind {
    answer.unwrap_err().kind()
}

#[test(requires(Postgres))]
async fn repetition_gets_the_answer_that_was_committed_with_its_effect() {
    let service = Service::new().await;
    assert_eq!(service.pay("k", 100, None).await.unwrap(), 1);
    assert_eq!(service.pay("k", 100, None).await.unwrap(), 1);
    assert_eq!(kind(service.pay("k", 101, None).await), StepErrorKind::DifferentRequest);
    assert_eq!((service.payments().await, service.flows().await), (vec![1], (1, 0)));
    assert_eq!(service.pay("l", 100, None).await.unwrap(), 2);
    service.clean().await;
}

#[test(requires(Postgres))]
async fn answer_of_a_transaction_that_is_rolled_back_does_not_exist() {
    let service = Service::new().await;
    let mut connection = service.connection().await;
    let mut tx = connection.begin().await.unwrap();
    let first = service.by_ada(async { pay(&mut tx, "k", 100, None).await }).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!((service.payments().await, service.flows().await), (vec![], (0, 0)));
    assert_eq!(service.pay("k", 100, None).await.unwrap(), first + 1, "the body runs");
    service.clean().await;
}

#[test(requires(Postgres))]
async fn error_releases_the_key_and_runs_its_error_flow() {
    let service = Service::new().await;
    assert!(service.pay("k", 100, Some(Code::Internal)).await.is_err());
    assert_eq!(service.pay("k", 100, None).await.unwrap(), 2);
    assert_eq!((service.payments().await, service.flows().await), (vec![2], (1, 1)));
    service.clean().await;
}

#[test(requires(Postgres))]
async fn repetition_while_the_first_transaction_is_open_is_refused() {
    let service = Service::new().await;
    let gate = Gate::closed();
    let mut connections = (service.connection().await, service.connection().await);
    let (mut first, mut second) =
        (connections.0.begin().await.unwrap(), connections.1.begin().await.unwrap());
    let (answer, ()) = tokio::join!(
        service.by_ada(async {
            let answer = pay_slowly(&mut first, &gate, "k").await;
            first.commit().await.unwrap();
            answer
        }),
        async {
            gate.reached().await;
            let refused = service.by_ada(async { pay_slowly(&mut second, &gate, "k").await }).await;
            assert_eq!(kind(refused), StepErrorKind::Aborted);
            gate.open_for(1);
        }
    );
    assert_eq!(answer.unwrap(), 1);
    // In the same transaction: the answer was committed meanwhile.
    assert_eq!(service.by_ada(async { pay_slowly(&mut second, &gate, "k").await }).await.unwrap(), 1);
    second.rollback().await.unwrap();
    assert_eq!(
        (service.payments().await, service.flows().await),
        (vec![1], (1, 0)),
        "a refusal runs no flow"
    );
    service.clean().await;
}

/// Its snapshot is older than the answer, so only the unique index finds it.
#[test(requires(Postgres))]
async fn call_in_an_old_snapshot_is_refused_by_the_unique_index() {
    let service = Service::new().await;
    let mut connection = service.connection().await;
    let mut old = connection.begin().await.unwrap();
    let statement = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1";
    sqlx::raw_sql(statement).execute(&mut *old).await.unwrap();
    assert_eq!(service.pay("k", 100, None).await.unwrap(), 1);
    let answer = service.by_ada(async { pay(&mut old, "k", 100, None).await }).await;
    assert_eq!(kind(answer), StepErrorKind::Aborted);
    old.rollback().await.unwrap();
    assert_eq!((service.payments().await, service.flows().await), (vec![1], (1, 0)));
    service.clean().await;
}

#[test(requires(Postgres))]
async fn answer_that_cannot_be_stored_is_an_error_before_the_commit() {
    let service = Service::new().await;
    for _ in 0..2 {
        let mut connection = service.connection().await;
        let mut tx = connection.begin().await.unwrap();
        let answer = service.by_ada(async { pay_oddly(&mut tx, "k").await }).await;
        assert_eq!(kind(answer), StepErrorKind::Failed);
        tx.rollback().await.unwrap();
    }
    assert_eq!(
        (service.payments().await, service.flows().await),
        (vec![], (0, 2)),
        "each body ran, for nothing"
    );
    service.clean().await;
}

#[test(requires(Postgres))]
async fn answer_without_a_flow_is_stored_all_the_same() {
    let service = Service::new().await;
    for _ in 0..2 {
        let mut connection = service.connection().await;
        let mut tx = connection.begin().await.unwrap();
        assert_eq!(service.by_ada(async { pay_quietly(&mut tx, "k").await }).await.unwrap(), 1);
        tx.commit().await.unwrap();
    }
    assert_eq!((service.payments().await, service.flows().await), (vec![1], (0, 0)));
    service.clean().await;
}

#[test(requires(Postgres))]
async fn connection_without_a_transaction_is_refused_before_the_body() {
    let service = Service::new().await;
    let mut connection = service.connection().await;
    let error = service.by_ada(async { pay_by(&mut connection, "k").await }).await.unwrap_err();
    assert!(error.message().contains("without an open transaction"), "{error}");
    assert_eq!((service.payments().await, service.flows().await), (vec![], (0, 0)));
    // One that was begun by a statement is a transaction, too.
    sqlx::raw_sql("BEGIN").execute(&mut connection).await.unwrap();
    assert_eq!(service.by_ada(async { pay_by(&mut connection, "k").await }).await.unwrap(), 1);
    sqlx::raw_sql("COMMIT").execute(&mut connection).await.unwrap();
    assert_eq!((service.payments().await, service.flows().await), (vec![1], (1, 0)));
    service.clean().await;
}

/// How many statements the handler sends: at most three more than without `idempotent`, and one for a repetition. Each is one round trip, once it is
/// prepared.
#[test(requires(Postgres))]
async fn call_costs_three_round_trips_and_a_repetition_one() {
    let service = Service::new().await;
    let proxy = Proxy::to(service.postgres.address).await;
    let mut connection = PgConnection::connect(&url(proxy.address(), &service.schema)).await.unwrap();
    let mut sent = Vec::new();
    for (kind, key) in [("plain", ""), ("first", "k"), ("repeated", "k")] {
        let mut tx = connection.begin().await.unwrap();
        proxy.record();
        service
            .by_ada(async {
                match kind {
                    "plain" => pay_plainly(&mut tx, 1).await.unwrap(),
                    _ => pay(&mut tx, key, 1, None).await.unwrap(),
                }
            })
            .await;
        sent.push(statements(&proxy.recorded()));
        tx.commit().await.unwrap();
    }
    assert_eq!(sent, [2, 5, 1], "plain, first, repeated");
    service.clean().await;
}

/// The messages that run a statement: `Execute` and `Query`.
fn statements(mut sent: &[u8]) -> usize {
    let mut statements = 0;
    while let [kind, a, b, c, d, ..] = sent {
        statements += usize::from(matches!(kind, b'E' | b'Q'));
        sent = &sent[1 + u32::from_be_bytes([*a, *b, *c, *d]) as usize..];
    }
    statements
}
