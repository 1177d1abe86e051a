//! Operations on flows: prepared with an exact list, then run.

use std::time::Duration;

use graceful::{
    backends::{
        Action as FlowAction, FlowFilter, FlowState, FlowSummary, FlowVersion, Operation, OperationState,
        SelectedFlow, Uuid,
    },
    operations::{self, Selection},
};

use super::{Action, Done};
use crate::{
    access::Permission,
    page::PageError,
    pages,
    request::{Query, View},
};

/// Which flows: those of a filter, or ticked ones as they were shown.
#[derive(Debug)]
enum Chosen {
    Filter(FlowFilter),
    Seen(Vec<SelectedFlow>),
}

impl Chosen {
    /// Takes the fields of the form: `flow` (once for each ticked flow), or a filter, and `all` for no filter.
    fn parse(form: &mut Query) -> Result<Self, PageError> {
        let seen = form.take_all("flow");
        if !seen.is_empty() {
            let flows = seen.iter().map(|field| seen_flow(field)).collect::<Option<Vec<_>>>();
            return flows.map(Self::Seen).ok_or_else(|| PageError::invalid("`flow` is not valid"));
        }
        let all = form.take("all")?.is_some();
        let filter = pages::flow_filter(form)?;
        if filter == FlowFilter::default() && !all {
            return Err(PageError::invalid("no flow is selected: tick flows, or choose a filter"));
        }
        Ok(Self::Filter(filter))
    }

    async fn selection(self, view: &View) -> Result<Selection, PageError> {
        match self {
            Self::Filter(filter) => Ok(Selection::Filter(view.restricted(filter)?)),
            Self::Seen(flows) => {
                if !view.access.is_unrestricted() {
                    for selected in &flows {
                        let found = view.store()?.get(selected.flow).await?;
                        let entity = found.map(|stored| stored.summary.entity);
                        if entity.is_none_or(|entity| !view.may_see(&entity)) {
                            return Err(PageError::not_found(format_args!(
                                "there is no flow {}",
                                selected.flow
                            )));
                        }
                    }
                }
                Ok(Selection::Seen(flows))
            }
        }
    }
}

/// A flow as a form names it: its id, and its state and version as they were shown.
pub(crate) fn seen_field(flow: &FlowSummary) -> String {
    format!("{}.{}.{}", flow.id, flow.state, flow.version())
}

fn seen_flow(field: &str) -> Option<SelectedFlow> {
    let mut parts = field.splitn(3, '.');
    let id: Uuid = parts.next()?.parse().ok()?;
    let state: FlowState = parts.next()?.parse().ok()?;
    let version: FlowVersion = parts.next()?.parse().ok()?;
    Some(SelectedFlow::seen(id, state, version))
}

macro_rules! actions {
    ($($kind:ident $prepare:ident $prepare_name:literal $run:ident $run_name:literal $cancel:ident $cancel_name:literal $permission:ident $make:expr;)*) => {$(
        /// Prepares an operation on flows: fixes its list, and changes none.
        #[derive(Debug)]
        pub(super) struct $prepare(FlowAction, Chosen);

        impl Action for $prepare {
            const NAME: &'static str = $prepare_name;
            const PERMISSION: Permission = Permission::$permission;

            fn parse(form: &mut Query) -> Result<Self, PageError> {
                // The field belongs to a button of the same form.
                let minutes = form.take_parsed("minutes")?;
                let action: fn(Option<u64>) -> Result<FlowAction, PageError> = $make;
                Ok(Self(action(minutes)?, Chosen::parse(form)?))
            }

            async fn act(self, view: &View) -> Result<Done, PageError> {
                let selection = self.1.selection(view).await?;
                let prepared = operations::prepare(view.orchestrator(), self.0, &selection, view.operator()).await?;
                Ok(shown(prepared.operation.id))
            }
        }

        /// Runs a prepared operation.
        #[derive(Debug)]
        pub(super) struct $run(Confirmed);

        impl Action for $run {
            const NAME: &'static str = $run_name;
            const PERMISSION: Permission = Permission::$permission;

            fn parse(form: &mut Query) -> Result<Self, PageError> {
                Confirmed::parse(form).map(Self)
            }

            async fn act(self, view: &View) -> Result<Done, PageError> {
                self.0.run(view, |action| matches!(action, FlowAction::$kind { .. })).await
            }
        }

        /// Cancels an operation: what it has not come to stays as it is.
        #[derive(Debug)]
        pub(super) struct $cancel(Uuid);

        impl Action for $cancel {
            const NAME: &'static str = $cancel_name;
            const PERMISSION: Permission = Permission::$permission;

            fn parse(form: &mut Query) -> Result<Self, PageError> {
                Ok(Self(form.take_parsed("id")?.ok_or_else(|| PageError::invalid("`id` is missing"))?))
            }

            async fn act(self, view: &View) -> Result<Done, PageError> {
                let found = operation_of(view, self.0, |action| matches!(action, FlowAction::$kind { .. })).await?;
                if found.state.is_ended() {
                    return Err(PageError::changed(format_args!("the operation is {} already", found.state)));
                }
                operations::cancel(view.orchestrator(), self.0, view.operator()).await?;
                Ok(shown(self.0))
            }
        }
    )*};
}

actions! {
    Resubmit PrepareResubmit "resubmit" RunResubmit "run-resubmit" CancelResubmit "cancel-resubmit" Flows |_| Ok(FlowAction::Resubmit);
    Discard PrepareDiscard "discard" RunDiscard "run-discard" CancelDiscard "cancel-discard" Discard |_| Ok(FlowAction::Discard);
    Postpone PreparePostpone "postpone" RunPostpone "run-postpone" CancelPostpone "cancel-postpone" Flows |minutes| minutes_of(minutes).map(FlowAction::Postpone);
}

/// The longest time by which an operator can postpone something, in minutes: a year.
const MAX_MINUTES: u64 = 366 * 24 * 60;

/// A time that an operator types in minutes.
pub(super) fn minutes_of(minutes: Option<u64>) -> Result<Duration, PageError> {
    let minutes = minutes.filter(|minutes| (1..=MAX_MINUTES).contains(minutes));
    let minutes =
        minutes.ok_or_else(|| PageError::invalid("the time is a number of minutes, up to a year"))?;
    Ok(Duration::from_secs(60 * minutes))
}

fn shown(operation: Uuid) -> Done {
    Done::show("operation", vec![("id", operation.to_string())])
}

/// What the operator has typed to confirm a prepared operation.
#[derive(Debug)]
struct Confirmed {
    id: Uuid,
    number: u64,
    environment: Option<String>,
}

impl Confirmed {
    fn parse(form: &mut Query) -> Result<Self, PageError> {
        let id = form.take_parsed("id")?.ok_or_else(|| PageError::invalid("`id` is missing"))?;
        let number = form.take_parsed("number")?;
        let number = number.ok_or_else(|| PageError::invalid("type the number of flows to confirm"))?;
        Ok(Self { id, number, environment: form.take("environment")? })
    }

    async fn run(self, view: &View, is_its_action: fn(FlowAction) -> bool) -> Result<Done, PageError> {
        let operation = operation_of(view, self.id, is_its_action).await?;
        // The audit record of an operation bears the name of who has prepared it.
        if operation.operator != view.access.who() || operation.verified != view.access.is_verified() {
            let operator = &operation.operator;
            return Err(PageError::forbidden(format_args!(
                "only {operator}, who has prepared the operation, can run it: prepare one of your own"
            )));
        }
        if operation.state != OperationState::Prepared {
            return Err(PageError::changed(format_args!("the operation is {} already", operation.state)));
        }
        if self.number != operation.selected {
            let selected = operation.selected;
            return Err(PageError::invalid(format_args!(
                "the operation has {selected} flows: type {selected} to confirm"
            )));
        }
        view.shared.check_environment(self.environment.as_deref())?;
        operations::start(view.orchestrator(), self.id).await?;
        let orchestrator = view.orchestrator().clone();
        let running = tokio::spawn(async move {
            if let Err(error) = operations::run(&orchestrator, self.id, |_| ()).await {
                // A relay goes on with it.
                tracing::warn!(
                    target: "graceful::console",
                    operation = %self.id,
                    error = error.message(),
                    "an operation does not run to its end here"
                );
            }
        });
        // A short one has ended when its page is shown.
        let _ = tokio::time::timeout(SHORT, running).await;
        Ok(shown(self.id))
    }
}

/// How long an operation is waited for.
const SHORT: Duration = Duration::from_secs(1);

/// The operation, if it has this action: each action has a permission of its own.
async fn operation_of(
    view: &View,
    id: Uuid,
    is_its_action: fn(FlowAction) -> bool,
) -> Result<Operation, PageError> {
    let operation = view.operation(id).await?;
    match is_its_action(operation.action) {
        true => Ok(operation),
        false => Err(PageError::invalid("the operation has another action")),
    }
}
