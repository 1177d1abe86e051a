//! Operations on many flows, and pauses.

use std::time::Duration;

use graceful::backends::{
    Count, ItemState, NewOperation, Operation, OperationClaim, OperationItem, OperationState, Operations,
    Page, Pause, PauseTarget, Reply, SelectedFlow, random_secret,
};
use uuid::Uuid;

use super::{Store, Tables};

impl Operations for Store {
    fn pauses(&self) -> Reply<Vec<Pause>> {
        self.read(|connection| Box::pin(Tables::pauses(connection)))
    }

    fn pause(&self, target: PauseTarget, operator: &str, reason: &str) -> Reply<bool> {
        let (operator, reason) = (operator.to_owned(), reason.to_owned());
        self.writer().write(move |connection| {
            let (target, operator, reason) = (target.clone(), operator.clone(), reason.clone());
            Box::pin(async move { Tables::pause(connection, &target, &operator, &reason).await })
        })
    }

    fn resume(&self, target: PauseTarget) -> Reply<bool> {
        self.writer().write(move |connection| {
            let target = target.clone();
            Box::pin(async move { Tables::resume(connection, &target).await })
        })
    }

    fn waiting_behind(&self, handler: &str, cap: u64) -> Reply<Count> {
        let handler = handler.to_owned();
        self.for_operator(move |connection| {
            Box::pin(async move { Tables::waiting_behind(connection, &handler, cap).await })
        })
    }

    fn prepare(&self, operation: NewOperation) -> Reply<()> {
        self.writer().write(move |connection| {
            let operation = operation.clone();
            Box::pin(async move { Tables::prepare(connection, &operation).await })
        })
    }

    fn select(&self, id: Uuid, flows: Vec<SelectedFlow>) -> Reply<()> {
        self.writer().write(move |connection| {
            let flows = flows.clone();
            Box::pin(async move { Tables::select(connection, id, &flows).await })
        })
    }

    fn fix(&self, id: Uuid) -> Reply<Option<Operation>> {
        let (from, to) = (OperationState::Preparing, OperationState::Prepared);
        self.writer().write(move |connection| Box::pin(Tables::change_operation(connection, id, from, to)))
    }

    fn start(&self, id: Uuid) -> Reply<Option<Operation>> {
        let (from, to) = (OperationState::Prepared, OperationState::Running);
        self.writer().write(move |connection| Box::pin(Tables::change_operation(connection, id, from, to)))
    }

    fn cancel(&self, id: Uuid, operator: &str, verified: bool) -> Reply<Option<Operation>> {
        let operator = operator.to_owned();
        self.writer().write(move |connection| {
            let operator = operator.clone();
            Box::pin(async move { Tables::cancel(connection, id, &operator, verified).await })
        })
    }

    fn claim_operation(&self, id: Option<Uuid>, lease: Duration) -> Reply<Option<OperationClaim>> {
        let store = self.clone();
        Reply::pending(async move {
            // Relays ask often, and there is rarely one: a reader says so without a transaction.
            let any = store.read(|connection| {
                let query = sqlx::query_scalar::<_, i64>(
                    "SELECT 1 FROM graceful_operations WHERE recorded = 0 LIMIT 1",
                );
                Box::pin(query.fetch_optional(connection))
            });
            if any.await?.is_none() {
                return Ok(None);
            }
            let claimed = store
                .writer()
                .write(move |connection| Box::pin(Tables::claim_operation(connection, id, lease)));
            claimed.await
        })
    }

    fn advance(&self, claim: OperationClaim, lease: Duration, limit: usize) -> Reply<Option<Operation>> {
        self.writer().write(move |connection| Box::pin(Tables::advance(connection, claim, lease, limit)))
    }

    fn skip_next(&self, claim: OperationClaim, reason: &str) -> Reply<Option<Operation>> {
        let reason = reason.to_owned();
        self.writer().write(move |connection| {
            let reason = reason.clone();
            Box::pin(async move { Tables::skip_next(connection, claim, &reason).await })
        })
    }

    fn end(&self, claim: OperationClaim, state: OperationState) -> Reply<bool> {
        self.writer().write(move |connection| Box::pin(Tables::end_operation(connection, claim, state)))
    }

    fn record(&self, claim: OperationClaim) -> Reply<bool> {
        self.writer().write(move |connection| Box::pin(Tables::record_operation(connection, claim)))
    }

    fn secret(&self, name: &str) -> Reply<Vec<u8>> {
        let (store, name) = (self.clone(), name.to_owned());
        Reply::pending(async move {
            let wanted = name.clone();
            let found = store
                .read(move |connection| Box::pin(async move { Tables::secret(connection, &wanted).await }));
            if let Some(secret) = found.await? {
                return Ok(secret);
            }
            let secret = random_secret()?;
            let created = store.writer().write(move |connection| {
                let (name, secret) = (name.clone(), secret.clone());
                Box::pin(async move { Tables::create_secret(connection, &name, secret).await })
            });
            created.await
        })
    }

    fn operation(&self, id: Uuid) -> Reply<Option<Operation>> {
        self.read(move |connection| Box::pin(Tables::operation(connection, id)))
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
                    .writer()
                    .write(move |connection| Box::pin(Tables::purge_operation(connection, age)));
                match step.await? {
                    (0, _) => return Ok(purged),
                    (_, operations) => purged += operations,
                }
            }
        })
    }
}
