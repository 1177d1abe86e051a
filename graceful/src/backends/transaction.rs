//! Storing flows in the user's transactions.

use std::{error::Error, fmt, future::Future, pin::Pin};

use super::QueuedFlow;
use crate::step::StepError;

/// A transaction in which a flow can be stored together with the handler's data: the type of the argument `tx`.
///
/// The parameter `Store` is the store of the crate that implements the trait, such as `graceful_sqlite::Store`. It allows a crate to implement
/// the trait for transactions of another crate, such as `sqlx`.
#[diagnostic::on_unimplemented(
    message = "a flow cannot be stored through `{Self}`",
    label = "`tx` needs an open transaction: `tx: &mut sqlx::Transaction<'_, Sqlite>`, or the connection within one",
    note = "the crates `graceful-sqlite` and `graceful-postgres` implement it, for `sqlx` 0.9 and no other version: one of them must be a \
            dependency, and be named in this crate, if only by `use graceful_sqlite as _;`"
)]
pub trait Transaction<Store>: Send {
    /// Inserts a flow.
    fn insert(&mut self, flow: QueuedFlow) -> Inserting<'_>;
    /// Takes the write lock, if the database has only one writer. A transaction that has read first could not take it after another
    /// writer's commit.
    fn lock(&mut self) -> Option<Inserting<'_>>;
    /// Whether no other write to the database is possible while the transaction is open.
    fn locks_all(&self) -> bool;
}

/// The future of an insert or a lock.
pub type Inserting<'t> = Pin<Box<dyn Future<Output = Result<(), StepError>> + Send + 't>>;

/// The error of a transaction whose database does not have the store's tables. It is the source of the [`StepError`] of
/// [`insert`](Transaction::insert) or [`lock`](Transaction::lock); the handler's error then names the store.
#[derive(Debug)]
pub struct AnotherDatabase {
    kind: &'static str,
    message: String,
}

impl AnotherDatabase {
    /// Creates the error from the kind of the database, such as `SQLite`, and the database's own message.
    pub fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl fmt::Display for AnotherDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, message } = self;
        write!(
            f,
            "the transaction belongs to a {kind} database, or schema, without graceful's tables ({message})"
        )
    }
}

impl Error for AnotherDatabase {}
