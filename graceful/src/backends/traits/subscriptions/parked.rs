//! Parked events.

use crate::text::Text;

/// An event that was parked, or that waits behind a parked event of its entity.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParkedEvent {
    /// Its position in the log, or among the received events.
    pub position: u64,
    /// The hash of its entity.
    pub entity: i64,
    /// The event as JSON, or the message of a broker that is not an event.
    pub body: Box<[u8]>,
    /// How often the handler was run, or one more if each run was interrupted; 0 if it waits behind an earlier event of its entity.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub error: Text,
    /// Whether an operator has resubmitted it, so that it runs again.
    pub is_released: bool,
}

impl ParkedEvent {
    /// Creates a parked event.
    pub fn new(
        position: u64,
        entity: i64,
        body: impl Into<Box<[u8]>>,
        attempts: u32,
        error: impl Into<Text>,
    ) -> Self {
        Self { position, entity, body: body.into(), attempts, error: error.into(), is_released: false }
    }
}

/// What became of a parked event that an operator has resubmitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resubmitted {
    /// It runs again, and after it the later ones of its entity.
    Released,
    /// An earlier event of its entity is parked: it runs when that one was handled or discarded.
    WaitsBehind {
        /// The position of the earlier event.
        first: u64,
    },
    /// It is not parked: it was handled or discarded, or was never parked.
    NotParked,
}
