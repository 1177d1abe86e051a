//! The embedded emitter of events: a channel to whoever subscribes in this process.

use tokio::sync::broadcast;
/// Why a [`Subscription`] has no event to give: `Lagged(n)`, it was too slow and missed `n`; `Closed`, nobody is left to
/// emit.
pub use tokio::sync::broadcast::error::RecvError;
/// As [`RecvError`], and `Empty`: there is nothing yet.
pub use tokio::sync::broadcast::error::TryRecvError;

use crate::{
    Event,
    backends::{EventEmitter, Reply},
};

const DEFAULT_EVENTS: usize = 1024;

/// Emits events to everybody who subscribes in this process.
///
/// Emitting never waits: an event without a subscriber goes to nobody, and a subscriber that falls behind by more than the
/// capacity misses the oldest, and is told how many.
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
#[derive(Clone, Debug)]
pub struct Events(broadcast::Sender<Event>);

impl Events {
    /// An emitter whose subscribers may fall behind by 1024 events.
    ///
    /// ```
    /// let events = graceful::backends::memory::Events::new();
    /// ```
    pub fn new() -> Self {
        Self::with_capacity(DEFAULT_EVENTS)
    }

    /// An emitter whose subscribers may fall behind by so many events, rounded up to a power of two. The room for them is
    /// reserved at once.
    ///
    /// # Panics
    /// When it is more than half of `usize::MAX`.
    ///
    /// ```
    /// let events = graceful::backends::memory::Events::with_capacity(64);
    /// ```
    pub fn with_capacity(events: usize) -> Self {
        Self(broadcast::Sender::new(events.max(1)))
    }

    /// Subscribes to every event from now on.
    ///
    /// ```
    /// let events = graceful::backends::memory::Events::new();
    /// let subscription = events.subscribe();
    /// ```
    pub fn subscribe(&self) -> Subscription {
        Subscription(self.0.subscribe())
    }
}

impl EventEmitter for Events {
    fn emit(&self, event: Event) -> Reply<()> {
        // An error says only that nobody is subscribed.
        let _ = self.0.send(event);
        Reply::ready(())
    }
}

impl Default for Events {
    fn default() -> Self {
        Self::new()
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
#[derive(Debug)]
pub struct Subscription(broadcast::Receiver<Event>);

impl Subscription {
    /// The next event, once it is there. Nothing is lost when the future is dropped before.
    ///
    /// # Errors
    /// `Lagged(n)`: `n` events were missed, and the next call goes on with the oldest that is left. `Closed`: the last
    /// handle of the emitter is gone.
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
        self.0.recv().await
    }

    /// The next event, if it is there already.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), and `Empty`: there is none yet.
    ///
    /// ```
    /// use graceful::backends::memory::{Events, TryRecvError};
    ///
    /// let events = Events::new();
    /// assert_eq!(events.subscribe().try_recv().unwrap_err(), TryRecvError::Empty);
    /// ```
    pub fn try_recv(&mut self) -> Result<Event, TryRecvError> {
        self.0.try_recv()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{
        super::testing::{answer, flow},
        *,
    };
    use crate::Code;

    fn event(id: &str) -> Event {
        let mut flow = flow(id, Code::Ok);
        Arc::get_mut(&mut flow).unwrap().declaration.to_mut().event = "user_updated".into();
        Event::of(&flow).unwrap()
    }

    fn emit(events: &Events, ids: &[&str]) {
        for id in ids {
            answer(events.emit(event(id))).unwrap();
        }
    }

    fn received(subscription: &mut Subscription) -> Result<String, TryRecvError> {
        subscription.try_recv().map(|event| event.flow().entity_id().to_string())
    }

    #[test]
    fn every_subscriber_gets_every_event_in_order() {
        let events = Events::new();
        let mut subscriptions = [events.subscribe(), events.clone().subscribe()];
        emit(&events, &["1", "2"]);
        for subscription in &mut subscriptions {
            assert_eq!(received(subscription).unwrap(), "1");
            assert_eq!(received(subscription).unwrap(), "2");
            assert_eq!(received(subscription), Err(TryRecvError::Empty));
        }
    }

    #[test]
    fn an_event_without_a_subscriber_is_no_failure_and_is_not_kept() {
        let events = Events::new();
        emit(&events, &["1"]);
        assert_eq!(received(&mut events.subscribe()), Err(TryRecvError::Empty));
    }

    #[test]
    fn a_slow_subscriber_is_told_how_many_it_missed() {
        for capacity in [0, 1] {
            let events = Events::with_capacity(capacity);
            let mut subscription = events.subscribe();
            emit(&events, &["1", "2", "3"]);
            assert_eq!(received(&mut subscription), Err(TryRecvError::Lagged(2)));
            assert_eq!(received(&mut subscription).unwrap(), "3");
        }
    }

    #[tokio::test]
    async fn a_waiting_subscriber_is_woken() {
        let events = Events::new();
        let mut subscription = events.subscribe();
        let waiting = tokio::spawn(async move { (subscription.recv().await.unwrap(), subscription) });
        tokio::task::yield_now().await;
        emit(&events, &["1"]);
        let (event, mut subscription) = waiting.await.unwrap();
        assert_eq!(event.flow().entity_id(), "1");
        drop(events);
        assert_eq!(subscription.recv().await.unwrap_err(), RecvError::Closed);
    }
}
