//! What this process has measured of its flows: per handler and pattern, arm and step.

mod entry;
mod histogram;
mod series;
mod snapshot;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::{Duration, Instant},
};

use graceful::FlowReport;

use self::entry::Entry;
pub use self::snapshot::{
    ArmSnapshot, HandlerSnapshot, Interval, LastFailure, Snapshot, StepSnapshot, Throughput,
};

/// The maximum number of pairs of handler and pattern that are measured each on its own.
const MAX_ENTRIES: usize = 1_000;

/// The name and the pattern of the entry that counts everything beyond that maximum.
pub const OTHER: &str = "_OTHER";

/// Counts and times the flows of this process, for the pages of the console.
///
/// It is an observer of an orchestrator. Cloning it is cheap, and clones share everything. Its memory is bounded: at most 1,000 pairs of
/// handler and pattern are measured each on its own, with about 3 KB each and 1 KB for each of their steps that ran; all others count
/// together as [`OTHER`]. A flow of a known pair allocates nothing, except the first time that a step runs or fails.
///
/// ```
/// use graceful::{Code, OrchestrationConfig, Orchestrator, Success};
/// use graceful_console::measurements::Measurements;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let measurements = Measurements::default();
/// let orchestrator = Orchestrator::builder()
///     .in_memory()
///     .on_report({
///         let measurements = measurements.clone();
///         move |report| measurements.observe(report)
///     })
///     .build()
///     .unwrap();
/// let config = OrchestrationConfig::new("user").id(42).on(&orchestrator);
/// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
///
/// assert_eq!(measurements.snapshot().handlers[0].ok.flows, 1);
/// # });
/// ```
#[derive(Clone, Default)]
pub struct Measurements(Arc<Shared>);

struct Shared {
    start: Instant,
    /// It is locked for writing only when a new pair is seen.
    entries: RwLock<Entries>,
    other: Mutex<Option<Box<Entry>>>,
}

/// The entries by handler and then by pattern, so that both can be looked up without a copy.
#[derive(Default)]
struct Entries {
    by_handler: HashMap<String, HashMap<String, Mutex<Entry>>>,
    count: usize,
}

impl Default for Shared {
    fn default() -> Self {
        Self { start: Instant::now(), entries: RwLock::default(), other: Mutex::default() }
    }
}

impl fmt::Debug for Measurements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Measurements").finish_non_exhaustive()
    }
}

impl Measurements {
    /// Counts a flow that has ended. It does not wait for anything but a short lock.
    ///
    /// ```
    /// # use graceful_console::measurements::Measurements;
    /// let measurements = Measurements::default();
    /// let observer = measurements.clone();
    /// graceful::Orchestrator::builder().on_report(move |report| observer.observe(report));
    /// ```
    pub fn observe(&self, report: &FlowReport) {
        self.observe_at(report, Instant::now());
    }

    /// What was measured so far. Durations are those of the last 5 to 10 minutes, and rates are of the last minute.
    ///
    /// ```
    /// # use graceful_console::measurements::Measurements;
    /// let snapshot = Measurements::default().snapshot();
    /// assert_eq!(snapshot.throughput.ok.len(), 60);
    /// assert!(snapshot.handlers.is_empty());
    /// ```
    pub fn snapshot(&self) -> Snapshot {
        self.snapshot_at(Instant::now())
    }

    fn observe_at(&self, report: &FlowReport, now: Instant) {
        let now = self.elapsed(now);
        let flow = report.flow();
        let (handler, pattern) = (flow.handler(), flow.pattern());
        let entries = self.0.entries.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get(handler, pattern) {
            return locked(entry).observe(report, now);
        }
        if entries.count < MAX_ENTRIES {
            drop(entries);
            let mut entries = self.0.entries.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(entry) = entries.get_or_insert(handler, pattern) {
                return entry.get_mut().unwrap_or_else(PoisonError::into_inner).observe(report, now);
            }
        }
        locked(&self.0.other).get_or_insert_default().observe(report, now);
    }

    fn snapshot_at(&self, now: Instant) -> Snapshot {
        let now = self.elapsed(now);
        let mut snapshot = Snapshot::default();
        let entries = self.0.entries.read().unwrap_or_else(PoisonError::into_inner);
        for (handler, patterns) in &entries.by_handler {
            for (pattern, entry) in patterns {
                snapshot.add(handler, pattern, &mut locked(entry), now);
            }
        }
        drop(entries);
        snapshot.handlers.sort_unstable_by(|a, b| (&a.handler, &a.pattern).cmp(&(&b.handler, &b.pattern)));
        if let Some(other) = &mut *locked(&self.0.other) {
            snapshot.add(OTHER, OTHER, other, now);
        }
        snapshot
    }

    fn elapsed(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.0.start)
    }
}

impl Entries {
    fn get(&self, handler: &str, pattern: &str) -> Option<&Mutex<Entry>> {
        self.by_handler.get(handler)?.get(pattern)
    }

    /// `None` if there are too many entries.
    fn get_or_insert(&mut self, handler: &str, pattern: &str) -> Option<&mut Mutex<Entry>> {
        if self.get(handler, pattern).is_none() {
            if self.count >= MAX_ENTRIES {
                return None;
            }
            self.count += 1;
        }
        let patterns = self.by_handler.entry(handler.to_owned()).or_default();
        Some(patterns.entry(pattern.to_owned()).or_default())
    }
}

/// A counter is valid after a panic, too.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
