//! `tx`: a flow is committed if and only if its data is committed.

use sqlx::{Connection as _, Sqlite, SqliteConnection, Transaction};

use super::*;

#[orchestrate(pattern = "user", id = id, event = "saved", delivery = "durable", tx = tx)]
async fn save(tx: &mut Transaction<'_, Sqlite>, id: i64, error: Option<Code>) -> Result<i64, StepError> {
    sqlx::query("INSERT INTO users (id) VALUES (?)")
        .bind(id)
        .execute(&mut **tx)
        .await
        .map_err(StepError::caused_by)?;
    error.map_or(Ok(id), |code| Err(StepError::new(code.as_str())))
}

type Connection<'a> = &'a mut SqliteConnection;

/// The same within the connection, by an alias of a reference.
#[orchestrate(pattern = "user", id = id, event = "saved", delivery = "durable", tx = connection)]
async fn save_by(connection: Connection<'_>, id: i64) -> Result<i64, StepError> {
    sqlx::query("INSERT INTO users (id) VALUES (?)")
        .bind(id)
        .execute(connection)
        .await
        .map_err(StepError::caused_by)?;
    Ok(id)
}

async fn with_users(service: &Service) -> SqliteConnection {
    let mut connection = service.data().await;
    sqlx::query("CREATE TABLE users (id INTEGER PRIMARY KEY)").execute(&mut connection).await.unwrap();
    connection
}

async fn saved(connection: &mut SqliteConnection) -> Vec<i64> {
    sqlx::query_scalar("SELECT id FROM users ORDER BY id").fetch_all(connection).await.unwrap()
}

async fn entities(service: &Service) -> Vec<String> {
    service.stored(FlowState::Queued).await.into_iter().map(|stored| stored.summary.entity).collect()
}

#[tokio::test]
async fn flow_of_ok_commits_with_its_data_or_not_at_all() {
    let mut service = Service::new().await;
    let mut connection = with_users(&service).await;
    let orchestrator = service.without_a_relay();

    let mut transaction = connection.begin().await.unwrap();
    assert_eq!(orchestrator.scope(save(&mut transaction, 1, None)).await.unwrap(), 1);
    assert!(entities(&service).await.is_empty(), "not before the commit");
    transaction.commit().await.unwrap();
    assert_eq!(entities(&service).await, ["users::user:1"]);

    let mut transaction = connection.begin().await.unwrap();
    orchestrator.scope(save(&mut transaction, 2, None)).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!((saved(&mut connection).await, entities(&service).await.len()), (vec![1], 1));

    let mut transaction = connection.begin().await.unwrap();
    orchestrator.scope(save_by(&mut transaction, 3)).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(entities(&service).await, ["users::user:1", "users::user:3"]);

    let _relay = service.with_a_relay();
    service.until(FlowState::Completed, 2).await;
    assert_eq!(service.emitted().len(), 2);
}

/// The transaction is still open and locks the store when the handler answers. The flow is stored after its end.
#[tokio::test]
async fn flow_of_err_is_stored_when_the_transaction_is_rolled_back() {
    let service = Service::new().await;
    let mut connection = with_users(&service).await;
    let orchestrator = service.without_a_relay();
    let mut transaction = connection.begin().await.unwrap();
    let error = orchestrator.scope(save(&mut transaction, 1, Some(Code::Internal))).await.unwrap_err();
    assert_eq!(error.message(), "INTERNAL");
    transaction.rollback().await.unwrap();
    let stored = service.until(FlowState::Queued, 1).await;
    let flow = stored[0].flow().unwrap();
    assert_eq!((flow.ending(), flow.event_name()), (CallOutcome::Err, Some("saved.failed")));
    assert!(saved(&mut connection).await.is_empty());
}

/// The transaction is in another database, without the store's tables. Data must not be committed without its flow.
#[tokio::test]
async fn flow_that_cannot_be_stored_is_the_handlers_err() {
    let service = Service::new().await;
    let orchestrator = service.without_a_relay();
    let mut elsewhere = connect(&service.dir.path().join("elsewhere.db")).await;
    sqlx::query("CREATE TABLE users (id INTEGER PRIMARY KEY)").execute(&mut elsewhere).await.unwrap();
    let mut transaction = elsewhere.begin().await.unwrap();
    let error = orchestrator.scope(save(&mut transaction, 1, None)).await.unwrap_err();
    let store = service.store.path().display();
    assert_eq!(
        error.message(),
        format!(
            "the transaction belongs to a SQLite database, or schema, without graceful's tables (no such table: graceful_flows): open it on \
             the database of the orchestrator's store, which is Store {{ path: \"{store}\", .. }}, so that both are committed together"
        )
    );
    transaction.rollback().await.unwrap();
    assert_eq!(orchestrator.stats().store_failures(), 1);
    // The outcome is an error now, and the error flow says so.
    let flow = service.until(FlowState::Queued, 1).await[0].flow().unwrap();
    assert_eq!(
        (flow.ending(), flow.code(), flow.payload().is_null()),
        (CallOutcome::Err, Code::Internal, true)
    );
}

#[tokio::test]
async fn event_that_is_too_large_is_the_handlers_err() {
    #[orchestrate(pattern = "user", id = 42, event = "saved", payload = "x".repeat(70_000), delivery = "durable", tx = tx)]
    async fn save_much(tx: &mut Transaction<'_, Sqlite>) -> Result<i64, StepError> {
        let _ = tx;
        Ok(1)
    }

    let service = Service::new().await;
    let mut connection = with_users(&service).await;
    let mut transaction = connection.begin().await.unwrap();
    let error = service.without_a_relay().scope(save_much(&mut transaction)).await.unwrap_err();
    assert!(error.message().contains("bytes, but the limit is 65536"), "{error}");
}

#[tokio::test]
async fn flow_of_handler_dropped_or_panicked_in_its_transaction_is_stored_afterwards() {
    #[orchestrate(pattern = "user", id = 42, delivery = "durable", tx = tx)]
    async fn never_ends(tx: &mut Transaction<'_, Sqlite>) -> Result<i64, StepError> {
        sqlx::query("INSERT INTO users (id) VALUES (1)").execute(&mut **tx).await.unwrap();
        std::future::pending().await
    }

    #[orchestrate(pattern = "user", id = 42, delivery = "durable", tx = tx)]
    async fn panics(tx: &mut Transaction<'_, Sqlite>) -> Result<i64, StepError> {
        sqlx::query("INSERT INTO users (id) VALUES (1)").execute(&mut **tx).await.unwrap();
        panic!("of the handler")
    }

    for ending in [CallOutcome::Cancelled, CallOutcome::Panicked] {
        let service = Service::new().await;
        let mut connection = with_users(&service).await;
        let orchestrator = service.without_a_relay();
        let call = tokio::spawn(orchestrator.scope(async move {
            let mut transaction = connection.begin().await.unwrap();
            match ending {
                CallOutcome::Panicked => panics(&mut transaction).await,
                _ => tokio::time::timeout(Duration::from_millis(50), never_ends(&mut transaction))
                    .await
                    .unwrap_or(Ok(0)),
            }
        }));
        assert_eq!(call.await.is_err(), ending == CallOutcome::Panicked);
        let flow = service.until(FlowState::Queued, 1).await[0].flow().unwrap();
        assert_eq!(flow.ending(), ending);
        assert!(saved(&mut service.data().await).await.is_empty());
    }
}

/// A handler with a transaction and without an orchestrator is the plain function.
#[tokio::test]
async fn handler_without_an_orchestrator_stores_nothing() {
    let service = Service::new().await;
    let mut connection = with_users(&service).await;
    let mut transaction = connection.begin().await.unwrap();
    assert_eq!(save(&mut transaction, 1, None).await.unwrap(), 1);
    transaction.commit().await.unwrap();
    assert_eq!((saved(&mut connection).await, entities(&service).await.len()), (vec![1], 0));
}

/// The future can be spawned like that of the plain function.
#[tokio::test]
async fn future_of_a_handler_with_a_transaction_is_send() {
    fn is_send<T: Send>(_: &T) {}
    let service = Service::new().await;
    let mut connection = with_users(&service).await;
    let mut transaction = connection.begin().await.unwrap();
    is_send(&save(&mut transaction, 1, None));
}

/// The handler uses the subscriber's transaction, so the inbox entry, the data and the flow are committed together or not
/// at all.
#[tokio::test]
async fn flow_commits_together_with_the_inbox_entry_of_its_event() {
    use graceful::backends::{Inbox as _, InboxEntry, ReceivedEvent};

    let service = Service::new().await;
    let mut connection = with_users(&service).await;
    let orchestrator = service.without_a_relay();
    let json = r#"{"specversion": "1.0", "id": "1", "source": "s", "type": "t"}"#;
    let event: ReceivedEvent = serde_json::from_str(json).unwrap();
    for commits in [false, true] {
        let entry = service.store.begin("reader", &event).await.unwrap();
        let InboxEntry::First(mut transaction) = entry else { panic!("{entry:?}") };
        orchestrator.scope(save(&mut transaction, 1, None)).await.unwrap();
        if commits {
            service.store.commit(transaction).await.unwrap();
        } else {
            drop(transaction);
        }
        assert_eq!(entities(&service).await.len(), usize::from(commits));
        assert_eq!(saved(&mut connection).await.len(), usize::from(commits));
    }
    assert!(matches!(service.store.begin("reader", &event).await.unwrap(), InboxEntry::Again));
}
