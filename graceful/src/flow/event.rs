//! The event of a flow: `CloudEvents` 1.0, structured JSON.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::{Flow, Metadata, Payload, envelope::yin_yang, json};
use crate::{code::Code, key::encoded, text::Text};

/// The event of a flow. It is a view of the flow: cloning it shares the flow.
///
/// Serialised, it is a [CloudEvents 1.0](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md) envelope in
/// structured JSON. Its id is the flow's id, so that a broker can detect duplicates. If the flow's context has a trace, the event
/// has the extension `traceparent`, and `tracestate` if the trace has a state. If the context has a tenant, the event has the extension
/// `tenant`, encoded.
///
/// ```
/// use graceful::{Code, Orchestrator, OrchestrationConfig, Success, backends::memory};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let events = memory::Events::new();
/// let mut inbox = events.subscribe();
/// let orchestrator = Orchestrator::builder().service("users").events(events).build()?;
/// let config = OrchestrationConfig::new("user").id("42").event("user_updated").on(&orchestrator);
/// Success::wrap(Code::Ok, "user updated", &"ada").orchestrate(&config).await;
///
/// let event = inbox.recv().await?;
/// assert_eq!((event.name(), event.source()), ("user_updated", "users"));
/// assert_eq!(event.subject().as_deref(), Some("user/42"));
/// assert_eq!(event.data().result.as_json(), "\"ada\"");
/// assert!(event.to_json()?.contains("\"specversion\":\"1.0\""));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Event(pub(super) Arc<Flow>);

/// The bytes of an envelope without its payload, as a rule.
const ENVELOPE: usize = 768;

impl Event {
    /// The event of a flow; `None` where its handler declares no event.
    pub(crate) fn of(flow: &Arc<Flow>) -> Option<Self> {
        flow.event_name().is_some().then(|| Self(Arc::clone(flow)))
    }

    /// The flow's id.
    ///
    /// ```
    /// # use graceful::{Code, Orchestrator, OrchestrationConfig, Success, backends::memory};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let events = memory::Events::new();
    /// # let mut inbox = events.subscribe();
    /// # let orchestrator = Orchestrator::builder().service("users").events(events).build().unwrap();
    /// let config = OrchestrationConfig::new("user").id(42).event("user_updated").on(&orchestrator);
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// let event = inbox.recv().await.unwrap();
    /// assert_eq!(event.id(), report.flow().id());
    /// # });
    /// ```
    pub fn id(&self) -> Uuid {
        self.0.id
    }

    /// The id of the delivery, by which a broker may drop duplicates: the flow's id, and how often the flow was
    /// [resubmitted](crate::backends::FlowStore::resubmit). A resubmitted flow whose event was not confirmed emits it again,
    /// as a new delivery with the same event id.
    ///
    /// ```
    /// # use graceful::{Code, Orchestrator, OrchestrationConfig, Success, backends::memory};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let events = memory::Events::new();
    /// # let mut inbox = events.subscribe();
    /// # let orchestrator = Orchestrator::builder().service("users").events(events).build().unwrap();
    /// let config = OrchestrationConfig::new("user").id(42).event("user_updated").on(&orchestrator);
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// let event = inbox.recv().await.unwrap();
    /// assert_eq!(event.delivery_id(), event.id().to_string(), "it was not resubmitted");
    /// # });
    /// ```
    pub fn delivery_id(&self) -> String {
        self.0.delivery_id()
    }

    /// The event's name, which is the `type` of the envelope: `user_updated` or `user_updated.failed`.
    ///
    /// ```
    /// # use graceful::{Code, Orchestrator, OrchestrationConfig, Success, backends::memory};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let events = memory::Events::new();
    /// # let mut inbox = events.subscribe();
    /// # let orchestrator = Orchestrator::builder().service("users").events(events).build().unwrap();
    /// let config = OrchestrationConfig::new("user").id(42).event("user_updated").on(&orchestrator);
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// let event = inbox.recv().await.unwrap();
    /// assert_eq!(event.name(), "user_updated");
    /// # });
    /// ```
    pub fn name(&self) -> &str {
        self.0.event_name().unwrap_or_default()
    }

    /// The service; its encoded name is the `source` of the envelope.
    ///
    /// ```
    /// # use graceful::{Code, Orchestrator, OrchestrationConfig, Success, backends::memory};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let events = memory::Events::new();
    /// # let mut inbox = events.subscribe();
    /// # let orchestrator = Orchestrator::builder().service("users").events(events).build().unwrap();
    /// let config = OrchestrationConfig::new("user").id(42).event("user_updated").on(&orchestrator);
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// let event = inbox.recv().await.unwrap();
    /// assert_eq!(event.source(), "users");
    /// # });
    /// ```
    pub fn source(&self) -> &str {
        self.0.service()
    }

    /// The entity as `pattern/id`, each part encoded, which is the `subject` of the envelope. `None` if the call belongs to no entity.
    ///
    /// ```
    /// # use graceful::{Code, Orchestrator, OrchestrationConfig, Success, backends::memory};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let events = memory::Events::new();
    /// # let mut inbox = events.subscribe();
    /// # let orchestrator = Orchestrator::builder().service("users").events(events).build().unwrap();
    /// let config = OrchestrationConfig::new("user").id("a/b").event("user_updated").on(&orchestrator);
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// let event = inbox.recv().await.unwrap();
    /// assert_eq!(event.subject().as_deref(), Some("user/a%2Fb"));
    /// # });
    /// ```
    pub fn subject(&self) -> Option<String> {
        let id = self.0.values.entity()?;
        Some(format!("{}/{}", encoded(self.0.pattern()), encoded(id)))
    }

    /// The flow of the event.
    ///
    /// ```
    /// # use graceful::{Code, Orchestrator, OrchestrationConfig, Success, backends::memory};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let events = memory::Events::new();
    /// # let mut inbox = events.subscribe();
    /// # let orchestrator = Orchestrator::builder().service("users").events(events).build().unwrap();
    /// let config = OrchestrationConfig::new("user").id(42).event("user_updated").on(&orchestrator);
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// let event = inbox.recv().await.unwrap();
    /// assert_eq!(event.flow().pattern(), "user");
    /// # });
    /// ```
    pub fn flow(&self) -> &Arc<Flow> {
        &self.0
    }

    /// The `data` of the envelope.
    ///
    /// ```
    /// # use graceful::{Code, Orchestrator, OrchestrationConfig, Success, backends::memory};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let events = memory::Events::new();
    /// # let mut inbox = events.subscribe();
    /// # let orchestrator = Orchestrator::builder().service("users").events(events).build().unwrap();
    /// let config = OrchestrationConfig::new("user").id(42).event("user_updated").on(&orchestrator);
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// let event = inbox.recv().await.unwrap();
    /// assert_eq!((event.data().yin_yang, event.data().result.as_json()), ("yang", "\"ada\""));
    /// # });
    /// ```
    pub fn data(&self) -> EmittedData<'_> {
        let flow = &*self.0;
        EmittedData {
            code: flow.code,
            message: flow.message(),
            result: self.result(),
            metadata: flow.metadata(),
            yin_yang: yin_yang(flow),
            correlation_id: flow.correlation_id(),
            service: flow.service(),
            entity_id: flow.values.entity().cloned(),
            timestamp: flow.at,
            environment: flow.environment(),
            actor_id: flow.actor(),
            request_id: flow.context().and_then(|context| context.request_id.as_deref()),
            tags: flow.tags().collect(),
        }
    }

    pub(super) fn result(&self) -> &Payload {
        let values = &self.0.values;
        values.event_payload.as_ref().unwrap_or(&values.payload)
    }

    /// The whole envelope as JSON.
    ///
    /// # Errors
    /// Does not fail in practice: every part is JSON already.
    ///
    /// ```
    /// # use graceful::{Code, Orchestrator, OrchestrationConfig, Success, backends::memory};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let events = memory::Events::new();
    /// # let mut inbox = events.subscribe();
    /// # let orchestrator = Orchestrator::builder().service("users").events(events).build().unwrap();
    /// let config = OrchestrationConfig::new("user").id(42).event("user_updated").on(&orchestrator);
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// let event = inbox.recv().await.unwrap();
    /// assert!(event.to_json().unwrap().contains(r#""type":"user_updated""#));
    /// # });
    /// ```
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut json = String::with_capacity(ENVELOPE + self.result().as_json().len());
        json::write_record(&mut json, self)?;
        Ok(json)
    }
}

/// The data of an event: the same fields for both arms.
///
/// ```
/// # use graceful::{Code, Failure, Orchestrator, OrchestrationConfig, backends::memory};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let events = memory::Events::new();
/// # let mut inbox = events.subscribe();
/// # let orchestrator = Orchestrator::builder().service("users").events(events).build().unwrap();
/// let config = OrchestrationConfig::new("user").id("42").event("user_updated").on(&orchestrator);
/// Failure::wrap(Code::NotFound, "no such user", &"cause").orchestrate(&config).await;
/// let event = inbox.recv().await.unwrap();
/// let data = event.data();
/// assert_eq!((data.code, data.message, data.yin_yang), (Code::NotFound, "no such user", "yin"));
/// # });
/// ```
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct EmittedData<'a> {
    /// The correlation id, which all calls of one business action share. It comes first, so that a reader finds it before the value.
    pub correlation_id: Text,
    /// The code of the outcome.
    pub code: Code,
    /// The message that clients may see.
    pub message: &'a str,
    /// The value, or the event's own payload; null on the error flow.
    pub result: &'a Payload,
    /// The entity's metadata after the flow.
    pub metadata: Option<&'a Metadata>,
    /// `yang` on the success flow, `yin` on the error flow.
    pub yin_yang: &'static str,
    /// The service's name.
    pub service: &'a str,
    /// The entity's id; `None` if the call belongs to no entity.
    pub entity_id: Option<Text>,
    /// When the handler ended.
    pub timestamp: Timestamp,
    /// The environment's name.
    pub environment: &'a str,
    /// Who made the call.
    pub actor_id: Option<&'a str>,
    /// The id of the request.
    pub request_id: Option<&'a str>,
    /// The handler's tags.
    pub tags: Vec<&'a str>,
}
