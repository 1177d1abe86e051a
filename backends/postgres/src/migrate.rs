//! The tables: numbered migrations in a table of our own, beside the migrations of the user's.

use graceful_sql::Migrations;
use sqlx::{PgConnection, Row as _, migrate::MigrateError};

const MIGRATIONS: Migrations = &[
    (1, "store", include_str!("../migrations/1_store.sql")),
    (2, "claims", include_str!("../migrations/2_claims.sql")),
    (3, "alerts", include_str!("../migrations/3_alerts.sql")),
    (10, "heads", include_str!("../migrations/10_heads.sql")),
    (40, "incidents", include_str!("../migrations/40_incidents.sql")),
    (50, "inbox attempts", include_str!("../migrations/50_inbox_attempts.sql")),
    (60, "operations", include_str!("../migrations/60_operations.sql")),
    (70, "bulk operations", include_str!("../migrations/70_bulk.sql")),
    (80, "audit queries", include_str!("../migrations/80_audit_queries.sql")),
    (90, "storms", include_str!("../migrations/90_storms.sql")),
    (95, "incident filters", include_str!("../migrations/95_incident_filters.sql")),
    (96, "audit tenants", include_str!("../migrations/96_audit_tenants.sql")),
    (100, "secrets", include_str!("../migrations/100_secrets.sql")),
    (110, "idempotent calls", include_str!("../migrations/110_idempotent_calls.sql")),
    (120, "event log", include_str!("../migrations/120_event_log.sql")),
    (130, "subscribers", include_str!("../migrations/130_subscribers.sql")),
    (140, "batches", include_str!("../migrations/140_batches.sql")),
    (150, "told once", include_str!("../migrations/150_told_once.sql")),
    (160, "followers", include_str!("../migrations/160_followers.sql")),
];

/// Makes what is missing; of several processes, one after the other.
pub(super) async fn run(connection: &mut PgConnection) -> Result<(), MigrateError> {
    graceful_sql::migrator(MIGRATIONS).run_direct(None, connection, false).await
}

/// Why the tables are not those of this version.
pub(super) async fn state(connection: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
    const REMEDY: &str =
        "create them with `graceful_postgres::Store::migrate(url)`, as the role that owns the tables";
    let applied =
        sqlx::raw_sql("SELECT version FROM graceful_migrations WHERE success").fetch_all(connection);
    let applied = match applied.await {
        Ok(rows) => rows.iter().map(|row| row.try_get("version")).collect::<Result<Vec<i64>, _>>()?,
        Err(error) => {
            return match error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() {
                Some("42P01") => Ok(Some(format!(
                    "no schema of the role's search path has the tables of `graceful`: {REMEDY}"
                ))),
                _ => Err(error),
            };
        }
    };
    Ok(graceful_sql::unmigrated(MIGRATIONS, &applied, REMEDY))
}
