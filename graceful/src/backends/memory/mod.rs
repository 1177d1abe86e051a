//! The in-memory backends, one per step. Their contents are lost with the process.
//!
//! They need no setup, and their replies are ready at once, so that every step works in tests, tools and small services. Cloning a backend shares
//! its state: pass one clone to the [builder](crate::OrchestratorBuilder), and inspect the other.
//!
//! | backend | default limits | evicted when it is full |
//! |---|---|---|
//! | [`Cache`] | 10 000 entries, 32 MiB | the least used entries |
//! | [`MetadataStore`] | 10 000 entities, 40 000 states, 32 MiB | the entities and states least recently used |
//! | [`Graph`] | 10 000 entities and as many flows, 32 flows each, 32 MiB | the nodes least recently used; a node's oldest flows |
//! | [`Scheduler`] | 10 000 open jobs, of which 20 and a summary per [storm](crate::Incident::storm) | the job that is due first |
//! | [`Events`] | 1024 events, 32 MiB | the oldest events of a slow subscriber, which learns how many |
//! | [`Nexus`] | 10 000 patterns and as many entities, 32 flows each, 32 MiB | the patterns and entities least recently used; an entity's oldest flows |
//! | [`AuditLog`] | 10 000 records, 32 MiB | the oldest record |
//! | [`Alerts`] | 10 000 open alerts, of which 20 and a summary per storm; 1000 resolved | the alert that fired first; the one resolved first |
//! | [`Inbox`] | 10 000 events | the least recently used events |
//! | [`EventLog`] | 10 000 events, 32 MiB | the oldest event |
//!
//! [`Flows`] is not the backend of a step: it replaces a durable store in tests. It and the [`Scheduler`] use Tokio's clock, not the
//! machine's, so a test can pause it (`tokio::time::pause`).
//!
//! `with_capacity` sets the limit in numbers, `with_limits` also in bytes; a number of 0 counts as 1. Bytes are those of keys and values,
//! approximately; the tables add about 100 bytes per entry. Backends without a limit in bytes contain no values: a job, an alert or an
//! inbox entry is a few names and numbers. A limit that is spread over several locks is approximate, and exceeded by a few entries at
//! most; a value larger than a sixteenth of the bytes may not be stored. `dropped` of a backend counts what is lost for good.
//!
//! ```
//! use graceful::{Code, OrchestrationConfig, Orchestrator, Success, backends::memory::AuditLog};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use graceful::backends::AuditLog as _;
//!
//! let audit = AuditLog::new();
//! let orchestrator = Orchestrator::builder().service("users").audit(audit.clone()).build()?;
//! let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
//! Success::wrap(Code::Ok, "user updated", &"ada").orchestrate(&config).await;
//!
//! assert_eq!(audit.records(None, 10).await?[0].message, "user updated");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod alerts;
mod audit;
mod bytes;
mod cache;
mod event_log;
mod events;
mod flow_rows;
mod flows;
mod graph;
mod idempotency;
mod inbox;
mod metadata;
mod nexus;
mod operations;
mod ordered;
mod scheduler;
mod subscriptions;
mod table;

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use self::bytes::Bytes;
pub use self::{
    alerts::Alerts,
    audit::AuditLog,
    cache::Cache,
    event_log::EventLog,
    events::{Events, RecvError, Subscription, TryRecvError},
    flows::Flows,
    graph::Graph,
    idempotency::IdempotentCalls,
    inbox::{Inbox, InboxTransaction},
    metadata::MetadataStore,
    nexus::Nexus,
    scheduler::Scheduler,
    subscriptions::Subscriptions,
};
use crate::locks::unpoisoned;

/// The default limit of entries, entities or records.
const DEFAULT_CAPACITY: usize = 10_000;

/// The default limit of bytes.
const DEFAULT_BYTES: usize = 32 << 20;

/// How many relations or flows are stored per node or entity.
const KEPT_PER_ENTITY: usize = 32;

#[cfg(test)]
mod testing {
    use std::sync::Arc;

    use jiff::Timestamp;

    use crate::{
        backends::Reply,
        code::Code,
        flow::{CallOutcome, Declaration, Declared, Flow, Origin},
        step::StepError,
    };

    /// A flow of the entity `users::user:{id}` that has ended just now.
    pub fn flow(id: &str, code: Code) -> Arc<Flow> {
        flow_of("user", id, code)
    }

    pub fn flow_of(pattern: &str, id: &str, code: Code) -> Arc<Flow> {
        let origin = Origin { service: "users".into(), environment: "test".into() };
        let declaration = Declaration { pattern: pattern.into(), ..Declaration::default() };
        let mut flow = Flow::begin(Declared::Owned(declaration.into()), Arc::new(origin));
        flow.values.id = Some(id.into());
        flow.values.named_at_entry = true;
        let ending = if code == Code::Ok { CallOutcome::Ok } else { CallOutcome::Err };
        (flow.code, flow.message) = (code, code.as_str().into());
        flow.end(ending);
        Arc::new(flow)
    }

    /// The same flow as if it had ended `second` seconds after 1970.
    pub fn flow_at(second: i64, id: &str, code: Code) -> Arc<Flow> {
        let mut flow = flow(id, code);
        Arc::get_mut(&mut flow).unwrap().at = at(second);
        flow
    }

    /// The same flow where its handler declares `graph(relation = …, to = …, to_pattern = …)`.
    pub fn related(mut flow: Arc<Flow>, relation: &str, to_pattern: &str, to: &str) -> Arc<Flow> {
        let related = Arc::get_mut(&mut flow).unwrap();
        let declaration = related.declaration.to_mut();
        (declaration.relation, declaration.to_pattern) = (relation.into(), to_pattern.into());
        related.values.graph_to = Some(to.into());
        flow
    }

    pub fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// The answer of a backend that answers at once.
    pub fn answer<T>(reply: Reply<T>) -> Result<T, StepError> {
        match reply {
            Reply::Ready(answer) => answer.unwrap(),
            Reply::Pending(_) => panic!("a backend in memory answers at once"),
        }
    }
}

/// A time that goes on with Tokio's clock.
#[derive(Clone, Copy)]
struct Clock {
    start: Timestamp,
    since: Instant,
}

impl Clock {
    fn now(&self) -> Timestamp {
        after(self.start, self.since.elapsed())
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self { start: Timestamp::now(), since: Instant::now() }
    }
}

fn after(now: Timestamp, time: Duration) -> Timestamp {
    now.checked_add(time).unwrap_or(Timestamp::MAX)
}
