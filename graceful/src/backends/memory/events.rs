//! The in-memory event emitter: a queue for subscribers in this process.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::sync::Notify;
/// Why a [`Subscription`] returns no event: `Lagged(n)`: it was too slow and missed `n` events; `Closed`: the emitter was
/// dropped.
pub use tokio::sync::broadcast::error::RecvError;
/// Like [`RecvError`], and `Empty`: no event is available yet.
pub use tokio::sync::broadcast::error::TryRecvError;

use super::{Bytes, DEFAULT_BYTES, unpoisoned};
use crate::{
    backends::{EventEmitter, Reply},
    flow::Event,
};

const DEFAULT_EVENTS: usize = 1024;

/// Emits events to the subscribers in this process.
///
/// Emitting never waits. An event without subscribers is dropped. A subscriber that falls behind by more than the capacity, in number or in
/// bytes, misses the oldest events, and learns how many. An event is freed when all subscribers have received it.
///
/// ```
/// use graceful::{Code, OrchestrationConfig, Orchestrator, Success, backends::memory::Events};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let events = Events::new();
/// let mut subscription = events.subscribe();
/// let orchestrator = Orchestrator::builder().service("users").events(events).build()?;
/// let config = OrchestrationConfig::new("user").id("42").event("user_updated").on(&orchestrator);
/// Success::wrap(Code::Ok, "user updated", &"ada").orchestrate(&config).await;
///
/// assert_eq!(subscription.recv().await?.name(), "user_updated");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
// Not `tokio::sync::broadcast`: that one is bounded by number only, and an event has a payload of any size.
#[derive(Clone)]
pub struct Events(Arc<Emitter>);

/// Closes the queue with the last handle.
struct Emitter(Arc<Queue>);

impl Drop for Emitter {
    fn drop(&mut self) {
        self.0.waiting().is_closed = true;
        self.0.changed.notify_waiters();
    }
}

struct Queue {
    waiting: Mutex<Waiting>,
    changed: Notify,
    capacity: usize,
    bytes: usize,
}

#[derive(Default)]
struct Waiting {
    slots: VecDeque<Slot>,
    /// The number of the first slot, of all events so far.
    first: u64,
    bytes: usize,
    subscribers: usize,
    is_closed: bool,
}

struct Slot {
    event: Event,
    bytes: usize,
    /// How many have not received it.
    readers: usize,
}

impl Waiting {
    fn end(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    fn pop(&mut self) -> Option<Slot> {
        let slot = self.slots.pop_front()?;
        self.first += 1;
        self.bytes -= slot.bytes;
        Some(slot)
    }

    /// Whether no subscriber needs the event any more, so that it can be freed.
    fn is_read(&self) -> bool {
        self.slots.front().is_some_and(|slot| slot.readers == 0)
    }
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        unpoisoned(self.waiting.lock())
    }
}

impl Events {
    /// Creates an emitter with a capacity of 1024 events, up to 32 MiB.
    ///
    /// ```
    /// let events = graceful::backends::memory::Events::new();
    /// ```
    pub fn new() -> Self {
        Self::with_capacity(DEFAULT_EVENTS)
    }

    /// Creates an emitter with a capacity of this many events, up to 32 MiB.
    ///
    /// ```
    /// let events = graceful::backends::memory::Events::with_capacity(64);
    /// ```
    pub fn with_capacity(events: usize) -> Self {
        Self::with_limits(events, DEFAULT_BYTES)
    }

    /// Creates an emitter with a capacity of this many events, up to this many bytes.
    ///
    /// ```
    /// let events = graceful::backends::memory::Events::with_limits(64, 1 << 20);
    /// ```
    pub fn with_limits(events: usize, bytes: usize) -> Self {
        let (waiting, changed) = (Mutex::default(), Notify::new());
        Self(Arc::new(Emitter(Arc::new(Queue { waiting, changed, capacity: events.max(1), bytes }))))
    }

    /// Subscribes to every event from now on.
    ///
    /// ```
    /// let events = graceful::backends::memory::Events::new();
    /// let subscription = events.subscribe();
    /// ```
    pub fn subscribe(&self) -> Subscription {
        let queue = Arc::clone(&self.0.0);
        let next = {
            let mut waiting = queue.waiting();
            waiting.subscribers += 1;
            waiting.end()
        };
        Subscription { queue, next }
    }
}

impl EventEmitter for Events {
    fn emit(&self, event: Event) -> Reply<()> {
        let queue = &*self.0.0;
        let mut freed_after_unlocking = Vec::new();
        let mut waiting = queue.waiting();
        let readers = waiting.subscribers;
        if readers > 0 {
            let bytes = event.flow().bytes();
            waiting.bytes += bytes;
            waiting.slots.push_back(Slot { event, bytes, readers });
            while waiting.slots.len() > queue.capacity || waiting.bytes > queue.bytes {
                freed_after_unlocking.extend(waiting.pop());
            }
            drop(waiting);
            queue.changed.notify_waiters();
        }
        Reply::ready(())
    }
}

impl Default for Events {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("waiting", &self.0.0.waiting().slots.len()).finish_non_exhaustive()
    }
}

/// Receives every event since it subscribed to [`Events`], in the order in which they were emitted.
///
/// ```
/// use graceful::backends::memory::{Events, RecvError};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let events = Events::new();
/// let mut subscription = events.subscribe();
/// drop(events);
/// loop {
///     match subscription.recv().await {
///         Ok(event) => println!("{}", event.name()),
///         Err(RecvError::Lagged(missed)) => eprintln!("{missed} events missed"),
///         Err(RecvError::Closed) => break,
///     }
/// }
/// # });
/// ```
pub struct Subscription {
    queue: Arc<Queue>,
    next: u64,
}

impl Subscription {
    /// Waits for the next event. No event is lost if the future is dropped.
    ///
    /// # Errors
    /// `Lagged(n)`: `n` events were missed, and the next call continues with the oldest available event. `Closed`: the last handle of
    /// the emitter was dropped.
    ///
    /// ```
    /// use graceful::backends::memory::{Events, RecvError};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut subscription = Events::new().subscribe();
    /// assert_eq!(subscription.recv().await.unwrap_err(), RecvError::Closed);
    /// # });
    /// ```
    pub async fn recv(&mut self) -> Result<Event, RecvError> {
        let queue = Arc::clone(&self.queue);
        loop {
            // Registers for notifications before it checks the queue, so that no event is missed.
            let changed = queue.changed.notified();
            return match self.try_recv() {
                Ok(event) => Ok(event),
                Err(TryRecvError::Lagged(missed)) => Err(RecvError::Lagged(missed)),
                Err(TryRecvError::Closed) => Err(RecvError::Closed),
                Err(TryRecvError::Empty) => {
                    changed.await;
                    continue;
                }
            };
        }
    }

    /// Returns the next event, if one is available.
    ///
    /// # Errors
    /// Like [`recv`](Self::recv), and `Empty`: no event is available yet.
    ///
    /// ```
    /// use graceful::backends::memory::{Events, TryRecvError};
    ///
    /// let events = Events::new();
    /// assert_eq!(events.subscribe().try_recv().unwrap_err(), TryRecvError::Empty);
    /// ```
    pub fn try_recv(&mut self) -> Result<Event, TryRecvError> {
        let _freed_after_unlocking;
        let mut waiting = self.queue.waiting();
        if self.next < waiting.first {
            let missed = waiting.first - self.next;
            self.next = waiting.first;
            return Err(TryRecvError::Lagged(missed));
        }
        let index = usize::try_from(self.next - waiting.first).unwrap_or(usize::MAX);
        let Some(slot) = waiting.slots.get_mut(index) else {
            return Err(if waiting.is_closed { TryRecvError::Closed } else { TryRecvError::Empty });
        };
        let event = slot.event.clone();
        slot.readers -= 1;
        self.next += 1;
        // Those before it are read as well, or were missed.
        _freed_after_unlocking = if waiting.is_read() { waiting.pop() } else { None };
        Ok(event)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut freed_after_unlocking = Vec::new();
        let mut waiting = self.queue.waiting();
        waiting.subscribers -= 1;
        let read = usize::try_from(self.next.saturating_sub(waiting.first)).unwrap_or(usize::MAX);
        waiting.slots.iter_mut().skip(read).for_each(|slot| slot.readers -= 1);
        while waiting.is_read() {
            freed_after_unlocking.extend(waiting.pop());
        }
        drop(waiting);
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("received", &self.next).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
