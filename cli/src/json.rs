//! Answers as JSON.

use graceful::{
    Flow,
    backends::{AuditRecord, Count, FailedAttempt, FailureCause, FailureGroup, FlowSummary, Lag, Timestamp},
};
use serde_json::{Map, Value, json};

pub(crate) fn time(at: Timestamp) -> String {
    format!("{at:.6}")
}

pub(crate) fn count(count: Count) -> Value {
    json!({ "number": count.number, "more": count.more })
}

fn cause(cause: &FailureCause) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("step".to_owned(), cause.step.map(graceful::Step::as_str).into());
    fields.insert("code".to_owned(), cause.code.map(graceful::Code::as_str).into());
    fields.insert("group".to_owned(), cause.group.to_string().into());
    fields.insert("error".to_owned(), (&*cause.error).into());
    fields
}

pub(crate) fn flow(flow: &FlowSummary) -> Value {
    json!({
        "id": flow.id.to_string(),
        "state": flow.state.as_str(),
        "running": flow.running,
        "handler": flow.handler,
        "entity": flow.entity,
        "attempts": flow.attempts,
        "resubmitted": flow.resubmitted,
        "stored_at": time(flow.stored_at),
        "due": flow.ended_at.is_none().then(|| time(flow.due)),
        "failed_at": flow.failed_at.map(time),
        "ended_at": flow.ended_at.map(time),
        "failure": flow.failure.as_ref().map(cause),
    })
}

pub(crate) fn group(group: &FailureGroup) -> Value {
    let mut fields = cause(&group.cause);
    fields.insert("handler".to_owned(), (&*group.handler).into());
    fields.insert("dead".to_owned(), count(group.dead));
    fields.insert("retrying".to_owned(), count(group.retrying));
    fields.insert("first".to_owned(), time(group.first).into());
    fields.insert("last".to_owned(), time(group.last).into());
    fields.insert("example".to_owned(), group.example.to_string().into());
    fields.into()
}

pub(crate) fn attempt(attempt: &FailedAttempt) -> Value {
    let failure = &attempt.failure;
    let steps = failure.steps.iter().map(|(step, result)| json!({ "step": step.as_str(), "result": result }));
    let mut fields = cause(&failure.cause);
    fields.insert("resubmitted".to_owned(), attempt.resubmitted.into());
    fields.insert("number".to_owned(), attempt.number.into());
    fields.insert("at".to_owned(), time(attempt.at).into());
    fields.insert("took_ms".to_owned(), u64::try_from(failure.took.as_millis()).unwrap_or(u64::MAX).into());
    fields.insert("steps".to_owned(), steps.collect());
    fields.into()
}

/// The call of a flow, without its payload and its metadata.
pub(crate) fn call(flow: &Flow) -> Value {
    json!({
        "at": time(flow.timestamp()),
        "outcome": flow.ending().as_str(),
        "code": flow.code().as_str(),
        "message": flow.message(),
        "service": flow.service(),
        "environment": flow.environment(),
        "tenant": flow.tenant(),
        "pattern": flow.pattern(),
        "actor": flow.actor(),
        "event": flow.event_name(),
        "correlation_id": &*flow.correlation_id(),
        "parent": flow.parent().map(|parent| parent.to_string()),
        "tags": flow.tags().collect::<Vec<_>>(),
    })
}

/// An audit record without its payload, which may be secret.
pub(crate) fn record(record: &AuditRecord) -> Value {
    json!({
        "at": time(record.at),
        "flow": record.flow.to_string(),
        "actor": record.actor.as_deref(),
        "user": record.user.as_deref(),
        "handler": &*record.handler,
        "entity": record.entity.to_string(),
        "environment": &*record.environment,
        "outcome": record.ending.as_str(),
        "code": record.code.as_str(),
        "message": &*record.message,
        "event": record.event.as_deref(),
        "correlation_id": &*record.correlation_id,
        "request_id": record.request_id.as_deref(),
        "parent": record.parent.map(|parent| parent.to_string()),
        "tags": record.tags.iter().map(|tag| &**tag).collect::<Vec<&str>>(),
        "payload_sha256": record.payload_sha256.map(|hash| hash.to_string()),
    })
}

pub(crate) fn lag(lag: &Lag) -> Value {
    json!({
        "queued": count(lag.queued),
        "running": count(lag.running),
        "dead": count(lag.dead),
        "oldest_due_seconds": lag.oldest_due.map(|time| time.as_secs_f64()),
    })
}
