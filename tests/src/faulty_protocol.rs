//! A read-through cache whose methods a test makes fail.

use std::{
    collections::HashMap,
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use graceful::{
    Key, StepError,
    backends::{
        Cache, CacheEntry, CacheWrite, End, Ended, EntryName, Held, Hit, LookUp, Mark, ReadThrough, Reply,
        Seen, Write, memory,
    },
};
use tokio::sync::watch;

use crate::gate::awaited;

/// A method of [`ReadThrough`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    Hit,
    LookUp,
    Fill,
    Hold,
    Renew,
    End,
    InvalidatePattern,
}

/// How a call of a method fails. The cache does nothing then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolFault {
    Fails,
    FailsLater,
    Hangs,
}

impl ProtocolFault {
    pub const ALL: [Self; 3] = [Self::Fails, Self::FailsLater, Self::Hangs];

    fn reply<T: 'static>(self) -> Reply<T> {
        let error = || StepError::new("the cache is down");
        match self {
            Self::Fails => Reply::failed(error()),
            Self::FailsLater => Reply::pending(async move {
                tokio::task::yield_now().await;
                Err(error())
            }),
            Self::Hangs => Reply::pending(pending()),
        }
    }
}

/// The cache in memory. Its clones are one cache.
#[derive(Clone, Debug, Default)]
pub struct FaultyProtocol {
    pub cache: memory::Cache,
    faults: Arc<Mutex<HashMap<Method, ProtocolFault>>>,
    calls: Arc<watch::Sender<HashMap<Method, u64>>>,
}

impl FaultyProtocol {
    /// From now on the method fails.
    pub fn fail(&self, method: Method, fault: ProtocolFault) {
        self.faults.lock().unwrap().insert(method, fault);
    }

    /// From now on the method does what it should.
    pub fn mend(&self, method: Method) {
        self.faults.lock().unwrap().remove(&method);
    }

    /// How often the method was called.
    pub fn calls(&self, method: Method) -> u64 {
        self.calls.borrow().get(&method).copied().unwrap_or_default()
    }

    /// Waits until the method was called so often.
    pub async fn until_called(&self, method: Method, count: u64) {
        let mut calls = self.calls.subscribe();
        let is_reached = |calls: &HashMap<_, _>| calls.get(&method).is_some_and(|calls| *calls >= count);
        awaited(calls.wait_for(is_reached)).await.unwrap();
    }

    fn call<T: 'static>(&self, method: Method, call: impl FnOnce(&dyn ReadThrough) -> Reply<T>) -> Reply<T> {
        let fault = self.faults.lock().unwrap().get(&method).copied();
        let reply = match fault {
            None => call(&self.cache),
            Some(fault) => fault.reply(),
        };
        self.calls.send_modify(|calls| *calls.entry(method).or_default() += 1);
        reply
    }
}

impl Cache for FaultyProtocol {
    fn get(&self, key: &Key) -> Reply<Option<CacheEntry>> {
        self.cache.get(key)
    }

    fn put(&self, key: &Key, entry: CacheEntry, ttl: Option<Duration>) -> Reply<CacheWrite> {
        self.cache.put(key, entry, ttl)
    }

    fn invalidate(&self, key: &Key, version: Option<i64>, ttl: Duration) -> Reply<CacheWrite> {
        self.cache.invalidate(key, version, ttl)
    }

    fn read_through(&self) -> Option<&dyn ReadThrough> {
        Some(self)
    }
}

impl ReadThrough for FaultyProtocol {
    fn is_immediate(&self) -> bool {
        true
    }

    fn hit(&self, name: &EntryName) -> Reply<Option<Hit>> {
        self.call(Method::Hit, |cache| cache.hit(name))
    }

    fn look_up(
        &self,
        name: &EntryName,
        keep: Duration,
        lease: Option<Duration>,
        refresh: Option<Duration>,
    ) -> Reply<LookUp> {
        self.call(Method::LookUp, |cache| cache.look_up(name, keep, lease, refresh))
    }

    fn fill(&self, name: &EntryName, seen: &Seen, entry: CacheEntry, ttl: Duration) -> Reply<bool> {
        self.call(Method::Fill, |cache| cache.fill(name, seen, entry, ttl))
    }

    fn extend(&self, name: &EntryName, lease: Mark, expiry: Duration) -> Reply<bool> {
        ReadThrough::extend(&self.cache, name, lease, expiry)
    }

    fn release(&self, name: &EntryName, lease: Mark) -> Reply<()> {
        ReadThrough::release(&self.cache, name, lease)
    }

    fn hold(&self, write: &Write, expiry: Duration) -> Reply<Held> {
        self.call(Method::Hold, |cache| cache.hold(write, expiry))
    }

    fn renew(&self, write: &Write, expiry: Duration) -> Reply<bool> {
        self.call(Method::Renew, |cache| cache.renew(write, expiry))
    }

    fn end(&self, write: &Write, held: Option<&Held>, end: End) -> Reply<Ended> {
        self.call(Method::End, |cache| cache.end(write, held, end))
    }

    fn invalidate_pattern(&self, pattern: &Key) -> Reply<()> {
        self.call(Method::InvalidatePattern, |cache| cache.invalidate_pattern(pattern))
    }
}
