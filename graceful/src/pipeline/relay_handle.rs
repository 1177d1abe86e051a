//! The handle of the relay: its settings, the means to wake and stop it, and the reviewer of jobs.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::{Notify, watch};

use super::RelaySettings;
use crate::{
    backends::{BoxFuture, Job},
    locks::unpoisoned,
    step::StepError,
    text::Text,
};

/// The handle of an orchestrator's relay.
#[derive(Debug)]
pub(crate) struct RelayHandle {
    pub(crate) settings: RelaySettings,
    pub(crate) woken: Arc<Notify>,
    pub(crate) stopping: AtomicBool,
    /// Whether the relay asks the store for flows, or is about to.
    pub(crate) claiming: watch::Sender<bool>,
    /// The number of running flows.
    pub(crate) under_way: watch::Sender<usize>,
    /// Whether the relay may be among the live relays of its store.
    pub(crate) announced: watch::Sender<bool>,
    pub(crate) left: Left,
}

/// The handlers whose flows the relay has lately left to other processes.
#[derive(Debug, Default)]
pub(crate) struct Left(Mutex<BTreeMap<Text, Instant>>);

impl Left {
    /// How long a handler is remembered; its flows are claimed more often, as long as they are queued.
    const REMEMBERED: Duration = Duration::from_secs(60);

    /// How many handlers are remembered, as a bound of the memory.
    const MOST: usize = 100;

    pub(crate) fn add(&self, handler: &str) {
        let (mut left, now) = (unpoisoned(self.0.lock()), Instant::now());
        if left.len() < Self::MOST || left.contains_key(handler) {
            left.insert(handler.into(), now);
        }
    }

    /// Their names.
    pub(crate) fn handlers(&self) -> Vec<Text> {
        let mut left = unpoisoned(self.0.lock());
        left.retain(|_, at| at.elapsed() < Self::REMEMBERED);
        left.keys().cloned().collect()
    }
}

/// How long a shutdown waits until the store has removed the relay from its live relays. Otherwise the store forgets it later.
const WITHDRAWAL: Duration = Duration::from_secs(1);

impl RelayHandle {
    pub(crate) fn new(settings: RelaySettings) -> Self {
        Self {
            settings,
            woken: Arc::default(),
            stopping: false.into(),
            claiming: watch::Sender::new(false),
            under_way: watch::Sender::new(0),
            announced: watch::Sender::new(false),
            left: Left::default(),
        }
    }

    pub(crate) const fn settings(&self) -> &RelaySettings {
        &self.settings
    }

    /// Wakes the relay, because there may be a new flow.
    pub(crate) fn wake(&self) {
        self.woken.notify_one();
    }

    /// Stops claiming flows.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Waits for the running flows, at most until the deadline. The others stay in the store.
    pub(crate) async fn stopped(&self, deadline: Duration) {
        let began = Instant::now();
        // A claim that the store is answering brings flows, which must not be left with their leases.
        let mut claiming = self.claiming.subscribe();
        let _ = tokio::time::timeout(deadline, claiming.wait_for(|claiming| !claiming)).await;
        let (deadline, mut under_way) =
            (deadline.saturating_sub(began.elapsed()), self.under_way.subscribe());
        // A timeout loses nothing, because the flows are in the store.
        let _ = tokio::time::timeout(deadline, under_way.wait_for(|count| *count == 0)).await;
        let mut announced = self.announced.subscribe();
        let left = deadline.min(WITHDRAWAL);
        let _ = tokio::time::timeout(left, announced.wait_for(|announced| !announced)).await;
    }

    /// The number of running flows.
    #[cfg(feature = "metrics")]
    pub(crate) fn under_way(&self) -> usize {
        *self.under_way.borrow()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }
}

impl Drop for RelayHandle {
    fn drop(&mut self) {
        self.wake();
    }
}

/// The function that is called with each due review job.
#[derive(Clone)]
pub(crate) struct Reviewer(pub(crate) Arc<dyn Fn(Job) -> BoxFuture<Result<(), StepError>> + Send + Sync>);

impl Reviewer {
    pub(crate) fn new<F, Fut>(review: F) -> Self
    where
        F: Fn(Job) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), StepError>> + Send + 'static,
    {
        Self(Arc::new(move |job| Box::pin(review(job))))
    }
}

impl fmt::Debug for Reviewer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reviewer")
    }
}
