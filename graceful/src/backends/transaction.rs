//! Storing flows in the user's transactions.

use std::{error::Error, fmt, future::Future, pin::Pin};

use super::{IdempotentAnswer, KnownCall, QueuedFlow};
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
    /// Inserts a flow. One with an answer is inserted together with it, in one statement; see [`answer`](Self::answer).
    fn insert(&mut self, flow: QueuedFlow) -> Inserting<'_>;
    /// Takes the write lock, if the database has only one writer. A transaction that has read first could not take it after another
    /// writer's commit.
    fn lock(&mut self) -> Option<Inserting<'_>>;
    /// Whether no other write to the database is possible while the transaction is open.
    fn locks_all(&self) -> bool;

    /// Returns what is known of these keys: an answer before a call that runs. What has expired, by the clock of the store, counts as missing. The
    /// default implementation fails.
    fn find(&mut self, names: &[String]) -> InTransaction<'_, Option<KnownCall>> {
        let _ = names;
        no_idempotency()
    }

    /// Locks these keys until the end of the transaction, without waiting. Returns false if another transaction has locked one of them. The
    /// default implementation fails.
    fn try_lock(&mut self, names: &[String]) -> InTransaction<'_, bool> {
        let _ = names;
        no_idempotency()
    }

    /// Inserts the answer of an idempotent call under each of its names, in place of what has expired. If another transaction has inserted an
    /// answer meanwhile, it fails with [`StepError::aborted`]. The default implementation fails.
    fn answer(&mut self, answer: IdempotentAnswer) -> Inserting<'_> {
        drop(answer);
        no_idempotency()
    }
}

/// The future of a statement in a transaction.
pub type InTransaction<'t, T> = Pin<Box<dyn Future<Output = Result<T, StepError>> + Send + 't>>;

/// The future of an insert or a lock.
pub type Inserting<'t> = InTransaction<'t, ()>;

fn no_idempotency<T>() -> InTransaction<'static, T> {
    Box::pin(async { Err(StepError::new("the store of this transaction has no idempotent calls")) })
}

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

/// The error of a connection on which no transaction is open, so that effect, answer and flow would be committed one by one. It is the source
/// of the [`StepError`] of [`find`](Transaction::find) or [`try_lock`](Transaction::try_lock).
#[derive(Clone, Copy, Debug)]
pub struct NoOpenTransaction(());

impl NoOpenTransaction {
    /// Creates the error.
    pub const fn new() -> Self {
        Self(())
    }
}

impl Default for NoOpenTransaction {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for NoOpenTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "`tx` is a connection without an open transaction: begin one, so that effect, answer and event are committed together",
        )
    }
}

impl Error for NoOpenTransaction {}
