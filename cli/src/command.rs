//! Runs one subcommand.

use std::{fmt, process::ExitCode};

use graceful::{
    Orchestrator,
    backends::{
        Action, AuditFilter, Cursor, FlowFilter, FlowState, IncidentCursor, IncidentFilter, ProcessRole, Uuid,
    },
};
use serde_json::json;

use crate::{
    action::{self, Order},
    arguments::{Arguments, Audit, Command, Incidents, List, Operations},
    contract, doctor,
    exit::{Exit, Problem},
    filter,
    operator::Operator,
    output::{Output, note},
    pause, read, subscribers,
};

/// A page of flows or of audit records to read.
#[derive(Debug)]
pub(crate) struct Listing<F, K> {
    pub filter: F,
    pub limit: usize,
    pub after: Option<Cursor<K>>,
}

impl Listing<FlowFilter, Uuid> {
    fn of(state: Option<FlowState>, list: &List) -> Result<Self, Problem> {
        let filter = filter::parse(state, &list.filter)?;
        Ok(Self { filter, limit: number(list.limit), after: list.after })
    }
}

fn number(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// A page of open alerts or review jobs to read.
#[derive(Debug)]
pub(crate) struct OpenPage {
    pub filter: IncidentFilter,
    pub limit: usize,
    pub after: Option<IncidentCursor>,
}

impl OpenPage {
    fn of(Incidents { filter, limit, after }: Incidents) -> Result<Self, Problem> {
        Ok(Self { filter: filter::of_incidents(&filter)?, limit: number(limit), after })
    }
}

/// What a subcommand has to do. Its arguments are known to be right, before the closure is called.
#[derive(Debug)]
enum Task {
    Flows(Listing<FlowFilter, Uuid>),
    Groups(FlowFilter, u64),
    Show(Uuid),
    Lag,
    Jobs(OpenPage),
    OpenAlerts(OpenPage),
    ResolvedAlerts(usize),
    Verify(Option<String>),
    Records(Listing<AuditFilter, i64>),
    Recorded(usize),
    Patterns(Option<String>, usize),
    Relays,
    Subscribers(subscribers::Order),
    Pause(pause::Order),
    Pauses,
    ListOperations(usize, Option<Uuid>),
    ShowOperation(Uuid),
    RunOperation(Uuid, Operator),
    CancelOperation(Uuid, Operator),
    Health,
    Doctor,
    Migrate,
    Act(Order),
    Contract(contract::Order),
}

impl Task {
    fn of(command: Command) -> Result<Self, Problem> {
        Ok(match command {
            Command::Flows(list) => Self::Flows(Listing::of(None, &list)?),
            Command::Dead(list) => Self::Flows(Listing::of(Some(FlowState::Dead), &list)?),
            Command::Groups(groups) => Self::Groups(filter::parse(None, &groups.filter)?, groups.cap),
            Command::Show { id } => Self::Show(id),
            Command::Lag => Self::Lag,
            Command::Jobs(page) => Self::Jobs(OpenPage::of(page)?),
            Command::Alerts { resolved: false, page } => Self::OpenAlerts(OpenPage::of(page)?),
            Command::Alerts { page, .. } => Self::ResolvedAlerts(number(page.limit)),
            Command::Audit { command: Audit::Verify { known } } => Self::Verify(known),
            Command::Audit { command: Audit::Operations { limit } } => Self::Recorded(limit),
            Command::Pause { target, why } => Self::Pause(pause::Order::of(&target, Some(&why))?),
            Command::Resume(target) => Self::Pause(pause::Order::of(&target, None)?),
            Command::Pauses => Self::Pauses,
            Command::Operations { command } => match command {
                Operations::List { limit, after } => Self::ListOperations(number(limit), after),
                Operations::Show { id } => Self::ShowOperation(id),
                Operations::Run { id, operator } => {
                    Self::RunOperation(id, Operator::of(operator.as_deref())?)
                }
                Operations::Cancel { id, operator } => {
                    Self::CancelOperation(id, Operator::of(operator.as_deref())?)
                }
            },
            Command::Audit { command: Audit::List { filter, limit, after } } => {
                let filter = filter::of_audit(&filter)?;
                Self::Records(Listing { filter, limit: number(limit), after })
            }
            Command::Check { lock } => Self::Contract(contract::Order::Check(lock)),
            Command::Accept { fact, lock } => Self::Contract(contract::Order::Accept(fact, lock)),
            Command::Catalogue { format, asyncapi } => {
                Self::Contract(contract::Order::Print(format, asyncapi))
            }
            Command::Patterns { limit, after } => Self::Patterns(after, number(limit)),
            Command::Relays => Self::Relays,
            Command::Subscribers { command } => Self::Subscribers(subscribers::Order::of(command)?),
            Command::Health => Self::Health,
            Command::Doctor => Self::Doctor,
            Command::Migrate => Self::Migrate,
            Command::Resubmit(targets) => Self::Act(Order::of(Action::Resubmit, &targets)?),
            Command::Discard(targets) => Self::Act(Order::of(Action::Discard, &targets)?),
            Command::Postpone { targets, by } => {
                Self::Act(Order::of(Action::Postpone(filter::duration(&by)?), &targets)?)
            }
        })
    }
}

pub(crate) async fn run<F, E>(arguments: Arguments, build: F) -> ExitCode
where
    F: AsyncFnOnce() -> Result<Orchestrator, E>,
    E: fmt::Display,
{
    let mut output = Output::new(arguments.json);
    let done = execute(arguments.command, &mut output, build).await;
    let exit = match done.and_then(|exit| output.finish().map(|()| exit)) {
        Ok(exit) => exit,
        Err(Problem { exit, text }) => {
            note(&format!("error: {text}"));
            exit
        }
    };
    exit.into()
}

async fn execute<F, E>(command: Command, output: &mut Output, build: F) -> Result<Exit, Problem>
where
    F: AsyncFnOnce() -> Result<Orchestrator, E>,
    E: fmt::Display,
{
    let task = Task::of(command)?;
    // What a program promises is known without its stores.
    if let Task::Contract(order) = &task {
        return order.carry_out(output);
    }
    match task {
        Task::Migrate => ProcessRole::Migration.set(),
        _ => ProcessRole::Operator.set(),
    }
    // The alternate form is that with all causes, for errors that have one.
    let outcome = build().await.map_err(|error| format!("{error:#}"));
    match task {
        Task::Health => return doctor::health(output, outcome).await,
        Task::Doctor => return doctor::examine(output, outcome).await,
        _ => {}
    }
    let orchestrator = &outcome.map_err(Problem::failed)?;
    match task {
        Task::Flows(listing) => read::flows(output, listing, orchestrator).await,
        Task::Groups(filter, cap) => read::groups(output, filter, cap, orchestrator).await,
        Task::Show(id) => read::show(output, id, orchestrator).await,
        Task::Lag => read::lag(output, orchestrator).await,
        Task::Jobs(page) => read::jobs(output, page, orchestrator).await,
        Task::OpenAlerts(page) => read::open_alerts(output, page, orchestrator).await,
        Task::ResolvedAlerts(limit) => read::resolved_alerts(output, limit, orchestrator).await,
        Task::Verify(known) => read::verify(output, known.as_deref(), orchestrator).await,
        Task::Recorded(limit) => read::recorded_operations(output, limit, orchestrator).await,
        Task::Pause(order) => order.carry_out(output, orchestrator).await,
        Task::Pauses => pause::list(output, orchestrator).await,
        Task::ListOperations(limit, after) => read::list_operations(output, limit, after, orchestrator).await,
        Task::ShowOperation(id) => read::show_operation(output, id, orchestrator).await,
        Task::RunOperation(id, operator) => action::go_on(output, orchestrator, id, &operator.name).await,
        Task::CancelOperation(id, operator) => {
            action::cancel(orchestrator, id, &operator.name).await?;
            read::show_operation(output, id, orchestrator).await
        }
        Task::Records(listing) => read::records(output, listing, orchestrator).await,
        Task::Patterns(after, limit) => read::patterns(output, after.as_deref(), limit, orchestrator).await,
        Task::Relays => read::relays(output, orchestrator).await,
        Task::Subscribers(order) => order.carry_out(output, orchestrator).await,
        Task::Act(order) => order.carry_out(output, orchestrator).await,
        Task::Health | Task::Doctor | Task::Migrate | Task::Contract(_) => {
            match output.json {
                true => output.value(&json!({ "migrated": true })),
                false => output.line("the tables are those of this version"),
            }
            Ok(Exit::Done)
        }
    }
}
