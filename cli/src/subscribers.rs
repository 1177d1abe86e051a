//! Subscribers, and their parked events.

use std::sync::Arc;

use graceful::{
    Orchestrator,
    backends::{
        ParkedEvent, PauseTarget, ReceivedEvent, Resubmitted, SubscriberState, Subscriptions, escaped,
    },
    operations,
};
use serde_json::{Value, json};

use crate::{
    action::confirm,
    arguments::{LostEvent, Subscribers},
    exit::{Exit, Problem},
    operator::Operator,
    output::{Cell, Output},
    pause, read,
};

/// What is asked or done.
#[derive(Debug)]
pub(crate) enum Order {
    List,
    Parked { subscriber: String, after: u64, limit: usize },
    Act { act: Act, is_confirmed: bool, operator: Operator },
}

#[derive(Debug)]
pub(crate) enum Act {
    Resubmit(String, u64),
    Discard(String, u64),
    Skip(String, u64),
    Unregister(String),
}

impl Order {
    pub(crate) fn of(command: Subscribers) -> Result<Self, Problem> {
        let act = |act: Act, yes, by: Option<String>| {
            let operator = Operator::of(by.as_deref())?;
            let is_confirmed = yes || act.question().is_none();
            confirm::check(act.name(), is_confirmed)?;
            Ok(Self::Act { act, is_confirmed, operator })
        };
        match command {
            Subscribers::List => Ok(Self::List),
            Subscribers::Parked { subscriber, after, limit } => {
                let limit = usize::try_from(limit).unwrap_or(usize::MAX);
                Ok(Self::Parked { subscriber, after: after.unwrap_or_default(), limit })
            }
            Subscribers::Resubmit(event) => {
                act(Act::Resubmit(event.subscriber, event.position), true, event.operator)
            }
            Subscribers::Discard(LostEvent { event, yes }) => {
                act(Act::Discard(event.subscriber, event.position), yes, event.operator)
            }
            Subscribers::Skip(LostEvent { event, yes }) => {
                act(Act::Skip(event.subscriber, event.position), yes, event.operator)
            }
            Subscribers::Unregister { subscriber, yes, operator } => {
                act(Act::Unregister(subscriber), yes, operator)
            }
        }
    }

    pub(crate) async fn carry_out(
        self,
        output: &mut Output,
        orchestrator: &Orchestrator,
    ) -> Result<Exit, Problem> {
        match self {
            Self::List => list(output, orchestrator).await,
            Self::Parked { subscriber, after, limit } => {
                known(orchestrator, &subscriber).await?;
                parked(output, &*subscriptions(orchestrator)?, &subscriber, after, limit).await
            }
            Self::Act { act, is_confirmed, operator: Operator { name } } => {
                known(orchestrator, act.subscriber()).await?;
                if let (Some(question), false) = (act.question(), is_confirmed) {
                    confirm::ask_about(&escaped(&question))?;
                }
                let (changed, text) = act.carry_out(orchestrator, &name).await?;
                match output.json {
                    true => output.value(&json!({ "changed": changed, "result": text })),
                    false => output.line(&escaped(&text)),
                }
                Ok(if changed { Exit::Done } else { Exit::Refused })
            }
        }
    }
}

impl Act {
    const fn name(&self) -> &'static str {
        match self {
            Self::Resubmit(..) => "subscribers resubmit",
            Self::Discard(..) => "subscribers discard",
            Self::Skip(..) => "subscribers skip",
            Self::Unregister(_) => "subscribers unregister",
        }
    }

    /// What cannot be undone.
    fn question(&self) -> Option<String> {
        match self {
            Self::Resubmit(..) => None,
            Self::Discard(subscriber, position) => {
                Some(format!("discard event {position}: {subscriber} never handles it"))
            }
            Self::Skip(subscriber, position) => {
                Some(format!("{subscriber} never gets the events up to {position} that it has not read"))
            }
            Self::Unregister(subscriber) => {
                Some(format!("delete the position and the parked events of {subscriber}"))
            }
        }
    }

    fn subscriber(&self) -> &str {
        let (Self::Resubmit(subscriber, _)
        | Self::Discard(subscriber, _)
        | Self::Skip(subscriber, _)
        | Self::Unregister(subscriber)) = self;
        subscriber
    }

    /// Returns whether something was changed, and says what.
    async fn carry_out(self, orchestrator: &Orchestrator, operator: &str) -> Result<(bool, String), Problem> {
        Ok(match self {
            Self::Resubmit(subscriber, position) => {
                match operations::resubmit_event(orchestrator, subscriber, position, operator).await? {
                    Resubmitted::Released => (
                        true,
                        format!("event {position} runs again, and after it the later ones of its entity"),
                    ),
                    Resubmitted::WaitsBehind { first } => (
                        false,
                        format!(
                            "event {position} waits behind event {first} of its entity: resubmit or discard that one"
                        ),
                    ),
                    _ => (
                        false,
                        format!("event {position} is not parked: it was handled, discarded, or never parked"),
                    ),
                }
            }
            Self::Discard(subscriber, position) => {
                match operations::discard_event(orchestrator, subscriber, position, operator).await? {
                    true => (true, format!("discarded event {position}")),
                    false => (false, format!("event {position} is not parked")),
                }
            }
            Self::Skip(subscriber, position) => {
                let text = format!("{subscriber} goes on after event {position}");
                operations::skip_events(orchestrator, subscriber, position, operator).await?;
                (true, text)
            }
            Self::Unregister(subscriber) => {
                match operations::unregister_subscriber(orchestrator, &*subscriber, operator).await? {
                    true => (true, format!("unregistered {subscriber}")),
                    false => (false, format!("{subscriber} is not unregistered, because a process reads it")),
                }
            }
        })
    }
}

fn subscriptions(orchestrator: &Orchestrator) -> Result<Arc<dyn Subscriptions>, Problem> {
    orchestrator.subscriptions().ok_or_else(|| Problem::failed("the store has no state of subscribers"))
}

/// Refuses the name of a subscriber that is not registered: it may be misspelt.
async fn known(orchestrator: &Orchestrator, subscriber: &str) -> Result<(), Problem> {
    let all = subscriptions(orchestrator)?.subscribers().await?;
    match all.iter().any(|state| state.subscriber == *subscriber) {
        true => Ok(()),
        false => Err(Problem::refused(format_args!(
            "no subscriber `{}` is registered; `subscribers list` lists them",
            escaped(subscriber)
        ))),
    }
}

async fn list(output: &mut Output, orchestrator: &Orchestrator) -> Result<Exit, Problem> {
    let all = subscriptions(orchestrator)?.subscribers().await?;
    let newest = match orchestrator.event_log() {
        Some(log) => log.span().await.ok().map(|span| span.newest),
        None => None,
    };
    let behind = |state: &SubscriberState| {
        newest.filter(|_| state.reads_log()).map(|newest| newest.saturating_sub(state.handled_to))
    };
    if output.json {
        let pauses = match read::operations(orchestrator) {
            Ok(operations) => operations.pauses().await?,
            Err(_) => Vec::new(),
        };
        let is_paused = |subscriber: &str| {
            pauses.iter().any(
                |pause| matches!(&pause.target, PauseTarget::Subscriber(identity) if identity == subscriber),
            )
        };
        let one = |state: &SubscriberState| {
            json!({
                "subscriber": &*state.subscriber, "source": &*state.source, "handled_to": state.handled_to,
                "behind": behind(state), "processes": state.processes, "parked": state.parked,
                "is_paused": is_paused(&state.subscriber),
            })
        };
        output.value(&json!({ "subscribers": all.iter().map(one).collect::<Vec<Value>>() }));
        return Ok(Exit::Done);
    }
    pause::note_all(orchestrator).await;
    let row = |state: &SubscriberState| {
        [
            Cell::new(&state.subscriber),
            Cell::new(&state.source),
            Cell::new(state.handled_to),
            Cell::optional(behind(state)),
            Cell::new(state.processes),
            Cell::new(state.parked),
        ]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    output.table(["SUBSCRIBER", "SOURCE", "HANDLED TO", "BEHIND", "PROCESSES", "PARKED"], &rows);
    Ok(Exit::Done)
}

/// Lists parked events without their data.
async fn parked(
    output: &mut Output,
    subscriptions: &dyn Subscriptions,
    subscriber: &str,
    after: u64,
    limit: usize,
) -> Result<Exit, Problem> {
    let events = subscriptions.parked(subscriber.into(), after, limit).await?;
    let envelope = |event: &ParkedEvent| serde_json::from_slice::<ReceivedEvent>(&event.body).ok();
    let state = |event: &ParkedEvent| match event {
        ParkedEvent { is_released: true, .. } => "resubmitted",
        ParkedEvent { attempts: 0, .. } => "waits",
        _ => "failed",
    };
    if output.json {
        let one = |event: &ParkedEvent| {
            let envelope = envelope(event);
            json!({
                "position": event.position, "state": state(event), "attempts": event.attempts, "error": &*event.error,
                "id": envelope.as_ref().map(|envelope| &*envelope.id),
                "type": envelope.as_ref().map(|envelope| &*envelope.name),
                "subject": envelope.as_ref().and_then(|envelope| envelope.subject.as_deref()),
            })
        };
        output.value(&json!({ "parked": events.iter().map(one).collect::<Vec<Value>>() }));
        return Ok(Exit::Done);
    }
    let row = |event: &ParkedEvent| {
        let envelope = envelope(event);
        [
            Cell::new(event.position),
            Cell::new(state(event)),
            Cell::optional(envelope.as_ref().and_then(|envelope| envelope.subject.as_deref())),
            Cell::optional(envelope.as_ref().map(|envelope| &*envelope.id)),
            Cell::new(event.attempts),
            Cell::new(&event.error),
        ]
    };
    let rows: Vec<_> = events.iter().map(row).collect();
    output.table(["POSITION", "STATE", "SUBJECT", "EVENT", "ATTEMPTS", "ERROR"], &rows);
    Ok(Exit::Done)
}
