//! The health of a process, as a supervisor and a load balancer ask for it.

use std::{collections::BTreeMap, fmt, time::Duration};

use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use super::Orchestrator;
use crate::{
    locks::unpoisoned,
    text::{Text, text},
};

/// For how long an answer of the store is good: all who ask meanwhile get it.
const FRESH: Duration = Duration::from_secs(1);

/// How long the store may take to answer.
const PROBE: Duration = Duration::from_secs(2);

/// Whether a process can do its work.
///
/// ```
/// assert_eq!(graceful::HealthStatus::Degraded.as_str(), "degraded");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum HealthStatus {
    /// It can.
    Ready,
    /// It can, and something should be looked at.
    Degraded,
    /// It cannot: requests should go to other processes.
    Unavailable,
}

impl HealthStatus {
    /// The status as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Degraded => "degraded",
            Self::Unavailable => "unavailable",
        }
    }
}

impl fmt::Display for HealthStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The health of a process; see [`Orchestrator::health`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Whether the process can do its work.
    pub status: HealthStatus,
    /// Why it is not [`Ready`](HealthStatus::Ready), one sentence each. They name servers and contain their messages, so they are not for
    /// strangers.
    pub reasons: Vec<Text>,
}

impl Health {
    fn add(&mut self, status: HealthStatus, reason: Text) {
        self.status = self.status.max(status);
        self.reasons.push(reason);
    }
}

/// The last answer of the store, shared by all who ask.
#[derive(Debug, Default)]
pub(crate) struct LastProbe(Mutex<Option<(Instant, Result<(), Text>)>>);

/// The subscribers of this process, by their identities, and what each complains of.
#[derive(Debug, Default)]
pub(crate) struct SubscriberFaults(std::sync::Mutex<BTreeMap<&'static str, Option<Text>>>);

impl SubscriberFaults {
    /// Sets what a subscriber complains of; `None` if it works.
    pub(crate) fn set(&self, subscriber: &'static str, fault: Option<Text>) {
        unpoisoned(self.0.lock()).insert(subscriber, fault);
    }

    /// The identities.
    #[cfg(feature = "metrics")]
    pub(crate) fn subscribers(&self) -> Vec<&'static str> {
        unpoisoned(self.0.lock()).keys().copied().collect()
    }
}

impl Orchestrator {
    /// Returns whether this process can do its work now.
    ///
    /// It cannot, [`Unavailable`](HealthStatus::Unavailable), while the durable store does not answer, and from the beginning of a
    /// [`shutdown`](Self::shutdown) on. The store is asked at most once a second, whoever asks, by a connection that no handler uses, and
    /// has 2 seconds to answer. What concerns more than this process, or heals without it, is [`Degraded`](HealthStatus::Degraded): ends of
    /// writes that the cache has not confirmed, flows of handlers that this program does not have, events that cannot be sent or that no queue of the
    /// broker takes ([`EventEmitter::degradation`](crate::backends::EventEmitter::degradation)), and subscribers that do not go on. Without a store nothing
    /// is asked.
    ///
    /// For a supervisor that restarts what hangs, this is the wrong question: a process that answers at all is alive, and a restart
    /// heals no database.
    ///
    /// This method is cancel-safe: if it is dropped, the next call asks the store.
    ///
    /// # Panics
    /// Panics outside of a Tokio runtime with a timer, if there is a durable store.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use graceful::{HealthStatus, Orchestrator};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let orchestrator = Orchestrator::in_memory();
    /// assert_eq!(orchestrator.health().await.status, HealthStatus::Ready);
    /// orchestrator.shutdown(Duration::from_secs(5)).await;
    /// let health = orchestrator.health().await;
    /// assert_eq!(health.status, HealthStatus::Unavailable);
    /// assert_eq!(health.reasons, ["the process is shutting down"]);
    /// # });
    /// ```
    pub async fn health(&self) -> Health {
        let mut health = Health { status: HealthStatus::Ready, reasons: Vec::new() };
        if self.is_shutting_down() {
            health.add(HealthStatus::Unavailable, "the process is shutting down".into());
        }
        if let Err(error) = self.probe().await {
            health.add(HealthStatus::Unavailable, text!("the store does not answer: {error}"));
        }
        let unended = self.pending_ends();
        if unended > 0 {
            health.add(
                HealthStatus::Degraded,
                text!("the cache has not confirmed the ends of {unended} writes"),
            );
        }
        let left = self.relay().left.handlers();
        if let Some(first) = left.first() {
            health.add(
                HealthStatus::Degraded,
                text!(
                    "flows of {} handlers, such as `{first}`, wait for a process that has them, or that is newer",
                    left.len()
                ),
            );
        }
        if let Some(why) = self.0.backends.events.as_ref().and_then(|events| events.degradation()) {
            health.add(HealthStatus::Degraded, why);
        }
        for (subscriber, fault) in unpoisoned(self.0.subscriber_faults.0.lock()).iter() {
            let Some(fault) = fault else { continue };
            health.add(HealthStatus::Degraded, text!("subscriber `{subscriber}`: {fault}"));
        }
        health
    }

    /// Asks the store, or returns its last answer.
    async fn probe(&self) -> Result<(), Text> {
        let Some(store) = self.flows() else { return Ok(()) };
        let mut last = self.0.last_probe.0.lock().await;
        if let Some((at, answer)) = &*last
            && at.elapsed() < FRESH
        {
            return answer.clone();
        }
        let answer = match timeout(PROBE, store.probe()).await {
            Ok(answer) => answer.map_err(|error| error.message().into()),
            Err(_) => Err(text!("nothing within {PROBE:?}")),
        };
        *last = Some((Instant::now(), answer.clone()));
        answer
    }
}
