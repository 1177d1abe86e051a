//! The store of idempotent calls.

use std::{sync::Arc, time::Duration};

use graceful::{
    StepError, Text,
    backends::{
        BoxFuture, Claimed, Idempotency, IdempotentAnswer, IdempotentCall, LeaseRenewal, Reply, RequestHash,
    },
};
use graceful_sql::{PURGED_AT_ONCE, call_names, values::length};
use sqlx::PgConnection;

use super::{Store, Tables, renewal::Renewal};

async fn claim(
    connection: &mut PgConnection,
    call: &IdempotentCall,
    lease: Duration,
) -> Result<Claimed, sqlx::Error> {
    let names: Vec<_> = call_names(&call.names).into_iter().map(Vec::from).collect();
    let query = sqlx::query(
        "SELECT request, answered, answer, expires - graceful_now() AS remaining FROM graceful_claim_call($1, $2, $3, $4)",
    );
    let query = query.bind(names).bind(call.token).bind(call.request.as_ref().map(RequestHash::as_bytes));
    let known = query.bind(length(lease)).fetch_optional(connection).await?;
    known.as_ref().map_or(Ok(Claimed::New), |row| Tables::decode_call(row).map(Claimed::Known))
}

async fn purge(connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let query = sqlx::query(
        "DELETE FROM graceful_idempotent_calls WHERE ctid = ANY (ARRAY(\
         SELECT ctid FROM graceful_idempotent_calls WHERE expires <= graceful_now() ORDER BY expires LIMIT $1 FOR UPDATE SKIP LOCKED))",
    );
    Ok(query.bind(i64::from(PURGED_AT_ONCE)).execute(connection).await?.rows_affected())
}

impl Store {
    /// Allows idempotent handlers although `synchronous_commit` is `off`: then a crash of the server may forget answers of its last moments that
    /// it has confirmed, and a repetition runs the handler again. In a URL it is `allow_asynchronous_commit=true`.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), graceful::backends::client::ConnectError> {
    /// use graceful_postgres::Store;
    ///
    /// let store = Store::connect("postgres://127.0.0.1/users").await?.allow_asynchronous_commit();
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn allow_asynchronous_commit(self) -> Self {
        Self { commits_asynchronously: false, ..self }
    }
}

impl Idempotency for Store {
    fn claim(&self, call: IdempotentCall, lease: Duration) -> Reply<Claimed> {
        self.insist(move |connection| Box::pin(async move { claim(connection, &call, lease).await }))
    }

    fn answer(&self, answer: IdempotentAnswer) -> Reply<bool> {
        self.insist(move |connection| Box::pin(async move { Tables::answer_call(connection, &answer).await }))
    }

    fn release(&self, call: IdempotentCall) -> Reply<()> {
        self.insist(move |connection| Box::pin(async move { Tables::release_call(connection, &call).await }))
    }

    fn purge(&self) -> Reply<u64> {
        self.insist(|connection| Box::pin(purge(connection)))
    }

    fn renewal(&self) -> BoxFuture<Result<Arc<dyn LeaseRenewal>, StepError>> {
        Box::pin(Renewal::connect(self.clone()))
    }

    fn unfit(&self) -> Option<Text> {
        self.commits_asynchronously.then(|| {
            Text::from(format_args!(
                "{}: `synchronous_commit` is `off`, so a crash of the server may forget answers that it has confirmed: set it to `on` for the role \
                 of the service (`ALTER ROLE … SET synchronous_commit = on`), or allow it by `allow_asynchronous_commit=true` in the URL",
                self.place
            ))
        })
    }
}
