//! Flows on their way, on disk.

use std::{fmt, fmt::Debug, time::Duration};

use jiff::Timestamp;
use uuid::Uuid;

use super::{Lane, Room};
use crate::{
    backends::{BoxFuture, Reply},
    flow::{Flow, Stored},
    step::StepError,
};

/// A flow that a [`FlowStore`] takes in. What is in `body` is the engine's affair, and a store gives it back as it came.
///
/// ```
/// use graceful::backends::{Lane, QueuedFlow, Uuid};
///
/// let flow = QueuedFlow {
///     id: Uuid::nil(),
///     entity: "users::user:42".into(),
///     handler: "users::update_user".into(),
///     lane: Lane::of("users::update_user", ""),
///     body: b"{}".to_vec(),
/// };
/// assert_eq!(flow.entity, "users::user:42");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedFlow {
    /// The flow's id: the same id again is the same flow, and is stored once.
    pub id: Uuid,
    /// The entity's full name: flows of one entity are handed out in the order in which they came, one at a time.
    pub entity: String,
    /// What finds the handler's hooks again; empty where it has none.
    pub handler: String,
    /// Which flows it takes turns with.
    pub lane: Lane,
    /// The flow.
    pub body: Vec<u8>,
}

/// A flow that was handed out; see [`FlowStore::claim`].
///
/// ```
/// use std::time::Duration;
///
/// use graceful::backends::{FlowStore, Lane, QueuedFlow, Room, AttemptOutcome, Uuid, memory};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let flow = QueuedFlow {
/// #     id: Uuid::nil(), entity: "e".into(), handler: String::new(), lane: Lane::default(), body: b"{}".to_vec(),
/// # };
/// let store = memory::Flows::new();
/// store.enqueue(flow).await?;
/// let claim = store.claim(Room::of(1), Duration::from_secs(30)).await?.remove(0);
/// assert_eq!((claim.attempt, claim.body.as_slice()), (1, b"{}".as_slice()));
/// assert!(store.record_outcome(claim.claim_id(), AttemptOutcome::Completed).await?);
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The flow's id.
    pub id: Uuid,
    /// Made for this claim: who does not hold it any more settles nothing.
    pub token: Uuid,
    /// Which attempt this is, the first being 1. It was counted when the flow was handed out, so that one that ends with its
    /// process counts.
    pub attempt: u32,
    /// How often it was resubmitted.
    pub resubmitted: u32,
    /// As it was stored.
    pub handler: String,
    /// As it was stored.
    pub lane: Lane,
    /// As it was stored, or as the last settlement left it.
    pub body: Vec<u8>,
}

impl Claim {
    /// What a settlement has to show.
    ///
    /// ```
    /// # use graceful::backends::{Claim, Lane, Uuid};
    /// # let claim = Claim {
    /// #     id: Uuid::nil(), token: Uuid::max(), attempt: 1, resubmitted: 0, handler: String::new(), lane: Lane::default(),
    /// #     body: Vec::new(),
    /// # };
    /// assert_eq!((claim.claim_id().id, claim.claim_id().token), (claim.id, claim.token));
    /// ```
    pub fn claim_id(&self) -> ClaimId {
        ClaimId { id: self.id, token: self.token }
    }
}

/// Which claim of which flow; see [`Claim::held`].
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

/// How an attempt has ended.
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
    /// It is to be tried again.
    Retry {
        /// After what time, at the earliest, by the store's clock.
        after: Duration,
        /// Why.
        error: String,
        /// What takes the place of the stored body: what is done is not done again.
        body: Option<Vec<u8>>,
    },
    /// It is given up, and kept as a dead letter.
    Dead {
        /// Why.
        error: String,
        /// What takes the place of the stored body.
        body: Option<Vec<u8>>,
    },
}

/// Where a stored flow stands.
///
/// ```
/// assert_eq!(graceful::backends::FlowState::Dead.name(), "dead");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlowState {
    /// It waits for its turn, or for its next attempt, or an attempt is under way.
    Queued,
    /// Every step is done. It is kept for a while: see [`RelaySettings::retention`](crate::RelaySettings::retention).
    Completed,
    /// It was given up: a dead letter.
    Dead,
}

impl FlowState {
    /// The name in a listing.
    ///
    /// ```
    /// assert_eq!(graceful::backends::FlowState::Queued.name(), "queued");
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Completed => "completed",
            Self::Dead => "dead",
        }
    }
}

/// A flow as it stands in a store.
///
/// ```
/// use graceful::backends::{FlowState, FlowStore, Lane, QueuedFlow, Uuid, memory};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let flow = QueuedFlow {
/// #     id: Uuid::nil(), entity: "e".into(), handler: String::new(), lane: Lane::default(), body: b"junk".to_vec(),
/// # };
/// let store = memory::Flows::new();
/// store.enqueue(flow).await?;
/// let stored = store.get(Uuid::nil()).await?.unwrap();
/// assert_eq!((stored.state, stored.attempts), (FlowState::Queued, 0));
/// assert!(stored.flow().is_err(), "the body is junk");
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct StoredFlow {
    /// The flow's id.
    pub id: Uuid,
    /// The entity's full name.
    pub entity: String,
    /// What finds the handler's hooks again.
    pub handler: String,
    /// Where it stands.
    pub state: FlowState,
    /// How often it was handed out since it was stored, or resubmitted.
    pub attempts: u32,
    /// How often it was resubmitted.
    pub resubmitted: u32,
    /// When it is due, by the store's clock: while an attempt is under way, when that one counts as dead.
    pub due: Timestamp,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// When it was completed or given up, by the store's clock.
    pub ended_at: Option<Timestamp>,
    /// The flow, and what is done of it.
    pub body: Vec<u8>,
}

impl StoredFlow {
    /// The flow that is stored.
    ///
    /// # Errors
    /// The body is not that of a flow: of another version, or broken.
    ///
    /// ```
    /// # use graceful::backends::{FlowState, StoredFlow, Timestamp, Uuid};
    /// # let stored = StoredFlow {
    /// #     id: Uuid::nil(), entity: "e".into(), handler: String::new(), state: FlowState::Dead, attempts: 1,
    /// #     resubmitted: 0, due: Timestamp::UNIX_EPOCH, error: None, ended_at: None, body: b"junk".to_vec(),
    /// # };
    /// assert!(stored.flow().unwrap_err().message().starts_with("the stored flow cannot be read"));
    /// ```
    pub fn flow(&self) -> Result<Flow, StepError> {
        Stored::decode(&self.body).map(|stored| stored.flow)
    }
}

/// Without the body: a payload may hold what no log should.
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

/// Flows on their way, on disk: an outbox.
///
/// A flow that waits is handed out when it is due and no earlier flow of its entity is queued. Handing it out makes it due
/// again at the end of the lease: so a flow whose relay has died is handed out again, without anybody looking for it. Only who
/// shows the token of the newest claim can settle it. A store that passes
/// `graceful_testing::conformance::flow_store` keeps these promises.
///
/// **Time** is the store's: callers say how long, never when, since the clocks of two machines differ. A store that several
/// machines share asks one clock, such as its database's.
///
/// ```
/// use std::time::Duration;
///
/// use graceful::backends::{FlowStore, Lane, QueuedFlow, Room, AttemptOutcome, Uuid, memory};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (store, lease) = (memory::Flows::new(), Duration::from_secs(30));
/// let flow = |id, entity: &str| QueuedFlow {
///     id: Uuid::from_u128(id), entity: entity.into(), handler: String::new(), lane: Lane::default(), body: Vec::new(),
/// };
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
    /// Stores a flow, which is due at once; it is on disk when the reply comes. One whose id is known already is left as it is.
    fn enqueue(&self, flow: QueuedFlow) -> Reply<()>;
    /// Hands out flows that are due, at most one of each entity, and none whose entity has an earlier flow queued, in the order in
    /// which they were stored. They are due again when the lease is over.
    ///
    /// As many as there is room for; of one handler so many that no more than [`Room::per_handler`] are under way. Where more are
    /// due, handlers take turns, and so do the tenants of a handler, beginning with who has had the least according to
    /// [`Room::shares`]; in one lane, and between those that have had the same, what has been due for longest comes first. A
    /// store may look at a part of what is due, so that a claim costs the same whatever waits, as long as every lane gets its turn.
    fn claim(&self, room: Room, lease: Duration) -> Reply<Vec<Claim>>;
    /// Makes the leases of claims end after that time, from now on; of those that are lost, nothing.
    fn extend(&self, held: Vec<ClaimId>, lease: Duration) -> Reply<()>;
    /// Says how an attempt has ended; false, and nothing happens, where the claim was lost.
    fn record_outcome(&self, held: ClaimId, settlement: AttemptOutcome) -> Reply<bool>;
    /// One flow.
    fn get(&self, id: Uuid) -> Reply<Option<StoredFlow>>;
    /// Up to `limit` flows in a state: the queued ones by age, the others by when they ended, oldest first.
    fn list(&self, state: FlowState, limit: usize) -> Reply<Vec<StoredFlow>>;
    /// Queues a dead letter, or a completed flow, again, due at once and with no attempt counted; false where there is none. It
    /// comes behind those of its entity that are queued.
    fn resubmit(&self, id: Uuid) -> Reply<bool>;
    /// Forgets what is completed or dead, as `state` says, and ended at least that long ago; answers how many there were. Of
    /// [`FlowState::Queued`] it forgets nothing.
    fn purge(&self, state: FlowState, age: Duration) -> Reply<u64>;

    /// Calls `wake` when there may be a flow to hand out that the caller does not know of, since another process, or a
    /// transaction, has stored it. It goes on for as long as the future is polled, which a relay does while it lives.
    ///
    /// Being told is for speed only: a relay looks for itself, too, several times in the tenth of a second after a flow, and from then
    /// on by its [`poll`](crate::RelaySettings::poll). A store that tells nothing, which is so unless it says otherwise, loses nothing.
    fn listen(&self, wake: Box<dyn Fn() + Send + Sync>) -> BoxFuture<()> {
        drop(wake);
        Box::pin(async {})
    }
}
