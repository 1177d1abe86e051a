//! An orchestrator that remembers what its steps did.

mod backends;
mod difference;
mod log;
mod recorded;

use std::{fmt, future::Future, sync::Arc};

pub use self::recorded::{Effect, Recorded};
use self::{log::Log, recorded::Answer};
use graceful::{Orchestrator, OrchestratorBuilder, RelaySettings, Step, StepError, backends::memory};

/// An orchestrator for tests: it runs what production runs, the same engine and the same steps, on the embedded backends
/// in memory, and records what each step asked of its backend and what became of it.
///
/// ```
/// use graceful::{Code, Step, orchestrate};
/// use graceful_testing::Recorder;
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
///     (Step::Schedule, "complete -> no open job"),
///     (Step::Event, "emit stock_read 3"),
///     (Step::Nexus, "register stock"),
///     (Step::Audit, "append"),
///     (Step::Alert, "resolve -> no open alert"),
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
    /// A recorder on the embedded backends, for the service `test`. Within a Tokio runtime it has a store in memory for durable
    /// flows, too, and a relay that tries each of them once.
    ///
    /// ```
    /// let recorder = graceful_testing::Recorder::new();
    /// assert!(recorder.flows().is_empty());
    /// ```
    pub fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// A recorder with settings, or backends, of your own; what it still lacks is that of [`new`](Self::new).
    ///
    /// ```
    /// use graceful::backends::memory;
    /// use graceful_testing::Recorder;
    /// let recorder = Recorder::with(|builder| builder.service("users").cache(memory::Cache::with_capacity(1)));
    /// assert_eq!(recorder.orchestrator().key("user", 42).service(), "users");
    /// ```
    ///
    /// # Panics
    ///
    /// Where [`build`](OrchestratorBuilder::build) refuses what was given.
    #[track_caller]
    pub fn with(change: impl FnOnce(OrchestratorBuilder) -> OrchestratorBuilder) -> Self {
        let log = Arc::<Log>::default();
        let told = Arc::clone(&log);
        // One attempt: a step that fails is not to be waited for.
        let relay = RelaySettings::default().attempts(1);
        let builder = change(Orchestrator::builder().service("test").relay(relay)).in_memory();
        let relays = builder.has_runtime();
        let built = builder
            .map_backends(|mut backends| {
                if relays {
                    backends.flows.get_or_insert_with(|| Arc::new(memory::Flows::new()));
                }
                backends::recorded(backends, &log)
            })
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
    /// let recorder = graceful_testing::Recorder::new();
    /// assert_eq!(recorder.orchestrator().cached::<u32>("stock", "tea").await.unwrap(), None);
    /// # });
    /// ```
    pub fn orchestrator(&self) -> &Orchestrator {
        &self.orchestrator
    }

    /// Runs a handler, or all that calls handlers, with this orchestrator. It is [`Orchestrator::scope`], and as safe to drop.
    ///
    /// ```
    /// # use graceful::{Code, orchestrate};
    /// # use graceful_testing::Recorder;
    /// # #[orchestrate(pattern = "n", id = n)]
    /// # async fn handler(n: u32) -> Result<u32, Code> { Ok(n) }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// assert_eq!(Recorder::new().run(handler(4)).await, Ok(4));
    /// # });
    /// ```
    pub fn run<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        self.orchestrator.scope(future)
    }

    /// Waits until no flow is left in the background: those of `delivery = "background"` and `"durable"`, those of dropped
    /// handlers, what a sync handler left. Steps that hang are waited for as long as their time budget.
    ///
    /// A handler that is still running is no work in the background, and of a flow that a transaction has stored (`tx`) it is not
    /// known whether that commits; for those see [`ended`](Self::ended). With relay settings of your own, a durable flow is waited
    /// for until its last attempt.
    ///
    /// ```
    /// # use graceful::{Code, orchestrate};
    /// # use graceful_testing::Recorder;
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
        loop {
            self.orchestrator.idle().await;
            if self.log.is_settled() {
                return;
            }
            // What its hooks leave in the background comes after it.
            self.log.settled().await;
        }
    }

    /// Waits until so many flows have ended, and answers them all, in the order of their ends: for handlers that others
    /// call, such as a server whose client has gone. It waits for ever where fewer come; put a time-out around it.
    ///
    /// ```
    /// # use graceful::{Code, orchestrate};
    /// # use graceful_testing::Recorder;
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
    /// assert!(graceful_testing::Recorder::new().flows().is_empty());
    /// ```
    pub fn flows(&self) -> Vec<Recorded> {
        self.log.recorded()
    }

    /// The flow that ended last.
    ///
    /// ```should_panic
    /// graceful_testing::Recorder::new().last();
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
    /// graceful_testing::Recorder::new().only();
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
            (None, _) => panic!("no flow has ended, but one was expected"),
            (Some(last), false) => {
                flows.push(last);
                let told: Vec<_> =
                    flows.iter().map(|flow| format!("\n  {}", flow.report.heading())).collect();
                panic!("{} flows have ended, but one was expected:{}", flows.len(), told.concat())
            }
        }
    }

    /// From now on, the backend of this step fails with this error, until it is given `None`.
    ///
    /// ```
    /// # use graceful::{Code, Step, StepError, orchestrate};
    /// # use graceful_testing::Recorder;
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
