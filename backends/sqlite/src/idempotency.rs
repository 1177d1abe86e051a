//! The store of idempotent calls.

use std::{sync::Arc, time::Duration};

use graceful::{
    StepError,
    backends::{BoxFuture, Claimed, Idempotency, IdempotentAnswer, IdempotentCall, LeaseRenewal, Reply},
};
use graceful_sql::PURGED_AT_ONCE;
use sqlx::{QueryBuilder, SqliteConnection};

use super::{Store, Tables, now, renewal::Renewal};

async fn claim(
    connection: &mut SqliteConnection,
    call: &IdempotentCall,
    lease: Duration,
) -> Result<Claimed, sqlx::Error> {
    if let Some(known) = Tables::known_call(connection, &call.names, true).await? {
        return Ok(Claimed::Known(known));
    }
    delete_expired(connection, &call.names).await?;
    let mut query = QueryBuilder::default();
    Tables::push_insert(&mut query, call, None, lease);
    query.build().execute(connection).await?;
    Ok(Claimed::New)
}

async fn delete_expired(connection: &mut SqliteConnection, names: &[String]) -> Result<(), sqlx::Error> {
    let mut query = QueryBuilder::default();
    Tables::push_delete_expired(&mut query, names);
    query.build().execute(connection).await.map(drop)
}

/// Inserts the answer of a call that has claimed nothing, in place of what has expired.
pub(super) async fn insert_answer(
    connection: &mut SqliteConnection,
    answer: &IdempotentAnswer,
) -> Result<(), sqlx::Error> {
    let IdempotentAnswer { call, answer, window, .. } = answer;
    delete_expired(connection, &call.names).await?;
    let mut query = QueryBuilder::default();
    Tables::push_insert(&mut query, call, Some(answer), *window);
    query.build().execute(connection).await.map(drop)
}

impl Idempotency for Store {
    fn claim(&self, call: IdempotentCall, lease: Duration) -> Reply<Claimed> {
        let (store, call) = (self.clone(), Arc::new(call));
        Reply::pending(async move {
            // A repetition needs no write transaction.
            let names = Arc::clone(&call.names);
            let known = store.read(move |connection| {
                Box::pin(async move { Tables::known_call(connection, &names, true).await })
            });
            if let Some(known) = known.await? {
                return Ok(Claimed::Known(known));
            }
            let claimed = store.writer().write(move |connection| {
                let call = Arc::clone(&call);
                Box::pin(async move { claim(connection, &call, lease).await })
            });
            claimed.await
        })
    }

    fn answer(&self, answer: IdempotentAnswer) -> Reply<bool> {
        let answer = Arc::new(answer);
        self.writer().write(move |connection| {
            let answer = Arc::clone(&answer);
            Box::pin(async move { Tables::answer_call(connection, &answer).await })
        })
    }

    fn release(&self, call: IdempotentCall) -> Reply<()> {
        self.writer().write(move |connection| {
            let call = call.clone();
            Box::pin(async move { Tables::release_call(connection, &call).await })
        })
    }

    fn purge(&self) -> Reply<u64> {
        self.writer().write(|connection| {
            Box::pin(async move {
                let query = sqlx::query(
                    "DELETE FROM graceful_idempotent_calls WHERE rowid IN \
                     (SELECT rowid FROM graceful_idempotent_calls WHERE expires <= ? ORDER BY expires LIMIT ?)",
                );
                Ok(query.bind(now()).bind(PURGED_AT_ONCE).execute(connection).await?.rows_affected())
            })
        })
    }

    fn renewal(&self) -> BoxFuture<Result<Arc<dyn LeaseRenewal>, StepError>> {
        Box::pin(Renewal::connect(self.clone()))
    }
}
