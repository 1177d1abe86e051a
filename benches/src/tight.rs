//! The limit that an expert reaches by hand: small keys inline, one buffer for every serialisation, ids from a thread-local generator,
//! and nothing shared except the payload.

use std::{
    borrow::Cow,
    cell::RefCell,
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use graceful::Code;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use smol_str::{SmolStr, SmolStrBuilder};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::{
    RETAINED,
    by_hand::{locked, new_id},
    user::{User, UserError, store},
};

const TTL: Duration = Duration::from_secs(600);

type Cache = quick_cache::sync::Cache<SmolStr, (Arc<[u8]>, Instant)>;

#[derive(Clone, Debug)]
pub struct Event {
    pub id: Uuid,
    pub name: &'static str,
    pub subject: SmolStr,
    pub time: Timestamp,
    pub code: Code,
    pub message: Cow<'static, str>,
    /// The value of a success.
    pub payload: Option<Arc<[u8]>>,
}

#[derive(Debug)]
pub struct Service {
    cache: Cache,
    events: mpsc::Sender<Event>,
    audit: Mutex<VecDeque<(Event, Option<[u8; 32]>)>>,
    alerts: Mutex<HashMap<SmolStr, (Code, u64, Timestamp)>>,
    succeeded: AtomicU64,
    failed: AtomicU64,
}

fn key(id: u64) -> SmolStr {
    let mut key = SmolStrBuilder::new();
    let mut digits = [b'0'; 20];
    let (mut rest, mut first) = (id, 20);
    loop {
        first -= 1;
        digits[first] += u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    key.push_str("user:");
    key.push_str(str::from_utf8(&digits[first..]).unwrap_or_default());
    key.finish()
}

fn json(value: &impl Serialize) -> Arc<[u8]> {
    thread_local!(static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) });
    BUFFER.with_borrow_mut(|buffer| {
        buffer.clear();
        // A derived `Serialize` that writes to memory does not fail.
        let _ = serde_json::to_writer(&mut *buffer, value);
        Arc::from(&buffer[..])
    })
}

fn event(
    name: &'static str,
    subject: SmolStr,
    code: Code,
    message: Cow<'static, str>,
    payload: Option<Arc<[u8]>>,
) -> Event {
    let time = Timestamp::now();
    Event { id: new_id(time), name, subject, time, code, message, payload }
}

impl Service {
    pub fn new() -> (&'static Self, mpsc::Receiver<Event>) {
        let (events, receiver) = mpsc::channel(1024);
        let service = Self {
            cache: Cache::new(10_000),
            events,
            audit: Mutex::default(),
            alerts: Mutex::default(),
            succeeded: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        };
        (Box::leak(Box::new(service)), receiver)
    }

    fn applied(&self, key: SmolStr, result: &Result<User, UserError>) -> Event {
        match result {
            Ok(user) => {
                let value = json(user);
                self.cache.insert(key.clone(), (Arc::clone(&value), Instant::now() + TTL));
                event("user_updated", key, Code::Ok, "user updated".into(), Some(value))
            }
            Err(error) => {
                if !error.code().state_untouched() {
                    self.cache.remove(&key);
                }
                event("user_updated.failed", key, error.code(), error.message(), None)
            }
        }
    }

    fn emit(&self, event: Event) {
        if self.events.try_send(event).is_err() {
            tracing::warn!("an event was not emitted");
        }
    }

    pub async fn cache_and_event(&self, user: User) -> Result<User, UserError> {
        let key = key(user.id);
        let result = store(user);
        self.emit(self.applied(key, &result));
        result
    }

    pub async fn audit_and_alert_too(&self, user: User) -> Result<User, UserError> {
        let key = key(user.id);
        let result = store(user);
        let event = self.applied(key, &result);
        {
            let hash = event.payload.as_ref().map(|payload| Sha256::digest(payload).into());
            let mut records = locked(&self.audit);
            if records.len() == RETAINED {
                records.pop_front();
            }
            records.push_back((event.clone(), hash));
        }
        if result.is_ok() {
            locked(&self.alerts).remove(&event.subject);
            self.succeeded.fetch_add(1, Ordering::Relaxed);
        } else {
            if event.code.is_server_fault() {
                let mut alerts = locked(&self.alerts);
                let alert = alerts.entry(event.subject.clone()).or_insert((event.code, 0, event.time));
                *alert = (event.code, alert.1 + 1, event.time);
            }
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
        self.emit(event);
        result
    }
}
