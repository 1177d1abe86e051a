//! The report of a flow.

use std::{fmt, sync::Arc, time::Duration};

use super::telemetry::Durations;
use crate::{
    escape::escaped,
    flow::Flow,
    step::{Step, StepError},
};

/// The result of one step.
///
/// ```
/// use graceful::StepResult;
///
/// assert!(StepResult::Done("put").is_done());
/// assert_eq!(StepResult::Skipped("no key").to_string(), "skipped: no key");
/// ```
#[derive(Clone, Debug)]
pub enum StepResult {
    /// The declaration switches the step off.
    Off,
    /// The step was skipped, for this reason.
    Skipped(&'static str),
    /// The step did this.
    Done(&'static str),
    /// The step failed, panicked or timed out.
    Failed(StepError),
}

impl StepResult {
    /// Whether the step is done.
    ///
    /// ```
    /// assert!(!graceful::StepResult::Off.is_done());
    /// ```
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    /// The failure of the step.
    ///
    /// ```
    /// use graceful::{StepError, StepResult};
    /// assert_eq!(StepResult::Failed(StepError::new("full")).error().unwrap().message(), "full");
    /// ```
    pub const fn error(&self) -> Option<&StepError> {
        match self {
            Self::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// The result as one of four words.
    pub(super) const fn outcome(&self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Skipped(_) => "skipped",
            Self::Done(_) => "done",
            Self::Failed(_) => "failed",
        }
    }
}

impl fmt::Display for StepResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Skipped(why) => write!(f, "skipped: {why}"),
            Self::Done(what) => f.write_str(what),
            Self::Failed(error) => write!(f, "FAILED: {}", error.message()),
        }
    }
}

/// The report of a flow: the result of each step. Its `Display` is a table of the results.
///
/// The manual path returns it. For annotated handlers, observers get it
/// ([`OrchestratorBuilder::on_report`](crate::OrchestratorBuilder::on_report)).
///
/// ```
/// use graceful::{Code, Orchestrator, OrchestrationConfig, Step, Success};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let config = OrchestrationConfig::new("user").id("42").on(&Orchestrator::in_memory());
/// let report = Success::wrap(Code::Ok, "user updated", &"ada").orchestrate(&config).await;
///
/// assert!(report.step(Step::Audit).is_done());
/// assert!(!report.step(Step::Event).is_done(), "no event is declared");
/// assert_eq!(report.failures().count(), 0);
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct FlowReport {
    flow: Arc<Flow>,
    steps: [StepResult; 9],
    durations: Option<Box<Durations>>,
}

impl FlowReport {
    pub(super) fn new(flow: &Arc<Flow>, steps: [StepResult; 9], durations: Option<Box<Durations>>) -> Self {
        Self { flow: Arc::clone(flow), steps, durations }
    }

    /// A report in which every step was skipped for the same reason.
    pub(crate) fn skipped(flow: &Arc<Flow>, why: &'static str) -> Self {
        Self::new(flow, Step::ALL.map(|_| StepResult::Skipped(why)), None)
    }

    /// A report in which every step failed for the same reason.
    pub(crate) fn refused(flow: &Arc<Flow>, error: &StepError) -> Self {
        Self::new(flow, Step::ALL.map(|step| StepResult::Failed(error.clone().in_step(step))), None)
    }

    /// The flow.
    ///
    /// ```
    /// # use graceful::{Code, OrchestrationConfig, Orchestrator, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").id(42).on(&Orchestrator::in_memory());
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.flow().entity_id(), "42");
    /// # });
    /// ```
    pub fn flow(&self) -> &Arc<Flow> {
        &self.flow
    }

    /// The result of one step.
    ///
    /// ```
    /// # use graceful::{Code, OrchestrationConfig, Orchestrator, Step, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").id(42).on(&Orchestrator::in_memory());
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.step(Step::Cache).to_string(), "skipped: no key");
    /// # });
    /// ```
    pub fn step(&self, step: Step) -> &StepResult {
        &self.steps[step as usize]
    }

    /// The result of each step, in the order of [`Step::ALL`].
    ///
    /// ```
    /// # use graceful::{Code, OrchestrationConfig, Orchestrator, Step, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").id(42).on(&Orchestrator::in_memory());
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// let skipped = report.steps().filter(|(_, result)| !result.is_done()).map(|(step, _)| step);
    /// assert!(skipped.eq([Step::Fallback, Step::Cache, Step::Event]));
    /// # });
    /// ```
    pub fn steps(&self) -> impl Iterator<Item = (Step, &StepResult)> {
        Step::ALL.into_iter().zip(&self.steps)
    }

    /// How long a step ran: from its start until it was done, had failed, or was over its time budget, including the time in which it
    /// waited.
    ///
    /// `None` for a step that did not run, because it is off or was skipped; and for one that an earlier attempt of a durable flow did.
    ///
    /// ```
    /// # use graceful::{Code, OrchestrationConfig, Orchestrator, Step, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").id(42).on(&Orchestrator::in_memory());
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert!(report.duration(Step::Audit).is_some());
    /// assert_eq!(report.duration(Step::Cache), None, "it has no key");
    /// # });
    /// ```
    pub fn duration(&self, step: Step) -> Option<Duration> {
        self.durations.as_ref()?[step as usize]
    }

    /// The failures of the steps.
    ///
    /// ```
    /// # use graceful::{Code, Flow, Hook, OrchestrationConfig, Orchestrator, Step, StepError, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # async fn refuse(_: &Flow) -> Result<(), StepError> { Err(StepError::new("full")) }
    /// # let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").hook(Step::Audit, Hook::new(refuse)).on(&orchestrator);
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.failures().next().unwrap().to_string(), "step `audit`: full");
    /// # });
    /// ```
    pub fn failures(&self) -> impl Iterator<Item = &StepError> {
        self.steps.iter().filter_map(StepResult::error)
    }

    /// The first failure of a `required` step.
    ///
    /// ```
    /// # use graceful::{Code, Flow, Hook, OrchestrationConfig, Orchestrator, Step, StepError, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # async fn refuse(_: &Flow) -> Result<(), StepError> { Err(StepError::new("full")) }
    /// # let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").hook(Step::Audit, Hook::new(refuse)).on(&orchestrator);
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert!(report.required_failure().is_none());
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config.required(Step::Audit)).await;
    /// assert_eq!(report.required_failure().unwrap().message(), "full");
    /// # });
    /// ```
    pub fn required_failure(&self) -> Option<&StepError> {
        let required = self.flow.required();
        required.iter().find_map(|step| self.step(step).error())
    }
}

impl FlowReport {
    /// The first line of the text: entity, handler and outcome. A call without an entity is named by its correlation id.
    pub fn heading(&self) -> String {
        let flow = &self.flow;
        // The id is user input, and must not add lines to the report.
        let id = flow.entity_id();
        let id = match flow.has_entity() {
            true => escaped(&id).to_string(),
            false => format!("(no id, correlation id {})", escaped(&id)),
        };
        let handler = if flow.handler().is_empty() { "" } else { ": " };
        let recovered = if flow.fallback_applied() { ", recovered" } else { "" };
        format!(
            "{} {id}{handler}{} -> {} {}{recovered}",
            escaped(flow.pattern()),
            flow.handler(),
            flow.ending().as_str(),
            flow.code()
        )
    }
}

impl fmt::Display for FlowReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.heading())?;
        self.steps().try_for_each(|(step, result)| write!(f, "\n  {step:<9} {result}"))
    }
}
