//! Flows without a caller: a bounded queue per lane, in order per entity, drained at shutdown. The flows that continue outside of the
//! queue because their caller was cancelled are bounded, too.

use std::{
    future::{Future, poll_fn},
    hash::{DefaultHasher, Hash, Hasher},
    pin::{Pin, pin},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch},
    task::JoinHandle,
    task_local,
};

use super::{FlowReport, FlowRun, durable};
use crate::{backends::BoxFuture, flow::Delivery, pipeline::Orchestrator};

/// Entities are spread over the lanes by hash; a lane runs one flow at a time.
const LANES: usize = 8;

/// The queues of an orchestrator, and the number of running flows.
#[derive(Debug)]
pub(crate) struct Background {
    lanes: [OnceLock<mpsc::Sender<Job>>; LANES],
    capacity: usize,
    /// One permit for each flow that continues outside of the queue because its caller was cancelled.
    orphans: Arc<Semaphore>,
    closed: AtomicBool,
    /// True when the deadline of the shutdown is over. Then flows are stored where possible, so that a relay can run them.
    leaving: watch::Sender<bool>,
    under_way: watch::Sender<usize>,
}

/// A queued flow. The type is erased, so that auto traits of the orchestrator do not depend on the contents of a flow.
type Job = BoxFuture<()>;

/// Why a flow was not queued.
pub(super) enum Refused {
    /// The queue is full: the flow waits for its turn, which keeps the order per entity.
    Full(Turn),
    /// The queue is closed, or there is no runtime.
    Closed(FlowRun),
}

/// A flow that waits for its place in the queue. Its task keeps the order, whether its caller polls or not. If the caller is dropped,
/// the task continues, unless there are too many such tasks.
pub(super) struct Turn {
    task: JoinHandle<Option<FlowReport>>,
    /// The permit that the task holds until its end after its caller was dropped.
    orphaned: Arc<OnceLock<OwnedSemaphorePermit>>,
    orphans: Arc<Semaphore>,
}

impl Future for Turn {
    type Output = Option<FlowReport>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<FlowReport>> {
        Pin::new(&mut self.task).poll(cx).map(|report| report.ok().flatten())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.task.is_finished() {
            return;
        }
        match Arc::clone(&self.orphans).try_acquire_owned() {
            // The permit is set only once.
            Ok(permit) => drop(self.orphaned.set(permit)),
            // If the flow is in the queue by now, it stays there.
            Err(_) => self.task.abort(),
        }
    }
}

task_local! {
    /// Set inside a lane: code that waits here for a place in the queue would block the queue.
    static LANE: ();
}

/// Whether the caller runs inside a lane, so that it must not wait for a place in the queue.
pub(crate) fn in_lane() -> bool {
    LANE.try_with(|()| ()).is_ok()
}

/// Marks a task that the hook of a lane has started as inside of the lane.
pub(crate) fn within_lane<R>(run: impl FnOnce() -> R) -> R {
    LANE.sync_scope((), run)
}

/// Counts one running flow until it is dropped.
struct Counted(Orchestrator);

impl Counted {
    fn new(orchestrator: &Orchestrator) -> Self {
        orchestrator.background().under_way.send_modify(|count| *count += 1);
        Self(orchestrator.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.background().under_way.send_modify(|count| *count -= 1);
    }
}

impl Background {
    /// The number of flows that run or wait.
    #[cfg(feature = "metrics")]
    pub(crate) fn under_way(&self) -> usize {
        *self.under_way.borrow()
    }

    /// The number of flows that may wait in all lanes together.
    #[cfg(feature = "metrics")]
    pub(crate) const fn capacity(&self) -> usize {
        self.capacity * LANES
    }

    /// Creates the queues. `capacity` is the number of flows that may wait in all lanes together.
    pub(crate) fn new(capacity: usize) -> Self {
        let capacity = capacity.div_ceil(LANES).max(1);
        Self {
            lanes: [const { OnceLock::new() }; LANES],
            capacity,
            orphans: Arc::new(Semaphore::new(capacity * LANES)),
            closed: AtomicBool::new(false),
            leaving: watch::Sender::new(false),
            under_way: watch::Sender::new(0),
        }
    }

    /// Queues a flow.
    pub(super) fn offer(run: FlowRun) -> Result<(), Refused> {
        let orchestrator = run.orchestrator().clone();
        let background = orchestrator.background();
        // Counted before the check whether the queue is closed, so that `drain` misses no flow.
        let counted = Counted::new(&orchestrator);
        let Some((lane, runtime)) = background.lane(&run) else {
            return Err(Refused::Closed(run));
        };
        let (done, report) = oneshot::channel();
        let leaving = background.leaving.subscribe();
        let job: Job = Box::pin(async move {
            // The caller waits for the report only if the queue was full.
            let _ = done.send(run_or_store(run, leaving).await);
            drop(counted);
        });
        lane.try_send(job).map_err(|refused| {
            let lane = lane.clone();
            let orphaned = Arc::default();
            let held = Arc::clone(&orphaned);
            let mut turn = Box::pin(async move {
                let _held: Arc<OnceLock<OwnedSemaphorePermit>> = held;
                if let Err(refused) = lane.send(refused.into_inner()).await {
                    // The worker ended with its runtime.
                    refused.0.await;
                }
                report.await.ok()
            });
            // The first poll takes the place in the order. A task does the waiting, because the caller may be dropped.
            let _ = turn.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            let orphans = Arc::clone(&background.orphans);
            Refused::Full(Turn { task: runtime.spawn(turn), orphaned, orphans })
        })
    }

    /// Takes over a flow whose caller cannot wait at all.
    ///
    /// If there are already as many such flows as the queue has places, the steps are not run: they fail, which is logged, counted and
    /// reported. A durable flow is stored in any case.
    pub(super) fn take(run: FlowRun) {
        let orchestrator = run.orchestrator().clone();
        let Some(runtime) = orchestrator.runtime() else { return run.run_once() };
        let run = match run.flow().delivery() {
            Delivery::Background => match Self::offer(run) {
                Ok(()) | Err(Refused::Full(_)) => return,
                Err(Refused::Closed(run)) => run,
            },
            Delivery::Inline | Delivery::Durable => run,
        };
        let counted = Counted::new(&orchestrator);
        if run.flow().delivery() == Delivery::Durable {
            runtime.spawn(async move {
                durable::store(run).await;
                drop(counted);
            });
            return;
        }
        match Arc::clone(&orchestrator.background().orphans).try_acquire_owned() {
            Ok(orphan) => drop(runtime.spawn(async move {
                run.await;
                drop((orphan, counted));
            })),
            Err(_) => drop(run),
        }
    }

    fn lane<'a>(&'a self, run: &FlowRun) -> Option<(&'a mpsc::Sender<Job>, Handle)> {
        if self.closed.load(Ordering::Acquire) {
            return None;
        }
        let runtime = run.orchestrator().runtime()?.clone();
        let mut hasher = DefaultHasher::new();
        run.flow().entity().hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % LANES as u64).unwrap_or_default();
        let lane = self.lanes[index].get_or_init(|| {
            let (sender, receiver) = mpsc::channel(self.capacity);
            runtime.spawn(LANE.scope((), work(receiver)));
            sender
        });
        Some((lane, runtime))
    }

    /// Waits until no flow is running.
    #[cfg(feature = "__testing")]
    pub(crate) async fn settled(&self) {
        // The wait cannot fail, because `self` holds the sender.
        let _ = self.under_way.subscribe().wait_for(|count| *count == 0).await;
    }

    /// Lets new flows run inline, waits for the running ones, and returns how many were left at the deadline. If there is a store, the
    /// remaining flows are stored where possible.
    pub(crate) async fn drain(&self, deadline: Duration, into_a_store: bool) -> usize {
        self.closed.store(true, Ordering::Release);
        if !self.is_over_within(deadline).await && into_a_store {
            self.leaving.send_replace(true);
            self.is_over_within(STORING).await;
        }
        *self.under_way.borrow()
    }

    async fn is_over_within(&self, time: Duration) -> bool {
        let mut under_way = self.under_way.subscribe();
        tokio::time::timeout(time, under_way.wait_for(|count| *count == 0)).await.is_ok()
    }
}

/// The time in which the flows that are left at the deadline can be stored.
const STORING: Duration = Duration::from_secs(1);

/// Runs a flow, or stores it when the deadline of the shutdown is over.
async fn run_or_store(mut run: FlowRun, mut leaving: watch::Receiver<bool>) -> FlowReport {
    let left = {
        let mut leaving = pin!(leaving.wait_for(|leaving| *leaving));
        poll_fn(|cx| match Pin::new(&mut run).poll(cx) {
            Poll::Ready(report) => Poll::Ready(Some(report)),
            Poll::Pending => leaving.as_mut().poll(cx).map(|_| None),
        })
        .await
    };
    match left {
        Some(report) => report,
        None if run.is_portable() => durable::store(run).await,
        None => run.await,
    }
}

async fn work(mut jobs: mpsc::Receiver<Job>) {
    while let Some(job) = jobs.recv().await {
        job.await;
    }
}
