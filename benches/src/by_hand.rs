//! The same by hand, as an expert writes it: one key and one serialisation shared by all steps, ids from the random numbers of the thread,
//! bounded memory, and nothing that waits. It produces what the annotated handler produces: an event in the process holds its values, and
//! only an event that is sent is serialised.

use std::{
    borrow::Cow,
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use graceful::Code;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::{RETAINED, entity::Entity, user::UserError, wire::Message};

const TTL: Duration = Duration::from_secs(600);
const ENTRIES: u16 = 10_000;

#[derive(Clone, Debug)]
pub struct Event {
    pub id: Uuid,
    pub source: &'static str,
    pub name: &'static str,
    pub subject: Arc<str>,
    pub time: Timestamp,
    pub code: Code,
    pub message: Cow<'static, str>,
    /// The value of a success.
    pub payload: Option<Bytes>,
}

pub trait Cache: Send + Sync + 'static {
    fn put(&self, key: Arc<str>, value: Bytes);
    fn invalidate(&self, key: &str);
}

#[derive(Debug)]
pub struct QuickCache {
    entries: quick_cache::sync::Cache<Arc<str>, (Bytes, Instant)>,
    ttl: Duration,
}

impl Default for QuickCache {
    fn default() -> Self {
        Self::new(TTL)
    }
}

impl QuickCache {
    pub(crate) fn new(ttl: Duration) -> Self {
        Self { entries: quick_cache::sync::Cache::new(ENTRIES.into()), ttl }
    }

    pub(crate) fn get(&self, key: &str) -> Option<Bytes> {
        self.entries.get(key).filter(|(_, expires)| *expires > Instant::now()).map(|(value, _)| value)
    }
}

impl Cache for QuickCache {
    fn put(&self, key: Arc<str>, value: Bytes) {
        self.entries.insert(key, (value, Instant::now() + self.ttl));
    }

    fn invalidate(&self, key: &str) {
        self.entries.remove(key);
    }
}

#[derive(Debug)]
pub struct Moka(moka::sync::Cache<Arc<str>, Bytes>);

impl Default for Moka {
    fn default() -> Self {
        Self(moka::sync::Cache::builder().max_capacity(ENTRIES.into()).time_to_live(TTL).build())
    }
}

impl Cache for Moka {
    fn put(&self, key: Arc<str>, value: Bytes) {
        self.0.insert(key, value);
    }

    fn invalidate(&self, key: &str) {
        self.0.invalidate(key);
    }
}

#[derive(Debug)]
struct AuditRecord {
    _event: Event,
    _payload_sha256: Option<[u8; 32]>,
}

#[derive(Debug)]
struct Alert {
    _code: Code,
    _message: Cow<'static, str>,
    count: u64,
    _last: Timestamp,
}

/// The state that the handlers of a service share.
#[derive(Debug)]
pub struct Service<C> {
    pub(crate) cache: C,
    events: mpsc::Sender<Event>,
    audit: Mutex<VecDeque<AuditRecord>>,
    alerts: Mutex<HashMap<Arc<str>, Alert>>,
    succeeded: AtomicU64,
    failed: AtomicU64,
    refused: AtomicU64,
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn key(id: impl std::fmt::Display) -> Arc<str> {
    format!("users::user:{id}").into()
}

pub(crate) fn json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).unwrap_or_default().into()
}

impl<C: Cache> Service<C> {
    pub fn new(cache: C) -> (&'static Self, mpsc::Receiver<Event>) {
        let (events, receiver) = mpsc::channel(1024);
        let service = Self {
            cache,
            events,
            audit: Mutex::default(),
            alerts: Mutex::default(),
            succeeded: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        };
        (Box::leak(Box::new(service)), receiver)
    }

    pub(crate) fn emit(&self, event: Event) {
        if self.events.try_send(event).is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
            tracing::warn!("an event was not emitted");
        }
    }

    fn audit(&self, event: &Event) {
        let hash = event.payload.as_ref().map(|payload| Sha256::digest(payload).into());
        let mut records = locked(&self.audit);
        if records.len() == RETAINED {
            records.pop_front();
        }
        records.push_back(AuditRecord { _event: event.clone(), _payload_sha256: hash });
    }

    fn fire(&self, subject: &Arc<str>, error: &UserError, at: Timestamp) {
        let mut alerts = locked(&self.alerts);
        let count = alerts.get(subject).map_or(0, |alert| alert.count) + 1;
        let alert = Alert { _code: error.code(), _message: error.message(), count, _last: at };
        alerts.insert(Arc::clone(subject), alert);
    }

    fn resolve(&self, subject: &str) {
        locked(&self.alerts).remove(subject);
    }

    /// Audit, alert, counters and event of a success.
    pub(crate) fn settle_success(&self, event: Event) {
        self.audit(&event);
        self.resolve(&event.subject);
        self.succeeded.fetch_add(1, Ordering::Relaxed);
        self.emit(event);
    }

    pub(crate) fn settle_failure(&self, event: Event, error: &UserError) {
        self.audit(&event);
        if event.code.is_server_fault() {
            self.fire(&event.subject, error, event.time);
        }
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.emit(event);
    }

    pub async fn event<T: Entity>(&self, value: T) -> Result<T, UserError> {
        let key = key(value.id());
        let result = value.store();
        match &result {
            Ok(value) => self.emit(updated(key, json(value))),
            Err(error) => self.emit(failed(key, error)),
        }
        result
    }

    pub async fn cache_and_event<T: Entity>(&self, value: T) -> Result<T, UserError> {
        let key = key(value.id());
        let result = value.store();
        match &result {
            Ok(value) => {
                let value = json(value);
                self.cache.put(Arc::clone(&key), value.clone());
                self.emit(updated(key, value));
            }
            Err(error) => {
                self.invalidate_after(error, &key);
                self.emit(failed(key, error));
            }
        }
        result
    }

    /// The event is sent, and what is cached is what is sent.
    pub async fn cache_and_publish<T: Entity>(&self, value: T) -> Result<T, UserError> {
        let (pattern, entity) = (T::PATTERN, value.id().to_string());
        let key = key(&entity);
        let result = value.store();
        let at = Timestamp::now();
        let id = new_id(at);
        match &result {
            Ok(value) => {
                // A derived `Serialize` that writes to memory does not fail.
                let raw = serde_json::value::to_raw_value(value).unwrap_or_default();
                self.cache.put(key, Bytes::copy_from_slice(raw.get().as_bytes()));
                let (code, message) = (Code::Ok.as_str(), "user updated");
                let result = Some(&*raw);
                Message { id, name: "user_updated", pattern, entity: &entity, at, code, message, result }
                    .publish();
            }
            Err(error) => {
                self.invalidate_after(error, &key);
                let (code, message) = (error.code().as_str(), &*error.message());
                Message {
                    id,
                    name: "user_updated.failed",
                    pattern,
                    entity: &entity,
                    at,
                    code,
                    message,
                    result: None,
                }
                .publish();
            }
        }
        result
    }

    pub async fn audit_and_alert_too<T: Entity>(&self, value: T) -> Result<T, UserError> {
        let key = key(value.id());
        let result = value.store();
        match &result {
            Ok(value) => {
                let value = json(value);
                self.cache.put(Arc::clone(&key), value.clone());
                self.settle_success(updated(key, value));
            }
            Err(error) => {
                self.invalidate_after(error, &key);
                self.settle_failure(failed(key, error), error);
            }
        }
        result
    }

    fn invalidate_after(&self, error: &UserError, key: &str) {
        if !error.code().state_untouched() {
            self.cache.invalidate(key);
        }
    }
}

pub(crate) fn updated(subject: Arc<str>, payload: Bytes) -> Event {
    event("user_updated", subject, Code::Ok, "user updated".into(), Some(payload))
}

pub(crate) fn failed(subject: Arc<str>, error: &UserError) -> Event {
    event("user_updated.failed", subject, error.code(), error.message(), None)
}

fn event(
    name: &'static str,
    subject: Arc<str>,
    code: Code,
    message: Cow<'static, str>,
    payload: Option<Bytes>,
) -> Event {
    let time = Timestamp::now();
    Event { id: new_id(time), source: "users", name, subject, time, code, message, payload }
}

/// A UUID of version 7. An expert does not ask the system for random numbers at each call.
pub fn new_id(at: Timestamp) -> Uuid {
    let mut random = [0; 10];
    fastrand::fill(&mut random);
    let millis = u64::try_from(at.as_millisecond()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}
