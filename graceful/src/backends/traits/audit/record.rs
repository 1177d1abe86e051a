//! The record of one flow.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    code::Code,
    flow::{CallOutcome, Declared, Flow, Payload},
    key::Key,
    sha256::Sha256,
    text::Text,
    trace::TraceParent,
};

/// The audit record of a flow: who called which handler for which entity, when and how it ended, and a hash of the payload. It contains
/// the payload itself only if the handler declares `audit(payload)`, and never metadata.
///
/// ```
/// use graceful::{Code, OrchestrationConfig, Payload, Success, backends::AuditRecord};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let config = OrchestrationConfig::new("user").id(42);
/// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
/// let record = AuditRecord::of(report.flow());
/// assert_eq!((record.code, record.message.as_str(), record.payload), (Code::Ok, "user updated", None));
/// // Anyone who has the value can prove that it is the recorded one.
/// assert_eq!(record.payload_sha256, Some(Payload::of("ada")?.sha256()));
/// # Ok::<(), serde_json::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuditRecord {
    /// The flow's id.
    pub flow: Uuid,
    /// When the handler ended.
    pub at: Timestamp,
    /// The entity, with service and tenant.
    pub entity: Key,
    /// The handler's name; empty if it has none.
    pub handler: Text,
    /// The environment's name.
    pub environment: Text,
    /// How the handler ended.
    pub ending: CallOutcome,
    /// The code of the outcome.
    pub code: Code,
    /// The readable message, including what the argument `message` contains.
    pub message: Text,
    /// Whether a fallback turned the handler's `Err` into an `Ok`.
    pub fallback_applied: bool,
    /// The actor: who made the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Text>,
    /// The authenticated user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Text>,
    /// The correlation id, which all calls of one business action share.
    pub correlation_id: Text,
    /// The id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Text>,
    /// The position of the call in a distributed trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceParent>,
    /// The flow whose hook called the handler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Uuid>,
    /// The event's name, if the handler declares one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Text>,
    /// The labels that the handler declares.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Text>,
    /// [`Payload::sha256`], if there is a payload. A value that can be guessed can be found by its hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_sha256: Option<Sha256>,
    /// The payload, with `audit(payload)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
}

impl AuditRecord {
    /// Creates a record about a change of the log itself, with the current time. It belongs to no flow.
    ///
    /// ```
    /// use graceful::{Key, backends::AuditRecord};
    ///
    /// let log = Key::new("graceful", None, "audit_log", "payloads");
    /// let record = AuditRecord::new(log, "remove_audit_payloads", "removed the payloads of 7 records");
    /// assert_eq!(record.handler, "remove_audit_payloads");
    /// ```
    pub fn new(entity: Key, handler: impl Into<Text>, message: impl Into<Text>) -> Self {
        let mut flow = Flow::begin(Declared::default(), Arc::default());
        flow.end(CallOutcome::Ok);
        Self { entity, handler: handler.into(), message: message.into(), ..Self::of(&flow) }
    }

    /// Creates the record of a flow.
    ///
    /// ```
    /// # use graceful::{Code, Failure, backends::AuditRecord};
    /// let failure = Failure::wrap(Code::NotFound, "no such user", "cause");
    /// assert_eq!(AuditRecord::of(failure.flow()).code, Code::NotFound);
    /// ```
    pub fn of(flow: &Flow) -> Self {
        let context = flow.context();
        let payload = Some(flow.payload()).filter(|payload| !payload.is_null());
        Self {
            flow: flow.id,
            at: flow.at,
            entity: flow.entity(),
            handler: flow.declaration.handler.clone(),
            environment: flow.origin.environment.clone(),
            ending: flow.ending,
            code: flow.code,
            message: flow.message.clone(),
            fallback_applied: flow.fallback_applied,
            actor: flow.actor().map(Text::from),
            user: context.and_then(|context| context.user.clone()),
            correlation_id: flow.correlation_id(),
            request_id: context.and_then(|context| context.request_id.clone()),
            trace: context.and_then(|context| context.trace),
            parent: flow.parent,
            event: flow.event_name().map(Text::from),
            tags: flow.tags().map(Text::from).collect(),
            payload_sha256: payload.map(Payload::sha256),
            payload: payload.filter(|_| flow.declaration.options.audit_payload).cloned(),
        }
    }
}
