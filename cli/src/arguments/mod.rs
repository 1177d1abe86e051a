//! The arguments of the command line.

mod subscribers;

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand, ValueEnum};
use graceful::backends::{AuditCursor, FlowCursor, IncidentCursor, Uuid};

pub(crate) use self::subscribers::{LostEvent, Subscribers};
use crate::output;

/// Lists the durable flows of a service and the causes of their failures, and acts on them.
#[derive(Debug, Parser)]
#[command(
    name = "graceful",
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong arguments or refused, 3 done in part, 4 not healthy."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub command: Command,
    /// Write the result as one JSON document.
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List flows, the newest first.
    Flows(List),
    /// List dead letters, the newest first: `flows state=dead`.
    Dead(List),
    /// List the causes of failures, the largest group first.
    Groups(Groups),
    /// Show one flow with its failed attempts, without its payload.
    Show {
        /// The id of the flow.
        id: Uuid,
    },
    /// Queue dead letters again; only the steps that are not done will run.
    Resubmit(Targets),
    /// Discard dead letters, or with `state=queued` queued flows: none of their steps will run.
    Discard(Targets),
    /// Make queued flows due later.
    Postpone {
        #[command(flatten)]
        targets: Targets,
        /// How long from now, such as `2h`.
        #[arg(long, value_name = "TIME")]
        by: String,
    },
    /// Pause all relays, a handler or a subscriber, in all processes of the store. What is running already goes on.
    Pause {
        #[command(flatten)]
        target: Target,
        /// Why, for those who find it paused.
        #[arg(long, value_name = "REASON")]
        why: String,
    },
    /// End a pause.
    Resume(Target),
    /// List what is paused.
    Pauses,
    /// List, show, go on with or cancel the operations on many flows.
    Operations {
        #[command(subcommand)]
        command: Operations,
    },
    /// Create the missing tables of the store, and migrate older ones.
    Migrate,
    /// Verify the audit log, or list the records or the actions in it.
    Audit {
        #[command(subcommand)]
        command: Audit,
    },
    /// List the open review jobs, the oldest first.
    Jobs(Incidents),
    /// List the open alerts, the oldest first.
    Alerts {
        /// List the newest resolved alerts instead.
        #[arg(long, conflicts_with_all = ["after", "filter"])]
        resolved: bool,
        #[command(flatten)]
        page: Incidents,
    },
    /// List the used patterns by name, with how often and when each was used.
    Patterns {
        /// How many patterns, at least 1.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// Begin after this name, which ended the page before.
        #[arg(long, value_name = "NAME")]
        after: Option<String>,
    },
    /// List the relays that are alive, the oldest first.
    Relays,
    /// List subscribers and their parked events, and act on them.
    Subscribers {
        #[command(subcommand)]
        command: Subscribers,
    },
    /// Say whether the store answers.
    Health,
    /// Say what is wrong with configuration, schema and role, and how to fix it.
    Doctor,
    /// Count the queued, running and dead flows.
    Lag,
    /// Compare this program with its lock, and say which changes others cannot take. Nothing is written.
    Check {
        /// The lock.
        #[arg(long, value_name = "FILE", default_value = graceful_contract::LOCK)]
        lock: PathBuf,
    },
    /// Write the lock: all that is compatible, or one fact that is not.
    Accept {
        /// The fact, as `check` prints it, such as `event user_updated data.email`.
        fact: Option<String>,
        /// The lock.
        #[arg(long, value_name = "FILE", default_value = graceful_contract::LOCK)]
        lock: PathBuf,
    },
    /// Print the handlers of this program.
    Catalogue {
        /// In which format.
        #[arg(value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        asyncapi: AsyncApiOptions,
    },
}

/// Options of the AsyncAPI document.
#[derive(Clone, Debug, Args)]
pub(crate) struct AsyncApiOptions {
    /// The name of the service, as its events have it.
    #[arg(long, value_name = "NAME", required_if_eq("format", "asyncapi"))]
    pub service: Option<String>,
    /// The version of the service.
    #[arg(long, value_name = "VERSION", required_if_eq("format", "asyncapi"))]
    pub version: Option<String>,
    /// The protocol of the broker, such as `nats` or `amqp`.
    #[arg(long, value_name = "NAME", requires = "address")]
    pub protocol: Option<String>,
    /// Where the events are: `graceful.users.{tenant}.{pattern}.{event}` on NATS, `users.{tenant}.{pattern}.{event}` on RabbitMQ. Pattern and
    /// event are percent-encoded, as they are sent.
    #[arg(long, value_name = "TEMPLATE", requires = "protocol")]
    pub address: Option<String>,
}

/// A format of the catalogue.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// Lines for people.
    Text,
    /// All that is known, with the schemas.
    Json,
    /// A flowchart of patterns, handlers and events.
    Mermaid,
    /// The events as an AsyncAPI 3.1 document.
    #[value(name = "asyncapi")]
    AsyncApi,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Verify that no record was changed, and print the head of the log, to be stored elsewhere.
    Verify {
        /// The head that an earlier verification printed: then a log that was truncated is detected, too.
        #[arg(long, value_name = "HEAD")]
        known: Option<String>,
    },
    /// List records, the newest first.
    List {
        /// Filters: actor, entity, tenant, since, until.
        #[arg(value_name = FILTER)]
        filter: Vec<String>,
        /// How many records, at least 1.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// Begin after the page that printed this cursor.
        #[arg(long, value_name = "CURSOR")]
        after: Option<AuditCursor>,
    },
    /// List who resubmitted, discarded and postponed flows, paused and resumed, the newest action first.
    Operations {
        /// How many.
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Operations {
    /// List operations, the newest first.
    List {
        /// How many, at least 1.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// Begin after the operation with this id.
        #[arg(long, value_name = "ID")]
        after: Option<Uuid>,
    },
    /// Show one operation, and the flows that it has skipped or that have failed again.
    Show {
        /// The id of the operation.
        id: Uuid,
    },
    /// Go on with an operation that was started, after its process has died.
    Run {
        /// The id of the operation.
        id: Uuid,
        /// Who cancels it, if Ctrl-C is pressed. Default: the user of the operating system.
        #[arg(long = "as", value_name = "NAME")]
        operator: Option<String>,
    },
    /// Cancel an operation. What it has changed stays changed.
    Cancel {
        /// The id of the operation.
        id: Uuid,
        /// Who cancels it. Default: the user of the operating system.
        #[arg(long = "as", value_name = "NAME")]
        operator: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Target {
    /// `relays`, `handler=NAME` or `subscriber=NAME`.
    #[arg(value_name = "relays|handler=NAME|subscriber=NAME")]
    pub target: String,
    /// Who acts. Default: the user of the operating system.
    #[arg(long = "as", value_name = "NAME")]
    pub operator: Option<String>,
}

const FILTER: &str = "KEY=VALUE";

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Filters: state, handler, entity, tenant, pattern, code, step, group, text, since, until.
    #[arg(value_name = FILTER)]
    pub filter: Vec<String>,
    /// How many flows, at least 1.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    /// Begin after the page that printed this cursor.
    #[arg(long, value_name = "CURSOR")]
    pub after: Option<FlowCursor>,
}

#[derive(Debug, Args)]
pub(crate) struct Incidents {
    /// Filters: tenant, entity.
    #[arg(value_name = FILTER)]
    pub filter: Vec<String>,
    /// How many, at least 1.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    /// Begin after the page that printed this cursor.
    #[arg(long, value_name = "CURSOR")]
    pub after: Option<IncidentCursor>,
}

#[derive(Debug, Args)]
pub(crate) struct Groups {
    /// Filters: state, handler, entity, tenant, pattern, code, step, group, text, since, until.
    #[arg(value_name = FILTER)]
    pub filter: Vec<String>,
    /// Count each group up to this number.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub cap: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Targets {
    /// The ids of flows, or filters: state, handler, entity, tenant, pattern, code, step, group, text, since, until.
    #[arg(value_name = "ID|KEY=VALUE")]
    pub words: Vec<String>,
    /// Act on all dead flows; for `postpone`, on all queued ones.
    #[arg(long, conflicts_with = "words")]
    pub all: bool,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
    /// Who acts. Default: the user of the operating system.
    #[arg(long = "as", value_name = "NAME")]
    pub operator: Option<String>,
}

/// Parses the arguments; an error is the exit code of the process, after its message was written.
pub(crate) fn parse<P: Parser, A: Into<OsString> + Clone>(
    arguments: impl IntoIterator<Item = A>,
) -> Result<P, ExitCode> {
    P::try_parse_from(arguments).map_err(|error| {
        let text = error.render().to_string();
        match error.use_stderr() {
            true => output::note(text.trim_end()),
            false => output::print(text.trim_end()),
        }
        ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
    })
}
