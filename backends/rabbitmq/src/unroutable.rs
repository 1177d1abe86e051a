//! Events that no queue takes.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use graceful::{Text, backends::client::Outage};

/// For how long after such an event the health of the process shows it.
const SHOWN_FOR: Duration = Duration::from_secs(60);

/// What an event that no queue takes means for its step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unroutable {
    /// The step fails; a durable flow is retried.
    Retry,
    /// The step succeeds.
    Accept,
}

/// The events of one emitter that no queue has taken.
#[derive(Debug, Default)]
pub(super) struct Unrouted {
    count: AtomicU64,
    /// When the last one came, and its routing key.
    last: Mutex<Option<(Instant, String)>>,
    outage: Outage,
}

impl Unrouted {
    pub(super) fn add(&self, place: &str, key: &str, then: Unroutable) {
        self.count.fetch_add(1, Ordering::Relaxed);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), key.to_owned()));
        if let Some(failures) = self.outage.failed() {
            let then = match then {
                Unroutable::Retry => "the step has failed",
                Unroutable::Accept => "the event is lost",
            };
            tracing::warn!(target: "graceful::step", place, key, failures, then, "no queue takes the event");
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// A sentence, if there was such an event lately.
    pub(super) fn sentence(&self, place: &str) -> Option<Text> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, key) = last.as_ref()?;
        (at.elapsed() < SHOWN_FOR).then(|| {
            let count = self.count();
            format!(
                "no queue of {place} takes the events with the routing key `{key}`; {count} events so far"
            )
            .into()
        })
    }
}
