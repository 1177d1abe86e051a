//! A flow to store, and its claim.

use uuid::Uuid;

use crate::backends::{IdempotentAnswer, Lane};

/// A flow that a [`FlowStore`](super::FlowStore) stores. The `body` is opaque to the store, which returns it unchanged.
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
    /// The encoded flow, without its id and its handler.
    pub body: Vec<u8>,
    /// The answer of an idempotent call, which is stored in the same transaction. See [`FlowStore::enqueue`](super::FlowStore::enqueue) and
    /// [`Transaction::insert`](crate::backends::Transaction::insert).
    pub answer: Option<IdempotentAnswer>,
}

impl QueuedFlow {
    /// Creates a flow to store, without an answer.
    pub fn new(
        id: Uuid,
        entity: impl Into<String>,
        handler: impl Into<String>,
        lane: Lane,
        body: Vec<u8>,
    ) -> Self {
        Self { id, entity: entity.into(), handler: handler.into(), lane, body, answer: None }
    }
}

/// A claimed flow; see [`FlowStore::claim`](super::FlowStore::claim).
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
    /// its process counts too. Attempts at flows that are claimed together count when their outcomes are recorded.
    pub attempt: u32,
    /// How often the flow was resubmitted.
    pub resubmitted: u32,
    /// The value that was stored.
    pub handler: String,
    /// The value that was stored.
    pub lane: Lane,
    /// The body that was stored, or that the outcome of the last attempt has replaced.
    pub body: Vec<u8>,
    /// The next flows of the same entity, to be run after this one in this order. Their own `followers` are empty.
    pub followers: Vec<Claim>,
}

impl Claim {
    /// Creates a claim of a flow that was never resubmitted, without followers.
    pub fn new(id: ClaimId, attempt: u32, handler: impl Into<String>, lane: Lane, body: Vec<u8>) -> Self {
        let ClaimId { id, token } = id;
        Self {
            id,
            token,
            attempt,
            resubmitted: 0,
            handler: handler.into(),
            lane,
            body,
            followers: Vec::new(),
        }
    }

    /// The id of this claim, which [`FlowStore::record_outcome`](super::FlowStore::record_outcome) needs.
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
