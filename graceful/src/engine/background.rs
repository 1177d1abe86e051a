//! Flows without a caller: a bounded queue per lane, in order per entity, drained at shutdown.

use std::{
    future::Future,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Waker},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

use super::{Engine, FlowReport};
use crate::{Delivery, Orchestrator, backends::BoxFuture};

/// Entities are spread over the lanes by hash; a lane runs one flow at a time.
const LANES: usize = 8;

/// The queues of an orchestrator, and the count of what is under way.
#[derive(Debug)]
pub(crate) struct Background {
    lanes: [OnceLock<mpsc::Sender<Job>>; LANES],
    capacity: usize,
    closed: AtomicBool,
    under_way: watch::Sender<usize>,
}

/// A flow on its way to its end. Erased: whoever holds an orchestrator would else be asked, type by type, what a flow holds.
type Job = BoxFuture<()>;

/// Why a flow was not queued.
pub(super) enum Refused {
    /// The queue is full: the flow waits for its turn, which keeps the order per entity.
    Full(JoinHandle<Option<FlowReport>>),
    /// The queue is closed, or there is no runtime.
    Closed(Engine),
}

/// One flow under way, until it is dropped.
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
    /// `capacity`: how many flows may wait, over all lanes.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            lanes: [const { OnceLock::new() }; LANES],
            capacity: capacity.div_ceil(LANES).max(1),
            closed: AtomicBool::new(false),
            under_way: watch::Sender::new(0),
        }
    }

    /// Queues a flow.
    pub(super) fn offer(engine: Engine) -> Result<(), Refused> {
        let orchestrator = engine.orchestrator().clone();
        let background = orchestrator.background();
        // Counted before it is known whether the queue is closed, so that `drain` misses none.
        let counted = Counted::new(&orchestrator);
        let Some((lane, runtime)) = background.lane(&engine) else {
            return Err(Refused::Closed(engine));
        };
        let (done, report) = oneshot::channel();
        let job: Job = Box::pin(async move {
            // Nobody waits for the report, unless the queue was full.
            let _ = done.send(engine.await);
            drop(counted);
        });
        lane.try_send(job).map_err(|refused| {
            let lane = lane.clone();
            let mut turn = Box::pin(async move {
                if let Err(refused) = lane.send(refused.into_inner()).await {
                    // The worker is gone with its runtime.
                    refused.0.await;
                }
                report.await.ok()
            });
            // Its place in the order is taken now; the waiting is a task's, since the caller may go.
            let _ = turn.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            Refused::Full(runtime.spawn(turn))
        })
    }

    /// Takes over a flow whose caller cannot wait at all.
    pub(super) fn take(engine: Engine) {
        let orchestrator = engine.orchestrator().clone();
        let Some(runtime) = orchestrator.runtime() else { return engine.run_once() };
        let engine = match engine.flow().delivery() {
            Delivery::Background => match Self::offer(engine) {
                Ok(()) | Err(Refused::Full(_)) => return,
                Err(Refused::Closed(engine)) => engine,
            },
            Delivery::Inline | Delivery::Durable => engine,
        };
        let counted = Counted::new(&orchestrator);
        runtime.spawn(async move {
            engine.await;
            drop(counted);
        });
    }

    fn lane<'a>(&'a self, engine: &Engine) -> Option<(&'a mpsc::Sender<Job>, Handle)> {
        if self.closed.load(Ordering::Acquire) {
            return None;
        }
        let runtime = engine.orchestrator().runtime()?.clone();
        let mut hasher = DefaultHasher::new();
        engine.flow().entity().hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % LANES as u64).unwrap_or_default();
        let lane = self.lanes[index].get_or_init(|| {
            let (sender, receiver) = mpsc::channel(self.capacity);
            runtime.spawn(work(receiver));
            sender
        });
        Some((lane, runtime))
    }

    /// Waits until nothing is under way.
    #[cfg(feature = "testing")]
    pub(crate) async fn settled(&self) {
        // It is there as long as its sender is, which is `self`.
        let _ = self.under_way.subscribe().wait_for(|count| *count == 0).await;
    }

    /// From now on flows run inline; waits for those under way, and says how many were left at the deadline.
    pub(crate) async fn drain(&self, deadline: Duration) -> usize {
        self.closed.store(true, Ordering::Release);
        let mut under_way = self.under_way.subscribe();
        let drained = tokio::time::timeout(deadline, under_way.wait_for(|count| *count == 0)).await.is_ok();
        if drained { 0 } else { *self.under_way.borrow() }
    }
}

async fn work(mut jobs: mpsc::Receiver<Job>) {
    while let Some(job) = jobs.recv().await {
        job.await;
    }
}
