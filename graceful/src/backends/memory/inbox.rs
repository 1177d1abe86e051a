//! The in-memory inbox, for tests and for effects in the same memory.

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex},
};

use quick_cache::sync::Cache as Entries;

use super::{DEFAULT_CAPACITY, unpoisoned};
use crate::{
    backends::{self, InboxEntry, ReceivedEvent},
    step::StepError,
};

/// An in-memory inbox. When it is full, the oldest entries are evicted.
///
/// Its transaction only records whether the event was handled: effects in a file or a database are not rolled back with it, and
/// a restart loses the entries. For such effects use an inbox in the same database.
///
/// ```
/// use graceful::backends::{Inbox as _, InboxEntry, ReceivedEvent, memory};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let json = r#"{"specversion": "1.0", "id": "7", "source": "users", "type": "user_updated"}"#;
/// let event: ReceivedEvent = serde_json::from_str(json)?;
///
/// let inbox = memory::Inbox::new();
/// let InboxEntry::First(transaction) = inbox.begin("greeter", &event).await? else { unreachable!() };
/// inbox.commit(transaction).await?;
/// assert!(matches!(inbox.begin("greeter", &event).await?, InboxEntry::Again));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Inbox(Arc<Inner>);

struct Inner {
    handled: Entries<Name, ()>,
    open: Mutex<HashSet<Name>>,
}

/// Consumer, source and id.
type Name = (String, String, String);

/// An event that is being handled; dropped, it was not.
#[derive(Debug)]
pub struct InboxTransaction {
    name: Name,
    inbox: Inbox,
}

impl Inbox {
    /// Creates an inbox of 10 000 events.
    ///
    /// ```
    /// let inbox = graceful::backends::memory::Inbox::new();
    /// ```
    pub fn new() -> Self {
        Self::with_capacity(DEFAULT_CAPACITY)
    }

    /// Creates an inbox of about this many events.
    ///
    /// ```
    /// let inbox = graceful::backends::memory::Inbox::with_capacity(100);
    /// ```
    pub fn with_capacity(events: usize) -> Self {
        Self(Arc::new(Inner { handled: Entries::new(events.max(1)), open: Mutex::default() }))
    }
}

impl backends::Inbox for Inbox {
    type Transaction = InboxTransaction;

    async fn begin(
        &self,
        consumer: &str,
        event: &ReceivedEvent,
    ) -> Result<InboxEntry<InboxTransaction>, StepError> {
        let name = (consumer.to_owned(), event.source.clone(), event.id.clone());
        // Handled or open, never neither in between: a commit holds the lock, too.
        let mut open = unpoisoned(self.0.open.lock());
        if self.0.handled.get(&name).is_some() {
            return Ok(InboxEntry::Again);
        }
        if !open.insert(name.clone()) {
            return Err(StepError::new("another attempt is handling the event"));
        }
        Ok(InboxEntry::First(InboxTransaction { name, inbox: self.clone() }))
    }

    async fn commit(&self, transaction: InboxTransaction) -> Result<(), StepError> {
        let open = unpoisoned(self.0.open.lock());
        self.0.handled.insert(transaction.name.clone(), ());
        // Dropping the transaction takes the lock again.
        drop(open);
        Ok(())
    }
}

impl Drop for InboxTransaction {
    fn drop(&mut self) {
        unpoisoned(self.inbox.0.open.lock()).remove(&self.name);
    }
}

impl Default for Inbox {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("handled", &self.0.handled.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::Inbox as _;

    fn event(source: &str, id: &str) -> ReceivedEvent {
        let json = format!(r#"{{"specversion": "1.0", "id": "{id}", "source": "{source}", "type": "t"}}"#);
        serde_json::from_str(&json).unwrap()
    }

    async fn first(inbox: &Inbox, consumer: &str, event: &ReceivedEvent) -> Option<InboxTransaction> {
        match inbox.begin(consumer, event).await.unwrap() {
            InboxEntry::First(transaction) => Some(transaction),
            InboxEntry::Again => None,
        }
    }

    #[tokio::test]
    async fn event_is_handled_once_by_each_consumer() {
        let inbox = Inbox::new();
        for (consumer, event) in
            [("a", event("s", "1")), ("b", event("s", "1")), ("a", event("t", "1")), ("a", event("s", "2"))]
        {
            let transaction = first(&inbox, consumer, &event).await.unwrap();
            inbox.commit(transaction).await.unwrap();
            assert!(first(&inbox, consumer, &event).await.is_none());
        }
    }

    #[tokio::test]
    async fn uncommitted_event_is_not_handled_and_a_second_begin_is_refused() {
        let (inbox, event) = (Inbox::new(), event("s", "1"));
        let transaction = first(&inbox, "a", &event).await;
        assert_eq!(
            inbox.begin("a", &event).await.unwrap_err().message(),
            "another attempt is handling the event"
        );
        drop(transaction);
        assert!(first(&inbox, "a", &event).await.is_some());
    }
}
