//! `tx`: a flow is committed if and only if its data is committed.

use graceful::{
    CallOutcome, Code, Orchestrator, RelaySettings, StepError,
    backends::{FlowState, StoredFlow},
    orchestrate,
};
use graceful_postgres::Store;
use graceful_testing::InState as _;
use sqlx::{Connection as _, PgConnection, Transaction};

use super::{Postgres, execute};

#[orchestrate(pattern = "user", id = id, event = "saved", delivery = "durable", tx = tx)]
async fn save(
    tx: &mut Transaction<'_, sqlx::Postgres>,
    id: i64,
    error: Option<Code>,
) -> Result<i64, StepError> {
    sqlx::query("INSERT INTO users (id) VALUES ($1)")
        .bind(id)
        .execute(&mut **tx)
        .await
        .map_err(StepError::caused_by)?;
    error.map_or(Ok(id), |code| Err(StepError::new(code.as_str())))
}

/// The same within the connection.
#[orchestrate(pattern = "user", id = id, event = "saved", delivery = "durable", tx = connection)]
async fn save_by(connection: &mut PgConnection, id: i64) -> Result<i64, StepError> {
    sqlx::query("INSERT INTO users (id) VALUES ($1)")
        .bind(id)
        .execute(connection)
        .await
        .map_err(StepError::caused_by)?;
    Ok(id)
}

async fn service(postgres: &Postgres) -> (PgConnection, Store, Orchestrator) {
    let schema = postgres.schema().await;
    let store = postgres.store(&schema).await;
    let mut connection = postgres.connection(&schema).await;
    execute(&mut connection, "CREATE TABLE users (id bigint PRIMARY KEY)").await;
    let builder = Orchestrator::builder().service("users").store(store.clone()).relay(RelaySettings::off());
    (connection, store, builder.build().unwrap())
}

async fn saved(connection: &mut PgConnection) -> Vec<i64> {
    sqlx::query_scalar("SELECT id FROM users ORDER BY id").fetch_all(connection).await.unwrap()
}

async fn queued(store: &Store) -> Vec<StoredFlow> {
    store.in_state(FlowState::Queued).await.unwrap()
}

async fn entities(store: &Store) -> Vec<String> {
    queued(store).await.into_iter().map(|stored| stored.summary.entity).collect()
}

#[test(requires(Postgres))]
async fn flow_of_ok_commits_with_its_data_or_not_at_all() {
    let postgres = Postgres::new();
    let (mut connection, store, orchestrator) = service(&postgres).await;

    let mut transaction = connection.begin().await.unwrap();
    assert_eq!(orchestrator.scope(save(&mut transaction, 1, None)).await.unwrap(), 1);
    assert!(entities(&store).await.is_empty(), "not before the commit");
    transaction.commit().await.unwrap();
    assert_eq!(entities(&store).await, ["users::user:1"]);

    let mut transaction = connection.begin().await.unwrap();
    orchestrator.scope(save(&mut transaction, 2, None)).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!((saved(&mut connection).await, entities(&store).await.len()), (vec![1], 1));

    let mut transaction = connection.begin().await.unwrap();
    orchestrator.scope(save_by(&mut transaction, 3)).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(entities(&store).await, ["users::user:1", "users::user:3"]);
    postgres.clean().await;
}

/// The store uses a connection of its own, while the transaction is still open.
#[test(requires(Postgres))]
async fn flow_of_err_is_stored_though_its_transaction_is_rolled_back() {
    let postgres = Postgres::new();
    let (mut connection, store, orchestrator) = service(&postgres).await;
    let mut transaction = connection.begin().await.unwrap();
    let error = orchestrator.scope(save(&mut transaction, 1, Some(Code::Internal))).await.unwrap_err();
    assert_eq!(error.message(), "INTERNAL");
    let flow = queued(&store).await[0].flow().unwrap();
    assert_eq!((flow.ending(), flow.event_name()), (CallOutcome::Err, Some("saved.failed")));
    transaction.rollback().await.unwrap();
    assert!(saved(&mut connection).await.is_empty());
    assert_eq!(queued(&store).await.len(), 1);
    postgres.clean().await;
}

/// The transaction is in another schema, without the store's tables. Data must not be committed without its flow.
#[test(requires(Postgres))]
async fn flow_that_cannot_be_stored_is_the_handlers_err() {
    let postgres = Postgres::new();
    let (_, store, orchestrator) = service(&postgres).await;
    let mut elsewhere = postgres.connection(&postgres.schema().await).await;
    execute(&mut elsewhere, "CREATE TABLE users (id bigint PRIMARY KEY)").await;
    let mut transaction = elsewhere.begin().await.unwrap();
    let error = orchestrator.scope(save(&mut transaction, 1, None)).await.unwrap_err();
    let why = "the transaction belongs to a PostgreSQL database, or schema, without graceful's tables (relation \"graceful_flows\" does not \
               exist): open it on the database of the orchestrator's store, which is Store { place: \"PostgreSQL at ";
    assert!(error.message().starts_with(why), "{error}");
    transaction.rollback().await.unwrap();
    assert_eq!(orchestrator.stats().store_failures(), 1);
    graceful_tests::gate::until(|| async { queued(&store).await.len() == 1 }).await;
    let flow = queued(&store).await[0].flow().unwrap();
    assert_eq!((flow.ending(), flow.code()), (CallOutcome::Err, Code::Internal));
    postgres.clean().await;
}
