//! Lanes, by which handlers and tenants share a relay fairly.

use std::{collections::hash_map::DefaultHasher, hash::Hasher as _};

/// The flows of one handler and one tenant. Lanes share a relay: see [`FlowStore::claim`](super::FlowStore::claim).
///
/// It is a hash, so that a store can index it independently of the lengths of names. Two tenants of one handler with the same hash (one
/// pair in 2³²) share their turns, and nothing else.
///
/// ```
/// use graceful::backends::Lane;
///
/// let [acme, other] = ["acme", "other"].map(|tenant| Lane::of("users::update_user", tenant));
/// assert_ne!(acme, other);
/// assert_eq!(acme.handler(), other.handler());
/// assert_eq!(Lane::from_number(acme.number()), acme);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lane(i64);

impl Lane {
    /// The lane of a handler and a tenant; the tenant is empty for flows without one.
    ///
    /// ```
    /// # use graceful::backends::Lane;
    /// assert_ne!(Lane::of("a", "").handler(), Lane::of("b", "").handler());
    /// ```
    pub fn of(handler: &str, tenant: &str) -> Self {
        // The upper half is the handler's, without the sign, and the lower half the tenant's.
        Self((i64::from(hash(handler) >> 1) << 32) | i64::from(hash(tenant)))
    }

    /// The number that a store stores; never negative. The upper 32 bits are those of the handler.
    ///
    /// ```
    /// # use graceful::backends::Lane;
    /// assert_eq!(Lane::default().number(), 0);
    /// ```
    pub const fn number(self) -> i64 {
        self.0
    }

    /// Creates a lane from its number.
    ///
    /// ```
    /// # use graceful::backends::Lane;
    /// assert_eq!(Lane::from_number(7).number(), 7);
    /// ```
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// The part that all lanes of one handler have in common.
    ///
    /// ```
    /// # use graceful::backends::Lane;
    /// assert_eq!(Lane::from_number((3 << 32) | 5).handler(), 3);
    /// ```
    pub const fn handler(self) -> i64 {
        self.0 >> 32
    }
}

/// Stored: if another release of Rust hashes differently, flows that wait at that time take their turns apart from later ones.
fn hash(text: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    u32::try_from(hasher.finish() >> 32).unwrap_or_default()
}

/// How many flows a relay has room for, and the recent shares of the lanes; see [`FlowStore::claim`](super::FlowStore::claim).
///
/// ```
/// use graceful::backends::Room;
///
/// let room = Room::of(10);
/// assert_eq!((room.flows, room.per_handler), (10, 10));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Room {
    /// How many flows may be claimed.
    pub flows: usize,
    /// The limit of running flows per handler, including those that are already running.
    pub per_handler: usize,
    /// The limit of flows per entity: a claim may take the flows that follow it as its [`followers`](super::Claim::followers). They need no room,
    /// because they run one after the other.
    pub per_entity: usize,
    /// The shares of the lanes that run or have run lately, at most one entry per lane.
    pub shares: Vec<Share>,
}

/// The share that a lane has had of a relay; see [`Room`].
///
/// ```
/// use graceful::backends::{Lane, Share};
/// let share = Share::new(Lane::default(), 2, 5);
/// assert_eq!((share.under_way, share.recent), (2, 5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Share {
    /// The lane.
    pub lane: Lane,
    /// The number of running flows.
    pub under_way: usize,
    /// The number of flows that have ended lately; only for the order of turns.
    pub recent: usize,
}

impl Share {
    /// Creates the share of a lane.
    pub const fn new(lane: Lane, under_way: usize, recent: usize) -> Self {
        Self { lane, under_way, recent }
    }
}

impl Room {
    /// Creates room for this many flows of any handlers, one of each entity, without running flows.
    ///
    /// ```
    /// # use graceful::backends::Room;
    /// assert!(Room::of(1).shares.is_empty());
    /// ```
    pub const fn of(flows: usize) -> Self {
        Self { flows, per_handler: flows, per_entity: 1, shares: Vec::new() }
    }
    /// Sets the limit of flows per entity.
    ///
    /// ```
    /// # use graceful::backends::Room;
    /// assert_eq!(Room::of(1).per_entity(32).per_entity, 32);
    /// ```
    #[must_use]
    pub fn per_entity(mut self, per_entity: usize) -> Self {
        self.per_entity = per_entity;
        self
    }
}
