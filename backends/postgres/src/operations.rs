//! Operations on many flows, and pauses.

use std::time::Duration;

use graceful::backends::{
    Count, ItemState, NewOperation, Operation, OperationClaim, OperationItem, OperationState, Operations,
    Page, Pause, PauseTarget, Reply, SelectedFlow, random_secret,
};
use uuid::Uuid;

use super::{Running, Store, Tables, begin};

impl Store {
    /// Runs work in a transaction that waits for no lock for long.
    pub(super) fn in_transaction<T, F>(&self, work: F) -> Reply<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut sqlx::PgConnection) -> Running<'c, T> + Send + 'static,
    {
        self.insist(move |connection| {
            Box::pin(async move {
                let mut transaction = begin(connection).await?;
                // Whoever waits for a flow keeps claims waiting.
                sqlx::query("SET LOCAL lock_timeout = '250ms'").execute(&mut *transaction).await?;
                let done = work(&mut transaction).await?;
                transaction.commit().await?;
                Ok(done)
            })
        })
    }
}

impl Operations for Store {
    fn pauses(&self) -> Reply<Vec<Pause>> {
        self.insist(|connection| Box::pin(Tables::pauses(connection)))
    }

    fn pause(&self, target: PauseTarget, operator: &str, reason: &str) -> Reply<bool> {
        let (operator, reason) = (operator.to_owned(), reason.to_owned());
        self.insist(move |connection| {
            Box::pin(async move { Tables::pause(connection, &target, &operator, &reason).await })
        })
    }

    fn resume(&self, target: PauseTarget) -> Reply<bool> {
        self.idle.wake();
        self.insist(move |connection| Box::pin(async move { Tables::resume(connection, &target).await }))
    }

    fn waiting_behind(&self, handler: &str, cap: u64) -> Reply<Count> {
        let handler = handler.to_owned();
        self.for_operator(move |connection| {
            Box::pin(async move { Tables::waiting_behind(connection, &handler, cap).await })
        })
    }

    fn prepare(&self, operation: NewOperation) -> Reply<()> {
        self.insist(move |connection| Box::pin(async move { Tables::prepare(connection, &operation).await }))
    }

    fn select(&self, id: Uuid, flows: Vec<SelectedFlow>) -> Reply<()> {
        self.in_transaction(move |connection| {
            Box::pin(async move { Tables::select(connection, id, &flows).await })
        })
    }

    fn fix(&self, id: Uuid) -> Reply<Option<Operation>> {
        let (from, to) = (OperationState::Preparing, OperationState::Prepared);
        self.insist(move |connection| Box::pin(Tables::change_operation(connection, id, from, to)))
    }

    fn start(&self, id: Uuid) -> Reply<Option<Operation>> {
        let (from, to) = (OperationState::Prepared, OperationState::Running);
        self.insist(move |connection| Box::pin(Tables::change_operation(connection, id, from, to)))
    }

    fn cancel(&self, id: Uuid, operator: &str, verified: bool) -> Reply<Option<Operation>> {
        let operator = operator.to_owned();
        self.insist(move |connection| {
            Box::pin(async move { Tables::cancel(connection, id, &operator, verified).await })
        })
    }

    fn claim_operation(&self, id: Option<Uuid>, lease: Duration) -> Reply<Option<OperationClaim>> {
        self.insist(move |connection| Box::pin(Tables::claim_operation(connection, id, lease)))
    }

    fn advance(&self, claim: OperationClaim, lease: Duration, limit: usize) -> Reply<Option<Operation>> {
        self.idle.wake();
        self.in_transaction(move |connection| Box::pin(Tables::advance(connection, claim, lease, limit)))
    }

    fn skip_next(&self, claim: OperationClaim, reason: &str) -> Reply<Option<Operation>> {
        let reason = reason.to_owned();
        self.in_transaction(move |connection| {
            Box::pin(async move { Tables::skip_next(connection, claim, &reason).await })
        })
    }

    fn end(&self, claim: OperationClaim, state: OperationState) -> Reply<bool> {
        self.insist(move |connection| Box::pin(Tables::end_operation(connection, claim, state)))
    }

    fn record(&self, claim: OperationClaim) -> Reply<bool> {
        self.insist(move |connection| Box::pin(Tables::record_operation(connection, claim)))
    }

    fn secret(&self, name: &str) -> Reply<Vec<u8>> {
        let name = name.to_owned();
        let new = match random_secret() {
            Ok(new) => new,
            Err(error) => return Reply::failed(error),
        };
        self.insist(move |connection| {
            Box::pin(async move {
                // A role that may only read can use a secret that exists.
                match Tables::secret(connection, &name).await? {
                    Some(secret) => Ok(secret),
                    None => Tables::create_secret(connection, &name, new).await,
                }
            })
        })
    }

    fn operation(&self, id: Uuid) -> Reply<Option<Operation>> {
        self.insist(move |connection| Box::pin(Tables::operation(connection, id)))
    }

    fn list(&self, after: Option<Uuid>, limit: usize) -> Reply<Page<Operation, Uuid>> {
        self.for_operator(move |connection| Box::pin(Tables::operations(connection, after, limit)))
    }

    fn operations_on(&self, flow: Uuid) -> Reply<Vec<Operation>> {
        self.for_operator(move |connection| Box::pin(Tables::operations_on(connection, flow)))
    }

    fn items(
        &self,
        id: Uuid,
        state: Option<ItemState>,
        after: Option<Uuid>,
        limit: usize,
    ) -> Reply<Page<OperationItem, Uuid>> {
        self.for_operator(move |connection| Box::pin(Tables::items(connection, id, state, after, limit)))
    }

    fn purge_operations(&self, age: Duration) -> Reply<u64> {
        let store = self.clone();
        Reply::pending(async move {
            let mut purged = 0;
            loop {
                let step = store
                    .in_transaction(move |connection| Box::pin(Tables::purge_operation(connection, age)));
                match step.await? {
                    (0, _) => return Ok(purged),
                    (_, operations) => purged += operations,
                }
            }
        })
    }
}
