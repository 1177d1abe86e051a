//! Actions on flows: which flows, the confirmation, and the operation.

mod confirm;
mod selection;

use std::time::Duration;

use graceful::{
    Orchestrator, StepError,
    backends::{Action, FlowStore, ItemState, Operation, OperationState, Operations, Uuid},
    operations::{self, Selection},
};
use serde_json::{Value, json};

use crate::{
    arguments::Targets,
    exit::{Exit, Problem},
    operator::Operator,
    output::{Output, note},
    read,
};

/// After how many flows the progress is shown.
const PROGRESS: u64 = 500;

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
        if !targets.yes && !confirm::can_ask() {
            return Err(Problem::refused(format_args!(
                "`{action}` asks for a confirmation, and there is no terminal to answer it; to act without one: --yes"
            )));
        }
        Ok(Self { action, selection, is_confirmed: targets.yes, operator })
    }

    pub(crate) async fn carry_out(
        self,
        output: &mut Output,
        orchestrator: &Orchestrator,
    ) -> Result<Exit, Problem> {
        writable(&**read::store(orchestrator)?).await?;
        let prepared =
            operations::prepare(orchestrator, self.action, &self.selection, &self.operator.name).await?;
        let id = prepared.operation.id;
        if !self.is_confirmed
            && prepared.operation.selected > 0
            && let Err(refused) = confirm::ask(&prepared)
        {
            operations::cancel(orchestrator, id).await?;
            return Err(refused);
        }
        operations::start(orchestrator, id).await?;
        run(output, orchestrator, id).await
    }
}

/// Runs a started operation to its end, until Ctrl-C cancels it.
pub(crate) async fn run(output: &mut Output, orchestrator: &Orchestrator, id: Uuid) -> Result<Exit, Problem> {
    let mut progress = Progress::default();
    let ended = tokio::select! {
        ended = operations::run(orchestrator, id, |operation| progress.show(operation)) => ended,
        Ok(()) = tokio::signal::ctrl_c() => operations::cancel(orchestrator, id).await,
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
#[derive(Default)]
struct Progress {
    shown: u64,
    silent: u32,
    last: u64,
}

impl Progress {
    /// How many times without progress nothing is said: about ten seconds.
    const PATIENCE: u32 = 100;

    fn show(&mut self, operation: &Operation) {
        let done = operation.selected - operation.left();
        if done / PROGRESS > self.shown / PROGRESS && operation.left() > 0 {
            self.shown = done;
            note(&format!("{}: {done} of {}", operation.action, operation.selected));
        }
        self.silent = if self.last == done { self.silent + 1 } else { 0 };
        self.last = done;
        if self.silent == Self::PATIENCE && operation.waiting > 0 {
            note(&format!(
                "{} resubmitted flows wait for their first attempts, and the others for them: does a relay run, and is nothing paused? \
                 Ctrl-C cancels the operation",
                operation.waiting
            ));
        }
    }
}

/// Reads all items in a state.
async fn items(
    operations: &dyn Operations,
    id: Uuid,
    state: ItemState,
) -> Result<Vec<(Uuid, Option<String>)>, StepError> {
    let (mut items, mut after) = (Vec::new(), None);
    loop {
        let page = operations.items(id, Some(state), after, PAGE).await?;
        items.extend(page.items.into_iter().map(|item| (item.flow, item.reason)));
        after = page.next;
        if after.is_none() {
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
    let skipped = items(operations, operation.id, ItemState::Skipped).await?;
    let failed = items(operations, operation.id, ItemState::Failed).await?;
    if let Some(error) = unended {
        note(&format!(
            "error: {}; the operation is {}, and the relay of a service goes on with it",
            error.message(),
            operation.state
        ));
    }
    if output.json {
        let mut shown = read::operation(operation);
        let skipped = skipped.iter().map(|(id, reason)| json!({ "id": id.to_string(), "reason": reason }));
        shown["skipped"] = skipped.collect::<Vec<Value>>().into();
        shown["failed_again"] = failed.iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>().into();
        shown["error"] = unended.map(StepError::message).into();
        output.value(&shown);
    } else {
        output.line(&operation.to_string());
        for (id, reason) in &skipped {
            let reason = graceful::backends::escaped(reason.as_deref().unwrap_or_default());
            output.line(&format!("{id} skipped: {reason}"));
        }
        for (id, _) in &failed {
            output.line(&format!("{id} failed again"));
        }
    }
    let is_whole = operation.state == OperationState::Completed && skipped.is_empty() && failed.is_empty();
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
            "the store takes no changes: {}; connect as a user that may change its flows",
            error.message()
        ))
    })
}
