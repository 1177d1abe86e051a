//! Queries of operators: on connections of their own, and ended by the server in time.

use std::time::Duration;

use graceful::backends::Reply;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool, Postgres, Transaction};
use tokio::time::Instant;

use super::{Running, Store};

/// How many queries of operators run concurrently.
const CONNECTIONS: u32 = 2;

/// The pool of these queries, with the settings of the service's pool. No connection is opened before the first query.
pub(super) fn pool(service: &PgPool) -> PgPool {
    let options = service.options().clone().min_connections(0).max_connections(CONNECTIONS);
    options.connect_lazy_with((*service.connect_options()).clone())
}

/// The time limit of a statement, by the time that is left for the call. The server ends the statement before the client gives up.
fn limit(left: Duration) -> Duration {
    (left * 5 / 6).max(Duration::from_millis(1))
}

/// Begins a transaction that only reads, and whose statements end in time. Both hold for the transaction: a setting of the session would be that of
/// the next client of a pooler.
async fn begin(
    connection: &mut PgConnection,
    limit: Duration,
) -> Result<Transaction<'_, Postgres>, sqlx::Error> {
    let statement = format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL statement_timeout = {}; \
         SET LOCAL idle_in_transaction_session_timeout = '3s'",
        limit.as_millis()
    );
    connection.begin_with(AssertSqlSafe(statement)).await
}

impl Store {
    /// Runs a query of an operator. It takes none of the service's connections, and its failures do not open the circuit breaker.
    pub(super) fn for_operator<T, F>(&self, query: F) -> Reply<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut PgConnection) -> Running<'c, T> + Send + 'static,
    {
        let (store, start) = (self.clone(), Instant::now());
        Reply::within(&self.runtime, async move {
            let limited = store.clone();
            let done = store.on(&store.operators, store.timeout, move |connection| {
                Box::pin(async move {
                    let left = limited.timeout.saturating_sub(start.elapsed());
                    limited.unit(begin(connection, limit(left)).await?, query).await
                })
            });
            Ok(done.await?)
        })
    }
}
