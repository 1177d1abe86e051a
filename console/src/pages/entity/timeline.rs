//! One time line of all that the stores know. What they know of one flow is one event.

use std::{collections::HashMap, fmt::Write as _};

use graceful::{
    backends::{Alert, AuditRecord, FlowSummary, RecordCheck, Timestamp, Uuid},
    operations::json::time as json_time,
};
use serde_json::{Value, json};

use super::known::Known;

/// One event of the time line.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) at: Timestamp,
    /// What kind of thing happened.
    pub(super) kind: &'static str,
    /// Whether it is a failure.
    pub(super) is_failure: bool,
    pub(super) flow: Option<Uuid>,
    pub(super) handler: String,
    pub(super) actor: Option<String>,
    pub(super) text: String,
    /// The stores that know of it.
    pub(super) stores: Vec<&'static str>,
    /// Whether its audit record is as it was appended.
    pub(super) check: Option<RecordCheck>,
}

impl Event {
    fn new(at: Timestamp, kind: &'static str, text: impl Into<String>) -> Self {
        Self {
            at,
            kind,
            is_failure: false,
            flow: None,
            handler: String::new(),
            actor: None,
            text: text.into(),
            stores: Vec::new(),
            check: None,
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "at": json_time(self.at),
            "kind": self.kind,
            "failure": self.is_failure,
            "flow": self.flow.map(|flow| flow.to_string()),
            "handler": self.handler,
            "actor": self.actor,
            "text": self.text,
            "stores": self.stores,
            "check": self.check.map(RecordCheck::as_str),
        })
    }
}

/// All events, the newest first.
pub(super) fn timeline(known: &Known) -> Vec<Event> {
    let mut events = flows(known);
    events.extend(known.flows.items().iter().filter_map(failed_attempt));
    events.extend(known.operations.iter().map(|(flow, operation)| Event {
        flow: Some(*flow),
        actor: Some(operation.operator.clone()),
        stores: vec!["flows"],
        ..Event::new(
            operation.prepared_at,
            "operation",
            format!("{}: {operation}", operation.action.as_str()),
        )
    }));
    events.extend(known.deeds.iter().map(|(record, check)| Event {
        actor: record.actor.as_deref().map(str::to_owned),
        is_failure: !record.ending.is_success(),
        handler: record.handler.to_string(),
        stores: vec!["audit"],
        check: Some(*check),
        ..Event::new(record.at, "operator", record.message.as_str())
    }));
    for alert in known.open.items().iter().chain(known.resolved.items()) {
        events.extend(alert_events(alert, known));
    }
    events.extend(known.jobs.items().iter().map(|job| Event {
        is_failure: true,
        flow: Some(job.flow),
        handler: job.owner.to_string(),
        stores: vec!["jobs"],
        ..Event::new(job.opened_at, "review job opened", format!("{}, open still", job.code.as_str()))
    }));
    if let Some(Some(hit)) = known.cache.known() {
        let version = hit.entry.version.map(|version| format!(", version {version}")).unwrap_or_default();
        events.push(Event {
            stores: vec!["cache"],
            ..Event::new(hit.entry.stored_at, "value cached", format!("this value is cached now{version}"))
        });
    }
    events.sort_by_key(|event| std::cmp::Reverse(event.at));
    events
}

/// One event for each flow.
fn flows(known: &Known) -> Vec<Event> {
    let mut events: HashMap<Uuid, Event> = HashMap::new();
    for (record, check) in known.records.items() {
        let text = format!("{}: {}", record.code.as_str(), record.message);
        events.insert(
            record.flow,
            Event {
                check: Some(*check),
                actor: record.actor.as_deref().map(str::to_owned),
                ..call(record, text)
            },
        );
    }
    for activity in known.history.items() {
        let event = events.entry(activity.flow).or_insert_with(|| Event {
            is_failure: !activity.succeeded,
            handler: activity.handler.to_string(),
            actor: activity.actor.as_deref().map(str::to_owned),
            ..Event::new(activity.at, "flow", format!("{}: {}", activity.code.as_str(), activity.message))
        });
        event.stores.push("graph");
    }
    for traced in known.trace.items() {
        let event = events.entry(traced.flow).or_insert_with(|| Event {
            is_failure: traced.pattern.ends_with(".error"),
            ..Event::new(traced.at, "flow", traced.pattern.as_str())
        });
        event.stores.push("nexus");
    }
    for state in known.metadata.items() {
        let event = events.entry(state.state).or_insert_with(|| Event {
            is_failure: state
                .last_error
                .as_ref()
                .is_some_and(|error| state.last_success.is_none_or(|at| at < error.at)),
            ..Event::new(state.updated_at, "flow", "")
        });
        event.stores.push("metadata");
    }
    for flow in known.flows.items() {
        let event = events.entry(flow.id).or_insert_with(|| Event {
            handler: flow.handler.clone(),
            ..Event::new(flow.stored_at, "flow", "")
        });
        event.is_failure |= flow.failure.is_some() && flow.state != graceful::backends::FlowState::Completed;
        let separator = if event.text.is_empty() { "" } else { " · " };
        event.text = format!("{}{separator}{}", event.text, delivery(flow));
        event.stores.push("flows");
    }
    events.into_iter().map(|(id, event)| Event { flow: Some(id), ..event }).collect()
}

fn call(record: &AuditRecord, text: String) -> Event {
    Event {
        is_failure: !record.ending.is_success(),
        handler: record.handler.to_string(),
        stores: vec!["audit"],
        ..Event::new(record.at, "flow", text)
    }
}

fn delivery(flow: &FlowSummary) -> String {
    let mut text = format!("delivery {} after {} attempts", flow.state.as_str(), flow.attempts);
    if flow.resubmitted > 0 {
        let _ = write!(text, ", resubmitted {} times", flow.resubmitted);
    }
    text
}

/// The last failed attempt of a durable flow.
fn failed_attempt(flow: &FlowSummary) -> Option<Event> {
    let (at, cause) = (flow.failed_at?, flow.failure.as_ref()?);
    let step = cause.step.map(|step| format!("{}: ", step.as_str())).unwrap_or_default();
    Some(Event {
        is_failure: true,
        flow: Some(flow.id),
        handler: flow.handler.clone(),
        stores: vec!["flows"],
        ..Event::new(at, "delivery failed", format!("{step}{}", cause.error))
    })
}

fn alert_events(alert: &Alert, known: &Known) -> Vec<Event> {
    let of_alert = |at, kind, text: String| Event {
        flow: Some(alert.flow),
        handler: alert.owner.to_string(),
        stores: vec!["alerts"],
        ..Event::new(at, kind, text)
    };
    let fired = format!("{}: {}, fired {} times", alert.severity.as_str(), alert.message, alert.count);
    let mut events = vec![Event { is_failure: true, ..of_alert(alert.fired_at, "alert opened", fired) }];
    if let Some(at) = alert.resolved_at {
        let by = match resolved_by(alert, at, known) {
            Some(operator) => format!("resolved by the operator {operator}"),
            None if known.deeds_since.is_some_and(|since| since < at) => {
                "resolved by itself, by a success of the handler: there is no record of an operator"
                    .to_owned()
            }
            None => {
                "resolved; the records that could say by whom are not among those that were read".to_owned()
            }
        };
        events.push(of_alert(at, "alert resolved", by));
    }
    events
}

/// The operator who resolved an alert, by the record of the action.
fn resolved_by<'k>(alert: &Alert, at: Timestamp, known: &'k Known) -> Option<&'k str> {
    let deed = known.deeds.iter().find(|(record, _)| {
        let owner = record.payload.as_ref().and_then(|payload| payload.decode::<Value>().ok());
        let seconds = record.at.as_second() - at.as_second();
        record.ending.is_success()
            && record.handler.ends_with("resolve_alert")
            && owner.is_some_and(|deed| deed["owner"] == *alert.owner)
            && seconds.abs() <= CLOCKS
    });
    deed.and_then(|(record, _)| record.actor.as_deref())
}

/// By how many seconds the clocks of the store and of the console's machine may differ, and how long an action may take.
const CLOCKS: i64 = 60;
