//! Stores a flow, and the answer of an idempotent call, in the transaction of the handler.

use graceful::{
    StepError,
    backends::{
        AnotherDatabase, IdempotentAnswer, InTransaction, Inserting, KnownCall, NoOpenTransaction,
        QueuedFlow, Transaction,
    },
};
use sqlx::{Connection as _, Sqlite, SqliteConnection, SqlitePool};

use super::{Store, Tables, flows, idempotency, is_busy, lock, turns::Turns};

/// Begins a write transaction, like `pool.begin_with("BEGIN IMMEDIATE")`, but callers in this process get the lock in order. SQLite itself
/// assigns the lock at random, so of many waiting transactions some fail when their busy timeout expires.
///
/// Handlers with `tx` wait in the same queue automatically. Use this function for a transaction that reads before it calls such a handler. The
/// database must have the tables of a [`Store`](super::Store).
///
/// # Errors
/// Fails if the pool has no connection, or if no caller in this process got the lock during the busy timeout of the pool.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let path = std::env::temp_dir().join(format!("graceful-begin-{}.db", std::process::id()));
/// let store = graceful_sqlite::Store::open(&path).await?;
/// let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}", path.display())).await?;
/// let mut transaction = graceful_sqlite::begin(&pool).await?;
/// let flows: i64 = sqlx::query_scalar("SELECT count(*) FROM graceful_flows").fetch_one(&mut *transaction).await?;
/// // … a handler with `tx = tx` may be called now: `rename(&mut transaction, 42).await?` …
/// transaction.commit().await?;
/// # assert_eq!(flows, 0);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub async fn begin(pool: &SqlitePool) -> Result<sqlx::Transaction<'static, Sqlite>, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    lock_in_turn(&mut transaction).await?;
    Ok(transaction)
}

async fn lock_in_turn(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let Some(turns) = Turns::of(connection).await? else { return lock(connection).await };
    turns.check()?;
    match Turns::has_begun(connection).await? {
        true => lock(connection).await,
        false => turns.take(lock(connection)).await,
    }
}

impl Transaction<Store> for SqliteConnection {
    fn insert(&mut self, mut flow: QueuedFlow) -> Inserting<'_> {
        Box::pin(async move {
            // First the answer, so that there is no flow without it.
            if let Some(answer) = flow.answer.take() {
                idempotency::insert_answer(self, &answer).await.map_err(not_answered)?;
            }
            flows::insert(self, &[flow]).await.map_err(failed)
        })
    }

    fn lock(&mut self) -> Option<Inserting<'_>> {
        Some(Box::pin(async move { lock_in_turn(self).await.map_err(refused) }))
    }

    fn locks_all(&self) -> bool {
        true
    }

    fn find(&mut self, names: &[String]) -> InTransaction<'_, Option<KnownCall>> {
        let names = names.to_vec();
        Box::pin(async move {
            if !self.is_in_transaction() && !Turns::has_begun(self).await.map_err(failed)? {
                return Err(StepError::caused_by(NoOpenTransaction::new()));
            }
            Tables::known_call(self, &names, true).await.map_err(failed)
        })
    }

    /// There is one lock for all keys, which `lock` has taken already, as a rule.
    fn try_lock(&mut self, _: &[String]) -> InTransaction<'_, bool> {
        Box::pin(async move { lock_in_turn(self).await.map(|()| true).map_err(refused) })
    }

    fn answer(&mut self, answer: IdempotentAnswer) -> Inserting<'_> {
        Box::pin(async move { idempotency::insert_answer(self, &answer).await.map_err(not_answered) })
    }
}

/// The error of a transaction that could not insert an answer: another call has one; or another transaction has written since this one has read,
/// which may have been such a call.
fn not_answered(error: sqlx::Error) -> StepError {
    let is_taken = error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation);
    match is_taken || is_busy(&error) {
        true => StepError::aborted(format_args!(
            "another call with this idempotency key has committed meanwhile ({error}): roll the transaction back, and try again"
        )),
        false => failed(error),
    }
}

fn refused(error: sqlx::Error) -> StepError {
    match is_busy(&error) {
        true => StepError::new(format_args!(
            "the transaction cannot write ({error}): either another transaction held the write lock for longer than the busy timeout, \
             or this transaction has read before, so it cannot wait for its turn. In the second case call the handler before reading, \
             or open the transaction with `graceful_sqlite::begin(&pool)`"
        )),
        false => failed(error),
    }
}

/// SQLite has no code of its own for a table that is not there.
fn failed(error: sqlx::Error) -> StepError {
    let said = error.as_database_error().map(|error| error.message().to_owned());
    match said.filter(|said| said.starts_with("no such table: graceful_")) {
        Some(said) => StepError::caused_by(AnotherDatabase::new("SQLite", said)),
        None => StepError::caused_by(error),
    }
}

impl Transaction<Store> for sqlx::Transaction<'_, Sqlite> {
    fn insert(&mut self, flow: QueuedFlow) -> Inserting<'_> {
        SqliteConnection::insert(self, flow)
    }

    fn lock(&mut self) -> Option<Inserting<'_>> {
        SqliteConnection::lock(self)
    }

    fn locks_all(&self) -> bool {
        true
    }

    fn find(&mut self, names: &[String]) -> InTransaction<'_, Option<KnownCall>> {
        SqliteConnection::find(self, names)
    }

    fn try_lock(&mut self, names: &[String]) -> InTransaction<'_, bool> {
        SqliteConnection::try_lock(self, names)
    }

    fn answer(&mut self, answer: IdempotentAnswer) -> Inserting<'_> {
        SqliteConnection::answer(self, answer)
    }
}
