//! Limits the log lines of an outage: its first failure, a summary per second, and its end.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{locks::unpoisoned, step::Step, text::Text};

/// At most one line of failures in this time.
const EVERY: Duration = Duration::from_secs(1);

/// Limits the log lines of an outage: the first failure is logged, then at most one summary per second, then the end.
///
/// It only decides; the caller logs. If failures and successes alternate there are at most two lines per second.
///
/// ```
/// let outage = graceful::backends::client::Outage::new();
/// assert_eq!(outage.failed(), Some(1), "log it");
/// assert_eq!(outage.failed(), None, "too soon for another line");
/// assert_eq!(outage.succeeded(), Some(1), "log the end: one failure was not logged");
/// ```
#[derive(Debug)]
pub struct Outage {
    /// There was a line of a failure, and none of its end yet.
    is_open: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// No failure is logged before.
    quiet_until: Option<Instant>,
    /// Since the last line.
    unlogged: u64,
}

impl Outage {
    /// Nothing has failed yet.
    pub const fn new() -> Self {
        let state = State { quiet_until: None, unlogged: 0 };
        Self { is_open: AtomicBool::new(false), state: Mutex::new(state) }
    }

    /// Counts a failure. Returns `Some(n)` if a line must be logged, which reports the `n` failures since the last line.
    pub fn failed(&self) -> Option<u64> {
        self.failed_at(Instant::now())
    }

    fn failed_at(&self, now: Instant) -> Option<u64> {
        let mut state = unpoisoned(self.state.lock());
        state.unlogged += 1;
        if state.quiet_until.is_some_and(|until| now < until) {
            return None;
        }
        state.quiet_until = Some(now + EVERY);
        self.is_open.store(true, Ordering::Relaxed);
        Some(std::mem::take(&mut state.unlogged))
    }

    /// Counts a success. Returns `Some(n)` if the end of an outage must be logged, of which `n` failures have not been logged. Without an
    /// outage this costs one load.
    #[inline]
    pub fn succeeded(&self) -> Option<u64> {
        if self.is_open.load(Ordering::Relaxed) { self.ended() } else { None }
    }

    #[cold]
    fn ended(&self) -> Option<u64> {
        let mut state = unpoisoned(self.state.lock());
        self.is_open.swap(false, Ordering::Relaxed).then(|| std::mem::take(&mut state.unlogged))
    }
}

impl Default for Outage {
    fn default() -> Self {
        Self::new()
    }
}

/// Those of an orchestrator.
#[derive(Debug, Default)]
pub(crate) struct Outages {
    pub(crate) steps: StepOutages,
    pub(crate) storing: Outage,
    pub(crate) observing: Outage,
}

/// The outages of steps: of a backend, whichever handlers need it; of a hook, for each handler by itself.
#[derive(Debug, Default)]
pub(crate) struct StepOutages {
    backends: [Outage; 9],
    hooks: Mutex<HashMap<(Step, Text), Arc<Outage>>>,
    a_hook_has_failed: AtomicBool,
}

impl StepOutages {
    /// As [`Outage::failed`]; `hook_of` is the handler if its hook has failed, and not the backend.
    pub(crate) fn failed(&self, step: Step, hook_of: Option<&Text>) -> Option<u64> {
        match hook_of {
            None => self.backends[step as usize].failed(),
            Some(handler) => {
                self.a_hook_has_failed.store(true, Ordering::Relaxed);
                let hook =
                    Arc::clone(unpoisoned(self.hooks.lock()).entry((step, handler.clone())).or_default());
                hook.failed()
            }
        }
    }

    /// As [`Outage::succeeded`].
    #[inline]
    pub(crate) fn succeeded(&self, step: Step, hook_of: Option<&Text>) -> Option<u64> {
        match hook_of {
            None => self.backends[step as usize].succeeded(),
            Some(handler) if self.a_hook_has_failed.load(Ordering::Relaxed) => {
                let hook = unpoisoned(self.hooks.lock()).get(&(step, handler.clone())).cloned();
                hook?.succeeded()
            }
            Some(_) => None,
        }
    }
}

/// The outages of tasks beside the flows, by the name of the failed operation.
static OTHERS: Mutex<BTreeMap<&str, Outage>> = Mutex::new(BTreeMap::new());

/// As [`Outage::failed`].
pub(crate) fn failed(what: &'static str) -> Option<u64> {
    unpoisoned(OTHERS.lock()).entry(what).or_default().failed()
}

/// As [`Outage::succeeded`].
pub(crate) fn succeeded(what: &'static str) -> Option<u64> {
    unpoisoned(OTHERS.lock()).get(what)?.succeeded()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outage_logs_first_failure_then_a_summary_per_second_and_its_end_once() {
        let (outage, start) = (Outage::new(), Instant::now());
        let failed = |millis| outage.failed_at(start + Duration::from_millis(millis));
        assert_eq!(outage.succeeded(), None, "nothing has failed");
        assert_eq!(failed(0), Some(1));
        assert_eq!((failed(1), failed(999)), (None, None));
        assert_eq!(failed(1000), Some(3), "no failure is lost");
        assert_eq!(failed(1500), None);
        assert_eq!(outage.succeeded(), Some(1));
        assert_eq!(outage.succeeded(), None);
    }

    #[test]
    fn outage_that_alternates_with_success_is_logged_twice_a_second_at_most() {
        let (outage, start) = (Outage::new(), Instant::now());
        let mut lines = 0;
        for millis in 0..10_000 {
            lines += usize::from(outage.failed_at(start + Duration::from_millis(millis)).is_some());
            lines += usize::from(outage.succeeded().is_some());
        }
        assert_eq!(lines, 20);
    }

    #[test]
    fn hook_that_fails_hides_neither_its_backend_nor_the_hook_of_another_handler() {
        let (outages, a, b) = (StepOutages::default(), Text::from("a"), Text::from("b"));
        for hook_of in [None, Some(&a), Some(&b)] {
            assert_eq!(outages.failed(Step::Audit, hook_of), Some(1));
            assert_eq!(outages.failed(Step::Audit, hook_of), None);
        }
        for hook_of in [None, Some(&a), Some(&b)] {
            assert_eq!(outages.succeeded(Step::Audit, hook_of), Some(1));
        }
        assert_eq!(outages.failed(Step::Cache, None), Some(1));
    }
}
