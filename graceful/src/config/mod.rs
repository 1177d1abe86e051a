//! The declaration of the manual path.

mod steps;

use std::{fmt, sync::Arc, time::Duration};

use serde::Serialize;

use crate::{
    flow::{Argument, Declaration, Delivery, Identity, Tags, Values},
    pipeline::{Hook, Hooks, Orchestrator, Overrides},
    step::Step,
    text::{Text, text},
};

/// The declaration of the manual path: it has a setter for each argument of the attribute, for both arms.
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
    pub(crate) declaration: Arc<Declaration>,
    pub(crate) values: Values,
    pub(crate) when: bool,
    pub(crate) orchestrator: Option<Orchestrator>,
    hooks: Option<Arc<Hooks>>,
}

impl OrchestrationConfig {
    /// Creates a declaration with the default of every step, for entities of this pattern.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").on(&Orchestrator::in_memory());
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.failures().count(), 0);
    /// assert_eq!(report.flow().pattern(), "user");
    /// # });
    /// ```
    pub fn new(pattern: impl Into<Text>) -> Self {
        Self {
            declaration: Arc::new(Declaration { pattern: pattern.into(), ..Declaration::default() }),
            values: Values::default(),
            when: true,
            orchestrator: None,
            hooks: None,
        }
    }

    /// Sets the orchestrator. Default: the scoped one, otherwise the installed one.
    pub fn on(mut self, orchestrator: &Orchestrator) -> Self {
        self.orchestrator = Some(orchestrator.clone());
        self
    }

    /// Sets the handler's name in logs and reports. Only a success of the same handler on the same entity closes an incident that it opened.
    /// Default: empty.
    pub fn handler(mut self, name: impl Into<Text>) -> Self {
        self.declared().handler = name.into();
        self
    }

    /// Sets the handler's identity, by which its incidents are found, if its name is not unique. Default: the handler's name.
    pub fn name(mut self, identity: impl Into<Text>) -> Self {
        self.declared().identity = Identity::Name(identity.into());
        self
    }

    /// Sets the name of an incident (alert, review job) that several handlers share per entity. Default: the handler has its own.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// let order = OrchestrationConfig::new("order").id(42).incident("order payment").on(&orchestrator);
    /// let (pay, retry) = (order.clone().handler("pay"), order.handler("retry"));
    /// Failure::wrap(Code::Internal, "something failed", "no route").orchestrate(&pay).await;
    /// let report = Success::wrap(Code::Ok, "order paid", "ada").orchestrate(&retry).await;
    /// assert_eq!(report.step(Step::Alert).to_string(), "resolved");
    /// # });
    /// ```
    pub fn incident(mut self, name: impl Into<Text>) -> Self {
        self.declared().incident = name.into();
        self
    }

    /// Sets the entity's id. Default: the cache key. Without either, the call belongs to no entity.
    ///
    /// # Panics
    /// Panics if its `Display` fails, as `to_string` does.
    pub fn id(mut self, id: impl fmt::Display) -> Self {
        self.values.set_id(&id);
        self
    }

    /// Sets who made the call. Default: the context's actor, otherwise its user.
    ///
    /// # Panics
    /// Panics if its `Display` fails, as `to_string` does.
    pub fn actor(mut self, actor: impl fmt::Display) -> Self {
        self.values.actor = Some(text!("{actor}"));
        self
    }

    /// Sets whether any step runs. Default: true.
    pub fn when(mut self, when: bool) -> Self {
        self.when = when;
        self
    }

    /// Sets the labels that every step gets.
    pub fn tags<I: IntoIterator<Item: Into<Text>>>(mut self, tags: I) -> Self {
        self.declared().tags = Tags::Owned(tags.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the entity's metadata. If the value does not serialise to a JSON object, the step `metadata` fails.
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

    /// Sets the payload, which is cached and emitted instead of the value.
    pub fn payload<T: Serialize + ?Sized>(mut self, payload: &T) -> Self {
        self.values.payload = self.values.serialise(Argument::Payload, payload);
        self
    }

    /// Sets the delivery, i.e. when [`orchestrate`](crate::Success::orchestrate) returns. Default: after every step was tried.
    pub fn delivery(mut self, delivery: Delivery) -> Self {
        self.declared().options.delivery = delivery;
        self
    }

    /// Switches a step off.
    pub fn off(mut self, step: Step) -> Self {
        self.declared().options.off.insert(step);
        self
    }

    /// Makes a step required: it runs inline in every delivery mode, and [`FlowReport::required_failure`](crate::FlowReport) returns
    /// its failure. A step without a backend is skipped, which does not count as a failure here, because `build()` checks annotated
    /// handlers only.
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
        self.declared().options.required.insert(step);
        self
    }

    /// Sets a step's time budget, in whole milliseconds between 1 ms and 49 days. Default: 1 s inline, 30 s otherwise.
    pub fn timeout(mut self, step: Step, budget: Duration) -> Self {
        self.declared().options.timeouts_ms[step as usize] =
            u32::try_from(budget.as_millis()).unwrap_or(u32::MAX).max(1);
        self
    }

    /// Replaces both arms of a step by a hook.
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

    /// Replaces the success arm of a step by a hook.
    pub fn hook_ok(mut self, step: Step, hook: Hook) -> Self {
        self.declared().options.on_success.plain.insert(step);
        self.hooks_mut().success[step as usize] = Some(hook);
        self
    }

    /// Replaces the error arm of a step by a hook.
    pub fn hook_err(mut self, step: Step, hook: Hook) -> Self {
        self.declared().options.on_error.plain.insert(step);
        self.hooks_mut().error[step as usize] = Some(hook);
        self
    }

    fn declared(&mut self) -> &mut Declaration {
        Arc::make_mut(&mut self.declaration)
    }

    fn hooks_mut(&mut self) -> &mut Hooks {
        Arc::make_mut(self.hooks.get_or_insert_default())
    }

    pub(crate) fn overrides(&self) -> Overrides {
        self.hooks.clone().map_or(Overrides::None, Overrides::Configured)
    }
}

impl fmt::Debug for OrchestrationConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrchestrationConfig")
            .field("declaration", &self.declaration)
            .field("values", &self.values)
            .field("hooks", &self.hooks)
            .finish_non_exhaustive()
    }
}
