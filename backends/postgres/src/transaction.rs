//! A flow, and the answer of an idempotent call, in the transaction of the handler.

use std::sync::atomic::{AtomicBool, Ordering};

use graceful::{
    StepError,
    backends::{
        AnotherDatabase, IdempotentAnswer, InTransaction, Inserting, KnownCall, NoOpenTransaction,
        QueuedFlow, Transaction,
    },
};
use graceful_sql::call_names;
use sqlx::{Connection as _, PgConnection, Postgres, QueryBuilder};

use super::{Store, Tables, flows};

/// A transaction of the user's does not say whether its connection is a pooler's; a store does, and theirs is the same database.
static POOLED: AtomicBool = AtomicBool::new(false);

/// From now on nothing is prepared under a name in transactions of the user's: it would be left to the next who gets the connection.
pub(super) fn meets_poolers() {
    POOLED.store(true, Ordering::Relaxed);
}

pub(super) fn may_prepare() -> bool {
    !POOLED.load(Ordering::Relaxed)
}

/// By the code of a table that is not there; the statement names no other than ours.
fn failed(error: sqlx::Error) -> StepError {
    let undefined = error.as_database_error().filter(|error| error.code().as_deref() == Some("42P01"));
    match undefined.map(|error| error.message().to_owned()) {
        Some(said) => StepError::caused_by(AnotherDatabase::new("PostgreSQL", said)),
        None => StepError::caused_by(error),
    }
}

/// The error of a statement that inserts an answer. Another transaction may have inserted one meanwhile: a unique violation; under `repeatable
/// read` or `serializable` also a failure to serialise; and with several names a deadlock.
fn not_answered(error: sqlx::Error) -> StepError {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    match code.as_deref() {
        Some("23505" | "40001" | "40P01") => StepError::aborted(format_args!(
            "another call with this idempotency key has committed meanwhile ({error}): roll the transaction back, and try again"
        )),
        _ => failed(error),
    }
}

/// Appends `WITH` that removes the rows of an answer that have expired, and the insertion of the answer afterwards.
fn push_answer(query: &mut QueryBuilder<Postgres>, before: &str, answer: &IdempotentAnswer) {
    let IdempotentAnswer { call, answer, window, .. } = answer;
    query.push("WITH expired AS (");
    Tables::push_delete_expired(query, &call.names);
    query.push(" RETURNING name) ").push(before);
    Tables::push_insert(query, call, Some(answer), *window);
    // It makes the deletion the first of the two.
    query.push(" WHERE (SELECT count(*) FROM expired) >= 0");
}

/// Inserts a flow and its answer in one statement. If another call has an answer, the statement fails, and nothing can be committed any more.
async fn insert(
    connection: &mut PgConnection,
    flow: &QueuedFlow,
    answer: &IdempotentAnswer,
) -> Result<(), sqlx::Error> {
    let mut query = QueryBuilder::default();
    push_answer(&mut query, ", answered AS (", answer);
    query.push(") ");
    flows::push_insert(&mut query, flow, "");
    query.build().persistent(may_prepare()).execute(connection).await.map(drop)
}

async fn try_lock(connection: &mut PgConnection, names: Vec<Vec<u8>>) -> Result<bool, sqlx::Error> {
    // The table, whatever the search path: the same names may be in use in another schema.
    let query = sqlx::query_scalar(
        "SELECT coalesce(bool_and(pg_try_advisory_xact_lock(\
         hashtextextended(encode(name, 'hex'), 'graceful_idempotent_calls'::regclass::oid::bigint))), TRUE) \
         FROM (SELECT name FROM unnest($1) AS given (name) ORDER BY name) AS sorted",
    );
    query.bind(names).persistent(may_prepare()).fetch_one(connection).await
}

/// Whether the lock is still there. It is asked if sqlx has begun no transaction on the connection; a statement of the user's may have.
async fn has_advisory_lock(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let query = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())",
    );
    query.persistent(may_prepare()).fetch_one(connection).await
}

impl Transaction<Store> for PgConnection {
    fn insert(&mut self, mut flow: QueuedFlow) -> Inserting<'_> {
        Box::pin(async move {
            match flow.answer.take() {
                Some(answer) => insert(self, &flow, &answer).await.map_err(not_answered),
                None => flows::insert(self, &flow).await.map_err(failed),
            }
        })
    }

    fn lock(&mut self) -> Option<Inserting<'_>> {
        None
    }

    fn locks_all(&self) -> bool {
        false
    }

    fn find(&mut self, names: &[String]) -> InTransaction<'_, Option<KnownCall>> {
        let names = names.to_vec();
        Box::pin(async move { Tables::known_call(self, &names, may_prepare()).await.map_err(failed) })
    }

    fn try_lock(&mut self, names: &[String]) -> InTransaction<'_, bool> {
        let names = call_names(names).into_iter().map(Vec::from).collect();
        Box::pin(async move {
            let is_locked = try_lock(self, names).await.map_err(failed)?;
            if is_locked && !self.is_in_transaction() && !has_advisory_lock(self).await.map_err(failed)? {
                return Err(StepError::caused_by(NoOpenTransaction::new()));
            }
            Ok(is_locked)
        })
    }

    fn answer(&mut self, answer: IdempotentAnswer) -> Inserting<'_> {
        Box::pin(async move {
            let mut query = QueryBuilder::default();
            push_answer(&mut query, "", &answer);
            query.build().persistent(may_prepare()).execute(self).await.map(drop).map_err(not_answered)
        })
    }
}

impl Transaction<Store> for sqlx::Transaction<'_, Postgres> {
    fn insert(&mut self, flow: QueuedFlow) -> Inserting<'_> {
        PgConnection::insert(self, flow)
    }

    fn lock(&mut self) -> Option<Inserting<'_>> {
        None
    }

    fn locks_all(&self) -> bool {
        false
    }

    fn find(&mut self, names: &[String]) -> InTransaction<'_, Option<KnownCall>> {
        PgConnection::find(self, names)
    }

    fn try_lock(&mut self, names: &[String]) -> InTransaction<'_, bool> {
        PgConnection::try_lock(self, names)
    }

    fn answer(&mut self, answer: IdempotentAnswer) -> Inserting<'_> {
        PgConnection::answer(self, answer)
    }
}
