//! Stored data as JSON, as the command line and the console show them. Payloads are not shown.

use serde_json::{Map, Value, json};

use crate::{
    backends::{
        Action, Alert, AuditRecord, Count, FailedAttempt, FailureCause, FailureGroup, FlowSummary, Job, Lag,
        LiveRelay, Operation, OperationItem, PatternUse, Pause, Timestamp,
    },
    code::Code,
    flow::Flow,
    step::Step,
};

/// A time in UTC, with microseconds.
pub fn time(at: Timestamp) -> String {
    format!("{at:.6}")
}

/// A number, and whether there may be more.
pub fn count(count: Count) -> Value {
    json!({ "number": count.number, "more": count.more })
}

fn cause(cause: &FailureCause) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("step".to_owned(), cause.step.map(Step::as_str).into());
    fields.insert("code".to_owned(), cause.code.map(Code::as_str).into());
    fields.insert("group".to_owned(), cause.group.to_string().into());
    fields.insert("error".to_owned(), (&*cause.error).into());
    fields
}

/// A stored flow.
pub fn flow(flow: &FlowSummary) -> Value {
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

/// A group of failures.
pub fn group(group: &FailureGroup) -> Value {
    let mut fields = cause(&group.cause);
    fields.insert("handler".to_owned(), (&*group.handler).into());
    fields.insert("dead".to_owned(), count(group.dead));
    fields.insert("retrying".to_owned(), count(group.retrying));
    fields.insert("first".to_owned(), time(group.first).into());
    fields.insert("last".to_owned(), time(group.last).into());
    fields.insert("example".to_owned(), group.example.to_string().into());
    fields.into()
}

/// A failed attempt, with the results of its steps.
pub fn attempt(attempt: &FailedAttempt) -> Value {
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
pub fn call(flow: &Flow) -> Value {
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

/// An audit record.
pub fn record(record: &AuditRecord) -> Value {
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

/// The work of a store.
pub fn lag(lag: &Lag) -> Value {
    json!({
        "queued": count(lag.queued),
        "running": count(lag.running),
        "dead": count(lag.dead),
        "oldest_due_seconds": lag.oldest_due.map(|time| time.as_secs_f64()),
    })
}

/// A review job.
pub fn job(job: &Job) -> Value {
    json!({
        "id": job.id,
        "entity": job.entity.to_string(),
        "owner": &*job.owner,
        "code": job.code.as_str(),
        "due": time(job.due),
        "opened_at": time(job.opened_at),
        "bumps": job.bumps,
        "attempts": job.attempts,
        "flow": job.flow.to_string(),
        "error": job.error,
        "summary": job.summary,
    })
}

/// An alert.
pub fn alert(alert: &Alert) -> Value {
    json!({
        "entity": alert.entity.to_string(),
        "owner": &*alert.owner,
        "severity": alert.severity.as_str(),
        "code": alert.code.as_str(),
        "message": &*alert.message,
        "count": alert.count,
        "fired_at": time(alert.fired_at),
        "last_fired_at": time(alert.last_fired_at),
        "resolved_at": alert.resolved_at.map(time),
        "flow": alert.flow.to_string(),
        "summary": alert.summary,
    })
}

/// A pattern, and how often it was used.
pub fn pattern(used: &PatternUse) -> Value {
    json!({
        "pattern": &*used.pattern,
        "count": used.count,
        "first_used": time(used.first_used),
        "last_used": time(used.last_used),
    })
}

/// A pause.
pub fn pause(pause: &Pause) -> Value {
    json!({
        "target": pause.target.kind(),
        "name": pause.target.name(),
        "operator": pause.operator,
        "reason": pause.reason,
        "at": time(pause.at),
    })
}

/// A live relay.
pub fn relay(LiveRelay { info, since, seen_at, .. }: &LiveRelay) -> Value {
    json!({
        "id": info.id.to_string(),
        "service": info.service,
        "environment": info.environment,
        "host": info.host,
        "process": info.process,
        "version": info.version,
        "since": time(*since),
        "seen_at": time(*seen_at),
        "handlers": info.handlers,
    })
}

/// An operation on many flows.
pub fn operation(operation: &Operation) -> Value {
    let by = match operation.action {
        Action::Postpone(time) => Some(time.as_secs_f64()),
        _ => None,
    };
    json!({
        "operation": operation.id.to_string(),
        "action": operation.action.as_str(),
        "by_seconds": by,
        "selection": operation.selection,
        "operator": operation.operator,
        "cancelled_by": operation.cancelled_by,
        "cancelled_by_verified": operation.cancelled_by.as_ref().map(|_| operation.cancelled_by_verified),
        "verified": operation.verified,
        "state": operation.state.as_str(),
        "prepared_at": time(operation.prepared_at),
        "ended_at": operation.ended_at.map(time),
        "selected": operation.selected,
        "done": operation.changed(),
        "not_tried_yet": operation.waiting,
        "failed_again": operation.failed,
        "skipped": operation.skipped,
        "left": operation.left(),
    })
}

/// A flow in the list of an operation.
pub fn item(item: &OperationItem) -> Value {
    json!({ "id": item.flow.to_string(), "state": item.state.as_str(), "reason": item.reason })
}
