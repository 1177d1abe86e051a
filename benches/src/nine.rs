//! All nine steps by hand, and the six steps of the Go package: the steps of [`crate::by_hand`], and last good value, metadata, graph,
//! review jobs and the registry of patterns. As many past flows are kept per entity as by `graceful`.

use std::{
    borrow::Cow,
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use graceful::Code;
use jiff::Timestamp;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::{
    STALE_AFTER,
    by_hand::{self, Cache, Event, QuickCache, failed, json, key, locked, updated},
    user::{User, UserError, store},
};

/// The number of relations and flows that are retained per entity.
const KEPT: usize = 32;
const REVIEW_AFTER: Duration = Duration::from_secs(300);

#[derive(Clone, Debug, Default)]
struct Metadata {
    state: Uuid,
    previous: Option<Uuid>,
    score: u64,
    last_success: Option<Timestamp>,
    error_count: u64,
    last_error: Option<(Code, Timestamp)>,
}

#[derive(Debug)]
struct Job {
    _due: Timestamp,
    _code: Code,
    attempts: u32,
}

/// A flow of an entity, without its payload.
#[derive(Debug)]
struct Past {
    _relation: &'static str,
    _flow: Uuid,
    _code: Code,
    _message: Cow<'static, str>,
    _at: Timestamp,
}

type PerEntity<T> = Mutex<HashMap<Arc<str>, T>>;

#[derive(Debug)]
pub struct Service {
    base: &'static by_hand::Service<QuickCache>,
    last_good: QuickCache,
    metadata: PerEntity<Metadata>,
    graph: PerEntity<VecDeque<Past>>,
    jobs: PerEntity<Job>,
    patterns: Mutex<HashMap<&'static str, (u64, Timestamp)>>,
    traces: PerEntity<VecDeque<(Uuid, &'static str, Timestamp)>>,
}

fn keep<T>(entries: &mut VecDeque<T>, entry: T) {
    if entries.len() == KEPT {
        entries.pop_front();
    }
    entries.push_back(entry);
}

impl Service {
    pub fn new() -> (&'static Self, mpsc::Receiver<Event>) {
        let (base, receiver) = by_hand::Service::new(QuickCache::default());
        let service = Self {
            base,
            last_good: QuickCache::new(STALE_AFTER),
            metadata: Mutex::default(),
            graph: Mutex::default(),
            jobs: Mutex::default(),
            patterns: Mutex::default(),
            traces: Mutex::default(),
        };
        (Box::leak(Box::new(service)), receiver)
    }

    fn note_metadata(&self, event: &Event) {
        let mut all = locked(&self.metadata);
        let metadata = all.entry(Arc::clone(&event.subject)).or_default();
        metadata.previous = Some(metadata.state).filter(|state| !state.is_nil());
        metadata.state = event.id;
        if event.code == Code::Ok {
            metadata.score += 1;
            metadata.last_success = Some(event.time);
        } else {
            metadata.error_count += 1;
            metadata.last_error = Some((event.code, event.time));
        }
    }

    fn relate(&self, relation: &'static str, event: &Event) {
        let past = Past {
            _relation: relation,
            _flow: event.id,
            _code: event.code,
            _message: event.message.clone(),
            _at: event.time,
        };
        keep(locked(&self.graph).entry(Arc::clone(&event.subject)).or_default(), past);
    }

    fn register(&self, pattern: &'static str, event: &Event) {
        let mut patterns = locked(&self.patterns);
        let uses = patterns.get(pattern).map_or(0, |&(uses, _)| uses);
        patterns.insert(pattern, (uses + 1, event.time));
        drop(patterns);
        let mut traces = locked(&self.traces);
        keep(traces.entry(Arc::clone(&event.subject)).or_default(), (event.id, pattern, event.time));
    }

    fn open_job(&self, event: &Event) {
        let mut jobs = locked(&self.jobs);
        let attempts = jobs.get(&event.subject).map_or(0, |job| job.attempts) + 1;
        let due = event.time + jiff::SignedDuration::try_from(REVIEW_AFTER).unwrap_or_default();
        jobs.insert(Arc::clone(&event.subject), Job { _due: due, _code: event.code, attempts });
    }

    pub async fn all(&self, user: User) -> Result<User, UserError> {
        let key = key(user.id);
        match store(user) {
            Ok(user) => {
                let value = json(&user);
                let event = updated(key, value.clone());
                self.last_good.put(Arc::clone(&event.subject), value.clone());
                self.succeeded(&event, value);
                self.base.settle_success(event);
                Ok(user)
            }
            Err(error) => {
                let event = failed(key, &error);
                let last_good = self.last_good.get(&event.subject).filter(|_| error.code().is_server_fault());
                self.failed(&event);
                self.base.settle_failure(event, &error);
                last_good.and_then(|value| serde_json::from_slice(&value).ok()).ok_or(error)
            }
        }
    }

    /// The same without last good value, audit and alert.
    pub async fn six(&self, user: User) -> Result<User, UserError> {
        let key = key(user.id);
        let result = store(user);
        let event = match &result {
            Ok(user) => {
                let value = json(user);
                let event = updated(key, value.clone());
                self.succeeded(&event, value);
                event
            }
            Err(error) => {
                let event = failed(key, error);
                self.failed(&event);
                event
            }
        };
        self.base.emit(event);
        result
    }

    fn succeeded(&self, event: &Event, value: Bytes) {
        self.note_metadata(event);
        self.base.cache.put(Arc::clone(&event.subject), value);
        self.relate("succeeded", event);
        locked(&self.jobs).remove(&event.subject);
        self.register("user", event);
    }

    fn failed(&self, event: &Event) {
        self.note_metadata(event);
        if !event.code.state_untouched() {
            self.base.cache.invalidate(&event.subject);
        }
        self.relate("failed", event);
        if event.code.is_server_fault() {
            self.open_job(event);
        }
        self.register("user.error", event);
    }
}
