//! Handlers that read through the cache, and the same written by hand.
//!
//! Each has a pattern of its own, because the writes of a pattern with a reader are held, and the other scenarios measure writes that are
//! not.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use graceful::{Orchestrator, backends::memory, orchestrate};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    by_hand::{QuickCache, json},
    entity::NUMBER,
    scenario::{BY_HAND, GRACEFUL, polled},
    user::{JSON, User, UserError, store},
};

const TTL: Duration = Duration::from_secs(600);
const ENTRIES: u16 = 10_000;

fn number(id: u64) -> u64 {
    10_000_000 + id
}

/// A handler whose value is cached after its first call. The value is dropped by the caller, since that is not part of a call.
pub enum Reader {
    Users(Box<dyn Fn(u64) -> Result<User, UserError>>),
    Numbers(Box<dyn Fn(u64) -> Result<u64, UserError>>),
}

impl Reader {
    /// The reader of values with this number of bytes.
    pub fn start(by: &str, payload: usize) -> Option<Self> {
        Some(match (by, payload) {
            (GRACEFUL, JSON) => {
                install();
                Self::Users(Box::new(|id| polled(profile(id))))
            }
            (GRACEFUL, NUMBER) => {
                install();
                Self::Numbers(Box::new(|id| polled(counter(id))))
            }
            (BY_HAND, JSON) => {
                let cache = Box::leak(Box::default());
                Self::Users(Box::new(|id| polled(profile_by_hand(cache, id))))
            }
            (BY_HAND, NUMBER) => {
                let cache = Box::leak(Box::default());
                Self::Numbers(Box::new(|id| polled(counter_by_hand(cache, id))))
            }
            _ => return None,
        })
    }
}

pub(crate) fn install() {
    let orchestrator = Orchestrator::builder().service("users").cache(memory::Cache::new()).build();
    orchestrator.expect("a cache is all that a reader needs").install().expect("one scenario a process");
}

#[orchestrate(pattern = "profile", cache(key = id, read, unwritten))]
pub async fn profile(id: u64) -> Result<User, UserError> {
    store(User::sample(id, true, JSON))
}

#[orchestrate(pattern = "counter", cache(key = id, read, unwritten))]
pub async fn counter(id: u64) -> Result<u64, UserError> {
    Ok(number(id))
}

/// It gets what it loads, so that the cost of making a user is not part of a miss.
#[orchestrate(pattern = "loaded", cache(key = user.id, read, unwritten), schedule = off, alert = off)]
pub async fn loaded(user: User) -> Result<User, UserError> {
    store(user)
}

async fn profile_by_hand(cache: &QuickCache, id: u64) -> Result<User, UserError> {
    let key = format!("users::profile:{id}");
    read(cache, key, async move || store(User::sample(id, true, JSON))).await
}

async fn counter_by_hand(cache: &QuickCache, id: u64) -> Result<u64, UserError> {
    let key = format!("users::counter:{id}");
    read(cache, key, async move || Ok(number(id))).await
}

/// As everybody writes it first: neither does it share a load, nor does it know of writes.
async fn read<T: Serialize + DeserializeOwned>(
    cache: &QuickCache,
    key: String,
    load: impl AsyncFnOnce() -> Result<T, UserError>,
) -> Result<T, UserError> {
    use crate::by_hand::Cache as _;

    if let Some(value) = cache.get(&key).and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
        return Ok(value);
    }
    let value = load().await?;
    cache.put(key.into(), json(&value));
    Ok(value)
}

/// Shares a load among its callers, and stores the serialised value, like the cache that the annotated handler uses.
#[derive(Debug)]
pub struct MokaLoader(moka::future::Cache<Arc<str>, Bytes>);

impl Default for MokaLoader {
    fn default() -> Self {
        Self(moka::future::Cache::builder().max_capacity(ENTRIES.into()).time_to_live(TTL).build())
    }
}

impl MokaLoader {
    /// The caller that loads keeps its value, and only the others decode the stored one.
    pub async fn loaded(&self, user: User) -> Result<User, UserError> {
        let key = format!("users::loaded:{}", user.id).into();
        let mut own = None;
        let load = async {
            let result = store(user);
            let bytes = result.as_ref().map(json).unwrap_or_default();
            own = Some(result);
            bytes
        };
        let bytes = self.0.get_with(key, load).await;
        own.unwrap_or_else(|| serde_json::from_slice(&bytes).map_err(|_| UserError::Store))
    }
}
