//! The embedded audit log.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex},
};

use super::{DEFAULT_CAPACITY, unpoisoned};
use crate::{
    Flow, Key,
    backends::{self, Reply},
};

/// An audit log in memory: the last records, which share the flows themselves.
///
/// When it is full, the oldest record makes room, and is [counted](Self::dropped). A log that must not lose any needs a
/// disk.
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
/// assert_eq!((records.len(), records[0].message()), (1, "user updated"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct AuditLog(Arc<Inner>);

struct Inner {
    ring: Mutex<Ring>,
    capacity: usize,
}

struct Ring {
    records: VecDeque<Arc<Flow>>,
    dropped: u64,
}

impl AuditLog {
    /// A log of the last 10 000 records.
    ///
    /// ```
    /// let audit = graceful::backends::memory::AuditLog::new();
    /// ```
    pub fn new() -> Self {
        Self::with_capacity(DEFAULT_CAPACITY)
    }

    /// A log of the last so many records.
    ///
    /// ```
    /// let audit = graceful::backends::memory::AuditLog::with_capacity(100);
    /// ```
    pub fn with_capacity(records: usize) -> Self {
        let ring = Ring { records: VecDeque::new(), dropped: 0 };
        Self(Arc::new(Inner { ring: Mutex::new(ring), capacity: records.max(1) }))
    }

    /// How many records were dropped for room.
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
        // Outlives the guard: a flow may be long to free.
        let _oldest;
        let mut ring = unpoisoned(self.0.ring.lock());
        if ring.records.len() >= self.0.capacity {
            _oldest = ring.records.pop_front();
            ring.dropped += 1;
        }
        ring.records.push_back(Arc::clone(flow));
        Reply::ready(())
    }

    fn records(&self, entity: Option<&Key>, limit: usize) -> Reply<Vec<Arc<Flow>>> {
        let newest = |count| -> Vec<_> {
            unpoisoned(self.0.ring.lock()).records.iter().rev().take(count).cloned().collect()
        };
        let Some(entity) = entity else { return Reply::ready(newest(limit)) };
        // Handles of all, so that they are compared without the lock.
        let mut records = newest(usize::MAX);
        records.retain(|flow| flow.entity() == *entity);
        records.truncate(limit);
        Reply::ready(records)
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
    use crate::{Code, backends::AuditLog as _};

    fn ids(records: &[Arc<Flow>]) -> Vec<String> {
        records.iter().map(|flow| flow.entity_id().to_string()).collect()
    }

    fn append(audit: &AuditLog, flow: &Arc<Flow>) {
        answer(audit.append(flow)).unwrap();
    }

    fn records(audit: &AuditLog, entity: Option<&Key>, limit: usize) -> Vec<Arc<Flow>> {
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
    fn an_entitys_records_are_its_own_and_the_limit_is_theirs() {
        let audit = AuditLog::new();
        let flows = ["1", "2", "1", "1", "2"].map(|id| flow(id, Code::Ok));
        for flow in &flows {
            append(&audit, flow);
        }
        let found = records(&audit, Some(&flows[0].entity()), 2);
        assert!(Arc::ptr_eq(&found[0], &flows[3]) && Arc::ptr_eq(&found[1], &flows[2]));
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn the_oldest_make_room_and_are_counted() {
        for capacity in [0, 1, 3] {
            let audit = AuditLog::with_capacity(capacity);
            (0..10).for_each(|n| append(&audit, &flow(&n.to_string(), Code::Ok)));
            let kept = records(&audit, None, usize::MAX);
            assert_eq!((kept.len(), ids(&kept)[0].as_str()), (capacity.max(1), "9"));
            assert_eq!(audit.dropped(), 10 - kept.len() as u64);
        }
    }
}
