//! Single flight: callers that need the same value at once run one load.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{sync::watch, time::Instant};

use crate::{key::Key, locks::unpoisoned, marks::Seen};

/// What is loaded: an entry, by one handler. Two handlers that read one entry may return different types.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Load {
    /// The address of the handler's declaration.
    pub handler: usize,
    pub entry: Key,
}

/// The running loads of one orchestrator.
pub(crate) struct Flights<T> {
    /// Orders the begin of calls and of look-ups.
    clock: AtomicU64,
    running: Mutex<HashMap<Load, Arc<Flight<T>>>>,
    /// When a failed refresh is tried again.
    not_before: Mutex<HashMap<Load, Instant>>,
}

/// A running load.
pub(crate) struct Flight<T> {
    /// When its look-up was sent.
    looked_up_at: u64,
    /// What its look-up saw; `None` as long as that is not known, or if no other look-up can have seen the same.
    seen: Mutex<Option<Seen>>,
    landing: watch::Sender<Landing<T>>,
}

/// How a load has ended, for those who wait for it.
#[derive(Clone, Debug)]
pub(crate) enum Landing<T> {
    Running,
    Loaded(T),
    /// The body failed, so all who wait run it themselves.
    Failed,
    /// The load was cancelled, or has no value to share: one of those who wait loads next.
    Gone,
}

/// The right to load. If it is dropped, the load is gone.
pub(crate) struct Leader<T> {
    load: Load,
    flight: Arc<Flight<T>>,
    flights: Weak<Flights<T>>,
    over: bool,
}

/// What a caller does about a load.
pub(crate) enum Turn<T> {
    /// Load.
    Lead(Leader<T>),
    /// Wait for the running load.
    Wait(Wait<T>),
}

/// A running load that is waited for.
pub(crate) struct Wait<T> {
    flight: Arc<Flight<T>>,
    pub landing: watch::Receiver<Landing<T>>,
    /// Its value may be shared.
    pub shares: bool,
}

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self { clock: AtomicU64::new(1), running: Mutex::default(), not_before: Mutex::default() }
    }
}

impl<T> Flights<T> {
    /// The time at which a call begins.
    pub(crate) fn began(&self) -> u64 {
        self.clock.load(Ordering::Acquire)
    }

    /// The time at which a look-up is sent: later than the begin of every call so far.
    pub(crate) fn look_up(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Leads if nobody loads, otherwise waits. A load is shared with calls that began before its look-up, and with those whose look-up
    /// saw the same.
    pub(crate) fn turn(
        self: &Arc<Self>,
        load: &Load,
        began: u64,
        looked_up_at: u64,
        seen: Option<Seen>,
    ) -> Turn<T> {
        self.turn_after(None, load, began, looked_up_at, seen)
    }

    /// The same for a caller that has waited too long for a load: that one is waited for no more, and the first such caller leads another.
    pub(crate) fn turn_after(
        self: &Arc<Self>,
        slow: Option<&Wait<T>>,
        load: &Load,
        began: u64,
        looked_up_at: u64,
        seen: Option<Seen>,
    ) -> Turn<T> {
        let mut running = unpoisoned(self.running.lock());
        let is_slow = |flight: &Arc<Flight<T>>| slow.is_some_and(|slow| Arc::ptr_eq(&slow.flight, flight));
        if let Some(flight) = running.get(load).filter(|flight| !is_slow(flight)) {
            let shares = began < flight.looked_up_at
                || matches!((&*unpoisoned(flight.seen.lock()), &seen), (Some(theirs), Some(own)) if theirs.is_same(own));
            let (flight, landing) = (Arc::clone(flight), flight.landing.subscribe());
            return Turn::Wait(Wait { flight, landing, shares });
        }
        let landing = watch::Sender::new(Landing::Running);
        let flight = Arc::new(Flight { looked_up_at, seen: Mutex::new(seen), landing });
        running.insert(load.clone(), Arc::clone(&flight));
        Turn::Lead(Leader { load: load.clone(), flight, flights: Arc::downgrade(self), over: false })
    }

    /// Whether a refresh may be tried.
    pub(crate) fn may_refresh(&self, load: &Load, now: Instant) -> bool {
        unpoisoned(self.not_before.lock()).get(load).is_none_or(|not_before| *not_before <= now)
    }

    /// Records when a failed refresh is tried again; those that are over are forgotten.
    pub(crate) fn refresh_failed(&self, load: Load, now: Instant, not_before: Instant) {
        let mut waiting = unpoisoned(self.not_before.lock());
        waiting.retain(|_, not_before| *not_before > now);
        waiting.insert(load, not_before);
    }
}

impl<T> Leader<T> {
    /// Records what a later look-up saw.
    pub(crate) fn saw(&self, seen: Option<Seen>) {
        *unpoisoned(self.flight.seen.lock()) = seen;
    }

    /// Ends the load.
    pub(crate) fn land(&mut self, landing: Landing<T>) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        if let Some(flights) = self.flights.upgrade() {
            let mut running = unpoisoned(flights.running.lock());
            // Another load may have taken its place.
            if running.get(&self.load).is_some_and(|flight| Arc::ptr_eq(flight, &self.flight)) {
                running.remove(&self.load);
            }
        }
        self.flight.landing.send_replace(landing);
    }
}

impl<T> Drop for Leader<T> {
    fn drop(&mut self) {
        self.land(Landing::Gone);
    }
}

impl<T> fmt::Debug for Leader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Leader").field(&self.load).finish()
    }
}
