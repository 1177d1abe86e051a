//! The store of durable flows: its trait, and the data of claims, queries and actions.

mod action;
mod claims;
mod failure;
mod filter;
mod fingerprint;
mod groups;
mod outcome;
mod query;
mod relays;
mod stored;

use std::{fmt::Debug, sync::Arc, time::Duration};

use uuid::Uuid;

pub use self::{
    action::{Action, ActionResult},
    claims::{Claim, ClaimId, QueuedFlow},
    failure::{AttemptFailure, FailedAttempt, FailureCause, GroupId, ParseGroupError},
    filter::FlowFilter,
    groups::{FailureGroup, FailureGroups},
    outcome::AttemptOutcome,
    query::{Count, FlowCursor, FlowQuery, Lag},
    relays::{LiveRelay, RelayInfo},
    stored::{FlowState, FlowSummary, FlowVersion, ParseStateError, ParseVersionError, StoredFlow},
};
use super::{EventLog, Idempotency, Operations, Page, Room, Subscriptions};
use crate::{
    backends::{BoxFuture, Reply},
    step::StepError,
};

/// Stores durable flows until their steps are done: an outbox.
///
/// A queued flow can be claimed when it is due and no earlier flow of its entity is queued. A claim makes it due again at the end of the
/// lease, so when a relay dies another relay claims its flows, without a sweep. Only the holder of the newest claim can record
/// the outcome. The suite `graceful_testing::conformance::flow_store` checks a store for these rules.
///
/// **Time** is the store's: callers pass durations, never points in time, because the clocks of two machines differ. A store that
/// several machines share uses one clock, such as that of its database.
///
/// ```
/// use std::time::Duration;
///
/// use graceful::backends::{FlowStore, Lane, QueuedFlow, Room, AttemptOutcome, Uuid, memory};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (store, lease) = (memory::Flows::new(), Duration::from_secs(30));
/// let flow = |id, entity| QueuedFlow::new(Uuid::from_u128(id), entity, "", Lane::default(), Vec::new());
/// store.enqueue(flow(1, "ada")).await?;
/// store.enqueue(flow(2, "ada")).await?;
/// store.enqueue(flow(3, "bob")).await?;
///
/// let claims = store.claim(Room::of(10), lease).await?;
/// assert_eq!(claims.iter().map(|claim| claim.id.as_u128()).collect::<Vec<_>>(), [1, 3], "one of each entity");
/// assert!(store.record_outcome(claims[0].claim_id(), AttemptOutcome::Completed).await?);
/// assert_eq!(store.claim(Room::of(10), lease).await?[0].id.as_u128(), 2);
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
pub trait FlowStore: Debug + Send + Sync + 'static {
    /// Stores a flow, which is due at once. When the reply is ready the flow is on disk. A flow with a known id is not changed.
    ///
    /// A flow with an answer is stored together with it, or not at all: if the call has not all of its names any more, it fails with
    /// [`StepError::aborted`]. Only a store with [`idempotency`](Self::idempotency) gets such flows.
    fn enqueue(&self, flow: QueuedFlow) -> Reply<()>;
    /// Claims due flows: at most one of each entity, and none whose entity has an earlier flow queued, in the order in which they
    /// were stored. A claimed flow is due again when the lease expires.
    ///
    /// Claims at most as many flows as there is room for, and at most [`Room::per_handler`] running flows of one handler. If more
    /// are due, handlers take turns, and so do the tenants of a handler, beginning with the smallest share in [`Room::shares`].
    /// Within a lane, and between equal shares, the flow that has been due longest is first. To bound the cost of a claim a store may examine a
    /// part of the due flows, as long as every lane gets its turn.
    ///
    /// Claims none while the relays are [paused](Operations::pause), and none of a handler that is paused.
    ///
    /// With a [`Room::per_entity`] above 1, a flow may have [followers](Claim::followers): the next flows of its entity. All of them are of one lane, due, and were
    /// never claimed before, and their attempts count when their outcomes are recorded. Whoever claims the first flow of an entity later
    /// takes over the entity: other claims of its flows are lost, and each of these flows is then claimed without followers. So a flow that ends its
    /// process costs no other flow an attempt. A store may leave followers out.
    fn claim(&self, room: Room, lease: Duration) -> Reply<Vec<Claim>>;
    /// Extends the leases of claims to this time from now. Ignores claims that are lost.
    fn extend(&self, held: Vec<ClaimId>, lease: Duration) -> Reply<()>;
    /// Records the outcome of an attempt. Returns false, and changes nothing, if the claim is lost. A failure is also stored as one of the
    /// flow's [attempts](Self::attempts).
    fn record_outcome(&self, held: ClaimId, outcome: AttemptOutcome) -> Reply<bool>;
    /// Completes flows of one entity that were claimed together, in their order and in one transaction: those before the first one whose claim is lost.
    /// Returns false if there is such a one. The default implementation, for stores whose claims have no followers, fails.
    fn complete(&self, held: Vec<ClaimId>) -> Reply<bool> {
        drop(held);
        Reply::failed(StepError::new("this store claims one flow of an entity at a time"))
    }
    /// Whether a claim that is called after [`record_outcome`](Self::record_outcome) finds the flows that the outcome makes claimable, even if
    /// the outcome's reply is not ready. Then a relay claims again as soon as it has called `record_outcome`, so that the store can write both in
    /// one transaction. Default: false.
    fn claims_follow_outcomes(&self) -> bool {
        false
    }

    /// Hands back claims of flows that this process does not run, e.g. since it does not have the handler: they are due after this time, and the
    /// attempts are not counted. A flow that was never attempted keeps its place among those that are due, if the time is zero. Ignores claims that are
    /// lost. The default implementation counts the attempts.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use graceful::backends::{FlowStore, Lane, QueuedFlow, Room, Uuid, memory};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let store = memory::Flows::new();
    /// store.enqueue(QueuedFlow::new(Uuid::nil(), "e", "", Lane::default(), Vec::new())).await?;
    /// let claims = store.claim(Room::of(1), Duration::from_secs(60)).await?;
    /// store.hand_back(vec![claims[0].claim_id()], Duration::ZERO).await?;
    /// assert_eq!(store.get(Uuid::nil()).await?.unwrap().summary.attempts, 0);
    /// # Ok::<(), graceful::StepError>(())
    /// # }).unwrap();
    /// ```
    fn hand_back(&self, held: Vec<ClaimId>, after: Duration) -> Reply<()> {
        let failure = AttemptFailure::new(FailureCause::new("", "another process must run this flow"));
        let retry = AttemptOutcome::Retry { after, failure, body: None };
        let retries: Vec<_> = held.into_iter().map(|held| self.record_outcome(held, retry.clone())).collect();
        Reply::pending(async move {
            for retry in retries {
                retry.await?;
            }
            Ok(())
        })
    }

    /// Returns one flow.
    fn get(&self, id: Uuid) -> Reply<Option<StoredFlow>>;
    /// Returns a page of the flows that the filter selects, the newest first. To bound its cost a store may examine a part of the flows:
    /// then the page has fewer items and a cursor. A flow that is stored meanwhile, or whose state changes, may be missing or be on
    /// two pages.
    fn flows(&self, query: FlowQuery) -> Reply<Page<FlowSummary>>;
    /// Counts the flows that the filter selects, up to `cap`. To bound its cost a store may examine a part of the flows: then the
    /// count is a lower bound.
    fn count(&self, filter: FlowFilter, cap: u64) -> Reply<Count>;
    /// Groups the queued and dead flows that the filter selects by the cause of their last failure. Each group is counted up to
    /// `cap`.
    fn groups(&self, filter: FlowFilter, cap: u64) -> Reply<FailureGroups>;
    /// Returns the failed attempts of a flow, the oldest first, until the flow is purged. Resubmitting the flow deletes none.
    fn attempts(&self, id: Uuid) -> Reply<Vec<FailedAttempt>>;
    /// Returns how much there is to do. Each number is counted up to `cap`.
    fn lag(&self, cap: u64) -> Reply<Lag>;

    /// Queues a dead letter again: due at once, without counted attempts, behind the queued flows of its entity. Only the steps that are
    /// not done will run.
    fn resubmit(&self, id: Uuid) -> Reply<ActionResult>;
    /// Discards a flow that is in this state: a dead letter, or a queued flow without a running attempt. None of its steps will run. For other
    /// states it discards none.
    fn discard(&self, id: Uuid, from: FlowState) -> Reply<ActionResult>;
    /// Makes a queued flow without a running attempt due at this time from now. The later flows of its entity wait too.
    fn postpone(&self, id: Uuid, time: Duration) -> Reply<ActionResult>;
    /// Deletes flows in this state that ended at least this long ago, with their attempts. Returns their number. For
    /// [`FlowState::Queued`] it deletes none.
    fn purge(&self, state: FlowState, age: Duration) -> Reply<u64>;

    /// The operations on many flows, and the pauses. The default implementation has none: then operators cannot act on flows.
    fn operations(&self) -> Option<&dyn Operations> {
        None
    }

    /// The store of idempotent calls that is in the same database, so that an answer and its flow are stored together. The default
    /// implementation has none.
    fn idempotency(&self) -> Option<Arc<dyn Idempotency>> {
        None
    }

    /// The event log in the same database, to which [`store`](crate::OrchestratorBuilder::store) lets events be emitted if there is no other
    /// emitter. The default implementation has none.
    fn event_log(&self) -> Option<Arc<dyn EventLog>> {
        None
    }

    /// The state of subscribers in the same database. The default implementation has none.
    fn subscriptions(&self) -> Option<Arc<dyn Subscriptions>> {
        None
    }

    /// Records that a relay of this store is alive. A relay announces itself when it starts, and again every
    /// [`RENEWED_EVERY`](LiveRelay::RENEWED_EVERY). The store deletes relays that were not announced for [`STORED_FOR`](LiveRelay::STORED_FOR). The
    /// default implementation does nothing.
    fn announce(&self, relay: RelayInfo) -> Reply<()> {
        drop(relay);
        Reply::ready(())
    }

    /// Removes a relay that ends. The default implementation does nothing.
    fn withdraw(&self, relay: Uuid) -> Reply<()> {
        let _ = relay;
        Reply::ready(())
    }

    /// Returns the relays that were announced in the last [`ALIVE_FOR`](LiveRelay::ALIVE_FOR), by the store's clock; the first announced first. The default
    /// implementation fails.
    ///
    /// ```
    /// use graceful::backends::{FlowStore, RelayInfo, Uuid, memory};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let store = memory::Flows::new();
    /// store.announce(RelayInfo::new(Uuid::nil(), "users", vec!["users::update_user".to_owned()])).await?;
    /// assert_eq!(store.relays().await?[0].info.service, "users");
    /// store.withdraw(Uuid::nil()).await?;
    /// assert_eq!(store.relays().await?, []);
    /// # Ok::<(), graceful::StepError>(())
    /// # }).unwrap();
    /// ```
    fn relays(&self) -> Reply<Vec<LiveRelay>> {
        Reply::failed(StepError::new("this store does not list its relays"))
    }

    /// Answers if the store can be used, for [`Orchestrator::health`](crate::Orchestrator::health). It must not wait for what calls of
    /// handlers can use up, such as the connections of a pool. The default implementation always answers.
    fn probe(&self) -> Reply<()> {
        Reply::ready(())
    }

    /// Whether the store can only be read, e.g. because its database is a standby, or its user has too few rights. Then actions of operators, and
    /// everything that a service writes, fail. The default implementation says that it can be written to.
    ///
    /// ```
    /// use graceful::backends::{FlowStore, memory};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// assert!(!memory::Flows::new().is_read_only().await?);
    /// # Ok::<(), graceful::StepError>(())
    /// # }).unwrap();
    /// ```
    fn is_read_only(&self) -> Reply<bool> {
        Reply::ready(false)
    }

    /// Calls `wake` when another process or a transaction may have stored a flow. It continues as long as the future is polled, which
    /// a relay does for its whole life.
    ///
    /// Notifications only reduce latency: a relay also polls, several times in the first tenth of a second after a flow, and later at
    /// the interval [`poll`](crate::RelaySettings::poll). The default implementation sends no notifications.
    fn listen(&self, wake: Box<dyn Fn() + Send + Sync>) -> BoxFuture<()> {
        drop(wake);
        Box::pin(async {})
    }
}
