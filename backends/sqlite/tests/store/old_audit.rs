//! An audit log of an earlier version, whose records are whole flows.

use graceful::StepError;
use graceful_sql::AuditHead;
use graceful_sqlite::Store;
use graceful_tests::old_audit::{self, AuditTable, OldRecord};
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;

struct Table {
    store: Store,
    connection: SqliteConnection,
}

impl AuditTable for Table {
    type Store = Store;

    fn store(&self) -> &Store {
        &self.store
    }

    async fn verify(&self, known: Option<&AuditHead>) -> Result<AuditHead, StepError> {
        self.store.verify(known).await
    }

    async fn remove_payloads(&self, known: Option<&AuditHead>) -> Result<AuditHead, StepError> {
        self.store.remove_audit_payloads(known).await
    }

    async fn insert(&mut self, record: &OldRecord) {
        sqlx::query("INSERT INTO graceful_audit (seq, flow, entity, record, hash) VALUES (?, ?, ?, ?, ?)")
            .bind(record.head.sequence)
            .bind(record.flow.as_bytes().as_slice())
            .bind(&record.entity)
            .bind(&record.text)
            .bind(record.head.hash.as_slice())
            .execute(&mut self.connection)
            .await
            .unwrap();
    }

    async fn texts(&mut self) -> Vec<String> {
        let query = sqlx::query_scalar("SELECT record FROM graceful_audit ORDER BY seq");
        query.fetch_all(&mut self.connection).await.unwrap()
    }
}

async fn table() -> (TempDir, Table) {
    let (dir, store) = super::fresh().await;
    let url = format!("sqlite://{}", store.path().display());
    let connection = SqliteConnection::connect(&url).await.unwrap();
    (dir, Table { store, connection })
}

#[tokio::test(flavor = "multi_thread")]
async fn remove_audit_payloads_of_old_log_keeps_records_and_chain() {
    let (_dir, table) = table().await;
    old_audit::keeps_records_and_chain(table).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn remove_audit_payloads_of_tampered_log_changes_nothing() {
    let (_dir, table) = table().await;
    old_audit::tampered_is_left_alone(table).await;
}
