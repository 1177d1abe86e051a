//! The getters of a flow.

use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{CallOutcome, Delivery, Flow, Metadata, Own, Payload};
use crate::{
    code::Code,
    context::Context,
    step::{Step, Steps},
    text::{Text, text},
};

impl Flow {
    /// The flow's id, a `UUIDv7`. Event, metadata state and audit record have the same id.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// When the handler ended.
    pub fn timestamp(&self) -> Timestamp {
        self.at
    }

    /// How the handler ended.
    pub fn ending(&self) -> CallOutcome {
        self.ending
    }

    /// Whether this is the success flow.
    pub fn is_success(&self) -> bool {
        self.ending.is_success()
    }

    /// The arm that each step runs for this flow.
    pub(crate) fn arm(&self) -> &'static str {
        if self.is_success() { "ok" } else { "err" }
    }

    /// The code of the outcome.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The message that clients may see; never the own text of an unclassified error.
    ///
    /// ```
    /// # use graceful::{Code, Failure};
    /// let failure = Failure::wrap(Code::Internal, "something failed", "disk full");
    /// assert_eq!(failure.flow().message(), "something failed");
    /// ```
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether a fallback turned the `Err` into an `Ok` for the caller. The flow is still the error flow.
    ///
    /// ```
    /// # use graceful::{Failure, Orchestrator, orchestrate};
    /// async fn guest(_: &Failure<'_, std::fmt::Error>) -> Option<String> { Some("guest".to_owned()) }
    ///
    /// #[orchestrate(pattern = "user", fallback = guest)]
    /// async fn name() -> Result<String, std::fmt::Error> { Err(std::fmt::Error) }
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let (sender, flows) = std::sync::mpsc::channel();
    /// # let builder = Orchestrator::builder().on_report(move |report| sender.send(report.flow().clone()).unwrap());
    /// # let orchestrator = builder.build().unwrap();
    /// assert_eq!(orchestrator.scope(name()).await.unwrap(), "guest");
    /// let flow = flows.recv().unwrap();
    /// assert!(flow.fallback_applied() && !flow.is_success());
    /// # });
    /// ```
    pub fn fallback_applied(&self) -> bool {
        self.fallback_applied
    }

    /// The flow whose hook called this handler.
    ///
    /// ```
    /// # use graceful::{Code, Flow, Hook, OrchestrationConfig, Orchestrator, Step, StepError, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// async fn count(outer: &Flow) -> Result<(), StepError> {
    ///     let config = OrchestrationConfig::new("counter");
    ///     let inner = Success::wrap(Code::Ok, "counted", "1").orchestrate(&config).await;
    ///     assert_eq!(inner.flow().parent(), Some(outer.id()));
    ///     Ok(())
    /// }
    ///
    /// # let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").hook(Step::Audit, Hook::new(count)).on(&orchestrator);
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert!(report.step(Step::Audit).is_done());
    /// # });
    /// ```
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

    /// The handler's name; empty on the manual path unless it was set.
    pub fn handler(&self) -> &str {
        &self.declaration.handler
    }

    /// The pattern of the entity.
    pub fn pattern(&self) -> &str {
        &self.declaration.pattern
    }

    /// The context of the call.
    pub fn context(&self) -> Option<&Context> {
        self.context.as_deref()
    }

    /// The tenant; empty if there is none.
    pub fn tenant(&self) -> &str {
        self.context().and_then(|context| context.tenant.as_deref()).unwrap_or_default()
    }

    /// The correlation id: that of the context, otherwise the flow's own id.
    pub fn correlation_id(&self) -> Text {
        match self.context().and_then(|context| context.correlation_id.clone()) {
            Some(id) => id,
            None => Text::from(&*self.id.hyphenated().encode_lower(&mut Uuid::encode_buffer())),
        }
    }

    /// Who made the call: the argument `actor`, otherwise the context's actor, otherwise its user.
    pub fn actor(&self) -> Option<&str> {
        let context = || self.context().and_then(|context| context.actor.as_ref().or(context.user.as_ref()));
        self.values.actor.as_ref().or_else(context).map(Text::as_str)
    }

    /// The version that the handler declares for its cached value.
    pub fn version(&self) -> Option<i64> {
        self.values.version
    }

    /// The name of this arm's event, if the handler declares one.
    pub fn event_name(&self) -> Option<&str> {
        let name = if self.is_success() { &self.declaration.event } else { &self.declaration.failed };
        (!name.is_empty()).then_some(name)
    }

    /// The payload: null on the error flow, and if the value cannot be serialised.
    ///
    /// ```
    /// # use graceful::{Code, OrchestrationConfig, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user");
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.flow().payload().as_json(), "\"ada\"");
    /// # });
    /// ```
    pub fn payload(&self) -> &Payload {
        &self.values.payload
    }

    /// The name that the step `nexus` registers: the pattern, or `pattern.error` on the error flow.
    pub fn registered_pattern(&self) -> Text {
        match self.is_success() {
            true => self.declaration.pattern.clone(),
            false => text!("{}.error", self.declaration.pattern),
        }
    }

    /// The handler's tags.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.declaration.tags.iter()
    }

    /// The delivery mode.
    pub fn delivery(&self) -> Delivery {
        // The end of a write is awaited in every mode, and nothing else runs.
        if self.is_alone() { Delivery::Inline } else { self.declaration.options.delivery }
    }

    /// The entity's metadata after this flow, once the metadata step has run.
    ///
    /// ```
    /// # use graceful::{Code, OrchestrationConfig, Orchestrator, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").id(42).on(&Orchestrator::in_memory());
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.flow().metadata().unwrap().score, 1);
    /// # });
    /// ```
    pub fn metadata(&self) -> Option<&Metadata> {
        self.metadata.as_deref()
    }

    /// The value of the handler's argument `metadata`.
    pub fn declared_metadata(&self) -> Option<&Map<String, Value>> {
        self.values.metadata.as_deref()
    }

    /// The steps whose failure becomes the handler's error. For what is held only the hold is required, and that was decided before the
    /// body. A value under a key of the handler's own, of a pattern that is not held, is required as any step.
    pub(crate) fn required(&self) -> Steps {
        let required = self.declaration.options.required;
        match self.values.cached.writing() {
            Some(writing) if writing.own == Own::Unheld && self.cache_key().is_some() => required,
            Some(_) => required.without(Steps::of(&[Step::Cache])),
            None => required,
        }
    }

    /// Whether a hook replaces the step's own arm.
    pub(crate) fn is_hooked(&self, step: Step) -> bool {
        let hooked = self.declaration.options.hooked(self.is_success());
        hooked.plain.or(hooked.typed).contains(step)
    }

    /// The id of the message that sends the flow's event. It differs after the flow was resubmitted.
    pub(crate) fn delivery_id(&self) -> String {
        match self.resubmitted {
            0 => self.id.to_string(),
            times => format!("{}.{times}", self.id),
        }
    }

    /// Whether nothing but the end of a write runs, because `when` is false.
    pub(crate) fn is_alone(&self) -> bool {
        self.values.cached.writing().is_some_and(|writing| writing.alone)
    }
}
