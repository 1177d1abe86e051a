//! An orchestrator that remembers what its steps did.

mod backends;
mod difference;
mod log;

use std::{fmt, future::Future, sync::Arc};

use self::log::Log;
pub(crate) use self::log::calling;
use crate::{Flow, FlowReport, Orchestrator, OrchestratorBuilder, Step, StepError, StepResult};

/// An orchestrator for tests: it runs what production runs, the same engine and the same steps, on the embedded backends
/// in memory, and records what each step asked of its backend and what became of it.
///
/// ```
/// use graceful::{Code, Step, orchestrate, testing::Recorder};
///
/// #[orchestrate(pattern = "stock", cache = item, event = "stock_read")]
/// async fn left(item: &str) -> Result<u32, Code> {
///     if item == "tea" { Ok(3) } else { Err(Code::Unavailable) }
/// }
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let recorder = Recorder::new();
/// recorder.run(left("tea")).await.unwrap();
/// recorder.only().assert_steps([
///     (Step::Metadata, "record"),
///     (Step::Cache, "put tea 3"),
///     (Step::Graph, "relate succeeded flow"),
///     (Step::Schedule, "complete -> nothing open"),
///     (Step::Event, "emit stock_read 3"),
///     (Step::Nexus, "register stock"),
///     (Step::Audit, "append"),
///     (Step::Alert, "resolve -> nothing open"),
/// ]);
///
/// recorder.run(left("coffee")).await.unwrap_err();
/// recorder.last().assert_step(Step::Cache, "invalidate coffee");
/// recorder.last().assert_step(Step::Event, "emit stock_read.failed null");
/// recorder.last().assert_step(Step::Alert, "fire error -> opened");
/// # });
/// ```
///
/// An assertion that fails prints what was expected beside what was recorded, step by step:
///
/// ```text
/// stock coffee: left -> err UNAVAILABLE
///     step      expected               recorded
///     metadata  record                 record
///   ! cache     put coffee 3           invalidate coffee
/// ```
///
/// A handler behind a server takes the recorder's orchestrator like any other: `ContextLayer::new().on(recorder.orchestrator())`.
/// What a hook of yours does is its own: a step that was overridden is recorded as `overridden`.
#[derive(Clone)]
pub struct Recorder {
    orchestrator: Orchestrator,
    log: Arc<Log>,
}

impl Recorder {
    /// A recorder on the embedded backends, for the service `test`.
    ///
    /// ```
    /// let recorder = graceful::testing::Recorder::new();
    /// assert!(recorder.flows().is_empty());
    /// ```
    pub fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// A recorder with settings, or backends, of your own; what it still lacks is embedded.
    ///
    /// ```
    /// use graceful::{backends::memory, testing::Recorder};
    /// let recorder = Recorder::with(|builder| builder.service("users").cache(memory::Cache::with_capacity(1)));
    /// assert_eq!(recorder.orchestrator().key("user", 42).service(), "users");
    /// ```
    ///
    /// # Panics
    ///
    /// Where [`build`](OrchestratorBuilder::build) refuses a handler of the program.
    #[track_caller]
    pub fn with(change: impl FnOnce(OrchestratorBuilder) -> OrchestratorBuilder) -> Self {
        let log = Arc::<Log>::default();
        let told = Arc::clone(&log);
        let built = change(Orchestrator::builder().service("test"))
            .in_memory()
            .map_backends(|backends| backends::recorded(backends, &log))
            .on_report(move |report| told.ended(report))
            .build();
        match built {
            Ok(orchestrator) => Self { orchestrator, log },
            Err(error) => panic!("{error}"),
        }
    }

    /// Its orchestrator.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let recorder = graceful::testing::Recorder::new();
    /// assert_eq!(recorder.orchestrator().cached::<u32>("stock", "tea").await.unwrap(), None);
    /// # });
    /// ```
    pub fn orchestrator(&self) -> &Orchestrator {
        &self.orchestrator
    }

    /// Runs a handler, or all that calls handlers, with this orchestrator. It is [`Orchestrator::scope`], and as safe to drop.
    ///
    /// ```
    /// # use graceful::{Code, orchestrate, testing::Recorder};
    /// # #[orchestrate(pattern = "n", id = n)]
    /// # async fn handler(n: u32) -> Result<u32, Code> { Ok(n) }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// assert_eq!(Recorder::new().run(handler(4)).await, Ok(4));
    /// # });
    /// ```
    pub fn run<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        self.orchestrator.scope(future)
    }

    /// Waits until no flow is left in the background: those of `delivery = "background"`, those of dropped handlers, what
    /// a sync handler left. Steps that hang are waited for as long as their time budget.
    ///
    /// A handler that is still running is no work in the background, nor is a flow in a durable store, which is its relay's; for
    /// those see [`ended`](Self::ended).
    ///
    /// ```
    /// # use graceful::{Code, orchestrate, testing::Recorder};
    /// # #[orchestrate(pattern = "n", id = n, delivery = "background")]
    /// # async fn handler(n: u32) -> Result<u32, Code> { Ok(n) }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let recorder = Recorder::new();
    /// recorder.run(handler(4)).await.unwrap();
    /// recorder.settled().await;
    /// assert_eq!(recorder.flows().len(), 1);
    /// # });
    /// ```
    pub async fn settled(&self) {
        self.orchestrator.background().settled().await;
    }

    /// Waits until so many flows have ended, and answers them all, in the order of their ends: for handlers that others
    /// call, such as a server whose client has gone. It waits for ever where fewer come; put a time-out around it.
    ///
    /// ```
    /// # use graceful::{Code, orchestrate, testing::Recorder};
    /// # #[orchestrate(pattern = "n", id = n)]
    /// # async fn handler(n: u32) -> Result<u32, Code> { Ok(n) }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let recorder = Recorder::new();
    /// tokio::spawn(recorder.run(handler(4)));
    /// assert_eq!(recorder.ended(1).await[0].flow().entity_id(), "4");
    /// # });
    /// ```
    pub async fn ended(&self, flows: usize) -> Vec<Recorded> {
        self.log.until(flows).await;
        self.flows()
    }

    /// The flows that have ended, in the order of their ends.
    ///
    /// ```
    /// assert!(graceful::testing::Recorder::new().flows().is_empty());
    /// ```
    pub fn flows(&self) -> Vec<Recorded> {
        self.log.recorded()
    }

    /// The flow that ended last.
    ///
    /// ```should_panic
    /// graceful::testing::Recorder::new().last();
    /// ```
    ///
    /// # Panics
    ///
    /// Where none has.
    #[track_caller]
    pub fn last(&self) -> Recorded {
        self.flows().pop().expect("no flow has ended")
    }

    /// The one flow that has ended.
    ///
    /// ```should_panic
    /// graceful::testing::Recorder::new().only();
    /// ```
    ///
    /// # Panics
    ///
    /// Where none has, or several have, with what they were.
    #[track_caller]
    pub fn only(&self) -> Recorded {
        let mut flows = self.flows();
        match (flows.pop(), flows.is_empty()) {
            (Some(flow), true) => flow,
            (None, _) => panic!("no flow has ended, and one was expected"),
            (Some(last), false) => {
                flows.push(last);
                let told: Vec<_> =
                    flows.iter().map(|flow| format!("\n  {}", flow.report.heading())).collect();
                panic!("{} flows have ended, and one was expected:{}", flows.len(), told.concat())
            }
        }
    }

    /// From now on, the backend of this step fails with this error, until it is given `None`.
    ///
    /// ```
    /// # use graceful::{Code, Step, StepError, orchestrate, testing::Recorder};
    /// # #[orchestrate(pattern = "n", id = n, event = "seen")]
    /// # async fn handler(n: u32) -> Result<u32, Code> { Ok(n) }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let recorder = Recorder::new();
    /// recorder.fail(Step::Event, Some(StepError::new("the broker is away")));
    /// recorder.run(handler(4)).await.unwrap();
    /// recorder.last().assert_step(Step::Event, "emit seen 4 -> FAILED: the broker is away");
    /// # });
    /// ```
    pub fn fail(&self, step: Step, error: Option<StepError>) {
        self.log.fail(step, error);
    }
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("flows", &self.flows()).finish_non_exhaustive()
    }
}

/// One flow, with what its steps did.
///
/// Its `Display` is what each step did, a line each.
#[derive(Clone, Debug)]
pub struct Recorded {
    report: FlowReport,
    effects: Vec<Effect>,
}

/// What a step asked of its backend, and what became of it.
///
/// Its `Display` is the call, with its answer where that says more: `put 42 {"id":42}`, `open -> bumped`,
/// `append -> FAILED: the disk is full`.
#[derive(Clone, Debug)]
pub struct Effect {
    step: Step,
    call: String,
    answer: Answer,
}

#[derive(Clone, Debug)]
enum Answer {
    Done(&'static str),
    Failed(StepError),
    /// A step that ran out of time drops its call.
    None,
}

impl Effect {
    /// Whose it is.
    ///
    /// ```
    /// # use graceful::{Code, Ending, Step, orchestrate, testing::Recorder};
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

    /// What was asked, such as `put 42 {"id":42}`.
    ///
    /// ```
    /// # use graceful::{Code, Ending, Step, orchestrate, testing::Recorder};
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
    /// # use graceful::{Code, Ending, Step, orchestrate, testing::Recorder};
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
        f.write_str(&self.call)?;
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
    /// # use graceful::{Code, Ending, Step, orchestrate, testing::Recorder};
    /// # #[orchestrate(pattern = "n", id = n, cache = n)]
    /// # async fn handler(n: u32) -> Result<u32, Code> { Ok(n) }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let recorder = Recorder::new();
    /// # recorder.run(handler(4)).await.unwrap();
    /// # let recorded = recorder.only();
    /// # let effect = recorded.effects().iter().find(|effect| effect.step() == Step::Cache).unwrap();
    /// assert_eq!(recorded.flow().ending(), Ending::Ok);
    /// # });
    /// ```
    pub fn flow(&self) -> &Arc<Flow> {
        self.report.flow()
    }

    /// What became of each step.
    ///
    /// ```
    /// # use graceful::{Code, Ending, Step, orchestrate, testing::Recorder};
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

    /// What the steps asked of their backends, in order.
    ///
    /// ```
    /// # use graceful::{Code, Ending, Step, orchestrate, testing::Recorder};
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

    /// What a step did: its [`Effect`]s, or, where it asked nothing of its backend, why not.
    ///
    /// ```
    /// # use graceful::{Code, Step, orchestrate, testing::Recorder};
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
    fn acted(&self, step: Step) -> bool {
        let called = self.effects.iter().any(|effect| effect.step == step);
        called || !matches!(self.report.step(step), StepResult::Off | StepResult::Skipped(_))
    }

    /// Asserts what a step did, as [`step`](Self::step) says it.
    ///
    /// ```
    /// # use graceful::{Code, Step, orchestrate, testing::Recorder};
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
    /// Where it did something else, with the difference.
    #[track_caller]
    pub fn assert_step(&self, step: Step, expected: &str) {
        difference::assert(self, |other| (other == step).then(|| expected.to_owned()));
    }

    /// Asserts what all steps did: these, and no other. A step that did two things may be named twice.
    ///
    /// ```should_panic
    /// # use graceful::{Code, Step, orchestrate, testing::Recorder};
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
    /// Where one did something else, or one that is not named did anything, with the difference.
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
