//! The trait of inboxes.

use std::{
    fmt::Debug,
    future::{Future, ready},
};

use super::ReceivedEvent;
use crate::step::StepError;

/// Records which events a subscriber has handled, in the same place as their effects, so that each event takes effect once.
///
/// Events are delivered at least once. [`begin`](Self::begin) opens a transaction and records the event in it. The subscriber's handler
/// writes through the same transaction, and [`commit`](Self::commit) commits both atomically. If the transaction is dropped, both are
/// rolled back, and the event is redelivered.
///
/// ```
/// use graceful::{
///     StepError,
///     backends::{Inbox, InboxEntry, ReceivedEvent},
/// };
///
/// /// For idempotent effects, which need no record.
/// #[derive(Debug)]
/// struct Idempotent;
///
/// impl Inbox for Idempotent {
///     type Transaction = ();
///
///     async fn begin(&self, _: &str, _: &ReceivedEvent) -> Result<InboxEntry<()>, StepError> {
///         Ok(InboxEntry::First(()))
///     }
///
///     async fn commit(&self, (): ()) -> Result<(), StepError> {
///         Ok(())
///     }
/// }
/// ```
pub trait Inbox: Debug + Send + Sync + 'static {
    /// The transaction through which the handler writes.
    type Transaction: Send;

    /// Opens a transaction and records in it that this consumer handles this event, by source and id.
    ///
    /// If another open transaction has recorded the event, this call waits for the end of that transaction, or fails.
    fn begin(
        &self,
        consumer: &str,
        event: &ReceivedEvent,
    ) -> impl Future<Output = Result<InboxEntry<Self::Transaction>, StepError>> + Send;

    /// Counts an attempt at the event in a transaction of its own. Returns the number of attempts, including this one.
    ///
    /// The default, `None`, means that the inbox does not count attempts; then each delivery counts as an attempt.
    fn attempted(
        &self,
        consumer: &str,
        event: &ReceivedEvent,
    ) -> impl Future<Output = Result<Option<u32>, StepError>> + Send {
        let _ = (consumer, event);
        ready(Ok(None))
    }

    /// Commits the transaction: the event is handled.
    fn commit(&self, transaction: Self::Transaction) -> impl Future<Output = Result<(), StepError>> + Send;
}

/// Whether an event was handled already; see [`Inbox::begin`].
///
/// ```
/// # use graceful::backends::InboxEntry;
/// let entry: InboxEntry<()> = InboxEntry::Again;
/// ```
#[derive(Debug)]
pub enum InboxEntry<T> {
    /// The event was not handled yet, and is recorded in this transaction.
    First(T),
    /// The event was handled already.
    Again,
}
