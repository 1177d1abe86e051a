//! The trait of event logs, and the hash of an event's entity.

use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    backends::{EventEmitter, ReceivedEvent, Reply},
    flow::Event,
    key::encoded,
    sha256::Sha256,
    step::StepError,
    text::Text,
};

/// A log of events: an emitter whose events can be read again, in one order. The suite `graceful_testing::conformance::event_log` checks a log
/// for these rules.
///
/// Each event has a position, from 1 on. Positions grow, and may have gaps. An event becomes visible only when all earlier positions are visible or
/// will stay empty, so a reader that goes on after the last position that it has looked at misses none. An event that is emitted again, after a failure or
/// a resubmission, is not appended a second time while the first is in the log.
///
/// ```
/// use graceful::{
///     Code, OrchestrationConfig, Orchestrator, Success,
///     backends::{EventLog as _, LogQuery, ReceivedEvent, memory},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let log = memory::EventLog::new();
/// let orchestrator = Orchestrator::builder().service("users").events(log.clone()).build()?;
/// let config = OrchestrationConfig::new("user").id("42").event("user_updated").on(&orchestrator);
/// Success::wrap(Code::Ok, "user updated", &"ada").orchestrate(&config).await;
///
/// let page = log.read(LogQuery::new(0, 100)).await?;
/// let event: ReceivedEvent = serde_json::from_slice(&page.events[0].body)?;
/// assert_eq!(event.name, "user_updated");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub trait EventLog: EventEmitter {
    /// Looks at the rows after a position, at most [`limit`](LogQuery::limit) of them, and returns those that match, the oldest first, and how far it
    /// has looked.
    fn read(&self, query: LogQuery) -> Reply<LogPage>;

    /// Returns which positions the log has.
    fn span(&self) -> Reply<LogSpan>;

    /// Waits until this process has appended an event after this position; it is ready at once if it has already. It only reduces latency: events of
    /// other processes are found by reading again.
    fn appended(&self, after: u64) -> Reply<()>;

    /// Deletes the oldest rows whose retention is over, at most 1,000. Returns their number. The default implementation deletes none.
    fn purge(&self) -> Reply<u64> {
        Reply::ready(0)
    }
}

/// Which rows [`EventLog::read`] looks at, and which of them it returns. A part that is not set matches any event.
///
/// ```
/// use graceful::backends::LogQuery;
///
/// let query = LogQuery::new(7, 100);
/// assert_eq!((query.after, query.limit, query.partitions), (7, 100, u32::MAX));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogQuery {
    /// It looks at rows after this position.
    pub after: u64,
    /// The partitions, as bits: bit `n` selects the events whose entity's hash is `n` modulo 32.
    pub partitions: u32,
    /// The name of the events, such as `user_updated`.
    pub event: Option<Text>,
    /// The pattern of the events.
    pub pattern: Option<Text>,
    /// The service of the events.
    pub service: Option<Text>,
    /// How many rows it looks at, at most. Those that do not match count, too.
    pub limit: usize,
}

impl LogQuery {
    /// Selects all events after a position.
    pub const fn new(after: u64, limit: usize) -> Self {
        Self { after, partitions: u32::MAX, event: None, pattern: None, service: None, limit }
    }
}

/// The reply to [`EventLog::read`].
///
/// ```
/// use graceful::backends::{LogPage, LoggedEvent};
///
/// let page = LogPage::new(vec![LoggedEvent::new(7, -1, "{}".as_bytes())], 9);
/// assert_eq!((page.events[0].position, page.read_to), (7, 9));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogPage {
    /// The events that match, the oldest first.
    pub events: Vec<LoggedEvent>,
    /// All rows up to this position were looked at. It is [`LogQuery::after`] if there is none after it.
    pub read_to: u64,
    /// The events up to this position were purged: those of them after [`LogQuery::after`] are missing in the page. 0 if none were.
    pub purged_to: u64,
}

impl LogPage {
    /// Creates a page.
    pub const fn new(events: Vec<LoggedEvent>, read_to: u64) -> Self {
        Self { events, read_to, purged_to: 0 }
    }
}

/// An event in a log.
///
/// ```
/// let event = graceful::backends::LoggedEvent::new(7, -1, "{}".as_bytes());
/// assert_eq!((event.position, event.entity, &*event.body), (7, -1, "{}".as_bytes()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedEvent {
    /// Its position.
    pub position: u64,
    /// The [hash](entity_hash) of its entity.
    pub entity: i64,
    /// The envelope as JSON, as a broker would transport it.
    pub body: Box<[u8]>,
}

impl LoggedEvent {
    /// Creates an event in a log.
    pub fn new(position: u64, entity: i64, body: impl Into<Box<[u8]>>) -> Self {
        Self { position, entity, body: body.into() }
    }
}

/// Which positions an event log has.
///
/// ```
/// let span = graceful::backends::LogSpan::new(3, 7);
/// assert_eq!((span.purged_to, span.newest), (3, 7));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogSpan {
    /// Events up to this position were deleted; 0 if none was. A reader that goes on after an earlier position may have missed some.
    pub purged_to: u64,
    /// The position of the newest event, whether it was deleted or not; 0 if there never was one.
    pub newest: u64,
}

impl LogSpan {
    /// Creates the span of a log.
    pub const fn new(purged_to: u64, newest: u64) -> Self {
        Self { purged_to, newest }
    }
}

/// The newest position that a process has appended to a log, for [`EventLog::appended`].
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let newest = graceful::backends::NewestPosition::new();
/// newest.appended(7);
/// newest.after(6).await?;
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct NewestPosition(watch::Sender<u64>);

impl NewestPosition {
    /// Nothing was appended yet.
    pub fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// This position was appended.
    pub fn appended(&self, position: u64) {
        self.0.send_if_modified(|newest| {
            let is_newer = position > *newest;
            *newest = position.max(*newest);
            is_newer
        });
    }

    /// Waits until a position after this one was appended. No notification is lost, whenever it is called.
    pub fn after(&self, position: u64) -> Reply<()> {
        let mut newest = self.0.subscribe();
        if *newest.borrow_and_update() > position {
            return Reply::ready(());
        }
        Reply::pending(async move {
            let appended = newest.wait_for(|newest| *newest > position).await;
            appended.map(drop).map_err(|_| StepError::new("the event log was dropped"))
        })
    }
}

impl Default for NewestPosition {
    fn default() -> Self {
        Self::new()
    }
}

/// What a log stores of an event when it is emitted.
///
/// ```
/// # use graceful::{Code, Orchestrator, OrchestrationConfig, Success, backends::memory};
/// use graceful::backends::LogEntry;
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let events = memory::Events::new();
/// # let mut inbox = events.subscribe();
/// # let orchestrator = Orchestrator::builder().service("users").events(events).build().unwrap();
/// # let config = OrchestrationConfig::new("user").id(42).event("user_updated").on(&orchestrator);
/// # Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
/// # let event = inbox.recv().await.unwrap();
/// let entry = LogEntry::of(&event)?;
/// assert_eq!((&*entry.service, &*entry.pattern, &*entry.entity_id), ("users", "user", "42"));
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogEntry {
    /// The event's id.
    pub id: Uuid,
    /// The event's name.
    pub name: Text,
    /// The service that emits it.
    pub service: Text,
    /// The tenant; empty if there is none.
    pub tenant: Text,
    /// The pattern.
    pub pattern: Text,
    /// The id of the entity; that of the event if the call belongs to no entity.
    pub entity_id: Text,
    /// The [hash](entity_hash) of its entity.
    pub entity: i64,
    /// The envelope as JSON.
    pub body: String,
}

impl LogEntry {
    /// Reads an event.
    ///
    /// # Errors
    /// Fails if the event cannot be serialised.
    pub fn of(event: &Event) -> Result<Self, StepError> {
        let (flow, id, subject) = (event.flow(), event.id(), event.subject());
        let body = event.to_json().map_err(StepError::caused_by)?;
        let id_text = Text::from(format_args!("{id}"));
        let source = encoded(event.source()).to_string();
        let entity = hash_of(&source, flow.tenant(), subject.as_deref(), &id_text);
        Ok(Self {
            id,
            name: event.name().into(),
            service: event.source().into(),
            tenant: flow.tenant().into(),
            pattern: flow.pattern().into(),
            entity_id: subject.map_or(id_text, |_| flow.entity_id()),
            entity,
            body,
        })
    }
}

/// The hash of an event's entity: the first eight bytes of the SHA-256 of source, tenant and subject. An event without a subject counts as an entity of
/// its own. Events of one entity are handled in their order, and belong to one partition: the hash modulo 32.
///
/// ```
/// use graceful::backends::{ReceivedEvent, entity_hash};
///
/// let event = |id: &str, subject: &str| -> ReceivedEvent {
///     let json = serde_json::json!({"specversion": "1.0", "id": id, "source": "users", "type": "t", "subject": subject});
///     serde_json::from_value(json).unwrap()
/// };
/// assert_eq!(entity_hash(&event("1", "user/42")), entity_hash(&event("2", "user/42")));
/// assert_ne!(entity_hash(&event("1", "user/42")), entity_hash(&event("1", "user/43")));
/// ```
pub fn entity_hash(event: &ReceivedEvent) -> i64 {
    let tenant = event.context.tenant.as_deref().unwrap_or_default();
    hash_of(&event.source, tenant, event.subject.as_deref(), &event.id)
}

fn hash_of(source: &str, tenant: &str, subject: Option<&str>, id: &str) -> i64 {
    let (kind, name) = subject.map_or(("id", id), |subject| ("subject", subject));
    let mut parts = Vec::new();
    for part in [kind, source, tenant, name] {
        // A part may contain any separator.
        parts.extend_from_slice(&(part.len() as u64).to_be_bytes());
        parts.extend_from_slice(part.as_bytes());
    }
    i64::from_be_bytes(Sha256::of(&parts).prefix())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_tell_parts_apart() {
        let hashes = [
            hash_of("a", "b", Some("c"), "i"),
            hash_of("ab", "", Some("c"), "i"),
            hash_of("a", "", Some("bc"), "i"),
            hash_of("a", "bc", Some(""), "i"),
            hash_of("a", "b", None, "c"),
            hash_of("a", "b", None, "i"),
        ];
        for (index, hash) in hashes.iter().enumerate() {
            assert!(!hashes[index + 1..].contains(hash), "{index}");
        }
        assert_eq!(hashes[0], hash_of("a", "b", Some("c"), "j"), "with a subject the id does not matter");
    }

    /// The stored positions of partitions depend on it.
    #[test]
    fn hash_stays_what_it_was() {
        assert_eq!(hash_of("users", "acme", Some("user/42"), ""), 3_713_990_228_608_561_656);
    }
}
