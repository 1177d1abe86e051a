//! The relay: takes flows out of a store, runs their steps, and says how it went.
//!
//! A flow is handed out for the time of a lease, which is extended while the attempt goes on. So a relay that dies needs no
//! undertaker: its flows are due again when their leases are over.

mod attempt;
mod backoff;
mod handlers;
mod review;
mod settings;

use std::{
    collections::HashMap,
    future::{Future as _, poll_fn},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::{Duration, Instant},
};

use tokio::{
    sync::{Notify, watch},
    task::{self, JoinSet},
};

pub(crate) use self::review::{Reviewer, run as run_reviews};
pub use self::settings::RelaySettings;
use crate::{
    Orchestrator, StepError,
    backends::{FlowState, FlowStore, Held, Timestamp},
    crash,
    orchestrator::WeakOrchestrator,
};

/// What an orchestrator knows of its relay.
#[derive(Debug)]
pub(crate) struct Relay {
    settings: RelaySettings,
    woken: Arc<Notify>,
    stopping: AtomicBool,
    /// How many flows are under way.
    under_way: watch::Sender<usize>,
}

impl Relay {
    pub(crate) fn new(settings: RelaySettings) -> Self {
        Self { settings, woken: Arc::default(), stopping: false.into(), under_way: watch::Sender::new(0) }
    }

    pub(crate) const fn settings(&self) -> &RelaySettings {
        &self.settings
    }

    /// There is something to do.
    pub(crate) fn wake(&self) {
        self.woken.notify_one();
    }

    /// From now on it takes no more flows.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.wake();
    }

    /// Waits for the flows under way, at most until the deadline. What is left stays in the store.
    pub(crate) async fn stopped(&self, deadline: Duration) {
        let mut under_way = self.under_way.subscribe();
        // When the time is over, nothing is lost.
        let _ = tokio::time::timeout(deadline, under_way.wait_for(|count| *count == 0)).await;
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.wake();
    }
}

/// Takes flows out of the orchestrator's store, until the orchestrator is dropped or shut down.
pub(crate) async fn run(orchestrator: WeakOrchestrator) {
    let Some(mut running) = orchestrator.upgrade().and_then(|orchestrator| Running::of(&orchestrator)) else {
        return;
    };
    while let Some(orchestrator) = orchestrator.upgrade() {
        if !orchestrator.relay().is_stopping() {
            running.claim(&orchestrator).await;
        } else if running.attempts.is_empty() {
            return;
        }
        running.look_after().await;
        // Whoever waits must not keep the orchestrator alive.
        drop(orchestrator);
        running.wait().await;
    }
}

/// A relay at work.
struct Running {
    flows: Arc<dyn FlowStore>,
    settings: RelaySettings,
    woken: Arc<Notify>,
    under_way: watch::Sender<usize>,
    attempts: JoinSet<()>,
    held: HashMap<task::Id, Held>,
    extended: Instant,
    purged: Option<Instant>,
}

/// Purging is an affair of minutes.
const PURGED_EVERY: Duration = Duration::from_secs(60);

impl Running {
    fn of(orchestrator: &Orchestrator) -> Option<Self> {
        let relay = orchestrator.relay();
        Some(Self {
            flows: Arc::clone(orchestrator.flows()?),
            settings: relay.settings,
            woken: Arc::clone(&relay.woken),
            under_way: relay.under_way.clone(),
            attempts: JoinSet::new(),
            held: HashMap::new(),
            extended: Instant::now(),
            purged: None,
        })
    }

    /// Takes as many flows as there is room for.
    async fn claim(&mut self, orchestrator: &Orchestrator) {
        let room = self.settings.concurrency.saturating_sub(self.attempts.len());
        if room == 0 {
            return;
        }
        let claimed = match crash::point("claim") {
            Ok(()) => self.flows.claim(Timestamp::now(), room, self.settings.lease).await,
            Err(error) => Err(error),
        };
        match claimed.and_then(|claims| crash::point("claimed").map(|()| claims)) {
            Ok(claims) => {
                for claim in claims {
                    let held = claim.held();
                    let attempt = attempt::run(orchestrator.clone(), Arc::clone(&self.flows), claim);
                    self.held.insert(self.attempts.spawn(attempt).id(), held);
                }
                self.count();
            }
            Err(error) => complain(&error, "the store hands out no flows"),
        }
    }

    /// Extends the leases, and forgets what was kept long enough.
    async fn look_after(&mut self) {
        if self.extended.elapsed() >= self.settings.lease / 3 {
            self.extended = Instant::now();
            let until = after(Timestamp::now(), self.settings.lease);
            if let Err(error) = self.flows.extend(self.held.values().copied().collect(), until).await {
                complain(&error, "the leases could not be extended");
            }
        }
        if self.purged.is_none_or(|purged| purged.elapsed() >= PURGED_EVERY) {
            self.purged = Some(Instant::now());
            let before = Timestamp::now().checked_sub(self.settings.keep).unwrap_or(Timestamp::MIN);
            if let Err(error) = self.flows.purge(FlowState::Completed, before).await {
                complain(&error, "completed flows could not be purged");
            }
        }
    }

    /// Until there may be something to do.
    async fn wait(&mut self) {
        let mut woken = pin!(self.woken.notified());
        let something = poll_fn(|cx| match self.attempts.poll_join_next_with_id(cx) {
            Poll::Ready(Some(ended)) => Poll::Ready(Some(ended)),
            _ => woken.as_mut().poll(cx).map(|()| None),
        });
        let mut ended = tokio::time::timeout(self.settings.poll, something).await.ok().flatten();
        while let Some(attempt) = ended {
            self.held.remove(&attempt.map_or_else(|error| error.id(), |(id, ())| id));
            ended = self.attempts.try_join_next_with_id();
        }
        self.count();
    }

    fn count(&self) {
        self.under_way.send_replace(self.attempts.len());
    }
}

fn after(now: Timestamp, time: Duration) -> Timestamp {
    now.checked_add(time).unwrap_or(Timestamp::MAX)
}

fn complain(error: &StepError, what: &str) {
    tracing::warn!(target: "graceful::relay", error = error.message(), "{what}");
}
