//! `graceful-sql` is a crate for writers of SQL stores: the statements and the decoding of rows that SQLite and PostgreSQL share, and the
//! audit chain.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod actions;
mod alerts;
mod audit;
pub mod audit_chain;
mod audit_queries;
mod conditions;
mod dialect;
mod events;
pub mod flows;
mod groups;
mod idempotency;
mod metadata;
mod nexus;
mod operations;
mod pauses;
mod queries;
mod relays;
mod scheduler;
mod secrets;
mod storms;
mod subscriptions;
pub mod values;

use std::borrow::Cow;

use graceful::{Sha256, StepError, backends::Reply};
use sqlx::{
    AssertSqlSafe, SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};

pub use self::{
    audit_chain::{AuditHead, ParseHeadError, Tampered},
    dialect::{Connection, Dialect, Row, Statement, Tables, Value},
    idempotency::{call_names, lost_claim},
};

/// The longest part of a key that is stored unchanged, in bytes; index entries of PostgreSQL are limited to 2,700 bytes.
const MAX_PART: usize = 512;

/// How many rows [`purge`] deletes per statement.
pub const PURGED_AT_ONCE: u32 = 1000;

/// How many states and uses of one entity are stored.
const KEPT_PER_ENTITY: i64 = 100;

/// The form of a text in an index: the text itself, or `~` and its SHA-256 if it is longer than 512 bytes, or begins with `~` and so could
/// be mistaken for a hash.
pub fn indexed(text: &str) -> Cow<'_, str> {
    match text.len() > MAX_PART || text.starts_with('~') {
        true => format!("~{}", Sha256::of(text.as_bytes())).into(),
        false => text.into(),
    }
}

/// Repeats a deletion of at most [`PURGED_AT_ONCE`] rows until there are no more, and returns the number of deleted rows.
pub async fn purge(delete: impl Fn() -> Reply<u64>) -> Result<u64, StepError> {
    let mut purged = 0;
    loop {
        let some = delete().await?;
        purged += some;
        if some < PURGED_AT_ONCE.into() {
            return Ok(purged);
        }
    }
}

/// Numbered migrations: the number, the name, and the SQL.
pub type Migrations = &'static [(i64, &'static str, &'static str)];

/// Why tables with these migrations are not those of this version. `remedy` says how to migrate them.
pub fn unmigrated(migrations: Migrations, applied: &[i64], remedy: &str) -> Option<String> {
    let is_known = |version: &i64| migrations.iter().any(|(known, ..)| known == version);
    if let Some(newer) = applied.iter().find(|version| !is_known(version)) {
        return Some(format!(
            "its tables belong to a newer version, with migration {newer}: update the program"
        ));
    }
    let (version, name, _) = migrations.iter().find(|(version, ..)| !applied.contains(version))?;
    Some(format!("its tables lack migration {version} ({name}): {remedy}"))
}

/// Numbered migrations, which are recorded in a table of our own, beside the migrations of the user.
pub fn migrator(migrations: Migrations) -> Migrator {
    let migrations = migrations.iter().map(|(version, name, sql)| {
        let sql = AssertSqlSafe(*sql).into_sql_str();
        Migration::new(*version, (*name).into(), MigrationType::Simple, sql, false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.dangerous_set_table_name("graceful_migrations");
    migrator
}
