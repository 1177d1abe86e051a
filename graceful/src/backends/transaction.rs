//! A transaction of the user's that a flow can be stored through.

use std::{error::Error, fmt, future::Future, pin::Pin};

use super::QueuedFlow;
use crate::step::StepError;

/// A transaction that a flow can be stored in, beside the data that it is about: the argument `tx` of a handler.
///
/// `Store` is the store of the backend's crate that implements it, such as `graceful_sqlite::Store`: with it, a crate can implement the
/// trait for the transactions of another crate, such as `sqlx`.
#[diagnostic::on_unimplemented(
    message = "a flow cannot be stored through `{Self}`",
    label = "`tx` needs an open transaction: `tx: &mut sqlx::Transaction<'_, Sqlite>`, or the connection within one",
    note = "the crates `graceful-sqlite` and `graceful-postgres` implement it, for `sqlx` 0.9 and no other version"
)]
pub trait Transaction<Store>: Send {
    /// Inserts a flow.
    fn insert(&mut self, flow: QueuedFlow) -> Inserting<'_>;
    /// Takes the lock that an insert needs, where the database has only one writer. A transaction that reads first could not take it any
    /// more after another writer's commit.
    fn lock(&mut self) -> Option<Inserting<'_>>;
    /// While it is open, nothing else can be written to its database.
    fn locks_all(&self) -> bool;
}

/// A flow on its way into a transaction.
pub type Inserting<'t> = Pin<Box<dyn Future<Output = Result<(), StepError>> + Send + 't>>;

/// The error of a transaction whose database has none of the store's tables: the source of the [`StepError`] of
/// [`insert`](Transaction::insert) or [`lock`](Transaction::lock). The handler's error then names the store.
#[derive(Debug)]
pub struct AnotherDatabase {
    kind: &'static str,
    message: String,
}

impl AnotherDatabase {
    /// `kind` is the kind of database, such as `SQLite`; `message` is the database's own.
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
