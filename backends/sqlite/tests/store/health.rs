//! Whether the store answers.

use graceful::backends::FlowStore as _;
use sqlx::{Connection as _, SqliteConnection};

use super::fresh;

#[tokio::test]
async fn store_answers_while_another_connection_writes() {
    let (_dir, store) = fresh().await;
    let mut other = SqliteConnection::connect(store.path().to_str().unwrap()).await.unwrap();
    let mut transaction = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    sqlx::query("DELETE FROM graceful_flows").execute(&mut *transaction).await.unwrap();
    store.probe().await.unwrap();
    store.probe().await.unwrap();
}

#[tokio::test]
async fn store_whose_file_was_deleted_does_not_answer() {
    let (_dir, store) = fresh().await;
    store.probe().await.unwrap();
    std::fs::remove_file(store.path()).unwrap();
    let error = store.probe().await.unwrap_err();
    assert!(error.message().contains("deleted"), "{error}");
}
