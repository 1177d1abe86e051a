//! Actions on flows: which flows, the confirmation, and the operation.

pub(crate) mod confirm;
mod selection;

use std::time::{Duration, Instant};

use graceful::{
    Orchestrator, StepError,
    backends::{Action, FlowStore, ItemState, Operation, OperationItem, OperationState, Operations, Uuid},
    operations::{self, Prepared, Selection, json},
};

use crate::{
    arguments::Targets,
    exit::{Exit, Problem},
    operator::Operator,
    output::{Output, note},
    pause, read,
};

/// After how many flows the progress is shown.
const PROGRESS: u64 = 500;

/// How many skipped and failed flows are shown, unless as JSON.
const SHOWN: usize = 10;

/// The exit code of a process that Ctrl-C has ended.
const INTERRUPTED: i32 = 130;

/// How many items are read at once.
const PAGE: usize = 1000;

/// An action that was ordered, and is not done yet.
#[derive(Debug)]
pub(crate) struct Order {
    action: Action,
    selection: Selection,
    is_confirmed: bool,
    operator: Operator,
}

impl Order {
    /// Checks the arguments, and that somebody can confirm.
    pub(crate) fn of(action: Action, targets: &Targets) -> Result<Self, Problem> {
        let selection = selection::of(action, targets)?;
        let operator = Operator::of(targets.operator.as_deref())?;
        confirm::check(action, targets.yes)?;
        Ok(Self { action, selection, is_confirmed: targets.yes, operator })
    }

    pub(crate) async fn carry_out(
        self,
        output: &mut Output,
        orchestrator: &Orchestrator,
    ) -> Result<Exit, Problem> {
        writable(&**read::store(orchestrator)?).await?;
        let prepared =
            operations::prepare(orchestrator, self.action, &self.selection, &*self.operator.name).await?;
        let id = prepared.operation.id;
        if self.action == Action::Resubmit {
            warn(orchestrator, &prepared).await;
        }
        if !self.is_confirmed
            && prepared.operation.selected > 0
            && let Err(refused) = confirm::ask(&prepared)
        {
            operations::cancel(orchestrator, id, &*self.operator.name).await?;
            return Err(refused);
        }
        let operation = operations::start(orchestrator, id).await?;
        run(output, orchestrator, &operation, &self.operator.name).await
    }
}

/// Says which of the flows to resubmit cannot run now. What cannot be read is no reason to refuse.
async fn warn(orchestrator: &Orchestrator, prepared: &Prepared) {
    pause::note_all(orchestrator).await;
    let Some(store) = orchestrator.flows() else { return };
    let Ok(relays) = store.relays().await else { return };
    if relays.is_empty() && prepared.operation.selected > 0 {
        return note("note: no relay is alive: the flows wait until a service with a relay runs");
    }
    for (handler, flows) in &prepared.handlers {
        if !relays.iter().any(|relay| relay.info.knows(handler)) {
            let handler = graceful::backends::escaped(handler);
            note(&format!(
                "note: no relay that is alive knows the handler {handler} of {flows} flows: they will fail again"
            ));
        }
    }
}

/// Cancels an operation.
pub(crate) async fn cancel(orchestrator: &Orchestrator, id: Uuid, operator: &str) -> Result<(), Problem> {
    let Err(error) = operations::cancel(orchestrator, id, operator).await else { return Ok(()) };
    let found = read::operations(orchestrator)?.operation(id).await?;
    let is_cancelled = found.is_some_and(|operation| operation.state == OperationState::Cancelled);
    Err(match is_cancelled {
        true => Problem {
            exit: Exit::Partly,
            text: format!("the operation is cancelled, but {}; a relay tries again", error.message()),
        },
        false => Problem::refused(error.message()),
    })
}

/// Goes on with an operation that was started, or appends the audit record of one that has ended. One that nobody has confirmed is refused.
pub(crate) async fn go_on(
    output: &mut Output,
    orchestrator: &Orchestrator,
    id: Uuid,
    operator: &str,
) -> Result<Exit, Problem> {
    match read::operations(orchestrator)?.operation(id).await? {
        Some(Operation {
            state: OperationState::Preparing | OperationState::Prepared | OperationState::Expired,
            ..
        }) => Err(Problem::refused("nobody has confirmed this operation: give the order again")),
        Some(operation) => run(output, orchestrator, &operation, operator).await,
        None => Err(Problem::refused(format_args!("there is no operation {id}"))),
    }
}

/// Runs a started operation to its end, until Ctrl-C cancels it in the name of this operator. A second Ctrl-C ends the process.
pub(crate) async fn run(
    output: &mut Output,
    orchestrator: &Orchestrator,
    operation: &Operation,
    operator: &str,
) -> Result<Exit, Problem> {
    let (id, mut progress) = (operation.id, Progress::default());
    if operation.selected > PROGRESS {
        note(&format!("operation {id}"));
    }
    let ended = tokio::select! {
        ended = operations::run(orchestrator, id, |operation| progress.show(operation)) => ended,
        Ok(()) = tokio::signal::ctrl_c() => {
            tokio::spawn(async {
                if tokio::signal::ctrl_c().await.is_ok() {
                    std::process::exit(INTERRUPTED);
                }
            });
            operations::cancel(orchestrator, id, operator).await
        }
    };
    match ended {
        Ok(operation) => report(output, orchestrator, &operation, None).await,
        // The store knows how far the operation has come.
        Err(error) => match read::operations(orchestrator)?.operation(id).await {
            Ok(Some(operation)) => report(output, orchestrator, &operation, Some(&error)).await,
            _ => Err(error.into()),
        },
    }
}

/// What was shown of an operation that is running.
struct Progress {
    shown: u64,
    /// When the number of flows has last changed.
    moved: Instant,
    is_told: bool,
    last: u64,
}

impl Default for Progress {
    fn default() -> Self {
        Self { shown: 0, moved: Instant::now(), is_told: false, last: 0 }
    }
}

impl Progress {
    /// For how long without progress nothing is said.
    const PATIENCE: Duration = Duration::from_secs(10);

    fn show(&mut self, operation: &Operation) {
        let done = operation.selected - operation.left();
        if done / PROGRESS > self.shown / PROGRESS && operation.left() > 0 {
            self.shown = done;
            note(&format!("{}: {done} of {}", operation.action, operation.selected));
        }
        if self.last != done {
            (self.last, self.moved, self.is_told) = (done, Instant::now(), false);
        }
        if !self.is_told && self.moved.elapsed() > Self::PATIENCE && operation.waiting > 0 {
            self.is_told = true;
            note(&format!(
                "{} resubmitted flows wait for their first attempts, and the others for them: does a relay run, and is nothing paused? \
                 Ctrl-C cancels the operation",
                operation.waiting
            ));
        }
    }
}

/// Reads the items in a state, up to a limit.
async fn items(
    operations: &dyn Operations,
    id: Uuid,
    state: ItemState,
    limit: usize,
) -> Result<Vec<OperationItem>, StepError> {
    let (mut items, mut after) = (Vec::new(), None);
    loop {
        let page = operations.items(id, Some(state), after, PAGE.min(limit - items.len())).await?;
        items.extend(page.items);
        after = page.next;
        if after.is_none() || items.len() >= limit {
            return Ok(items);
        }
    }
}

/// Reports an operation. `unended` is the reason why this process could not end it.
async fn report(
    output: &mut Output,
    orchestrator: &Orchestrator,
    operation: &Operation,
    unended: Option<&StepError>,
) -> Result<Exit, Problem> {
    let operations = read::operations(orchestrator)?;
    let limit = if output.json { usize::MAX } else { SHOWN };
    let skipped = items(operations, operation.id, ItemState::Skipped, limit).await?;
    let failed = items(operations, operation.id, ItemState::Failed, limit).await?;
    if let Some(error) = unended {
        let state = operation.state;
        let next = match state.is_ended() {
            true => "a relay records it later".to_owned(),
            false => format!("a relay goes on with it; to cancel it: operations cancel {}", operation.id),
        };
        note(&format!("error: {}; the operation is {state}, and {next}", error.message()));
    }
    if output.json {
        let mut shown = json::operation(operation);
        read::add_items(&mut shown, &skipped, &failed);
        shown["error"] = unended.map(StepError::message).into();
        output.value(&shown);
    } else {
        output.line(&operation.to_string());
        read::item_lines(output, &skipped, &failed);
        if operation.skipped.max(operation.failed) > SHOWN as u64 {
            note(&format!("there are more: operations show {}", operation.id));
        }
    }
    let is_whole = operation.state == OperationState::Completed && operation.skipped + operation.failed == 0;
    Ok(match (is_whole && unended.is_none(), operation.state, operation.changed()) {
        (true, ..) => Exit::Done,
        (false, OperationState::Stopped, 0) => Exit::Failed,
        _ => Exit::Partly,
    })
}

/// Checks that the store takes changes, by one of a flow that does not exist.
pub(crate) async fn takes_changes(store: &dyn FlowStore) -> Result<(), StepError> {
    store.postpone(Uuid::max(), Duration::ZERO).await.map(drop)
}

/// A user that may only read is one error, before any question.
pub(crate) async fn writable(store: &dyn FlowStore) -> Result<(), Problem> {
    store.probe().await?;
    takes_changes(store).await.map_err(|error| {
        Problem::refused(format_args!(
            "the store takes no changes: {}; if its user may only read, connect as one that may change flows",
            error.message()
        ))
    })
}
