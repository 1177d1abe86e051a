//! Runs operations to their ends.

use std::{sync::Arc, time::Duration};

use uuid::Uuid;

use super::{operations, record::Recorder, store, unknown};
use crate::{
    backends::{FlowStore, Operation, OperationClaim, OperationState, Operations},
    outage,
    pipeline::{Orchestrator, WeakOrchestrator},
    step::StepError,
};

/// The lease of a process that runs an operation.
const LEASE: Duration = Duration::from_secs(15);

/// How many flows are changed in one transaction.
const AT_ONCE: usize = 100;

/// The pause after each transaction: at most 1,000 flows per second are changed.
const PAUSE: Duration = Duration::from_millis(100);

/// After so many failures of the store in a row, this process gives up.
const PATIENCE: usize = 20;

/// The pause after a failure.
const AGAIN: Duration = Duration::from_millis(500);

/// How often a relay looks for operations whose process has died.
const LOOKED_EVERY: Duration = Duration::from_secs(5);

/// Starts an operation that was prepared. One that is running already stays as it is.
///
/// # Errors
/// Fails if the operation has expired or ended, or if the store fails.
pub async fn start(orchestrator: &Orchestrator, id: Uuid) -> Result<Operation, StepError> {
    let operation = operations(store(orchestrator)?)?.start(id).await?.ok_or_else(|| unknown(id))?;
    match operation.state {
        OperationState::Running => Ok(operation),
        OperationState::Expired => {
            Err(StepError::new("the operation was prepared more than an hour ago: prepare it again"))
        }
        state => Err(StepError::new(format_args!("the operation is {state}"))),
    }
}

/// Runs a started operation to its end, and appends its audit record. `progress` is called after each transaction. Returns the operation as it is
/// at the end; one that has ended already is returned at once.
///
/// If another process runs the operation, this waits for its end, or for its lease. If the future is dropped, another process goes on when the lease
/// of 15 seconds expires.
///
/// # Errors
/// Fails if the store fails 20 times in a row, or if the audit record could not be appended; in that case the operation stays running, and another
/// process tries again.
pub async fn run(
    orchestrator: &Orchestrator,
    id: Uuid,
    progress: impl FnMut(&Operation),
) -> Result<Operation, StepError> {
    let worker = Worker::of(orchestrator)?;
    worker.run(id, progress).await
}

/// Cancels an operation, and appends its audit record if it was running. What it has changed stays changed.
///
/// # Errors
/// Fails if there is no such operation, if the store fails, or if the audit record could not be appended.
pub async fn cancel(orchestrator: &Orchestrator, id: Uuid) -> Result<Operation, StepError> {
    let operations = operations(store(orchestrator)?)?;
    let before = operations.operation(id).await?.ok_or_else(|| unknown(id))?;
    let operation = operations.cancel(id).await?.ok_or_else(|| unknown(id))?;
    if before.state == OperationState::Running && operation.state == OperationState::Cancelled {
        Recorder::of(orchestrator).operation(&operation, operations).await?;
    }
    Ok(operation)
}

/// Goes on with operations whose processes have died, until the orchestrator is dropped.
pub(crate) async fn run_abandoned(orchestrator: WeakOrchestrator) {
    loop {
        tokio::time::sleep(LOOKED_EVERY).await;
        let Some(strong) = orchestrator.upgrade() else { return };
        // The operation must not keep the orchestrator alive.
        let Ok(worker) = Worker::of(&strong) else { return };
        drop(strong);
        if let Err(error) = worker.run_any().await
            && let Some(failures) = outage::failed("an operation")
        {
            tracing::warn!(target: "graceful::operations", error = error.message(), failures, "an operation could not go on");
        }
    }
}

struct Worker {
    store: Arc<dyn FlowStore>,
    recorder: Recorder,
}

impl Worker {
    fn of(orchestrator: &Orchestrator) -> Result<Self, StepError> {
        operations(store(orchestrator)?)?;
        let missing = || StepError::new("the orchestrator has no store of durable flows");
        let store = orchestrator.flows().cloned().ok_or_else(missing)?;
        Ok(Self { store, recorder: Recorder::of(orchestrator) })
    }

    fn operations(&self) -> Result<&dyn Operations, StepError> {
        operations(&*self.store)
    }

    async fn run(&self, id: Uuid, mut progress: impl FnMut(&Operation)) -> Result<Operation, StepError> {
        let operations = self.operations()?;
        loop {
            if let Some(claim) = operations.claim_operation(Some(id), LEASE).await? {
                self.advance(claim, &mut progress).await?;
            }
            let operation = operations.operation(id).await?.ok_or_else(|| unknown(id))?;
            progress(&operation);
            if operation.state != OperationState::Running {
                return Ok(operation);
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn run_any(&self) -> Result<(), StepError> {
        while let Some(claim) = self.operations()?.claim_operation(None, LEASE).await? {
            self.advance(claim, &mut |_| ()).await?;
        }
        Ok(())
    }

    /// Goes on until the operation ends or the claim is lost.
    async fn advance(
        &self,
        claim: OperationClaim,
        progress: &mut impl FnMut(&Operation),
    ) -> Result<(), StepError> {
        let (operations, mut failures, mut one_by_one) = (self.operations()?, 0, 0);
        loop {
            let at_once = if one_by_one > 0 { 1 } else { AT_ONCE };
            let operation = match operations.advance(claim, LEASE, at_once).await {
                Ok(Some(operation)) => operation,
                Ok(None) => return Ok(()),
                Err(error) => {
                    match one_by_one {
                        // One of the flows may be the reason.
                        0 => one_by_one = AT_ONCE,
                        _ if self.skipped(claim, &error).await? => {
                            failures = 0;
                            continue;
                        }
                        _ => {}
                    }
                    failures += 1;
                    if failures == PATIENCE {
                        return Err(error);
                    }
                    if failures > 1 {
                        tokio::time::sleep(AGAIN).await;
                    }
                    continue;
                }
            };
            failures = 0;
            one_by_one = one_by_one.saturating_sub(1);
            progress(&operation);
            let state = match (operation.is_failing(), operation.left()) {
                (true, _) => OperationState::Stopped,
                (false, 0) => OperationState::Completed,
                _ if one_by_one > 0 => continue,
                _ => {
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            // The record has the id of the operation, so it is appended once, even if this process dies before the next call.
            self.recorder.operation(&Operation { state, ..operation }, operations).await?;
            operations.end(claim, state).await?;
            return Ok(());
        }
    }

    /// Skips the next flow, if the store answers and fails to change it. Returns false if the store is unavailable.
    async fn skipped(&self, claim: OperationClaim, error: &StepError) -> Result<bool, StepError> {
        if self.store.probe().await.is_err() {
            return Ok(false);
        }
        self.operations()?.skip_next(claim, error.message()).await.map(|_| true)
    }
}
