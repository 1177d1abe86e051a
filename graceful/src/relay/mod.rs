//! The relay: claims flows from a store, runs their steps, and records the outcomes.
//!
//! A flow is claimed for the time of a lease, which is extended while the attempt runs. When a relay dies its leases expire and another
//! relay claims the flows.

mod announcement;
mod attempt;
mod backoff;
mod followers;
mod handlers;
mod per_entity;
mod review;
mod shares;
mod slots;

use std::{
    collections::HashMap,
    future::{Future as _, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use tokio::{
    sync::{Notify, watch},
    task::{self, JoinError, JoinSet},
};

pub(crate) use self::review::run as run_reviews;
use self::{
    announcement::Announcement,
    per_entity::PerEntity,
    shares::Shares,
    slots::{Freed, Slots},
};
use crate::{
    backends::{Claim, ClaimId, FlowState, FlowStore, Lane, Room},
    failpoints, operations, outage,
    pipeline::{Orchestrator, RelaySettings, WeakOrchestrator},
    step::StepError,
};

/// Claims flows from the orchestrator's store and runs them, until the orchestrator is dropped or shut down.
pub(crate) async fn run(orchestrator: WeakOrchestrator) {
    let Some(mut running) = orchestrator.upgrade().and_then(|strong| Running::of(&strong)) else {
        return;
    };
    while let Some(orchestrator) = orchestrator.upgrade() {
        if orchestrator.relay().is_stopping() {
            running.announcement = None;
            // It waits as after a claim.
            running.claimed = Instant::now();
            if running.attempts.is_empty() {
                return;
            }
        } else {
            let claiming = &orchestrator.relay().claiming;
            claiming.send_replace(true);
            // A shutdown that has not seen this has set the other before.
            if running.may_claim && !orchestrator.relay().is_stopping() {
                running.claim(&orchestrator).await;
            }
            claiming.send_replace(false);
        }
        running.extend().await;
        // While the relay waits it must not keep the orchestrator alive.
        drop(orchestrator);
        running.wait().await;
    }
}

/// A claim of this relay and those of its followers, until their outcomes are recorded.
struct Held {
    claims: Vec<ClaimId>,
    lane: Lane,
    /// Whether the steps are running.
    is_running: bool,
}

/// What ends the relay's waiting.
enum Something {
    Ended(Result<Freed, JoinError>),
    Freed(Freed),
    Notified,
}

/// A running relay.
struct Running {
    flows: Arc<dyn FlowStore>,
    settings: RelaySettings,
    woken: Arc<Notify>,
    under_way: watch::Sender<usize>,
    attempts: JoinSet<usize>,
    held: HashMap<task::Id, Held>,
    slots: Slots,
    shares: Shares,
    per_entity: PerEntity,
    /// None when the relay stops: it claims no more flows.
    announcement: Option<Announcement>,
    /// The tasks that run beside the relay and end with it.
    _beside: JoinSet<()>,
    /// Whether a claim may find flows: the relay was notified, an attempt has ended, or the pause is over.
    may_claim: bool,
    claimed: Instant,
    /// The maximum time after a claim that the relay waits without a notification.
    pause: Duration,
    extended: Instant,
}

/// After a flow another one may follow at once: a store need not notify of flows that arrive in close succession, and it cannot notify of a
/// flow that was about to be stored when the relay began to wait. So the relay claims again after this time, after twice this time, …
const FIRST_PAUSE: Duration = Duration::from_millis(5);

/// … up to this time; after that it polls.
const LAST_PAUSE: Duration = Duration::from_millis(80);

/// If a claim fails after a notification, there is no second notification, so the relay claims again after this time.
const AFTER_FAILURE: Duration = Duration::from_millis(500);

/// How long operations that have ended can be looked up.
const OPERATIONS_RETENTION: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How often completed and discarded flows are purged.
const PURGED_EVERY: Duration = Duration::from_secs(60);

impl Running {
    fn of(orchestrator: &Orchestrator) -> Option<Self> {
        let relay = orchestrator.relay();
        let (flows, woken) = (Arc::clone(orchestrator.flows()?), Arc::clone(&relay.woken));
        let (mut beside, wake) = (JoinSet::new(), Arc::clone(&woken));
        beside.spawn(flows.listen(Box::new(move || wake.notify_one())));
        beside.spawn(purge(Arc::clone(&flows), relay.settings.retention));
        beside.spawn(operations::run_abandoned(orchestrator.downgrade()));
        let announcement = Some(Announcement::start(orchestrator, Arc::clone(&flows)));
        Some(Self {
            flows,
            settings: relay.settings,
            woken,
            under_way: relay.under_way.clone(),
            attempts: JoinSet::new(),
            held: HashMap::new(),
            slots: Slots::new(),
            shares: Shares::new(relay.settings.concurrency),
            per_entity: PerEntity::new(relay.settings.attempts),
            announcement,
            _beside: beside,
            may_claim: true,
            claimed: Instant::now(),
            pause: FIRST_PAUSE,
            extended: Instant::now(),
        })
    }

    /// Claims as many flows as the concurrency allows.
    async fn claim(&mut self, orchestrator: &Orchestrator) {
        let pause = std::mem::replace(&mut self.pause, Duration::MAX);
        (self.may_claim, self.claimed) = (false, Instant::now());
        let running = self.held.values().filter(|held| held.is_running).count();
        let room = self.settings.concurrency.saturating_sub(running);
        if room == 0 {
            return;
        }
        let claimed = match failpoints::point("claim") {
            Ok(()) => {
                let (per_handler, shares) = (self.settings.per_handler(), self.shares.all());
                let room = Room { flows: room, per_handler, per_entity: self.per_entity.get(), shares };
                self.flows.claim(room, self.settings.lease).await
            }
            Err(error) => Err(error),
        };
        match claimed.and_then(|claims| failpoints::point("claimed").map(|()| claims)) {
            Ok(claims) => {
                works(CLAIMING);
                if !claims.is_empty() {
                    self.pause = FIRST_PAUSE;
                } else if pause < LAST_PAUSE {
                    self.pause = pause * 2;
                }
                for claim in claims {
                    let claims =
                        std::iter::once(&claim).chain(&claim.followers).map(Claim::claim_id).collect();
                    let held = Held { claims, lane: claim.lane, is_running: true };
                    self.shares.begin(claim.lane);
                    let (flows, freed) = (Arc::clone(&self.flows), self.slots.freeing());
                    let attempt = followers::run(orchestrator.clone(), flows, claim, freed);
                    self.held.insert(self.attempts.spawn(attempt).id(), held);
                }
                self.count();
            }
            Err(error) => {
                self.pause = AFTER_FAILURE;
                complain(&error, CLAIMING);
            }
        }
    }

    /// Extends the leases when they are due.
    async fn extend(&mut self) {
        if self.extended.elapsed() >= self.settings.lease / 3 {
            self.extended = Instant::now();
            let held = self.held.values().flat_map(|held| &held.claims).copied().collect();
            if let Err(error) = self.flows.extend(held, self.settings.lease).await {
                complain(&error, "the leases could not be extended");
            }
        }
    }

    /// Waits until there may be something to do.
    async fn wait(&mut self) {
        let notify = Arc::clone(&self.woken);
        let mut woken = pin!(notify.notified());
        let (attempts, slots) = (&mut self.attempts, &mut self.slots);
        let something = poll_fn(|cx| {
            if let Poll::Ready(Some(ended)) = attempts.poll_join_next_with_id(cx) {
                return Poll::Ready(Something::Ended(ended));
            }
            if let Poll::Ready(freed) = slots.poll(cx) {
                return Poll::Ready(Something::Freed(freed));
            }
            woken.as_mut().poll(cx).map(|()| Something::Notified)
        });
        // The running attempts must not lose their leases.
        let leased = if self.held.is_empty() { Duration::MAX } else { self.settings.lease / 3 };
        let pause = self.pause.min(self.settings.poll).min(leased);
        let something = tokio::time::timeout(pause.saturating_sub(self.claimed.elapsed()), something).await;
        match something {
            Ok(Something::Ended(ended)) => self.end(ended),
            Ok(Something::Freed(freed)) => self.free(freed),
            Ok(Something::Notified) | Err(_) => self.may_claim = true,
        }
        while let Some(freed) = self.slots.try_next() {
            self.free(freed);
        }
        while let Some(ended) = self.attempts.try_join_next_with_id() {
            self.end(ended);
        }
        self.count();
    }

    /// The steps of an attempt have ended, so another flow may run. Its outcome may not be recorded yet.
    fn free(&mut self, (id, ran): Freed) {
        if let Some(held) = self.held.get_mut(&id)
            && std::mem::replace(&mut held.is_running, false)
        {
            self.shares.end(held.lane, ran);
            self.per_entity.learn(held.claims.len(), ran);
            self.may_claim = true;
        }
    }

    fn end(&mut self, ended: Result<Freed, JoinError>) {
        let (id, ran) = ended.unwrap_or_else(|error| (error.id(), 1));
        self.free((id, ran));
        self.held.remove(&id);
    }

    fn count(&self) {
        self.under_way.send_replace(self.attempts.len());
    }
}

/// Deletes completed flows and operations whose retention is over, at intervals. It runs beside the claims, because deleting many flows takes long.
async fn purge(flows: Arc<dyn FlowStore>, keep: Duration) {
    loop {
        let purged = flows.purge(FlowState::Completed, keep).await;
        if let Err(error) = purged.and(flows.purge(FlowState::Discarded, keep).await) {
            complain(&error, "completed and discarded flows could not be purged");
        }
        if let Some(operations) = flows.operations()
            && let Err(error) = operations.purge_operations(OPERATIONS_RETENTION).await
        {
            complain(&error, "operations could not be purged");
        }
        tokio::time::sleep(PURGED_EVERY).await;
    }
}

/// Logs the first failure of an outage, then one line per second.
fn complain(error: &StepError, what: &'static str) {
    if let Some(failures) = outage::failed(what) {
        tracing::warn!(target: "graceful::relay", error = error.message(), failures, "{what}");
    }
}

/// Logs the end of an outage.
fn works(what: &'static str) {
    if let Some(failures) = outage::succeeded(what) {
        tracing::info!(target: "graceful::relay", what, failures, "the relay recovered from a failure");
    }
}

const CLAIMING: &str = "claiming flows failed";
