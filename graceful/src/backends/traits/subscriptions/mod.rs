//! The durable state of subscribers: their partitions, positions and parked events.

mod parked;
mod partitions;

use std::{
    any::{Any, TypeId},
    fmt::Debug,
    time::Duration,
};

use uuid::Uuid;

pub use self::{
    parked::{ParkedEvent, Resubmitted},
    partitions::{HeldPartition, Join, Joined, PARTITIONS, Progress},
};
use super::LogPage;
use crate::{backends::Reply, step::StepError, text::Text};

/// The source of a subscriber that reads the event log, for operators.
const EVENT_LOG: &str = "event log";

/// A process that reads the events of a subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReaderId {
    /// The identity of the subscriber.
    pub subscriber: Text,
    /// The process, by an id of its own for each start.
    pub process: Uuid,
}

impl ReaderId {
    /// Creates the id of a reader.
    pub fn new(subscriber: impl Into<Text>, process: Uuid) -> Self {
        Self { subscriber: subscriber.into(), process }
    }
}

/// A subscriber to register; see [`Subscriptions::register`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewSubscriber {
    /// Its identity.
    pub subscriber: Text,
    /// Its former identities. The first that the store knows is renamed.
    pub was: Vec<Text>,
    /// The position after which a new subscriber begins.
    pub start: u64,
    /// Where its events come from, for operators: `event log`, or a broker and a place there.
    pub source: Text,
    /// Whether it reads the event log of this store, so that the log keeps what it has not read.
    pub reads_log: bool,
}

impl NewSubscriber {
    /// Creates a subscriber that reads the event log, from this position on.
    pub fn new(subscriber: impl Into<Text>, start: u64) -> Self {
        let source = Text::new_static(EVENT_LOG);
        Self { subscriber: subscriber.into(), was: Vec::new(), start, source, reads_log: true }
    }

    /// The error of a store in which the subscriber is registered for the event log and would read from a broker, or the other way: the positions
    /// of the two are different.
    pub fn reads_elsewhere() -> StepError {
        StepError::new(
            "the subscriber is registered for another source, whose positions are different: when it has read everything there, \
             unregister it",
        )
    }
}

/// A subscriber as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubscriberState {
    /// Its identity.
    pub subscriber: Text,
    /// Where its events come from.
    pub source: Text,
    /// All of its events up to this position were handled or parked.
    pub handled_to: u64,
    /// How many processes read it now.
    pub processes: u32,
    /// How many of its events are parked, including those that wait behind another.
    pub parked: u64,
}

impl SubscriberState {
    /// Creates the state of a subscriber.
    pub fn new(
        subscriber: impl Into<Text>,
        source: impl Into<Text>,
        handled_to: u64,
        processes: u32,
        parked: u64,
    ) -> Self {
        Self { subscriber: subscriber.into(), source: source.into(), handled_to, processes, parked }
    }

    /// Whether it reads the event log of this store, so that its position is one of the log.
    pub fn reads_log(&self) -> bool {
        self.source == EVENT_LOG
    }
}

/// An event that a broker has delivered; see [`Subscriptions::receive`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewEvent {
    /// The hash of its entity.
    pub entity: i64,
    /// Its source and its id, which are unique together.
    pub source: Text,
    /// Its id.
    pub id: Text,
    /// The event as JSON.
    pub body: Box<[u8]>,
}

impl NewEvent {
    /// Creates an event of a broker.
    pub fn new(
        entity: i64,
        source: impl Into<Text>,
        id: impl Into<Text>,
        body: impl Into<Box<[u8]>>,
    ) -> Self {
        Self { entity, source: source.into(), id: id.into(), body: body.into() }
    }
}

/// An open transaction in which an event is recorded as handled, and through which its handler writes. Dropped, it is rolled back.
pub trait InboxTransaction: Send {
    /// The transaction, of the type [`Subscriptions::transaction_type`].
    fn transaction(&mut self) -> &mut (dyn Any + Send);
    /// Commits the effects of the handler, and with them that the event was handled.
    fn commit(self: Box<Self>) -> Reply<()>;
}

/// Stores how far subscribers have read, which process reads which partition, and which events are parked. The suite
/// `graceful_testing::conformance::subscriptions` checks a store for these rules.
///
/// Positions are those of the event log, or of the events that were received from a broker. The partition of an event is its entity's hash modulo
/// [`PARTITIONS`]. What a process writes for a partition that it does not hold any more changes nothing. Leases expire by the clock of the
/// store.
pub trait Subscriptions: Debug + Send + Sync + 'static {
    /// Registers a subscriber, unless it is registered: it begins after its start. If one of its former identities is registered and
    /// it is not, that one is renamed, with all of its state. Later calls change only the source. It fails if a registered subscriber would change between
    /// the event log and a broker, because their positions are different. Returns whether it is new.
    fn register(&self, new: NewSubscriber) -> Reply<bool>;

    /// Announces that a process reads, extends the leases of what it holds, and lets it claim free partitions up to its fair share.
    ///
    /// A process counts until its lease expires. It may also delete what no reader needs any more: attempts and handled entities at or below the
    /// position of their partition, the latter only when they are older than two minutes, because an interrupted process may still try to record
    /// an event.
    fn join(&self, reader: ReaderId, join: Join) -> Reply<Joined>;

    /// Records progress in one transaction: the positions of partitions, and the handled events after them, by entity and position. Returns which
    /// of these partitions the process holds, as bits; nothing is recorded for the others.
    fn advance(&self, reader: ReaderId, progress: Vec<Progress>, handled: Vec<(i64, u64)>) -> Reply<u32>;

    /// Gives partitions back. With all of them, the process does not count any more.
    fn release(&self, reader: ReaderId, partitions: u32) -> Reply<()>;

    /// Counts an attempt at an event, in a transaction of its own. Returns the number of attempts, including this one; 0 if the process does not hold its
    /// partition, so that nothing was counted.
    fn attempted(&self, reader: ReaderId, entity: i64, position: u64) -> Reply<u32>;

    /// Begins the transaction of an event: it locks the entity, and records the event as handled. `None` if the event, or a later one of its
    /// entity, was handled already, or the process does not hold its partition. The default has no transactions.
    ///
    /// With `released` the event is a parked one that was resubmitted: the transaction removes it, and releases the next one of its
    /// entity. Then it is `None` if it is not parked, or not released.
    fn begin(
        &self,
        reader: ReaderId,
        entity: i64,
        position: u64,
        released: bool,
    ) -> Reply<Option<Box<dyn InboxTransaction>>> {
        let _ = (reader, entity, position, released);
        Reply::ready(None)
    }

    /// The type of the transactions; `None` if there are none.
    fn transaction_type(&self) -> Option<TypeId> {
        None
    }

    /// Parks an event, and records it as handled. Returns false if the process does not hold its partition.
    fn park(&self, reader: ReaderId, event: ParkedEvent) -> Reply<bool>;

    /// Parks an event behind those of its entity, and records it as handled. Returns false, and changes nothing, if none of its entity
    /// is parked, or the process does not hold its partition.
    fn park_behind(&self, reader: ReaderId, event: ParkedEvent) -> Reply<bool>;

    /// Returns the first parked event of each entity in these partitions that was released, the oldest first.
    fn released(&self, reader: ReaderId, partitions: u32, limit: usize) -> Reply<Vec<ParkedEvent>>;

    /// Ends a released event: it was handled, and the next one of its entity is released; or it failed again, and is parked with this number of
    /// attempts and this error. Returns false if it is not parked, or the process does not hold its partition.
    fn end_released(
        &self,
        reader: ReaderId,
        entity: i64,
        position: u64,
        failed: Option<(u32, Text)>,
    ) -> Reply<bool>;

    /// Stores events of a broker at the end of the subscriber's received events, in their order, except those that it has received before. When the
    /// reply is ready they are on disk. Returns false, and stores none, if another process copies.
    fn receive(&self, reader: ReaderId, events: Vec<NewEvent>) -> Reply<bool>;

    /// Reads received events after a position, of these partitions, oldest first, as [`EventLog::read`](super::EventLog::read) does.
    fn received(&self, subscriber: Text, after: u64, partitions: u32, limit: usize) -> Reply<LogPage>;

    /// Deletes at most 1,000 received events that were handled, and received at least this long ago. Returns their number.
    fn purge_received(&self, age: Duration) -> Reply<u64>;

    /// Lists the registered subscribers, by identity.
    fn subscribers(&self) -> Reply<Vec<SubscriberState>>;

    /// Lists parked events of a subscriber after this position, in their order.
    fn parked(&self, subscriber: Text, after: u64, limit: usize) -> Reply<Vec<ParkedEvent>>;

    /// Releases a parked event, which is the first of its entity.
    fn resubmit(&self, subscriber: Text, position: u64) -> Reply<Resubmitted>;

    /// Deletes a parked event, and releases the next one of its entity if it was the first. Returns the event; `None` if it is not parked.
    fn discard(&self, subscriber: Text, position: u64) -> Reply<Option<ParkedEvent>>;

    /// Lets a subscriber go on after this position, if it is behind it: what it has not read up to there is lost to it.
    fn skip(&self, subscriber: Text, to: u64) -> Reply<()>;

    /// Deletes a subscriber and all of its state. Returns false if it is not registered, or a process reads it.
    fn unregister(&self, subscriber: Text) -> Reply<bool>;
}
