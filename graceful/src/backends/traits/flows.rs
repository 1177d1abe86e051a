//! The store of durable flows.

use std::{fmt, fmt::Debug, time::Duration};

use jiff::Timestamp;
use uuid::Uuid;

use super::{Lane, Room};
use crate::{
    backends::{BoxFuture, Reply},
    flow::{Flow, Stored},
    step::StepError,
};

/// A flow that a [`FlowStore`] stores. The `body` is opaque to the store, which returns it unchanged.
///
/// ```
/// use graceful::backends::{Lane, QueuedFlow, Uuid};
///
/// let lane = Lane::of("users::update_user", "");
/// let flow = QueuedFlow::new(Uuid::nil(), "users::user:42", "users::update_user", lane, b"{}".to_vec());
/// assert_eq!(flow.entity, "users::user:42");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueuedFlow {
    /// The flow's id. A flow with a known id is the same flow, and is stored once.
    pub id: Uuid,
    /// The entity's full name. Flows of one entity are claimed one at a time, in the order in which they were stored.
    pub entity: String,
    /// The handler's identity, by which a relay finds its hooks; empty if it has none.
    pub handler: String,
    /// The lane of the flow: claims take turns between lanes.
    pub lane: Lane,
    /// The encoded flow.
    pub body: Vec<u8>,
}

impl QueuedFlow {
    /// Creates a flow to store.
    pub fn new(
        id: Uuid,
        entity: impl Into<String>,
        handler: impl Into<String>,
        lane: Lane,
        body: Vec<u8>,
    ) -> Self {
        Self { id, entity: entity.into(), handler: handler.into(), lane, body }
    }
}

/// A claimed flow; see [`FlowStore::claim`].
///
/// ```
/// use std::time::Duration;
///
/// use graceful::backends::{FlowStore, Lane, QueuedFlow, Room, AttemptOutcome, Uuid, memory};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let flow = QueuedFlow::new(Uuid::nil(), "e", "", Lane::default(), b"{}".to_vec());
/// let store = memory::Flows::new();
/// store.enqueue(flow).await?;
/// let claim = store.claim(Room::of(1), Duration::from_secs(30)).await?.remove(0);
/// assert_eq!((claim.attempt, claim.body.as_slice()), (1, b"{}".as_slice()));
/// assert!(store.record_outcome(claim.claim_id(), AttemptOutcome::Completed).await?);
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claim {
    /// The flow's id.
    pub id: Uuid,
    /// The token of this claim. Without the newest token no outcome can be recorded.
    pub token: Uuid,
    /// The number of this attempt, from 1. An attempt counts when the flow is claimed, so one that is interrupted by the end of
    /// its process counts too.
    pub attempt: u32,
    /// How often the flow was resubmitted.
    pub resubmitted: u32,
    /// The value that was stored.
    pub handler: String,
    /// The value that was stored.
    pub lane: Lane,
    /// The body that was stored, or that the outcome of the last attempt has replaced.
    pub body: Vec<u8>,
}

impl Claim {
    /// Creates a claim of a flow that was never resubmitted.
    pub fn new(id: ClaimId, attempt: u32, handler: impl Into<String>, lane: Lane, body: Vec<u8>) -> Self {
        let ClaimId { id, token } = id;
        Self { id, token, attempt, resubmitted: 0, handler: handler.into(), lane, body }
    }

    /// The id of this claim, which [`FlowStore::record_outcome`] needs.
    ///
    /// ```
    /// # use graceful::backends::{Claim, ClaimId, Lane, Uuid};
    /// let id = ClaimId { id: Uuid::nil(), token: Uuid::max() };
    /// assert_eq!(Claim::new(id, 1, "users::update_user", Lane::default(), Vec::new()).claim_id(), id);
    /// ```
    pub fn claim_id(&self) -> ClaimId {
        ClaimId { id: self.id, token: self.token }
    }
}

/// The id of a claim; see [`Claim::claim_id`].
///
/// ```
/// use graceful::backends::{ClaimId, Uuid};
/// assert_ne!(ClaimId { id: Uuid::nil(), token: Uuid::nil() }, ClaimId { id: Uuid::nil(), token: Uuid::max() });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClaimId {
    /// The flow's id.
    pub id: Uuid,
    /// The claim's token.
    pub token: Uuid,
}

/// The outcome of an attempt.
///
/// ```
/// use graceful::backends::AttemptOutcome;
/// let dead = AttemptOutcome::Dead { error: "the disk is full".into(), body: None };
/// assert_ne!(dead, AttemptOutcome::Completed);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// Every step is done.
    Completed,
    /// The flow is tried again later.
    Retry {
        /// The time until the next attempt, by the store's clock.
        after: Duration,
        /// Why the attempt failed.
        error: String,
        /// Replaces the stored body, so that completed steps do not run again.
        body: Option<Vec<u8>>,
    },
    /// The flow becomes a dead letter.
    Dead {
        /// Why the attempt failed.
        error: String,
        /// Replaces the stored body.
        body: Option<Vec<u8>>,
    },
}

/// The state of a stored flow.
///
/// ```
/// assert_eq!(graceful::backends::FlowState::Dead.as_str(), "dead");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlowState {
    /// The flow waits for an earlier flow of its entity or for its next attempt, or an attempt is running.
    Queued,
    /// Every step is done. The flow is retained for some time: see [`RelaySettings::retention`](crate::RelaySettings::retention).
    Completed,
    /// The flow is a dead letter.
    Dead,
}

impl FlowState {
    /// The name in a listing.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Completed => "completed",
            Self::Dead => "dead",
        }
    }
}

impl fmt::Display for FlowState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A flow with its state, as stored.
///
/// ```
/// use graceful::backends::{FlowState, FlowStore, Lane, QueuedFlow, Uuid, memory};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let flow = QueuedFlow::new(Uuid::nil(), "e", "", Lane::default(), b"junk".to_vec());
/// let store = memory::Flows::new();
/// store.enqueue(flow).await?;
/// let stored = store.get(Uuid::nil()).await?.unwrap();
/// assert_eq!((stored.state, stored.attempts), (FlowState::Queued, 0));
/// assert!(stored.flow().is_err(), "the body is junk");
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredFlow {
    /// The flow's id.
    pub id: Uuid,
    /// The entity's full name.
    pub entity: String,
    /// The handler's identity, by which a relay finds its hooks.
    pub handler: String,
    /// The state of the flow.
    pub state: FlowState,
    /// How often the flow was claimed since it was stored or resubmitted.
    pub attempts: u32,
    /// How often the flow was resubmitted.
    pub resubmitted: u32,
    /// When the flow is due, by the store's clock. While an attempt is running, this is the end of its lease.
    pub due: Timestamp,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// When the flow was completed or became a dead letter, by the store's clock.
    pub ended_at: Option<Timestamp>,
    /// The encoded flow, with its completed steps.
    pub body: Vec<u8>,
}

impl StoredFlow {
    /// Creates a flow that was never claimed.
    pub fn new(
        id: Uuid,
        entity: impl Into<String>,
        handler: impl Into<String>,
        state: FlowState,
        due: Timestamp,
        body: Vec<u8>,
    ) -> Self {
        Self {
            id,
            entity: entity.into(),
            handler: handler.into(),
            state,
            attempts: 0,
            resubmitted: 0,
            due,
            error: None,
            ended_at: None,
            body,
        }
    }

    /// Decodes the flow.
    ///
    /// # Errors
    /// Fails if the body was written by an incompatible version, or is damaged.
    ///
    /// ```
    /// # use graceful::backends::{FlowState, StoredFlow, Timestamp, Uuid};
    /// let (due, body) = (Timestamp::UNIX_EPOCH, b"junk".to_vec());
    /// let stored = StoredFlow::new(Uuid::nil(), "users::user:42", "users::update_user", FlowState::Dead, due, body);
    /// assert!(stored.flow().unwrap_err().message().starts_with("the stored flow cannot be read"));
    /// ```
    pub fn flow(&self) -> Result<Flow, StepError> {
        Stored::decode(&self.body).map(|stored| stored.flow)
    }
}

// The body is omitted, because a payload may contain data that must not be logged.
impl fmt::Debug for StoredFlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredFlow")
            .field("id", &self.id)
            .field("entity", &self.entity)
            .field("handler", &self.handler)
            .field("state", &self.state)
            .field("attempts", &self.attempts)
            .field("resubmitted", &self.resubmitted)
            .field("due", &self.due)
            .field("error", &self.error)
            .field("ended_at", &self.ended_at)
            .finish_non_exhaustive()
    }
}

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
    fn enqueue(&self, flow: QueuedFlow) -> Reply<()>;
    /// Claims due flows: at most one of each entity, and none whose entity has an earlier flow queued, in the order in which they
    /// were stored. A claimed flow is due again when the lease expires.
    ///
    /// Claims at most as many flows as there is room for, and at most [`Room::per_handler`] running flows of one handler. If more
    /// are due, handlers take turns, and so do the tenants of a handler, beginning with the smallest share in [`Room::shares`].
    /// Within a lane, and between equal shares, the flow that has been due longest is first. To bound the cost of a claim a store may examine a
    /// part of the due flows, as long as every lane gets its turn.
    fn claim(&self, room: Room, lease: Duration) -> Reply<Vec<Claim>>;
    /// Extends the leases of claims to this time from now. Ignores claims that are lost.
    fn extend(&self, held: Vec<ClaimId>, lease: Duration) -> Reply<()>;
    /// Records the outcome of an attempt. Returns false, and changes nothing, if the claim is lost.
    fn record_outcome(&self, held: ClaimId, settlement: AttemptOutcome) -> Reply<bool>;
    /// Returns one flow.
    fn get(&self, id: Uuid) -> Reply<Option<StoredFlow>>;
    /// Lists up to `limit` flows in a state, oldest first: queued flows by age, others by the time of their end.
    fn list(&self, state: FlowState, limit: usize) -> Reply<Vec<StoredFlow>>;
    /// Queues a dead letter or a completed flow again: due at once, without counted attempts, behind the queued flows of its entity.
    /// Returns false if there is no such flow.
    fn resubmit(&self, id: Uuid) -> Reply<bool>;
    /// Deletes completed flows or dead letters, depending on `state`, that ended at least this long ago. Returns their number. For
    /// [`FlowState::Queued`] it deletes none.
    fn purge(&self, state: FlowState, age: Duration) -> Reply<u64>;

    /// Answers if the store can be used, for [`Orchestrator::health`](crate::Orchestrator::health). It must not wait for what calls of
    /// handlers can use up, such as the connections of a pool. The default implementation always answers.
    fn probe(&self) -> Reply<()> {
        Reply::ready(())
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
