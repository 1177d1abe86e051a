//! The in-memory store of idempotent calls, for tests and for a service of one process.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::time::Instant;
use uuid::Uuid;

use super::unpoisoned;
use crate::{
    backends::{
        self, BoxFuture, CallState, Claimed, IdempotentAnswer, IdempotentCall, KnownCall, LeaseRenewal,
        Reply, RequestHash, StoredAnswer,
    },
    step::StepError,
};

/// An in-memory store of idempotent calls. It forgets them when the process ends, so a repetition after a restart runs again.
///
/// When it is full, further calls are refused: an answer is never evicted before its window has passed.
///
/// ```
/// use graceful::{Orchestrator, backends::memory};
///
/// let orchestrator = Orchestrator::builder().idempotency(memory::IdempotentCalls::new()).build()?;
/// assert!(orchestrator.idempotency().is_some());
/// # Ok::<(), graceful::error::BuildError>(())
/// ```
#[derive(Clone)]
pub struct IdempotentCalls(Arc<Inner>);

struct Inner {
    capacity: usize,
    rows: Mutex<HashMap<String, Row>>,
}

/// The default capacity.
const CAPACITY: usize = 100_000;

/// How many rows a purge deletes at most.
const PURGED: usize = 1_000;

struct Row {
    token: Uuid,
    request: Option<RequestHash>,
    /// `None` while the call runs.
    answer: Option<StoredAnswer>,
    expires: Instant,
}

impl Row {
    fn known(&self, now: Instant) -> KnownCall {
        let state = match &self.answer {
            Some(answer) => CallState::Answered(answer.clone()),
            None => CallState::Running(self.expires.saturating_duration_since(now)),
        };
        KnownCall::new(self.request, state)
    }
}

impl IdempotentCalls {
    /// Creates a store of 100,000 keys.
    ///
    /// ```
    /// let calls = graceful::backends::memory::IdempotentCalls::new();
    /// ```
    pub fn new() -> Self {
        Self::with_capacity(CAPACITY)
    }

    /// Creates a store of this many keys.
    ///
    /// ```
    /// let calls = graceful::backends::memory::IdempotentCalls::with_capacity(1_000);
    /// ```
    pub fn with_capacity(keys: usize) -> Self {
        Self(Arc::new(Inner { capacity: keys, rows: Mutex::default() }))
    }

    fn rows(&self) -> MutexGuard<'_, HashMap<String, Row>> {
        unpoisoned(self.0.rows.lock())
    }

    /// Changes each row of a call, if it still has all of its names.
    fn change(&self, call: &IdempotentCall, change: impl Fn(&mut Row)) -> bool {
        let mut rows = self.rows();
        let owns = |name| rows.get(name).is_some_and(|row: &Row| row.token == call.token);
        let owns_all = call.names.iter().all(owns);
        if owns_all {
            for name in &*call.names {
                if let Some(row) = rows.get_mut(name) {
                    change(row);
                }
            }
        }
        owns_all
    }
}

impl Default for IdempotentCalls {
    fn default() -> Self {
        Self::new()
    }
}

impl backends::Idempotency for IdempotentCalls {
    fn claim(&self, call: IdempotentCall, lease: Duration) -> Reply<Claimed> {
        let now = Instant::now();
        let mut rows = self.rows();
        let known = call.names.iter().filter_map(|name| rows.get(name).filter(|row| row.expires > now));
        if let Some(row) = known.max_by_key(|row| row.answer.is_some()) {
            return Reply::ready(Claimed::Known(row.known(now)));
        }
        if rows.len() + call.names.len() > self.0.capacity {
            rows.retain(|_, row| row.expires > now);
        }
        if rows.len() + call.names.len() > self.0.capacity {
            return Reply::failed(StepError::new("the in-memory store of idempotent calls is full"));
        }
        for name in &*call.names {
            let (token, request) = (call.token, call.request);
            rows.insert(name.clone(), Row { token, request, answer: None, expires: now + lease });
        }
        Reply::ready(Claimed::New)
    }

    fn answer(&self, answer: IdempotentAnswer) -> Reply<bool> {
        let IdempotentAnswer { call, answer, window } = answer;
        let expires = Instant::now() + window;
        Reply::ready(self.change(&call, |row| {
            if row.answer.is_none() {
                (row.answer, row.expires) = (Some(answer.clone()), expires);
            }
        }))
    }

    fn release(&self, call: IdempotentCall) -> Reply<()> {
        let mut rows = self.rows();
        for name in &*call.names {
            if rows.get(name).is_some_and(|row| row.token == call.token && row.answer.is_none()) {
                rows.remove(name);
            }
        }
        Reply::ready(())
    }

    fn purge(&self) -> Reply<u64> {
        let now = Instant::now();
        let mut rows = self.rows();
        let expired = rows.iter().filter(|(_, row)| row.expires <= now).take(PURGED);
        let expired: Vec<_> = expired.map(|(name, _)| name.clone()).collect();
        for name in &expired {
            rows.remove(name);
        }
        Reply::ready(expired.len() as u64)
    }

    fn renewal(&self) -> BoxFuture<Result<Arc<dyn LeaseRenewal>, StepError>> {
        let renewal: Arc<dyn LeaseRenewal> = Arc::new(self.clone());
        Box::pin(async { Ok(renewal) })
    }
}

impl LeaseRenewal for IdempotentCalls {
    fn renew(&self, call: IdempotentCall, lease: Duration) -> Reply<bool> {
        let now = Instant::now();
        Reply::ready(self.change(&call, |row| {
            if row.answer.is_none() {
                // The clock of a test may be ahead of that of the thread that renews.
                row.expires = row.expires.max(now + lease);
            }
        }))
    }
}

impl fmt::Debug for IdempotentCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotentCalls").field("capacity", &self.0.capacity).finish_non_exhaustive()
    }
}
