//! What was done.

use std::{fmt::Debug, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use uuid::Uuid;

use crate::{
    backends::Reply,
    code::Code,
    flow::{CallOutcome, Declared, Flow, Payload},
    key::Key,
    sha256::Sha256,
    trace::TraceParent,
};

/// What an [`AuditLog`] keeps of a flow: who did what, when, to what and how it ended, and a hash of the payload. The payload
/// itself is in it only where the handler declares `audit(payload)`; metadata never is.
///
/// ```
/// use graceful::{Code, OrchestrationConfig, Payload, Success, backends::AuditRecord};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let config = OrchestrationConfig::new("user").id(42);
/// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
/// let record = AuditRecord::of(report.flow());
/// assert_eq!((record.code, record.message.as_str(), record.payload), (Code::Ok, "user updated", None));
/// // Whoever has the value can show that it is the one.
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
    /// What it was about, with service and tenant.
    pub entity: Key,
    /// The handler's name; empty where it has none.
    pub handler: SmolStr,
    /// The environment's name.
    pub environment: SmolStr,
    /// How the handler ended.
    pub ending: CallOutcome,
    /// What the outcome meant.
    pub code: Code,
    /// The text for people. It holds what the argument `message` names.
    pub message: SmolStr,
    /// Whether a fallback answered instead of the handler's `Err`.
    pub fallback_applied: bool,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<SmolStr>,
    /// Who was logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<SmolStr>,
    /// What ties the calls of one business action together.
    pub correlation_id: SmolStr,
    /// The request that it was done in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<SmolStr>,
    /// Where the call stood in a distributed trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceParent>,
    /// The flow whose hook called the handler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Uuid>,
    /// The event's name, where the handler declares one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<SmolStr>,
    /// The labels that the handler declares.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<SmolStr>,
    /// [`Payload::sha256`], where there is a payload. The hash of a value that can be guessed can be found by trying.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_sha256: Option<Sha256>,
    /// The payload, with `audit(payload)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
}

impl AuditRecord {
    /// A record of what was done to the log itself, now: not of a flow.
    ///
    /// ```
    /// use graceful::{Key, backends::AuditRecord};
    ///
    /// let log = Key::new("graceful", None, "audit_log", "payloads");
    /// let record = AuditRecord::new(log, "remove_audit_payloads", "removed the payloads of 7 records");
    /// assert_eq!(record.handler, "remove_audit_payloads");
    /// ```
    pub fn new(entity: Key, handler: impl Into<SmolStr>, message: impl Into<SmolStr>) -> Self {
        let mut flow = Flow::begin(Declared::default(), Arc::default());
        flow.end(CallOutcome::Ok);
        Self { entity, handler: handler.into(), message: message.into(), ..Self::of(&flow) }
    }

    /// What is kept of a flow.
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
            actor: flow.actor().map(SmolStr::new),
            user: context.and_then(|context| context.user.clone()),
            correlation_id: flow.correlation_id(),
            request_id: context.and_then(|context| context.request_id.clone()),
            trace: context.and_then(|context| context.trace),
            parent: flow.parent,
            event: flow.event_name().map(SmolStr::new),
            tags: flow.tags().map(SmolStr::new).collect(),
            payload_sha256: payload.map(Payload::sha256),
            payload: payload.filter(|_| flow.declaration.options.audit_payload).cloned(),
        }
    }
}

/// What was done, by whom, to what, and how it ended.
///
/// A log keeps [`AuditRecord`]s, and nothing else of a flow.
///
/// ```
/// use std::sync::Arc;
///
/// use graceful::{
///     Code, Flow, Key, OrchestrationConfig, Orchestrator, Success,
///     backends::{AuditLog, AuditRecord, Reply},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// /// Writes records to the standard output, and reads none.
/// #[derive(Debug)]
/// struct Print;
///
/// impl AuditLog for Print {
///     fn append(&self, flow: &Arc<Flow>) -> Reply<()> {
///         println!("{} {} {}", flow.timestamp(), flow.entity(), flow.code());
///         Reply::ready(())
///     }
///
///     fn records(&self, _: Option<&Key>, _: usize) -> Reply<Vec<AuditRecord>> {
///         Reply::ready(Vec::new())
///     }
/// }
///
/// let orchestrator = Orchestrator::builder().service("users").audit(Print).build()?;
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// Success::wrap(Code::Ok, "user updated", &"ada").orchestrate(&config).await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub trait AuditLog: Debug + Send + Sync + 'static {
    /// Appends the [record](AuditRecord::of) of a flow.
    fn append(&self, flow: &Arc<Flow>) -> Reply<()>;
    /// The newest records of an entity, or of all, at most `limit`, newest first.
    fn records(&self, entity: Option<&Key>, limit: usize) -> Reply<Vec<AuditRecord>>;
}
