//! Hands an event to subscribers without a store, in tests.

use std::{sync::Arc, time::Instant};

use super::{
    Subscribers,
    attempt::{Attempted, handled},
    incoming::Incoming,
    registered::{Delivery, Subscriber},
    start_check,
};
use crate::{
    backends::{ReceivedEvent, encoded},
    retried::Attempt,
    step::StepError,
    text::text,
};

impl Subscribers {
    /// Hands an event to those of these subscribers that read it, one after the other, for tests. Returns how many they are.
    ///
    /// Each is called once, as in its last attempt: with its time budget, in the context of the event, and if it fails its error flow runs. Nothing is
    /// recorded or parked, so no store is needed, and the order of events is that of the calls.
    ///
    /// If the future is dropped, a running handler is dropped with it.
    ///
    /// # Errors
    /// Fails with what a parked event would have as its error, of the first subscriber that fails; also if a subscriber has `tx`, because it
    /// needs the transaction of a store: call its function with one, or run it.
    ///
    /// # Panics
    /// Panics outside of a Tokio runtime with a timer.
    pub async fn hand(&self, event: impl Into<Arc<ReceivedEvent>>) -> Result<usize, StepError> {
        let (event, mut handed) = (event.into(), 0);
        for subscriber in start_check::chosen(self).filter(|subscriber| subscriber.reads(&event)) {
            let identity = subscriber.identity;
            if subscriber.transaction.is_some() {
                return Err(StepError::new(text!(
                    "subscriber `{identity}` has `tx`: call its function with a transaction"
                )));
            }
            let incoming = Incoming::of_event(Arc::clone(&event), &self.provided);
            let delivery = Delivery { event: &incoming, transaction: None };
            let attempt = Attempt::new(true);
            if let Err(Attempted::Failed { error, .. }) =
                handled(subscriber, &self.orchestrator, delivery, &attempt, Instant::now()).await
            {
                return Err(StepError::new(text!("subscriber `{identity}`: {error}")));
            }
            handed += 1;
        }
        Ok(handed)
    }
}

impl Subscriber {
    /// Whether it reads this event. The pattern of an event without an entity is not known.
    fn reads(&self, event: &ReceivedEvent) -> bool {
        let is = |wanted: &str, name: &str| wanted.is_empty() || encoded(wanted).to_string() == name;
        let pattern = event.subject.as_deref().and_then(|subject| subject.split('/').next());
        event.name == self.event
            && pattern.is_none_or(|pattern| is(self.pattern, pattern))
            && is(self.service, &event.source)
    }
}
