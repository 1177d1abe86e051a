//! The declaration without the attribute: one type for both arms.

use std::{fmt, sync::Arc, time::Duration};

use serde::Serialize;
use smol_str::{SmolStr, format_smolstr};

use crate::{
    AlertOn, Delivery, Hook, OnErr, OnOk, Orchestrator, Payload, Severity, Step,
    engine::{Hooks, Overrides},
    flow::{Names, Options, Tags, Values, Work},
};

/// What follows an outcome, declared by hand: the same arguments as the attribute's, one type for both arms.
///
/// ```
/// use std::time::Duration;
/// use graceful::{Code, Failure, OrchestrationConfig, Orchestrator, Step, Success};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let config = OrchestrationConfig::new("user")
///     .cache_key(42)
///     .cache_ttl(Duration::from_secs(60))
///     .event("user_updated")
///     .off(Step::Graph)
///     .on(&Orchestrator::in_memory());
///
/// let report = Success::wrap(Code::Ok, "user updated", &"ada").orchestrate(&config).await;
/// assert_eq!(report.step(Step::Cache).to_string(), "put");
/// let report = Failure::wrap(Code::NotFound, "no such user", &"cause").orchestrate(&config).await;
/// assert_eq!(report.step(Step::Cache).to_string(), "invalidated");
/// # });
/// ```
#[derive(Clone)]
#[must_use]
pub struct OrchestrationConfig {
    pub(crate) names: Names,
    pub(crate) options: Options,
    pub(crate) values: Values,
    pub(crate) when: bool,
    pub(crate) orchestrator: Option<Orchestrator>,
    hooks: Option<Arc<Hooks>>,
}

impl OrchestrationConfig {
    /// Every step with its default, for an entity of this kind.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").on(&Orchestrator::in_memory());
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.failures().count(), 0);
    /// assert_eq!(report.flow().pattern(), "user");
    /// # });
    /// ```
    pub fn new(pattern: impl Into<SmolStr>) -> Self {
        Self {
            names: Names { pattern: pattern.into(), ..Names::default() },
            options: Options::DEFAULT,
            values: Values::default(),
            when: true,
            orchestrator: None,
            hooks: None,
        }
    }

    /// The orchestrator to use. Default: the scoped one, else the installed one.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").on(&Orchestrator::in_memory());
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert!(report.step(Step::Audit).is_done());
    /// # });
    /// ```
    pub fn on(mut self, orchestrator: &Orchestrator) -> Self {
        self.orchestrator = Some(orchestrator.clone());
        self
    }

    /// The name that logs and reports use. Default: empty.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").handler("import_user");
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.flow().handler(), "import_user");
    /// # });
    /// ```
    pub fn handler(mut self, name: impl Into<SmolStr>) -> Self {
        self.names.handler = name.into();
        self
    }

    /// The entity's id. Default: the cache key, else the correlation id.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").id(42);
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.flow().entity_id(), "42");
    /// # });
    /// ```
    pub fn id(mut self, id: impl fmt::Display) -> Self {
        self.values.id = Some(format_smolstr!("{id}"));
        self
    }

    /// Who did it. Default: the context's actor, else its user.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").actor("nightly import");
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.flow().actor(), Some("nightly import"));
    /// # });
    /// ```
    pub fn actor(mut self, actor: impl fmt::Display) -> Self {
        self.values.actor = Some(format_smolstr!("{actor}"));
        self
    }

    /// Where it is false, no step runs. Default: true.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").when(false).on(&Orchestrator::in_memory());
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.step(Step::Audit).to_string(), "skipped: `when` is false");
    /// # });
    /// ```
    pub fn when(mut self, when: bool) -> Self {
        self.when = when;
        self
    }

    /// Labels on every step.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").tags(["import", "nightly"]);
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert!(report.flow().tags().eq(["import", "nightly"]));
    /// # });
    /// ```
    pub fn tags<I: IntoIterator<Item: Into<SmolStr>>>(mut self, tags: I) -> Self {
        self.names.tags = Tags::Owned(tags.into_iter().map(Into::into).collect());
        self
    }

    /// The entity's metadata: what serialises to an object. Anything else fails the steps that carry it.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").metadata(&serde_json::json!({"plan": "free"}));
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.flow().declared_metadata().unwrap()["plan"], "free");
    /// # });
    /// ```
    pub fn metadata<T: Serialize + ?Sized>(mut self, metadata: &T) -> Self {
        self.values.set_metadata(metadata);
        self
    }

    /// What is cached and emitted instead of the value.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").payload(&[1, 2]);
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.flow().payload().as_json(), "[1,2]");
    /// # });
    /// ```
    pub fn payload<T: Serialize + ?Sized>(mut self, payload: &T) -> Self {
        self.values.payload = self.values.serialise("payload", payload);
        self
    }

    /// The key of the cached value; the step `cache` runs when there is one.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").cache_key(42).on(&Orchestrator::in_memory());
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.step(Step::Cache).to_string(), "put");
    /// # });
    /// ```
    pub fn cache_key(mut self, key: impl fmt::Display) -> Self {
        self.values.cache_key = Some(format_smolstr!("{key}"));
        self
    }

    /// The cached value's time to live. Default: 10 minutes.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// let ttl = std::time::Duration::from_millis(1);
    /// let config = OrchestrationConfig::new("user").cache_key(42).cache_ttl(ttl).on(&orchestrator);
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// tokio::time::sleep(ttl * 20).await;
    /// assert_eq!(orchestrator.cached::<String>("user", 42).await.unwrap(), None);
    /// # });
    /// ```
    pub fn cache_ttl(mut self, ttl: Duration) -> Self {
        self.options.cache_ttl_ms = millis(ttl);
        self
    }

    /// What is cached instead of the payload.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").cache_key(42).cache_value(&[1, 2]).on(&orchestrator);
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(orchestrator.cached::<Vec<u8>>("user", 42).await.unwrap(), Some(vec![1, 2]));
    /// # });
    /// ```
    pub fn cache_value<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        self.values.cache_value = Some(self.values.serialise("cache(value = …)", value));
        self
    }

    /// The entity's version: nothing newer is overwritten.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").cache_key(42).on(&Orchestrator::in_memory());
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config.clone().version(2)).await;
    /// let late = Success::wrap(Code::Ok, "user created", "ad").orchestrate(&config.version(1)).await;
    /// assert_eq!(late.step(Step::Cache).to_string(), "kept what is newer");
    /// # });
    /// ```
    pub fn version(mut self, version: i64) -> Self {
        self.values.version = Some(version);
        self
    }

    /// What a success does to the cached value. Default: put where there is a payload, else invalidate.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").cache_key(42).on_ok(OnOk::Invalidate).on(&orchestrator);
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.step(Step::Cache).to_string(), "invalidated");
    /// # });
    /// ```
    pub fn on_ok(mut self, on_ok: OnOk) -> Self {
        self.options.on_ok = on_ok;
        self
    }

    /// What an error does to the cached value. Default: invalidate, unless the code says that the state is untouched.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").cache_key(42).on_err(OnErr::Keep).on(&orchestrator);
    /// let report = Failure::wrap(Code::Internal, "something failed", "disk full").orchestrate(&config).await;
    /// assert_eq!(report.step(Step::Cache).to_string(), "kept");
    /// # });
    /// ```
    pub fn on_err(mut self, on_err: OnErr) -> Self {
        self.options.on_err = on_err;
        self
    }

    /// The event of a success; that of an error is `{name}.failed`, unless [`event_failed`](Self::event_failed) names it.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").event("user_updated");
    /// let report = Failure::wrap(Code::Internal, "something failed", "disk full").orchestrate(&config).await;
    /// assert_eq!(report.flow().event_name(), Some("user_updated.failed"));
    /// # });
    /// ```
    pub fn event(mut self, name: impl Into<SmolStr>) -> Self {
        self.names.event = name.into();
        if self.names.failed.is_empty() {
            self.names.failed = format_smolstr!("{}.failed", self.names.event);
        }
        self
    }

    /// The event of an error.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").event("user_updated").event_failed("user_kept");
    /// let report = Failure::wrap(Code::Internal, "something failed", "disk full").orchestrate(&config).await;
    /// assert_eq!(report.flow().event_name(), Some("user_kept"));
    /// # });
    /// ```
    pub fn event_failed(mut self, name: impl Into<SmolStr>) -> Self {
        self.names.failed = name.into();
        self
    }

    /// What the event carries instead of the payload.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let events = backends::memory::Events::new();
    /// # let mut inbox = events.subscribe();
    /// # let orchestrator = Orchestrator::builder().events(events).build().unwrap();
    /// let config = OrchestrationConfig::new("user").event("user_updated").event_payload(&[1, 2]).on(&orchestrator);
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(inbox.recv().await.unwrap().data().result.as_json(), "[1,2]");
    /// # });
    /// ```
    pub fn event_payload<T: Serialize + ?Sized>(mut self, payload: &T) -> Self {
        self.values.event_payload = Some(self.values.serialise("event(payload = …)", payload));
        self
    }

    /// What a success says in the graph: entity —`relation`→ `to`. Default: entity —succeeded→ flow.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # use graceful::backends::Node;
    /// # let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").id(42).graph("member_of", "team/7").on(&orchestrator);
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// let user = Node::Entity(orchestrator.key("user", 42));
    /// let edges = orchestrator.graph().unwrap().neighbours(&user).await.unwrap();
    /// assert_eq!((&*edges[0].relation, &edges[0].object), ("member_of", &Node::Named("team/7".into())));
    /// # });
    /// ```
    pub fn graph(mut self, relation: impl Into<SmolStr>, to: impl fmt::Display) -> Self {
        self.names.relation = relation.into();
        self.values.graph_to = Some(format_smolstr!("{to}"));
        self
    }

    /// How long after a server fault the review job is due. Default: 5 minutes.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// let hour = std::time::Duration::from_secs(3600);
    /// let config = OrchestrationConfig::new("user").id(42).schedule_after(hour).on(&orchestrator);
    /// let report = Failure::wrap(Code::Internal, "something failed", "disk full").orchestrate(&config).await;
    /// let jobs = orchestrator.scheduler().unwrap().jobs().await.unwrap();
    /// assert_eq!(jobs[0].due, report.flow().timestamp() + hour);
    /// # });
    /// ```
    pub fn schedule_after(mut self, after: Duration) -> Self {
        self.options.schedule_after_ms = millis(after);
        self
    }

    /// Which errors fire an alert, and how urgent it is. Default: server faults, [`Severity::Error`].
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").alert(AlertOn::All, Severity::Info).on(&orchestrator);
    /// Failure::wrap(Code::NotFound, "no such user", "cause").orchestrate(&config).await;
    /// assert_eq!(orchestrator.alerts().unwrap().open().await.unwrap()[0].severity, Severity::Info);
    /// # });
    /// ```
    pub fn alert(mut self, on: AlertOn, severity: Severity) -> Self {
        self.options.alert_on = on;
        self.options.severity = severity;
        self
    }

    /// Remembers the value of a success for handlers that recover with it; see the attribute's `fallback = last_good`.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").cache_key(42).remember_last_good().on(&orchestrator);
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.step(Step::Fallback).to_string(), "remembered");
    /// # });
    /// ```
    pub fn remember_last_good(mut self) -> Self {
        self.options.last_good = true;
        self
    }

    /// When [`orchestrate`](crate::Success::orchestrate) is done. Default: after every step was tried.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").delivery(Delivery::Background).on(&orchestrator);
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.step(Step::Audit).to_string(), "skipped: queued");
    /// # });
    /// ```
    pub fn delivery(mut self, delivery: Delivery) -> Self {
        self.options.delivery = delivery;
        self
    }

    /// Switches a step off.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").off(Step::Audit).on(&orchestrator);
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.step(Step::Audit).to_string(), "off");
    /// # });
    /// ```
    pub fn off(mut self, step: Step) -> Self {
        self.options.step_mut(step).off = true;
        self
    }

    /// Runs a step inline in every delivery mode, and has [`FlowReport::required_failure`](crate::FlowReport) name it.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// async fn refuse(_: &Flow) -> Result<(), StepError> { Err(StepError::new("full")) }
    /// let config = OrchestrationConfig::new("user").hook(Step::Audit, Hook::new(refuse)).on(&orchestrator);
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config.required(Step::Audit)).await;
    /// assert_eq!(report.required_failure().unwrap().message(), "full");
    /// # });
    /// ```
    pub fn required(mut self, step: Step) -> Self {
        self.options.step_mut(step).required = true;
        self
    }

    /// A step's time budget. Default: 1 s inline, 30 s otherwise.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// let budget = std::time::Duration::from_millis(5);
    /// async fn hang(_: &Flow) -> Result<(), StepError> { std::future::pending().await }
    /// let config = OrchestrationConfig::new("user").hook(Step::Audit, Hook::new(hang)).timeout(Step::Audit, budget);
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config.on(&orchestrator)).await;
    /// assert_eq!(report.step(Step::Audit).error().unwrap().kind(), StepErrorKind::TimedOut);
    /// # });
    /// ```
    pub fn timeout(mut self, step: Step, budget: Duration) -> Self {
        self.options.step_mut(step).timeout_ms = u32::try_from(budget.as_millis()).unwrap_or(u32::MAX).max(1);
        self
    }

    /// Puts a hook in the place of both arms of a step.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// async fn notify(_: &Flow) -> Result<(), StepError> { Ok(()) }
    /// let config = OrchestrationConfig::new("user").hook(Step::Alert, Hook::new(notify)).on(&orchestrator);
    /// let report = Failure::wrap(Code::Internal, "something failed", "disk full").orchestrate(&config).await;
    /// assert_eq!(report.step(Step::Alert).to_string(), "overridden");
    /// # });
    /// ```
    pub fn hook(self, step: Step, hook: Hook) -> Self {
        self.hook_ok(step, hook.clone()).hook_err(step, hook)
    }

    /// Puts a hook in the place of a step's success arm.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// # async fn notify(_: &Flow) -> Result<(), StepError> { Ok(()) }
    /// let config = OrchestrationConfig::new("user").hook_ok(Step::Alert, Hook::new(notify)).on(&orchestrator);
    /// let report = Failure::wrap(Code::Internal, "something failed", "disk full").orchestrate(&config).await;
    /// assert_eq!(report.step(Step::Alert).to_string(), "fired");
    /// # });
    /// ```
    pub fn hook_ok(mut self, step: Step, hook: Hook) -> Self {
        self.options.step_mut(step).on_success = Work::Hook;
        self.hooks_mut().success[step as usize] = Some(hook);
        self
    }

    /// Puts a hook in the place of a step's error arm.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// # async fn notify(_: &Flow) -> Result<(), StepError> { Ok(()) }
    /// let config = OrchestrationConfig::new("user").hook_err(Step::Alert, Hook::new(notify)).on(&orchestrator);
    /// let report = Failure::wrap(Code::Internal, "something failed", "disk full").orchestrate(&config).await;
    /// assert_eq!(report.step(Step::Alert).to_string(), "overridden");
    /// # });
    /// ```
    pub fn hook_err(mut self, step: Step, hook: Hook) -> Self {
        self.options.step_mut(step).on_error = Work::Hook;
        self.hooks_mut().error[step as usize] = Some(hook);
        self
    }

    fn hooks_mut(&mut self) -> &mut Hooks {
        Arc::make_mut(self.hooks.get_or_insert_default())
    }

    pub(crate) fn overrides(&self) -> Overrides {
        self.hooks.clone().map_or(Overrides::None, Overrides::Configured)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Values {
    /// Serialises a value; where that fails, or panics, the steps that need it say so.
    pub(crate) fn serialise<T: Serialize + ?Sized>(&mut self, what: &str, value: &T) -> Payload {
        Payload::of(value).unwrap_or_else(|error| {
            self.fault = Some(format_smolstr!("`{what}` cannot be serialised: {error}"));
            Payload::NULL
        })
    }

    pub(crate) fn set_metadata<T: Serialize + ?Sized>(&mut self, metadata: &T) {
        match serde_json::to_value(metadata) {
            Ok(serde_json::Value::Object(fields)) => self.metadata = Some(Arc::new(fields)),
            Ok(_) => self.fault = Some(SmolStr::new_static("`metadata` is not an object")),
            Err(error) => self.fault = Some(format_smolstr!("`metadata` cannot be serialised: {error}")),
        }
    }
}

impl fmt::Debug for OrchestrationConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrchestrationConfig")
            .field("names", &self.names)
            .field("options", &self.options)
            .field("values", &self.values)
            .field("hooks", &self.hooks)
            .finish_non_exhaustive()
    }
}
