//! The getters of a flow.

use jiff::Timestamp;
use serde_json::{Map, Value};
use smol_str::{SmolStr, format_smolstr};
use uuid::Uuid;

use super::{CallOutcome, Delivery, Flow, Metadata, Payload};
use crate::{code::Code, context::Context};

impl Flow {
    /// The flow's id, a `UUIDv7`. Event, metadata state and audit record have the same id.
    ///
    /// ```
    /// # use graceful::{Code, Success};
    /// let (one, two) = (Success::wrap(Code::Ok, "one", "ada"), Success::wrap(Code::Ok, "two", "ada"));
    /// assert_ne!(one.flow().id(), two.flow().id());
    /// assert_eq!(one.flow().id().get_version_num(), 7);
    /// ```
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// When the handler ended.
    ///
    /// ```
    /// # use graceful::{Code, Success};
    /// let success = Success::wrap(Code::Ok, "user updated", "ada");
    /// let age = jiff::Timestamp::now().duration_since(success.flow().timestamp());
    /// assert!(age.abs() < jiff::SignedDuration::from_mins(1));
    /// ```
    pub fn timestamp(&self) -> Timestamp {
        self.at
    }

    /// How the handler ended.
    ///
    /// ```
    /// # use graceful::{Code, CallOutcome, Failure};
    /// let failure = Failure::wrap(Code::Internal, "something failed", "disk full");
    /// assert_eq!(failure.flow().ending(), CallOutcome::Err);
    /// ```
    pub fn ending(&self) -> CallOutcome {
        self.ending
    }

    /// Whether this is the success flow.
    ///
    /// ```
    /// # use graceful::{Code, Failure, Success};
    /// assert!(Success::wrap(Code::Ok, "user updated", "ada").flow().is_success());
    /// assert!(!Failure::wrap(Code::Internal, "something failed", "disk full").flow().is_success());
    /// ```
    pub fn is_success(&self) -> bool {
        self.ending.is_success()
    }

    /// The arm that each step runs for this flow.
    pub(crate) fn arm(&self) -> &'static str {
        if self.is_success() { "ok" } else { "err" }
    }

    /// The code of the outcome.
    ///
    /// ```
    /// # use graceful::{Code, Failure};
    /// let failure = Failure::wrap(Code::Internal, "something failed", "disk full");
    /// assert_eq!(failure.flow().code(), Code::Internal);
    /// ```
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
    ///
    /// ```
    /// # use graceful::{Code, OrchestrationConfig, Orchestrator, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let orchestrator = Orchestrator::builder().service("users").build().unwrap();
    /// let config = OrchestrationConfig::new("user").on(&orchestrator);
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.flow().service(), "users");
    /// # });
    /// ```
    pub fn service(&self) -> &str {
        &self.origin.service
    }

    /// The environment's name, from the orchestrator's builder.
    ///
    /// ```
    /// # use graceful::{Code, OrchestrationConfig, Orchestrator, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let orchestrator = Orchestrator::builder().environment("prod").build().unwrap();
    /// let config = OrchestrationConfig::new("user").on(&orchestrator);
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.flow().environment(), "prod");
    /// # });
    /// ```
    pub fn environment(&self) -> &str {
        &self.origin.environment
    }

    /// The handler's name; empty on the manual path unless it was set.
    ///
    /// ```
    /// # use graceful::{Code, OrchestrationConfig, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").handler("import_user");
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.flow().handler(), "import_user");
    /// # });
    /// ```
    pub fn handler(&self) -> &str {
        &self.declaration.handler
    }

    /// The pattern of the entity.
    ///
    /// ```
    /// # use graceful::{Code, OrchestrationConfig, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user");
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.flow().pattern(), "user");
    /// # });
    /// ```
    pub fn pattern(&self) -> &str {
        &self.declaration.pattern
    }

    /// The context of the call.
    ///
    /// ```
    /// # use graceful::{Code, Context, Success};
    /// let context = Context::new().request_id("r-1");
    /// let success = context.clone().sync_scope(|| Success::wrap(Code::Ok, "user updated", "ada"));
    /// assert_eq!(success.flow().context(), Some(&context));
    /// ```
    pub fn context(&self) -> Option<&Context> {
        self.context.as_deref()
    }

    /// The tenant; empty if there is none.
    ///
    /// ```
    /// # use graceful::{Code, Context, Success};
    /// let acme = Context::new().tenant("acme");
    /// let success = acme.sync_scope(|| Success::wrap(Code::Ok, "user updated", "ada"));
    /// assert_eq!(success.flow().tenant(), "acme");
    /// ```
    pub fn tenant(&self) -> &str {
        self.context().and_then(|context| context.tenant.as_deref()).unwrap_or_default()
    }

    /// The correlation id: that of the context, otherwise the flow's own id.
    ///
    /// ```
    /// # use graceful::{Code, Context, Success};
    /// let import = Context::new().correlation_id("import-7");
    /// let success = import.sync_scope(|| Success::wrap(Code::Ok, "user updated", "ada"));
    /// assert_eq!(success.flow().correlation_id(), "import-7");
    /// ```
    pub fn correlation_id(&self) -> SmolStr {
        match self.context().and_then(|context| context.correlation_id.clone()) {
            Some(id) => id,
            None => SmolStr::new(self.id.hyphenated().encode_lower(&mut Uuid::encode_buffer())),
        }
    }

    /// Who made the call: the argument `actor`, otherwise the context's actor, otherwise its user.
    ///
    /// ```
    /// # use graceful::{Code, Context, Success};
    /// let ada = Context::new().user("ada");
    /// let success = ada.sync_scope(|| Success::wrap(Code::Ok, "user updated", "ada"));
    /// assert_eq!(success.flow().actor(), Some("ada"));
    /// ```
    pub fn actor(&self) -> Option<&str> {
        let context = || self.context().and_then(|context| context.actor.as_ref().or(context.user.as_ref()));
        self.values.actor.as_ref().or_else(context).map(SmolStr::as_str)
    }

    /// The version that the handler declares for its cached value.
    ///
    /// ```
    /// # use graceful::{Code, OrchestrationConfig, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").version(7);
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.flow().version(), Some(7));
    /// # });
    /// ```
    pub fn version(&self) -> Option<i64> {
        self.values.version
    }

    /// The name of this arm's event, if the handler declares one.
    ///
    /// ```
    /// # use graceful::{Code, Failure, OrchestrationConfig};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").event("user_updated");
    /// let report = Failure::wrap(Code::Internal, "something failed", "disk full").orchestrate(&config).await;
    /// assert_eq!(report.flow().event_name(), Some("user_updated.failed"));
    /// # });
    /// ```
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
    ///
    /// ```
    /// # use graceful::{Code, Failure, OrchestrationConfig};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user");
    /// let report = Failure::wrap(Code::Internal, "something failed", "disk full").orchestrate(&config).await;
    /// assert_eq!(report.flow().registered_pattern(), "user.error");
    /// # });
    /// ```
    pub fn registered_pattern(&self) -> SmolStr {
        match self.is_success() {
            true => self.declaration.pattern.clone(),
            false => format_smolstr!("{}.error", self.declaration.pattern),
        }
    }

    /// The handler's tags.
    ///
    /// ```
    /// # use graceful::{Code, OrchestrationConfig, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").tags(["import", "nightly"]);
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert!(report.flow().tags().eq(["import", "nightly"]));
    /// # });
    /// ```
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.declaration.tags.iter()
    }

    /// The delivery mode.
    ///
    /// ```
    /// # use graceful::{Code, Delivery, OrchestrationConfig, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").delivery(Delivery::Background);
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.flow().delivery(), Delivery::Background);
    /// # });
    /// ```
    pub fn delivery(&self) -> Delivery {
        self.declaration.options.delivery
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
    ///
    /// ```
    /// # use graceful::{Code, OrchestrationConfig, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").metadata(&serde_json::json!({"plan": "free"}));
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.flow().declared_metadata().unwrap()["plan"], "free");
    /// # });
    /// ```
    pub fn declared_metadata(&self) -> Option<&Map<String, Value>> {
        self.values.metadata.as_deref()
    }
}
