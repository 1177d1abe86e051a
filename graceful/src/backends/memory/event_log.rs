//! The in-memory event log.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard},
};

use uuid::Uuid;

use super::{DEFAULT_BYTES, DEFAULT_CAPACITY, unpoisoned};
use crate::{
    backends::{
        self, EventEmitter, LogEntry, LogPage, LogQuery, LogSpan, LoggedEvent, NewestPosition, Reply,
    },
    flow::Event,
};

/// An in-memory event log, whose events can be read again.
///
/// When it is full, in number or in bytes, it deletes the oldest events. A reader learns from [`LogSpan::purged_to`] that it has missed some.
///
/// ```
/// use graceful::{Code, OrchestrationConfig, Orchestrator, Success, backends::memory};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use graceful::backends::{EventLog as _, LogQuery};
///
/// let log = memory::EventLog::new();
/// let orchestrator = Orchestrator::builder().service("users").events(log.clone()).build()?;
/// let config = OrchestrationConfig::new("user").id("42").event("user_updated").on(&orchestrator);
/// Success::wrap(Code::Ok, "user updated", &"ada").orchestrate(&config).await;
/// assert_eq!(log.read(LogQuery::new(0, 100)).await?.events.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct EventLog(Arc<Inner>);

struct Inner {
    rows: Mutex<Rows>,
    newest: NewestPosition,
    capacity: usize,
    bytes: usize,
}

#[derive(Default)]
struct Rows {
    entries: VecDeque<LogEntry>,
    ids: HashSet<Uuid>,
    bytes: usize,
    /// The position of the newest row that was deleted. Those of the entries follow it, without gaps.
    purged_to: u64,
}

impl Rows {
    fn newest(&self) -> u64 {
        self.purged_to + self.entries.len() as u64
    }

    fn append(&mut self, entry: LogEntry) {
        if self.ids.insert(entry.id) {
            self.bytes += entry.body.len();
            self.entries.push_back(entry);
        }
    }

    fn delete_oldest(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.ids.remove(&entry.id);
            self.bytes -= entry.body.len();
            self.purged_to += 1;
        }
    }

    fn read(&self, query: &LogQuery) -> LogPage {
        let first = query.after.max(self.purged_to);
        let skipped = usize::try_from(first - self.purged_to).unwrap_or(usize::MAX);
        let numbered = (first + 1..).zip(self.entries.iter().skip(skipped)).take(query.limit);
        let mut page = LogPage::new(Vec::new(), query.after);
        page.purged_to = self.purged_to;
        for (position, entry) in numbered {
            page.read_to = position;
            if selects(query, entry) {
                page.events.push(LoggedEvent::new(position, entry.entity, entry.body.as_bytes()));
            }
        }
        page
    }
}

fn selects(query: &LogQuery, entry: &LogEntry) -> bool {
    query.partitions >> (entry.entity & 31) & 1 == 1
        && query.event.as_ref().is_none_or(|event| *event == entry.name)
        && query.pattern.as_ref().is_none_or(|pattern| *pattern == entry.pattern)
        && query.service.as_ref().is_none_or(|service| *service == entry.service)
}

impl EventLog {
    /// Creates a log of 10,000 events, up to 32 MiB.
    ///
    /// ```
    /// let log = graceful::backends::memory::EventLog::new();
    /// ```
    pub fn new() -> Self {
        Self::with_limits(DEFAULT_CAPACITY, DEFAULT_BYTES)
    }

    /// Creates a log of this many events, up to this many bytes.
    ///
    /// ```
    /// let log = graceful::backends::memory::EventLog::with_limits(64, 1 << 20);
    /// ```
    pub fn with_limits(events: usize, bytes: usize) -> Self {
        let (rows, newest) = (Mutex::default(), NewestPosition::new());
        Self(Arc::new(Inner { rows, newest, capacity: events.max(1), bytes }))
    }

    fn append(&self, entry: LogEntry) {
        let mut rows = self.rows();
        rows.append(entry);
        while rows.entries.len() > self.0.capacity || rows.bytes > self.0.bytes {
            rows.delete_oldest();
        }
        let newest = rows.newest();
        drop(rows);
        self.0.newest.appended(newest);
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        unpoisoned(self.0.rows.lock())
    }
}

impl EventEmitter for EventLog {
    fn emit(&self, event: Event) -> Reply<()> {
        let entry = match LogEntry::of(&event) {
            Ok(entry) => entry,
            Err(error) => return Reply::failed(error),
        };
        self.append(entry);
        Reply::ready(())
    }

    fn log(&self) -> Option<Arc<dyn backends::EventLog>> {
        Some(Arc::new(self.clone()))
    }
}

impl backends::EventLog for EventLog {
    fn read(&self, query: LogQuery) -> Reply<LogPage> {
        Reply::ready(self.rows().read(&query))
    }

    fn span(&self) -> Reply<LogSpan> {
        let rows = self.rows();
        Reply::ready(LogSpan::new(rows.purged_to, rows.newest()))
    }

    fn appended(&self, after: u64) -> Reply<()> {
        self.0.newest.after(after)
    }
}

impl Default for EventLog {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for EventLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLog").field("events", &self.rows().entries.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::{EventLog as _, memory::testing::answer};

    fn entry(number: u128, body: &str) -> LogEntry {
        LogEntry {
            id: Uuid::from_u128(number),
            name: "user_updated".into(),
            service: "users".into(),
            tenant: "".into(),
            pattern: "user".into(),
            entity_id: "42".into(),
            entity: 0,
            body: body.to_owned(),
        }
    }

    fn positions(log: &EventLog, after: u64) -> Vec<u64> {
        let page = answer(log.read(LogQuery::new(after, 100))).unwrap();
        page.events.iter().map(|event| event.position).collect()
    }

    #[test]
    fn full_log_deletes_the_oldest_events() {
        let log = EventLog::with_limits(2, 100);
        for number in 1..=4 {
            log.append(entry(number, "{}"));
        }
        assert_eq!(answer(log.span()).unwrap(), LogSpan::new(2, 4));
        assert_eq!(positions(&log, 0), [3, 4]);
        assert_eq!(positions(&log, 3), [4]);
        log.append(entry(4, "{}"));
        log.append(entry(1, "{}"));
        assert_eq!(positions(&log, 0), [4, 5], "a deleted event can be appended again");
        log.append(entry(6, &"x".repeat(99)));
        assert_eq!(positions(&log, 0), [6], "the others would be too many bytes");
    }
}
