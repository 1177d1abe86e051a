//! Lanes: how a relay shares its work between handlers and tenants.

use std::{collections::hash_map::DefaultHasher, hash::Hasher as _};

/// The flows of one handler and one tenant. Lanes share a relay: see [`FlowStore::claim`](super::FlowStore::claim).
///
/// It is a hash, so that a store can keep it in an index whatever the names are: two tenants of one handler that have the same
/// lane (one pair in 2³²) share their turns, and nothing else.
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
    /// The lane of a handler's flows for a tenant; of flows without a tenant, that is empty.
    ///
    /// ```
    /// # use graceful::backends::Lane;
    /// assert_ne!(Lane::of("a", "").handler(), Lane::of("b", "").handler());
    /// ```
    pub fn of(handler: &str, tenant: &str) -> Self {
        // The upper half is the handler's, without the sign, and the lower half the tenant's.
        Self((i64::from(hash(handler) >> 1) << 32) | i64::from(hash(tenant)))
    }

    /// The number as which a store keeps it; never negative. The upper 32 bits are the handler's.
    ///
    /// ```
    /// # use graceful::backends::Lane;
    /// assert_eq!(Lane::default().number(), 0);
    /// ```
    pub const fn number(self) -> i64 {
        self.0
    }

    /// The lane that is kept as this number.
    ///
    /// ```
    /// # use graceful::backends::Lane;
    /// assert_eq!(Lane::from_number(7).number(), 7);
    /// ```
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// What the lanes of one handler have in common.
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

/// How many flows a relay has room for, and how it has been used; see [`FlowStore::claim`](super::FlowStore::claim).
///
/// ```
/// use graceful::backends::Room;
///
/// let room = Room::of(10);
/// assert_eq!((room.flows, room.per_handler), (10, 10));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// How many flows it takes.
    pub flows: usize,
    /// How many flows of one handler it runs at once, with those that are under way.
    pub per_handler: usize,
    /// What it runs now, and has run lately: of each lane at most one entry; those that are not here have had nothing.
    pub shares: Vec<Share>,
}

/// What a lane has had of a relay; see [`Room`].
///
/// ```
/// use graceful::backends::{Lane, Share};
/// let share = Share { lane: Lane::default(), under_way: 2, recent: 5 };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Whose flows.
    pub lane: Lane,
    /// How many are under way.
    pub under_way: usize,
    /// How many have ended lately: for the order of turns only.
    pub recent: usize,
}

impl Room {
    /// Room for so many flows of any handlers, with nothing under way.
    ///
    /// ```
    /// # use graceful::backends::Room;
    /// assert!(Room::of(1).shares.is_empty());
    /// ```
    pub const fn of(flows: usize) -> Self {
        Self { flows, per_handler: flows, shares: Vec::new() }
    }
}
