//! The recorded flows and effects.

use std::{fmt, sync::Arc};

use graceful::{Flow, FlowReport, Step, StepError, StepResult, backends::escaped};

use super::difference;

/// A recorded flow, with the effects of its steps.
///
/// Its `Display` lists the effects, one line per step.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub(super) report: FlowReport,
    pub(super) effects: Vec<Effect>,
}

/// A call of a backend by a step, with its result.
///
/// Its `Display` is the call, with the result if that adds information: `put 42 {"id":42}`, `open -> bumped`,
/// `append -> FAILED: the disk is full`.
#[derive(Clone, Debug)]
pub struct Effect {
    pub(super) step: Step,
    pub(super) call: String,
    pub(super) answer: Answer,
}

#[derive(Clone, Debug)]
pub(super) enum Answer {
    Done(&'static str),
    Failed(StepError),
    /// A step that ran out of time drops its call.
    None,
}

impl Effect {
    /// The step.
    ///
    /// ```
    /// # use graceful::{Code, CallOutcome, Step, orchestrate};
    /// # use graceful_testing::Recorder;
    /// # #[orchestrate(pattern = "n", id = n, cache = n)]
    /// # async fn handler(n: u32) -> Result<u32, Code> { Ok(n) }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let recorder = Recorder::new();
    /// # recorder.run(handler(4)).await.unwrap();
    /// # let recorded = recorder.only();
    /// # let effect = recorded.effects().iter().find(|effect| effect.step() == Step::Cache).unwrap();
    /// assert_eq!(effect.step(), Step::Cache);
    /// # });
    /// ```
    pub fn step(&self) -> Step {
        self.step
    }

    /// The call, such as `put 42 {"id":42}`.
    ///
    /// ```
    /// # use graceful::{Code, CallOutcome, Step, orchestrate};
    /// # use graceful_testing::Recorder;
    /// # #[orchestrate(pattern = "n", id = n, cache = n)]
    /// # async fn handler(n: u32) -> Result<u32, Code> { Ok(n) }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let recorder = Recorder::new();
    /// # recorder.run(handler(4)).await.unwrap();
    /// # let recorded = recorder.only();
    /// # let effect = recorded.effects().iter().find(|effect| effect.step() == Step::Cache).unwrap();
    /// assert_eq!(effect.call(), "put 4 4");
    /// # });
    /// ```
    pub fn call(&self) -> &str {
        &self.call
    }

    /// The failure of the backend.
    ///
    /// ```
    /// # use graceful::{Code, CallOutcome, Step, orchestrate};
    /// # use graceful_testing::Recorder;
    /// # #[orchestrate(pattern = "n", id = n, cache = n)]
    /// # async fn handler(n: u32) -> Result<u32, Code> { Ok(n) }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let recorder = Recorder::new();
    /// # recorder.run(handler(4)).await.unwrap();
    /// # let recorded = recorder.only();
    /// # let effect = recorded.effects().iter().find(|effect| effect.step() == Step::Cache).unwrap();
    /// assert!(effect.error().is_none());
    /// # });
    /// ```
    pub fn error(&self) -> Option<&StepError> {
        match &self.answer {
            Answer::Failed(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escaped(&self.call))?;
        match &self.answer {
            Answer::Done("") => Ok(()),
            Answer::Done(answer) => write!(f, " -> {answer}"),
            Answer::Failed(error) => write!(f, " -> FAILED: {}", error.message()),
            Answer::None => f.write_str(" -> no answer"),
        }
    }
}

impl Recorded {
    /// The flow.
    ///
    /// ```
    /// # use graceful::{Code, CallOutcome, Step, orchestrate};
    /// # use graceful_testing::Recorder;
    /// # #[orchestrate(pattern = "n", id = n, cache = n)]
    /// # async fn handler(n: u32) -> Result<u32, Code> { Ok(n) }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let recorder = Recorder::new();
    /// # recorder.run(handler(4)).await.unwrap();
    /// # let recorded = recorder.only();
    /// # let effect = recorded.effects().iter().find(|effect| effect.step() == Step::Cache).unwrap();
    /// assert_eq!(recorded.flow().ending(), CallOutcome::Ok);
    /// # });
    /// ```
    pub fn flow(&self) -> &Arc<Flow> {
        self.report.flow()
    }

    /// The report of the flow.
    ///
    /// ```
    /// # use graceful::{Code, CallOutcome, Step, orchestrate};
    /// # use graceful_testing::Recorder;
    /// # #[orchestrate(pattern = "n", id = n, cache = n)]
    /// # async fn handler(n: u32) -> Result<u32, Code> { Ok(n) }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let recorder = Recorder::new();
    /// # recorder.run(handler(4)).await.unwrap();
    /// # let recorded = recorder.only();
    /// # let effect = recorded.effects().iter().find(|effect| effect.step() == Step::Cache).unwrap();
    /// assert!(recorded.report().step(Step::Cache).is_done());
    /// # });
    /// ```
    pub fn report(&self) -> &FlowReport {
        &self.report
    }

    /// The calls of the backends, in order.
    ///
    /// ```
    /// # use graceful::{Code, CallOutcome, Step, orchestrate};
    /// # use graceful_testing::Recorder;
    /// # #[orchestrate(pattern = "n", id = n, cache = n)]
    /// # async fn handler(n: u32) -> Result<u32, Code> { Ok(n) }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let recorder = Recorder::new();
    /// # recorder.run(handler(4)).await.unwrap();
    /// # let recorded = recorder.only();
    /// # let effect = recorded.effects().iter().find(|effect| effect.step() == Step::Cache).unwrap();
    /// assert_eq!(recorded.effects()[0].to_string(), "record");
    /// # });
    /// ```
    pub fn effects(&self) -> &[Effect] {
        &self.effects
    }

    /// Describes what a step did: its [`Effect`]s, or, without a call of its backend, its result.
    ///
    /// ```
    /// # use graceful::{Code, Step, orchestrate};
    /// # use graceful_testing::Recorder;
    /// # #[orchestrate(pattern = "n", id = n, nexus = off)]
    /// # async fn handler(n: u32) -> Result<u32, Code> { Ok(n) }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let recorder = Recorder::new();
    /// recorder.run(handler(4)).await.unwrap();
    /// assert_eq!(recorder.only().step(Step::Audit), "append");
    /// assert_eq!(recorder.only().step(Step::Event), "skipped: no event");
    /// assert_eq!(recorder.only().step(Step::Nexus), "off");
    /// # });
    /// ```
    pub fn step(&self, step: Step) -> String {
        let mut effects = self.effects.iter().filter(|effect| effect.step == step).map(ToString::to_string);
        match effects.next() {
            Some(first) => effects.fold(first, |all, effect| all + ", " + &effect),
            None => self.report.step(step).to_string(),
        }
    }

    /// Whether a step did anything: it called its backend, or a hook in its place.
    pub(super) fn acted(&self, step: Step) -> bool {
        let called = self.effects.iter().any(|effect| effect.step == step);
        called || !matches!(self.report.step(step), StepResult::Off | StepResult::Skipped(_))
    }

    /// Asserts what a step did, in the words of [`step`](Self::step).
    ///
    /// ```
    /// # use graceful::{Code, Step, orchestrate};
    /// # use graceful_testing::Recorder;
    /// # #[orchestrate(pattern = "n", id = n)]
    /// # async fn handler(n: u32) -> Result<u32, Code> { Ok(n) }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let recorder = Recorder::new();
    /// recorder.run(handler(4)).await.unwrap();
    /// recorder.only().assert_step(Step::Audit, "append");
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// Panics with the difference if the step did something else.
    #[track_caller]
    pub fn assert_step(&self, step: Step, expected: &str) {
        difference::assert(self, |other| (other == step).then(|| expected.to_owned()));
    }

    /// Asserts what all steps did, and that no other step did anything. A step with two effects may be listed twice.
    ///
    /// ```should_panic
    /// # use graceful::{Code, Step, orchestrate};
    /// # use graceful_testing::Recorder;
    /// # #[orchestrate(pattern = "n", id = n)]
    /// # async fn handler(n: u32) -> Result<u32, Code> { Ok(n) }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let recorder = Recorder::new();
    /// recorder.run(handler(4)).await.unwrap();
    /// recorder.only().assert_steps([(Step::Audit, "append")]); // the others did something, too
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// Panics with the difference if a step did something else, or a step that is not listed did anything.
    #[track_caller]
    pub fn assert_steps<'a>(&self, expected: impl IntoIterator<Item = (Step, &'a str)>) {
        let mut all = [const { String::new() }; 9];
        for (step, text) in expected {
            let of_step = &mut all[step as usize];
            *of_step = if of_step.is_empty() { text.to_owned() } else { format!("{of_step}, {text}") };
        }
        difference::assert(self, |step| Some(all[step as usize].clone()));
    }
}

impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report.heading())?;
        Step::ALL.iter().try_for_each(|step| write!(f, "\n  {step:<9} {}", self.step(*step)))
    }
}
