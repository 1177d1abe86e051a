//! An orchestrator for tests, which records what its steps did.

mod answered;
mod backends;
mod difference;
mod log;
mod read_through;
mod recorded;

use std::{fmt, future::Future, sync::Arc, time::Duration};

pub use self::recorded::{Effect, Recorded};
use self::{log::Log, recorded::Answer};
use graceful::{
    Key, Orchestrator, OrchestratorBuilder, RelaySettings, Step, StepError,
    backends::{ReceivedEvent, memory},
};

/// An orchestrator for tests. It runs the same pipeline and steps as production, on the in-memory backends, and records each step's calls
/// of its backend and their results.
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
/// A failed assertion prints the expected effects beside the recorded ones, step by step:
///
/// ```text
/// stock coffee: left -> err UNAVAILABLE
///     step      expected               recorded
///     metadata  record                 record
///   ! cache     put coffee 3           invalidate coffee
/// ```
///
/// For handlers behind a server use `ContextLayer::new().on(recorder.orchestrator())`. The effects of your own hooks are not recorded: an
/// overridden step is recorded as `overridden`.
#[derive(Clone)]
pub struct Recorder {
    orchestrator: Orchestrator,
    log: Arc<Log>,
}

impl Recorder {
    /// Creates a recorder on the in-memory backends, for the service `test`. Within a Tokio runtime it also has an in-memory store for durable
    /// flows, and a relay that tries each of them once.
    ///
    /// ```
    /// let recorder = graceful_testing::Recorder::new();
    /// assert!(recorder.flows().is_empty());
    /// ```
    pub fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// Creates a recorder with your own settings or backends; the others are those of [`new`](Self::new).
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
    /// Panics if [`build`](OrchestratorBuilder::build) fails.
    #[track_caller]
    pub fn with(change: impl FnOnce(OrchestratorBuilder) -> OrchestratorBuilder) -> Self {
        let log = Arc::<Log>::default();
        let observer = Arc::clone(&log);
        // One attempt, so that tests do not wait for the retries of a failing step.
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
            .on_report(move |report| observer.ended(report))
            .build();
        match built {
            Ok(orchestrator) => Self { orchestrator, log },
            Err(error) => panic!("{error}"),
        }
    }

    /// The orchestrator of the recorder.
    pub fn orchestrator(&self) -> &Orchestrator {
        &self.orchestrator
    }

    /// Runs a handler, or any future that calls handlers, with this orchestrator. It is the same as [`Orchestrator::scope`].
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

    /// The entities that were answered from the cache, in order: handlers with `cache(key = …, read)` whose bodies did not run.
    ///
    /// ```
    /// # use graceful::{Code, orchestrate};
    /// # use graceful_testing::Recorder;
    /// #[orchestrate(pattern = "price", cache(key = id, read, unwritten))]
    /// async fn price(id: u32) -> Result<u32, Code> { Ok(id * 10) }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let recorder = Recorder::new();
    /// recorder.run(price(4)).await.unwrap();
    /// assert!(recorder.hits().is_empty());
    /// assert_eq!(recorder.run(price(4)).await, Ok(40));
    /// assert_eq!(recorder.hits()[0].id(), "4");
    /// assert_eq!(recorder.only().effects()[0].call(), "fill 4 40");
    /// # });
    /// ```
    pub fn hits(&self) -> Vec<Key> {
        self.log.hits()
    }

    /// Moves the clock of the backends in memory, such as the time to live of cached values and the expiry of holds.
    ///
    /// It is the clock of the runtime, so all timers of the test move with it; the time of day does not.
    ///
    /// # Panics
    /// Panics if the clock runs: start the test with `#[tokio::test(start_paused = true)]`, or call `tokio::time::pause()`.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use graceful::{Code, orchestrate};
    /// # use graceful_testing::Recorder;
    /// #[orchestrate(pattern = "rate", cache(key = (), read, unwritten, ttl = "1h"))]
    /// async fn rate() -> Result<u32, Code> { Ok(7) }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(async {
    /// let recorder = Recorder::new();
    /// recorder.run(rate()).await.unwrap();
    /// recorder.advance(Duration::from_secs(3601)).await;
    /// recorder.run(rate()).await.unwrap();
    /// assert_eq!((recorder.hits().len(), recorder.flows().len()), (0, 2));
    /// # });
    /// ```
    pub async fn advance(&self, by: Duration) {
        tokio::time::advance(by).await;
    }

    /// Waits for all background flows: those of `delivery = "background"` and `"durable"`, of dropped handlers, and of sync handlers. A
    /// step that hangs delays it by its time budget.
    ///
    /// It does not wait for handlers that are still running, or for flows in an open transaction (`tx`); for those see
    /// [`ended`](Self::ended). With your own relay settings it waits for the last attempt of a durable flow.
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

    /// The events that were emitted, in order, as subscribers receive them.
    ///
    /// ```
    /// use graceful::{Code, EventData, State, orchestrate, subscribe};
    /// use graceful_testing::Recorder;
    /// use tokio::sync::mpsc::UnboundedSender;
    ///
    /// #[orchestrate(pattern = "user", id = id, event = "user_created")]
    /// async fn create(id: u32) -> Result<String, Code> { Ok(format!("user {id}")) }
    ///
    /// #[subscribe(event = "user_created", pattern = "user")]
    /// async fn greet(event: EventData<String>, State(mails): State<UnboundedSender<String>>) -> Result<(), Code> {
    ///     mails.send(format!("welcome, {}", event.result)).map_err(|_| Code::Unavailable)
    /// }
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let recorder = Recorder::new();
    /// recorder.run(create(7)).await.unwrap();
    /// let (mails, mut sent) = tokio::sync::mpsc::unbounded_channel::<String>();
    /// let subscribers = recorder.orchestrator().subscribers().provide(mails);
    /// for event in recorder.events() {
    ///     assert_eq!(subscribers.hand(event).await.unwrap(), 1);
    /// }
    /// assert_eq!(sent.recv().await.unwrap(), "welcome, user 7");
    /// assert_eq!(recorder.last().flow().handler(), "greet");
    /// # });
    /// ```
    ///
    /// An event of another service is written as JSON:
    ///
    /// ```
    /// use graceful::backends::ReceivedEvent;
    ///
    /// let event: ReceivedEvent = serde_json::from_value(serde_json::json!({
    ///     "specversion": "1.0", "id": "1", "source": "orders", "type": "order_paid", "subject": "order/7",
    ///     "data": {
    ///         "code": "OK", "message": "paid", "result": 12, "yin_yang": "yang", "correlation_id": "c", "service": "orders",
    ///         "entity_id": "7", "timestamp": "2026-01-01T00:00:00Z",
    ///     },
    /// }))?;
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn events(&self) -> Vec<Arc<ReceivedEvent>> {
        self.log.events()
    }

    /// Waits until this many flows have ended, and returns all of them in that order: for handlers that other tasks call, e.g. in a server. It
    /// never returns if fewer flows end, so use it with a timeout.
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

    /// Lists the flows that have ended, in that order.
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
    /// Panics if no flow has ended.
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
    /// Panics if no flow or several flows have ended; the message lists them.
    #[track_caller]
    pub fn only(&self) -> Recorded {
        let mut flows = self.flows();
        match (flows.pop(), flows.is_empty()) {
            (Some(flow), true) => flow,
            (None, _) => panic!("no flow has ended, but one was expected"),
            (Some(last), false) => {
                flows.push(last);
                let headings: Vec<_> =
                    flows.iter().map(|flow| format!("\n  {}", flow.report.heading())).collect();
                panic!("{} flows have ended, but one was expected:{}", flows.len(), headings.concat())
            }
        }
    }

    /// Makes the backend of a step fail with this error; `None` makes it work again.
    ///
    /// ```
    /// # use graceful::{Code, Step, StepError, orchestrate};
    /// # use graceful_testing::Recorder;
    /// # #[orchestrate(pattern = "n", id = n, event = "seen")]
    /// # async fn handler(n: u32) -> Result<u32, Code> { Ok(n) }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let recorder = Recorder::new();
    /// recorder.fail(Step::Event, Some(StepError::new("the broker is unavailable")));
    /// recorder.run(handler(4)).await.unwrap();
    /// recorder.last().assert_step(Step::Event, "emit seen 4 -> FAILED: the broker is unavailable");
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
