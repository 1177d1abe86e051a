//! The record of one call: everything that a step needs, without the handler's types.

mod accessors;
mod cached;
mod compact;
mod declaration;
mod envelope;
mod event;
mod faults;
mod idempotent;
mod incident;
mod json;
mod metadata;
mod naming;
mod options;
mod payload;
#[cfg(feature = "__testing")]
mod sample;
mod stored;
mod values;

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::Span;
use uuid::Uuid;

#[cfg(feature = "__testing")]
pub use self::sample::Sample;
use self::stored::is_default;
pub(crate) use self::{
    cached::{Cached, Loading, Named as NamedEntity, Own, Progress, Writing},
    compact::Row,
    declaration::{Declaration, Declared, Identity, Tags},
    idempotent::{Answering, CanonicalRequest},
    naming::Named,
    options::{DEFAULT_CACHE_TTL_MS, Options},
    stored::{Stored, Undecodable},
    values::{Values, name},
};
pub use self::{
    event::{EmittedData, Event},
    faults::Argument,
    idempotent::{IdempotentAnswer, IdempotentCall, RequestHash, StoredAnswer},
    incident::Incident,
    metadata::{LastError, Metadata},
    options::{AlertOn, Delivery, OnErr, OnOk, Severity},
    payload::Payload,
};
use crate::{code::Code, context::Context, escape::is_plain, text::Text};

/// How a handler ended.
///
/// ```
/// use graceful::CallOutcome;
/// assert!(CallOutcome::Ok.is_success() && !CallOutcome::Cancelled.is_success());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    /// The handler returned `Ok`.
    Ok,
    /// The handler returned `Err`.
    Err,
    /// The handler panicked; the panic continues after the error flow.
    Panicked,
    /// The handler's future was dropped before its end.
    Cancelled,
}

impl CallOutcome {
    /// Whether the outcome starts the success flow.
    ///
    /// ```
    /// assert!(!graceful::CallOutcome::Err.is_success());
    /// ```
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Ok)
    }

    /// The name in a report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Err => "err",
            Self::Panicked => "panicked",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for CallOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The error of a name with characters that attributes of events must not contain.
pub(crate) fn not_plain(what: &str) -> String {
    format!("the name of the {what} holds control or bidirectional characters")
}

/// The service and the environment of the flow, from the orchestrator's settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Origin {
    #[serde(skip_serializing_if = "is_default")]
    pub service: Text,
    #[serde(skip_serializing_if = "is_default")]
    pub environment: Text,
}

impl Origin {
    /// The reasons why an event from here would be invalid. The service is the event's `source`, which must not be empty.
    pub(crate) fn faults(&self) -> impl Iterator<Item = String> {
        let empty = self.service.is_empty().then(|| "the name of the service is empty".to_owned());
        let names = [("service", &self.service), ("environment", &self.environment)];
        let hidden = names.into_iter().filter(|(_, name)| !is_plain(name));
        empty.into_iter().chain(hidden.map(|(what, _)| not_plain(what)))
    }

    /// The origin of a flow that has no orchestrator yet.
    pub(crate) fn unknown() -> Arc<Self> {
        static UNKNOWN: LazyLock<Arc<Origin>> = LazyLock::new(Arc::default);
        Arc::clone(&UNKNOWN)
    }
}

/// The record of one call, which every step, hook and backend gets; the type is the same for both arms.
///
/// It can be serialised as a whole. The steps share it behind an [`Arc`], so that an event, an audit record and a job of the same
/// call point to the same data.
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
    #[serde(default)]
    pub(crate) id: Uuid,
    pub(crate) at: Timestamp,
    #[serde(default = "stored::returned_ok")]
    pub(crate) ending: CallOutcome,
    #[serde(default = "stored::ok")]
    pub(crate) code: Code,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) message: Text,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) fallback_applied: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) parent: Option<Uuid>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) depth: u8,
    pub(crate) origin: Arc<Origin>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) context: Option<Arc<Context>>,
    pub(crate) declaration: Declared,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) values: Values,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) metadata: Option<Arc<Metadata>>,
    #[serde(skip)]
    pub(crate) named: Named,
    /// How often the flow was resubmitted; the store keeps this number beside the flow.
    #[serde(skip)]
    pub(crate) resubmitted: u32,
    /// The span in which the handler was called, until its steps begin.
    #[serde(skip)]
    pub(crate) caller: Option<Box<Span>>,
    /// The text of the error behind a server fault, until it is logged. It is used for nothing else.
    #[serde(skip)]
    pub(crate) cause: Option<Box<str>>,
    /// The answer of an idempotent call, until it is stored.
    #[serde(skip)]
    pub(crate) answering: Option<Arc<Answering>>,
}

impl Flow {
    /// Creates the flow of a call that has not ended; [`end`](Self::end) sets id, time and ending.
    pub(crate) fn begin(declaration: Declared, origin: Arc<Origin>) -> Self {
        Self {
            id: Uuid::nil(),
            at: Timestamp::UNIX_EPOCH,
            ending: CallOutcome::Ok,
            code: Code::Ok,
            message: Text::default(),
            fallback_applied: false,
            parent: None,
            depth: 0,
            origin,
            context: None,
            declaration,
            values: Values::default(),
            metadata: None,
            named: Named::default(),
            resubmitted: 0,
            caller: None,
            cause: None,
            answering: None,
        }
    }

    /// Changes the outcome of a call that was about to return `Ok`: it has no value any more.
    pub(crate) fn come_to(&mut self, ending: CallOutcome, code: Code) {
        (self.ending, self.code, self.message) = (ending, code, code.text().into());
        self.values.drop_payloads();
    }

    /// Records the end of the call. From here on the flow has an id, and only the metadata step changes it.
    pub(crate) fn end(&mut self, ending: CallOutcome) {
        self.at = Timestamp::now();
        self.id = new_id(self.at);
        self.ending = ending;
    }
}

/// Makes a UUID of version 7.
pub(crate) fn new_id(at: Timestamp) -> Uuid {
    let millis = u64::try_from(at.as_millisecond()).unwrap_or_default();
    let mut random = [0; 10];
    fastrand::fill(&mut random);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}
