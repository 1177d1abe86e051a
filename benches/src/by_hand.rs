//! The same by hand, as a developer writes it who knows the costs: one key and one serialisation shared by all steps, bounded memory,
//! and nothing that waits.

use std::{
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
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::{
    RETAINED,
    user::{User, UserError, store},
};

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
    pub payload: Bytes,
}

/// The payload of a failed event: all that its consumers need.
#[derive(Serialize)]
pub(crate) struct Failed<'a, M> {
    pub entity: &'a str,
    pub code: &'static str,
    pub message: M,
    pub retryable: bool,
    pub at: Timestamp,
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
}

#[derive(Debug)]
struct Alert {
    _code: Code,
    _message: String,
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

pub(crate) fn key(id: u64) -> Arc<str> {
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
        let mut records = locked(&self.audit);
        if records.len() == RETAINED {
            records.pop_front();
        }
        records.push_back(AuditRecord { _event: event.clone() });
    }

    fn fire(&self, subject: &Arc<str>, error: &UserError, at: Timestamp) {
        let mut alerts = locked(&self.alerts);
        let count = alerts.get(subject).map_or(0, |alert| alert.count) + 1;
        let alert = Alert { _code: error.code(), _message: error.to_string(), count, _last: at };
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

    pub async fn event(&self, user: User) -> Result<User, UserError> {
        let key = key(user.id);
        let result = store(user);
        match &result {
            Ok(user) => self.emit(updated(key, json(user))),
            Err(error) => self.emit(failed(key, error)),
        }
        result
    }

    pub async fn cache_and_event(&self, user: User) -> Result<User, UserError> {
        let key = key(user.id);
        let result = store(user);
        match &result {
            Ok(user) => {
                let value = json(user);
                self.cache.put(Arc::clone(&key), value.clone());
                self.emit(updated(key, value));
            }
            Err(error) => {
                if !error.code().state_untouched() {
                    self.cache.invalidate(&key);
                }
                self.emit(failed(key, error));
            }
        }
        result
    }

    pub async fn audit_and_alert_too(&self, user: User) -> Result<User, UserError> {
        let key = key(user.id);
        let result = store(user);
        match &result {
            Ok(user) => {
                let value = json(user);
                self.cache.put(Arc::clone(&key), value.clone());
                self.settle_success(updated(key, value));
            }
            Err(error) => {
                if !error.code().state_untouched() {
                    self.cache.invalidate(&key);
                }
                self.settle_failure(failed(key, error), error);
            }
        }
        result
    }
}

pub(crate) fn updated(subject: Arc<str>, payload: Bytes) -> Event {
    event("user_updated", subject, Code::Ok, Timestamp::now(), payload)
}

pub(crate) fn failed(subject: Arc<str>, error: &UserError) -> Event {
    let (code, at) = (error.code(), Timestamp::now());
    let message = error.to_string();
    let payload = json(&Failed {
        entity: &subject,
        code: code.as_str(),
        message: &message,
        retryable: code.retryable(),
        at,
    });
    event("user_updated.failed", subject, code, at, payload)
}

fn event(name: &'static str, subject: Arc<str>, code: Code, time: Timestamp, payload: Bytes) -> Event {
    Event { id: Uuid::now_v7(), source: "users", name, subject, time, code, payload }
}
