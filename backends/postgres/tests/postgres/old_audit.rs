//! An audit log of an earlier version, whose records are whole flows.

use graceful::StepError;
use graceful_postgres::Store;
use graceful_sql::AuditHead;
use graceful_tests::old_audit::{self, AuditTable, OldRecord};
use sqlx::PgConnection;

use super::Postgres;

struct Table {
    store: Store,
    connection: PgConnection,
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
        sqlx::query(
            "INSERT INTO graceful_audit (seq, flow, entity, record, hash) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(record.head.sequence)
        .bind(record.flow)
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

async fn table(postgres: &Postgres) -> Table {
    let schema = postgres.schema().await;
    Table { store: postgres.store(&schema).await, connection: postgres.connection(&schema).await }
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn remove_audit_payloads_of_old_log_keeps_records_and_chain() {
    let postgres = Postgres::new();
    old_audit::keeps_records_and_chain(table(&postgres).await).await;
    postgres.clean().await;
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn remove_audit_payloads_of_tampered_log_changes_nothing() {
    let postgres = Postgres::new();
    old_audit::tampered_is_left_alone(table(&postgres).await).await;
    postgres.clean().await;
}
