//! Actions on flows: which flows, the confirmation, the loop, and the audit record.

mod bulk;
mod confirm;
mod record;
mod selection;

use std::time::Duration;

use graceful::{
    Orchestrator, StepError,
    backends::{ActionResult, FlowFilter, FlowState, FlowStore, Reply, Uuid},
};
use serde_json::{Value, json};

use self::{
    bulk::{Interrupt, Tally},
    selection::Targeted,
};
use crate::{
    arguments::Targets,
    exit::{Exit, Problem},
    operator::Operator,
    output::{Output, note},
    read,
};

/// An action on one flow.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    Resubmit,
    Discard,
    Postpone(Duration),
}

impl Action {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Resubmit => "resubmit",
            Self::Discard => "discard",
            Self::Postpone(_) => "postpone",
        }
    }

    const fn past(self) -> &'static str {
        match self {
            Self::Resubmit => "resubmitted",
            Self::Discard => "discarded",
            Self::Postpone(_) => "postponed",
        }
    }

    /// The states to whose flows it applies. A filter without a state selects the first.
    const fn states(self) -> &'static [FlowState] {
        match self {
            Self::Resubmit => &[FlowState::Dead],
            Self::Discard => &[FlowState::Dead, FlowState::Queued],
            Self::Postpone(_) => &[FlowState::Queued],
        }
    }

    /// Acts on a flow that was in this state when it was selected.
    fn on(self, store: &dyn FlowStore, id: Uuid, state: FlowState) -> Reply<ActionResult> {
        match self {
            Self::Resubmit => store.resubmit(id),
            Self::Discard => store.discard(id, state),
            Self::Postpone(time) => store.postpone(id, time),
        }
    }
}

/// An action that was ordered, and is not done yet.
#[derive(Debug)]
pub(crate) struct Order {
    action: Action,
    targeted: Targeted,
    is_confirmed: bool,
    operator: Operator,
}

impl Order {
    /// Checks the arguments, and that somebody can confirm.
    pub(crate) fn of(action: Action, targets: &Targets) -> Result<Self, Problem> {
        let targeted = Targeted::of(action, targets)?;
        let operator = Operator::of(targets.operator.as_deref())?;
        if !targets.yes && !confirm::can_ask() {
            return Err(Problem::refused(format_args!(
                "`{}` asks for a confirmation, and there is no terminal to answer it; to act without one: --yes",
                action.as_str()
            )));
        }
        Ok(Self { action, targeted, is_confirmed: targets.yes, operator })
    }

    pub(crate) async fn carry_out(
        self,
        output: &mut Output,
        orchestrator: &Orchestrator,
    ) -> Result<Exit, Problem> {
        let (action, store) = (self.action, &**read::store(orchestrator)?);
        writable(store).await?;
        let selection = self.targeted.fixed(store).await?;
        if !self.is_confirmed && !selection.ids.is_empty() {
            confirm::ask(action, &self.targeted, &selection)?;
        }
        let tally = bulk::run(action, store, &selection.ids, &Interrupt::start()).await;
        let audited = match selection.ids.is_empty() {
            true => Ok(()),
            false => record::append(orchestrator, action, &self.targeted, &self.operator, &tally).await,
        };
        self.report(output, &tally, audited.as_ref().err());
        let exit = tally.exit();
        Ok(if audited.is_err() && exit == Exit::Done { Exit::Partly } else { exit })
    }

    fn report(&self, output: &mut Output, tally: &Tally, unaudited: Option<&String>) {
        if let Some(why) = unaudited {
            note(&format!("error: the action is not in the audit log: {why}"));
        }
        if output.json {
            let mut shown = tally.to_json(self.action, &self.targeted);
            shown["actor"] = (&*self.operator.name).into();
            shown["audit_error"] = unaudited.map_or(Value::Null, |why| json!(why));
            return output.value(&shown);
        }
        output.line(&tally.sentence(self.action));
        for (id, reason) in &tally.skipped {
            output.line(&format!("{id} skipped: {reason}"));
        }
        for (id, error) in &tally.failed {
            output.line(&format!("{id} failed: {}", graceful::backends::escaped(error)));
        }
    }
}

/// Checks that the store takes changes, by one of a flow that does not exist.
pub(crate) async fn takes_changes(store: &dyn FlowStore) -> Result<(), StepError> {
    store.postpone(Uuid::max(), Duration::ZERO).await.map(drop)
}

/// A user that may only read is one error, before any question.
async fn writable(store: &dyn FlowStore) -> Result<(), Problem> {
    store.probe().await?;
    takes_changes(store).await.map_err(|error| {
        Problem::refused(format_args!(
            "the store takes no changes: {}; connect as a user that may change its flows",
            error.message()
        ))
    })
}

/// The text of a filter, for people.
fn described(filter: &FlowFilter) -> String {
    graceful::backends::escaped(&filter.to_string()).into_owned()
}
