//! Flows without a caller: a bounded queue per lane, in order per entity, drained at shutdown.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::{mpsc, oneshot, watch};

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

struct Job {
    engine: Engine,
    /// Somebody waits, since the queue was full.
    done: Option<oneshot::Sender<FlowReport>>,
    _counted: Counted,
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
    ///
    /// # Errors
    /// The queue is full, or closed: the future to wait for instead. It keeps the order per entity.
    pub(crate) fn offer(engine: Engine) -> Result<(), BoxFuture<FlowReport>> {
        let orchestrator = engine.orchestrator().clone();
        let background = orchestrator.background();
        let Some(lane) = background.lane(&engine) else { return Err(Box::pin(engine)) };
        let job = Job { engine, done: None, _counted: Counted::new(&orchestrator) };
        lane.try_send(job).map_err(|refused| {
            let lane = lane.clone();
            Box::pin(wait_for_turn(lane, refused.into_inner())) as BoxFuture<_>
        })
    }

    /// Takes over a flow whose caller cannot wait at all.
    pub(super) fn take(engine: Engine) {
        let orchestrator = engine.orchestrator().clone();
        let Some(runtime) = orchestrator.runtime() else { return engine.run_once() };
        let turn = match engine.flow().delivery() {
            Delivery::Background => match Self::offer(engine) {
                Ok(()) => return,
                Err(turn) => turn,
            },
            Delivery::Inline | Delivery::Durable => Box::pin(engine),
        };
        let counted = Counted::new(&orchestrator);
        runtime.spawn(async move {
            turn.await;
            drop(counted);
        });
    }

    fn lane(&self, engine: &Engine) -> Option<&mpsc::Sender<Job>> {
        if self.closed.load(Ordering::Acquire) {
            return None;
        }
        let runtime = engine.orchestrator().runtime()?;
        let mut hasher = DefaultHasher::new();
        engine.flow().entity().hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % LANES as u64).unwrap_or_default();
        Some(self.lanes[index].get_or_init(|| {
            let (sender, receiver) = mpsc::channel(self.capacity);
            runtime.spawn(work(receiver));
            sender
        }))
    }

    /// From now on flows run inline; waits for those under way, and says how many were left at the deadline.
    pub(crate) async fn drain(&self, deadline: Duration) -> usize {
        self.closed.store(true, Ordering::Release);
        let mut under_way = self.under_way.subscribe();
        let drained = tokio::time::timeout(deadline, under_way.wait_for(|count| *count == 0)).await.is_ok();
        if drained { 0 } else { *self.under_way.borrow() }
    }
}

async fn wait_for_turn(lane: mpsc::Sender<Job>, mut job: Job) -> FlowReport {
    let (done, report) = oneshot::channel();
    job.done = Some(done);
    let so_far = job.engine.machine().report("queued");
    match lane.send(job).await {
        Ok(()) => report.await.unwrap_or(so_far),
        // The worker is gone with its runtime.
        Err(refused) => refused.0.engine.await,
    }
}

async fn work(mut jobs: mpsc::Receiver<Job>) {
    while let Some(Job { engine, done, _counted }) = jobs.recv().await {
        let report = engine.await;
        if let Some(done) = done {
            // The one who waited may be gone by now.
            let _ = done.send(report);
        }
    }
}
