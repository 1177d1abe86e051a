//! The record of one call: everything that a step needs, and nothing of the handler's types.

mod event;
mod metadata;
mod options;
mod payload;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use smol_str::{SmolStr, format_smolstr};
use uuid::Uuid;

pub(crate) use self::options::{Names, Options, Tags, Work};
pub use self::{
    event::{CanonicalPayload, Event},
    metadata::{LastError, Metadata},
    options::{AlertOn, Delivery, OnErr, OnOk, Severity},
    payload::Payload,
};
use crate::{Code, Context, Key, KeySpace};

/// How a handler ended.
///
/// ```
/// use graceful::Ending;
/// assert!(Ending::Ok.is_success() && !Ending::Cancelled.is_success());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It returned `Ok`.
    Ok,
    /// It returned `Err`.
    Err,
    /// It panicked; the panic goes on after the error flow.
    Panicked,
    /// Its future was dropped before it was finished.
    Cancelled,
}

impl Ending {
    /// Whether it feeds the success flow.
    ///
    /// ```
    /// assert!(!graceful::Ending::Err.is_success());
    /// ```
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Ok)
    }

    /// The name in a report.
    ///
    /// ```
    /// assert_eq!(graceful::Ending::Panicked.name(), "panicked");
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Err => "err",
            Self::Panicked => "panicked",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Where the flow ran: the orchestrator's settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub service: SmolStr,
    pub environment: SmolStr,
}

/// The record of one call, the same for both arms: what every step, hook and backend gets.
///
/// It can be serialised whole. Steps share one behind an [`Arc`], so that an event, an audit record and a job of the same
/// call point at the same bytes.
///
/// ```
/// use graceful::{Code, Orchestrator, OrchestrationConfig, Success};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let config = OrchestrationConfig::new("user").id("42").event("user_updated").on(&Orchestrator::in_memory());
/// let report = Success::wrap(Code::Ok, "user updated", &"ada").orchestrate(&config).await;
///
/// let flow = report.flow();
/// assert_eq!((flow.pattern(), &*flow.entity_id(), flow.code()), ("user", "42", Code::Ok));
/// assert_eq!(flow.payload().as_json(), "\"ada\"");
/// assert_eq!(flow.event_name(), Some("user_updated"));
/// # });
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Flow {
    pub(crate) id: Uuid,
    pub(crate) at: Timestamp,
    pub(crate) ending: Ending,
    pub(crate) code: Code,
    pub(crate) message: SmolStr,
    pub(crate) fallback_applied: bool,
    pub(crate) parent: Option<Uuid>,
    pub(crate) depth: u8,
    pub(crate) origin: Arc<Origin>,
    pub(crate) context: Option<Arc<Context>>,
    pub(crate) names: Names,
    pub(crate) options: Options,
    pub(crate) values: Values,
    pub(crate) metadata: Option<Arc<Metadata>>,
}

/// What the declaration's expressions came to in this call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Values {
    pub id: Option<SmolStr>,
    pub cache_key: Option<SmolStr>,
    pub version: Option<i64>,
    pub actor: Option<SmolStr>,
    pub graph_to: Option<SmolStr>,
    pub metadata: Option<Arc<Map<String, Value>>>,
    pub payload: Payload,
    pub cache_value: Option<Payload>,
    pub event_payload: Option<Payload>,
    /// An expression panicked, or its value could not be serialised: the steps that need it say so.
    pub fault: Option<SmolStr>,
}

impl Values {
    /// Values are the success flow's: an error has none, whatever an expression over the parameters came to.
    pub(crate) fn drop_payloads(&mut self) {
        self.payload = Payload::NULL;
        self.cache_value = None;
        self.event_payload = None;
    }
}

impl Flow {
    /// A flow that has not ended: id, time and outcome come with [`end`](Self::end).
    pub(crate) fn begin(origin: Arc<Origin>, names: Names, options: Options) -> Self {
        Self {
            id: Uuid::nil(),
            at: Timestamp::UNIX_EPOCH,
            ending: Ending::Ok,
            code: Code::Ok,
            message: SmolStr::default(),
            fallback_applied: false,
            parent: None,
            depth: 0,
            origin,
            context: Context::try_current(),
            names,
            options,
            values: Values::default(),
            metadata: None,
        }
    }

    /// The call has ended: from here on the flow has an identity, and changes no more but by the metadata step.
    pub(crate) fn end(&mut self, ending: Ending, code: Code, message: impl Into<SmolStr>) {
        let at = Timestamp::now();
        let millis = u64::try_from(at.as_millisecond()).unwrap_or_default();
        let mut random = [0; 10];
        fastrand::fill(&mut random);
        self.id = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        self.at = at;
        self.ending = ending;
        self.code = code;
        self.message = message.into();
    }

    /// The flow's id, a `UUIDv7` made once: the event's id, the state's id, the audit record's id.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// When the handler ended.
    pub fn timestamp(&self) -> Timestamp {
        self.at
    }

    /// How the handler ended.
    pub fn ending(&self) -> Ending {
        self.ending
    }

    /// Whether this is the success flow.
    pub fn is_success(&self) -> bool {
        self.ending.is_success()
    }

    /// What the outcome means.
    pub fn code(&self) -> Code {
        self.code
    }

    /// A text for people that may leave the process: never an unclassified error's own.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether a fallback turned the `Err` into an `Ok` for the caller. The flow is the error flow all the same.
    pub fn fallback_applied(&self) -> bool {
        self.fallback_applied
    }

    /// The flow whose hook called this handler.
    pub fn parent(&self) -> Option<Uuid> {
        self.parent
    }

    /// The service's name, from the orchestrator's builder.
    pub fn service(&self) -> &str {
        &self.origin.service
    }

    /// The environment's name, from the orchestrator's builder.
    pub fn environment(&self) -> &str {
        &self.origin.environment
    }

    /// The handler's name; empty on the manual path, unless it was given.
    pub fn handler(&self) -> &str {
        &self.names.handler
    }

    /// The kind of entity.
    pub fn pattern(&self) -> &str {
        &self.names.pattern
    }

    /// The context that the call was made in.
    pub fn context(&self) -> Option<&Context> {
        self.context.as_deref()
    }

    /// Whose data it is; empty where there is no tenant.
    pub fn tenant(&self) -> &str {
        self.context().and_then(|context| context.tenant.as_deref()).unwrap_or_default()
    }

    /// What ties the calls of one business action together: the context's, else the flow's own id.
    pub fn correlation_id(&self) -> SmolStr {
        match self.context().and_then(|context| context.correlation_id.clone()) {
            Some(id) => id,
            None => format_smolstr!("{}", self.id),
        }
    }

    /// Who did it: the argument, else the context's actor, else its user.
    pub fn actor(&self) -> Option<&str> {
        let context = || self.context().and_then(|context| context.actor.as_ref().or(context.user.as_ref()));
        self.values.actor.as_ref().or_else(context).map(SmolStr::as_str)
    }

    /// The entity's id: the argument `id`, else the cache key, else the correlation id.
    pub fn entity_id(&self) -> SmolStr {
        let known = self.values.id.as_ref().or(self.values.cache_key.as_ref());
        known.cloned().unwrap_or_else(|| self.correlation_id())
    }

    /// The entity's full name.
    pub fn entity(&self) -> Key {
        self.key(self.entity_id())
    }

    /// The name of the cached value, where the handler declares one.
    pub fn cache_key(&self) -> Option<Key> {
        self.values.cache_key.clone().map(|id| self.key(id))
    }

    pub(crate) fn last_good_key(&self) -> Option<Key> {
        self.cache_key().map(|key| key.in_space(KeySpace::LastGood))
    }

    fn key(&self, id: SmolStr) -> Key {
        let tenant = self.context().and_then(|context| context.tenant.clone()).unwrap_or_default();
        Key::of_parts(self.origin.service.clone(), tenant, self.names.pattern.clone(), id)
    }

    /// The version that the handler gave, so that nothing newer is overwritten.
    pub fn version(&self) -> Option<i64> {
        self.values.version
    }

    /// The name of the event of this arm, where the handler declares one.
    pub fn event_name(&self) -> Option<&str> {
        let name = if self.is_success() { &self.names.event } else { &self.names.failed };
        (!name.is_empty()).then_some(name)
    }

    /// The value: null on the error flow, and where nothing can be serialised.
    pub fn payload(&self) -> &Payload {
        &self.values.payload
    }

    /// The name that `nexus` counts: the pattern, or `pattern.error` on the error flow.
    pub fn registered_pattern(&self) -> SmolStr {
        match self.is_success() {
            true => self.names.pattern.clone(),
            false => format_smolstr!("{}.error", self.names.pattern),
        }
    }

    /// The labels that the handler declares.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.names.tags.iter()
    }

    /// When the response leaves, relative to the steps.
    pub fn delivery(&self) -> Delivery {
        self.options.delivery
    }

    /// The entity's metadata after this flow, once the metadata step has run.
    pub fn metadata(&self) -> Option<&Metadata> {
        self.metadata.as_deref()
    }

    /// The fields that the handler's `metadata` argument came to.
    pub fn declared_metadata(&self) -> Option<&Map<String, Value>> {
        self.values.metadata.as_deref()
    }
}
