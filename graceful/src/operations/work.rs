//! Runs operations to their ends.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use uuid::Uuid;

use super::{Operator, operations, record::Recorder, store, unknown};
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

/// The pause after a transaction, for each of its flows: at most 1,000 flows per second are changed.
const PAUSE: Duration = Duration::from_millis(1);

/// The pause after a transaction that has changed nothing, because resubmitted flows wait for their first attempts.
const PAUSE_OF_WAITING: Duration = Duration::from_secs(1);

/// How long an operation at the end of its list waits for the last first attempts, after the last one that has finished.
const LAST_ATTEMPTS: Duration = Duration::from_secs(10);

/// After this number of failures in a row, this process gives up.
const MAX_STORE_FAILURES: usize = 20;

/// The store must fail this often to change one flow, and answer otherwise, before the flow is skipped.
const MAX_FLOW_FAILURES: usize = 3;

/// The pause after a failure.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// How often a relay looks for operations whose process has died.
const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// How many of them it runs concurrently.
const CONCURRENCY: usize = 8;

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
/// Fails if the store fails 20 times in a row, or if the audit record could not be appended; then the operation has ended, and a relay appends
/// the record later.
pub async fn run(
    orchestrator: &Orchestrator,
    id: Uuid,
    mut progress: impl FnMut(&Operation),
) -> Result<Operation, StepError> {
    let (worker, mut failures) = (Worker::of(orchestrator)?, 0);
    loop {
        match worker.step(id, &mut progress).await {
            Ok(operation) if operation.state != OperationState::Running => return Ok(operation),
            Ok(_) => failures = 0,
            Err(error) => {
                failures += 1;
                if failures == MAX_STORE_FAILURES || error.is_final {
                    return Err(error.error);
                }
            }
        }
        sleep(RETRY_DELAY).await;
    }
}

/// Cancels an operation in the name of an operator, and appends its audit record if it was started. What it has changed stays changed.
///
/// # Errors
/// Fails if there is no such operation, if it has ended otherwise, if the store fails, or if the audit record could not be appended; then it is
/// cancelled, and a relay appends the record.
pub async fn cancel<'a>(
    orchestrator: &Orchestrator,
    id: Uuid,
    operator: impl Into<Operator<'a>>,
) -> Result<Operation, StepError> {
    let Operator { name, verified } = operator.into();
    let worker = Worker::of(orchestrator)?;
    let operations = worker.operations()?;
    let operation = operations.cancel(id, name, verified).await?.ok_or_else(|| unknown(id))?;
    match operation.state {
        OperationState::Cancelled => {}
        state => return Err(StepError::new(format_args!("the operation is {state}"))),
    }
    if let Some(claim) = operations.claim_operation(Some(id), LEASE).await? {
        worker.record(claim, &operation).await?;
    }
    Ok(operation)
}

/// Resumes operations whose processes have died, until the orchestrator is dropped or shut down.
pub(crate) async fn run_abandoned(orchestrator: WeakOrchestrator) {
    const RESUMING: &str = "resuming an operation failed";
    let mut running = JoinSet::new();
    loop {
        sleep(POLL_INTERVAL).await;
        let Some(strong) = orchestrator.upgrade().filter(|strong| !strong.is_shutting_down()) else { return };
        // The operations must not keep the orchestrator alive.
        let Ok(worker) = Worker::of(&strong) else { return };
        drop(strong);
        while let Some(ended) = running.try_join_next() {
            match ended.map_err(StepError::caused_by).flatten() {
                Ok(()) => drop(outage::succeeded(RESUMING)),
                Err(error) => log(RESUMING, &error),
            }
        }
        while running.len() < CONCURRENCY {
            let claimed = match worker.operations() {
                Ok(operations) => operations.claim_operation(None, LEASE).await,
                Err(_) => return,
            };
            match claimed {
                Ok(Some(claim)) => {
                    let worker = worker.clone();
                    running.spawn(async move {
                        worker.advance(claim, true, &mut |_| ()).await.map_err(|failure| failure.error)
                    });
                }
                Ok(None) => break,
                Err(error) => {
                    log(RESUMING, &error);
                    break;
                }
            }
        }
    }
}

fn log(what: &'static str, error: &StepError) {
    if let Some(failures) = outage::failed(what) {
        tracing::warn!(target: "graceful::operations", error = error.message(), failures, "{what}");
    }
}

/// Why an operation could not go on.
struct Failure {
    error: StepError,
    /// Whether this process has tried often enough.
    is_final: bool,
}

impl Failure {
    const fn last(error: StepError) -> Self {
        Self { error, is_final: true }
    }
}

impl From<StepError> for Failure {
    fn from(error: StepError) -> Self {
        Self { error, is_final: false }
    }
}

/// How many flows are changed in one transaction, by the failures of the store.
#[derive(Default)]
struct Pace {
    /// The failures in a row.
    failures: usize,
    /// How many of the next flows are changed one by one, because one of them may be the reason of a failure.
    one_by_one: usize,
}

/// What to do after a failure of the store.
enum AfterFailure {
    Repeat,
    Wait,
    SkipFlow,
    GiveUp,
}

impl Pace {
    const fn at_once(&self) -> usize {
        if self.one_by_one > 0 { 1 } else { AT_ONCE }
    }

    const fn succeeded(&mut self) {
        *self = Self { failures: 0, one_by_one: self.one_by_one.saturating_sub(1) };
    }

    const fn failed(&mut self) -> AfterFailure {
        self.failures += 1;
        match (self.one_by_one, self.failures) {
            (_, MAX_STORE_FAILURES) => AfterFailure::GiveUp,
            (0, _) => {
                *self = Self { failures: 0, one_by_one: AT_ONCE };
                AfterFailure::Repeat
            }
            (_, MAX_FLOW_FAILURES..) => AfterFailure::SkipFlow,
            (_, 1) => AfterFailure::Repeat,
            _ => AfterFailure::Wait,
        }
    }
}

#[derive(Clone)]
struct Worker {
    store: Arc<dyn FlowStore>,
    recorder: Recorder,
}

impl Worker {
    fn of(orchestrator: &Orchestrator) -> Result<Self, StepError> {
        let store = Arc::clone(store(orchestrator)?);
        operations(&store)?;
        Ok(Self { store, recorder: Recorder::of(orchestrator) })
    }

    fn operations(&self) -> Result<&dyn Operations, StepError> {
        operations(&self.store)
    }

    /// Goes on with an operation, if no other process has it.
    async fn step(&self, id: Uuid, progress: &mut impl FnMut(&Operation)) -> Result<Operation, Failure> {
        let operations = self.operations()?;
        if let Some(claim) = operations.claim_operation(Some(id), LEASE).await? {
            self.advance(claim, false, progress).await?;
        }
        let operation = operations.operation(id).await?.ok_or_else(|| unknown(id))?;
        progress(&operation);
        Ok(operation)
    }

    /// Whether the first attempts of the flows that were resubmitted last may finish soon.
    async fn awaits_last_attempts(&self, moved: Instant) -> bool {
        moved.elapsed() < LAST_ATTEMPTS && self.store.relays().await.is_ok_and(|relays| !relays.is_empty())
    }

    /// Goes on until the operation ends or the claim is lost. With `yields`, until flows have been waiting for a while: other operations may
    /// need this process, and the lease expires.
    async fn advance(
        &self,
        claim: OperationClaim,
        yields: bool,
        progress: &mut impl FnMut(&Operation),
    ) -> Result<(), Failure> {
        let operations = self.operations()?;
        // One that was cancelled, or whose process has died after its end.
        let found = operations.operation(claim.id).await?.ok_or_else(|| unknown(claim.id))?;
        if found.state.is_ended() {
            return self.record(claim, &found).await.map_err(Failure::last);
        }
        let (mut pace, mut last, mut moved) = (Pace::default(), None, Instant::now());
        loop {
            let operation = match operations.advance(claim, LEASE, pace.at_once()).await {
                Ok(Some(operation)) => operation,
                Ok(None) => return Ok(()),
                Err(error) => match self.after_failure(claim, error, pace.failed()).await? {
                    Some(operation) => operation,
                    None => continue,
                },
            };
            pace.succeeded();
            progress(&operation);
            let state = match (operation.is_failing(), operation.left()) {
                (true, _) => OperationState::Stopped,
                (false, 0) if operation.waiting == 0 || !self.awaits_last_attempts(moved).await => {
                    OperationState::Completed
                }
                _ if last.as_ref() == Some(&operation) => {
                    if yields && moved.elapsed() > LAST_ATTEMPTS {
                        return Ok(());
                    }
                    sleep(PAUSE_OF_WAITING).await;
                    continue;
                }
                (_, left) => {
                    let before = last.as_ref().map_or(operation.selected, Operation::left);
                    let changed = u32::try_from(before.saturating_sub(left)).unwrap_or(u32::MAX);
                    sleep(PAUSE.saturating_mul(changed.clamp(1, 100))).await;
                    (last, moved) = (Some(operation), Instant::now());
                    continue;
                }
            };
            if operations.end(claim, state).await? {
                let ended = Operation { state, ..operation };
                self.record(claim, &ended).await.map_err(Failure::last)?;
            }
            return Ok(());
        }
    }

    /// Prepares the next try. Returns the operation if a flow was skipped, which the store fails to change although it answers.
    async fn after_failure(
        &self,
        claim: OperationClaim,
        error: StepError,
        after: AfterFailure,
    ) -> Result<Option<Operation>, Failure> {
        match after {
            AfterFailure::GiveUp => return Err(Failure::last(error)),
            AfterFailure::Repeat => return Ok(None),
            AfterFailure::SkipFlow if self.store.probe().await.is_ok() => {
                return Ok(self.operations()?.skip_next(claim, error.message()).await?);
            }
            AfterFailure::SkipFlow | AfterFailure::Wait => sleep(RETRY_DELAY).await,
        }
        Ok(None)
    }

    /// Appends the record of an operation that has ended. It has the id of the operation, so it is appended once, even if this process dies
    /// before the next call.
    async fn record(&self, claim: OperationClaim, operation: &Operation) -> Result<(), StepError> {
        let operations = self.operations()?;
        self.recorder.operation(operation, operations).await?;
        operations.record(claim).await.map(drop)
    }
}
