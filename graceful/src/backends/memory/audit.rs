//! The in-memory audit log.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex},
};

use jiff::Timestamp;

use super::{Bytes, DEFAULT_BYTES, DEFAULT_CAPACITY, unpoisoned};
use crate::{
    backends::{self, AuditCursor, AuditQuery, AuditRecord, Page, Reply},
    flow::Flow,
};

/// An in-memory audit log of the last records.
///
/// When it is full, by number or by bytes, the oldest record is evicted and [counted](Self::dropped). A log that must not lose
/// records needs a durable store.
///
/// ```
/// use graceful::{
///     Code, OrchestrationConfig, Orchestrator, Success,
///     backends::{AuditLog, memory},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let audit = memory::AuditLog::new();
/// let orchestrator = Orchestrator::builder().service("users").audit(audit.clone()).build()?;
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// let report = Success::wrap(Code::Ok, "user updated", &"ada").orchestrate(&config).await;
///
/// let records = audit.records(Some(&report.flow().entity()), 10).await?;
/// assert_eq!((records.len(), records[0].message.as_str()), (1, "user updated"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct AuditLog(Arc<Inner>);

struct Inner {
    ring: Mutex<Ring>,
    capacity: usize,
    bytes: usize,
}

#[derive(Default)]
struct Ring {
    records: VecDeque<Arc<AuditRecord>>,
    bytes: usize,
    dropped: u64,
}

impl Ring {
    fn make_room(&mut self) -> Option<Arc<AuditRecord>> {
        let oldest = self.records.pop_front()?;
        self.bytes -= oldest.bytes();
        self.dropped += 1;
        Some(oldest)
    }
}

impl AuditLog {
    /// Creates a log of the last 10 000 records, up to 32 MiB.
    ///
    /// ```
    /// let audit = graceful::backends::memory::AuditLog::new();
    /// ```
    pub fn new() -> Self {
        Self::with_capacity(DEFAULT_CAPACITY)
    }

    /// Creates a log of this many records, up to 32 MiB.
    ///
    /// ```
    /// let audit = graceful::backends::memory::AuditLog::with_capacity(100);
    /// ```
    pub fn with_capacity(records: usize) -> Self {
        Self::with_limits(records, DEFAULT_BYTES)
    }

    /// Creates a log of this many records, up to this many bytes.
    ///
    /// ```
    /// let audit = graceful::backends::memory::AuditLog::with_limits(100, 1 << 20);
    /// ```
    pub fn with_limits(records: usize, bytes: usize) -> Self {
        Self(Arc::new(Inner { ring: Mutex::default(), capacity: records.max(1), bytes }))
    }

    /// How many records were evicted.
    ///
    /// ```
    /// assert_eq!(graceful::backends::memory::AuditLog::new().dropped(), 0);
    /// ```
    pub fn dropped(&self) -> u64 {
        unpoisoned(self.0.ring.lock()).dropped
    }
}

impl backends::AuditLog for AuditLog {
    fn append(&self, flow: &Arc<Flow>) -> Reply<()> {
        let record = Arc::new(AuditRecord::of(flow));
        let mut freed_after_unlocking = Vec::new();
        let mut ring = unpoisoned(self.0.ring.lock());
        ring.bytes += record.bytes();
        ring.records.push_back(record);
        while ring.records.len() > self.0.capacity || ring.bytes > self.0.bytes {
            freed_after_unlocking.extend(ring.make_room());
        }
        drop(ring);
        Reply::ready(())
    }

    fn query(&self, query: AuditQuery) -> Reply<Page<AuditRecord, AuditCursor>> {
        // Handles of all, so that they are compared and copied without the lock. A record keeps its number when others are evicted.
        let (records, first) = {
            let ring = unpoisoned(self.0.ring.lock());
            (ring.records.iter().cloned().collect::<Vec<_>>(), ring.dropped)
        };
        let numbered =
            (i64::try_from(first).unwrap_or(i64::MAX)..).zip(records.iter().map(|record| &**record));
        Reply::ready(query.select(numbered, Timestamp::now()))
    }
}

impl Default for AuditLog {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ring = unpoisoned(self.0.ring.lock());
        f.debug_struct("AuditLog")
            .field("len", &ring.records.len())
            .field("capacity", &self.0.capacity)
            .field("bytes", &ring.bytes)
            .field("dropped", &ring.dropped)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::testing::{answer, flow},
        *,
    };
    use crate::{backends::AuditLog as _, code::Code, key::Key};

    fn ids(records: &[AuditRecord]) -> Vec<&str> {
        records.iter().map(|record| record.entity.id()).collect()
    }

    fn append(audit: &AuditLog, flow: &Arc<Flow>) {
        answer(audit.append(flow)).unwrap();
    }

    fn records(audit: &AuditLog, entity: Option<&Key>, limit: usize) -> Vec<AuditRecord> {
        answer(audit.records(entity, limit)).unwrap()
    }

    #[test]
    fn records_are_read_newest_first_up_to_the_limit() {
        let audit = AuditLog::new();
        for id in ["1", "2", "3"] {
            append(&audit, &flow(id, Code::Ok));
        }
        assert_eq!(ids(&records(&audit, None, usize::MAX)), ["3", "2", "1"]);
        assert_eq!(ids(&records(&audit, None, 2)), ["3", "2"]);
        assert_eq!(ids(&records(&audit, None, 0)), [""; 0]);
    }

    #[test]
    fn records_of_an_entity_are_its_own_up_to_the_limit() {
        let audit = AuditLog::new();
        let flows = ["1", "2", "1", "1", "2"].map(|id| flow(id, Code::Ok));
        for flow in &flows {
            append(&audit, flow);
        }
        let found = records(&audit, Some(&flows[0].entity()), 2);
        let found: Vec<_> = found.iter().map(|record| record.flow).collect();
        assert_eq!(found, [flows[3].id(), flows[2].id()]);
    }

    #[test]
    fn oldest_records_are_evicted_and_counted() {
        for capacity in [0, 1, 3] {
            let audit = AuditLog::with_capacity(capacity);
            (0..10).for_each(|n| append(&audit, &flow(&n.to_string(), Code::Ok)));
            let kept = records(&audit, None, usize::MAX);
            assert_eq!((kept.len(), ids(&kept)[0]), (capacity.max(1), "9"));
            assert_eq!(audit.dropped(), 10 - kept.len() as u64);
        }
    }

    #[test]
    fn log_holds_no_payload_and_no_more_than_its_bytes() {
        let audit = AuditLog::with_limits(10_000, 1 << 20);
        let payload = crate::flow::Payload::of(&"x".repeat(1 << 10)).unwrap();
        for n in 0..5_000 {
            let mut flow = flow(&n.to_string(), Code::Ok);
            Arc::get_mut(&mut flow).unwrap().values.payload = payload.clone();
            append(&audit, &flow);
        }
        assert_eq!(Arc::strong_count(payload.shared().unwrap()), 1, "no flow is kept");
        let ring = audit.0.ring.lock().unwrap();
        let counted: usize = ring.records.iter().map(|record| record.bytes()).sum();
        assert_eq!(counted, ring.bytes);
        assert!((1 << 19..=1 << 20).contains(&ring.bytes), "{}", ring.bytes);
        assert_eq!(ring.dropped, 5_000 - ring.records.len() as u64);
    }
}
