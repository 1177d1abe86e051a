//! A transaction of the user's that a flow can be stored through.

use std::{future::Future, pin::Pin};

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
