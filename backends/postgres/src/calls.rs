//! Calls of the server: on a connection of a pool, within a time limit, and reported to the circuit breaker.

use std::time::Duration;

use graceful::{
    StepError,
    backends::{
        Reply,
        client::{Breaker, Call},
    },
};
use sqlx::{Connection as _, PgConnection, PgPool, Postgres, Transaction, pool::PoolConnection};
use tokio::time::timeout;

use super::{Failed, Running, Store, begin, failed};

impl Store {
    /// Runs the work of a step; fails at once while the circuit breaker is open.
    pub(super) fn run<T, F>(&self, work: F) -> Reply<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut PgConnection) -> Running<'c, T> + Send + 'static,
    {
        self.admitted(Breaker::admit, work)
    }

    /// Runs work on a flow even while the circuit breaker is open, because a flow that is not stored is not durable.
    pub(super) fn insist<T, F>(&self, work: F) -> Reply<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut PgConnection) -> Running<'c, T> + Send + 'static,
    {
        self.admitted(|breaker| Ok(breaker.attempt()), work)
    }

    fn admitted<T, F>(&self, admit: fn(&Breaker) -> Result<Call<'_>, StepError>, work: F) -> Reply<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut PgConnection) -> Running<'c, T> + Send + 'static,
    {
        let store = self.clone();
        Reply::within(&self.runtime, async move {
            let attempt = admit(&store.breaker)?;
            Ok(store.attempted(attempt, store.timeout, work).await?)
        })
    }

    /// Runs work within this time, and reports to the circuit breaker how it ended.
    pub(super) async fn attempted<T, F>(
        &self,
        attempt: Call<'_>,
        limit: Duration,
        work: F,
    ) -> Result<T, Failed>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut PgConnection) -> Running<'c, T> + Send + 'static,
    {
        let done = match self.in_transactions {
            true => {
                let unit = self.clone();
                let done = self.on(&self.pool, limit, move |connection| {
                    Box::pin(async move { unit.unit(begin(connection).await?, work).await })
                });
                done.await
            }
            false => self.on(&self.pool, limit, work).await,
        };
        match &done {
            Err(Failed { is_unavailable: true, .. }) => attempt.failed(),
            _ => attempt.succeeded(),
        }
        done
    }

    /// Runs work on a connection of a pool within this time.
    pub(super) async fn on<T, F>(&self, pool: &PgPool, limit: Duration, work: F) -> Result<T, Failed>
    where
        F: for<'c> FnOnce(&'c mut PgConnection) -> Running<'c, T>,
    {
        let mut used: Option<PoolConnection<_>> = None;
        let done = self.limited(limit, async {
            let connection = used.insert(pool.acquire().await?);
            work(&mut *connection).await
        });
        let done = done.await;
        if let Err(Failed { is_unavailable, .. }) = &done
            && (*is_unavailable || self.is_pooled)
        {
            // A statement may still be running on this connection, so it cannot be reused.
            drop(used.map(PoolConnection::detach));
        }
        done
    }

    /// Runs work in one transaction: if the default isolation differs from ours, if a pooler could assign another server connection to
    /// each statement, and for the settings of a query. Behind a pooler nothing may stay on that connection, because other clients use it next.
    pub(super) async fn unit<T, F>(
        &self,
        mut transaction: Transaction<'_, Postgres>,
        work: F,
    ) -> Result<T, sqlx::Error>
    where
        F: for<'c> FnOnce(&'c mut PgConnection) -> Running<'c, T>,
    {
        let done = work(&mut transaction).await?;
        if self.is_pooled {
            transaction.clear_cached_statements().await?;
        }
        transaction.commit().await?;
        Ok(done)
    }

    pub(super) async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, Failed> {
        self.limited(self.timeout, work).await
    }

    async fn limited<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, Failed> {
        match timeout(limit, work).await {
            Ok(done) => done.map_err(|error| self.failed(&error)),
            Err(_) => Err(self.no_answer()),
        }
    }

    pub(super) fn no_answer(&self) -> Failed {
        let Self { place, timeout, .. } = self;
        Failed { is_unavailable: true, why: format!("{place}: no answer within {timeout:?}") }
    }

    pub(super) fn failed(&self, error: &sqlx::Error) -> Failed {
        Failed { is_unavailable: failed::is_unavailable(error), why: format!("{}: {error}", self.place) }
    }
}
