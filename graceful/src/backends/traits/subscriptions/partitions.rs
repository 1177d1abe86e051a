//! The partitions of a subscriber, and which process holds them.

use std::time::Duration;

/// The number of partitions of a subscriber. The partition of an event is its entity's hash modulo this number.
pub const PARTITIONS: u8 = 32;

/// What a process asks for when it joins; see [`Subscriptions::join`](super::Subscriptions::join).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Join {
    /// How long it keeps what it holds, unless it joins again.
    pub lease: Duration,
    /// The partitions that it knows to hold, as bits.
    pub known: u32,
    /// Whether it would copy events from a broker.
    pub copies: bool,
}

impl Join {
    /// Asks for partitions.
    pub const fn new(lease: Duration, known: u32, copies: bool) -> Self {
        Self { lease, known, copies }
    }
}

/// The reply to [`Subscriptions::join`](super::Subscriptions::join).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Joined {
    /// The partitions that the process holds, as bits.
    pub held: u32,
    /// The state of those that it did not know to hold.
    pub new: Vec<HeldPartition>,
    /// How many partitions are a fair share: 32 divided by the number of processes, rounded up. It should release what it holds beyond that.
    pub share: u32,
    /// Whether it is the process that copies events from a broker.
    pub copies: bool,
}

impl Joined {
    /// Creates the reply of a store.
    pub const fn new(held: u32, new: Vec<HeldPartition>, share: u32, copies: bool) -> Self {
        Self { held, new, share, copies }
    }
}

/// The state of a partition, as the process before has left it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeldPartition {
    /// Its number.
    pub partition: u8,
    /// All of its events up to this position were handled or parked.
    pub handled_to: u64,
    /// Events up to this position may have been begun. If it is greater than `handled_to`, the process before was interrupted.
    pub begun_to: u64,
    /// For each entity with handled events after `handled_to`: the entity, and the position of its last such event.
    pub handled: Vec<(i64, u64)>,
    /// The failed and interrupted attempts at events after `handled_to`: position and number.
    pub attempts: Vec<(u64, u32)>,
    /// The entities that have parked events.
    pub parked: Vec<i64>,
}

impl HeldPartition {
    /// Creates the state of a partition without attempts and parked events.
    pub const fn new(partition: u8, handled_to: u64, begun_to: u64) -> Self {
        Self {
            partition,
            handled_to,
            begun_to,
            handled: Vec::new(),
            attempts: Vec::new(),
            parked: Vec::new(),
        }
    }
}

/// The progress of one partition; see [`Subscriptions::advance`](super::Subscriptions::advance).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Its number.
    pub partition: u8,
    /// All of its events up to this position were handled or parked. Never less than before.
    pub handled_to: u64,
    /// Events up to this position may begin after the reply. When a process gives the partition back in order, it is `handled_to`.
    pub begun_to: u64,
}

impl Progress {
    /// Creates the progress of a partition.
    pub const fn new(partition: u8, handled_to: u64, begun_to: u64) -> Self {
        Self { partition, handled_to, begun_to }
    }
}
