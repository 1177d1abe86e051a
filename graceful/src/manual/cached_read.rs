//! A read through the cache without a handler.

use std::{
    any::type_name,
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use super::cache::{AsKey, not_held};
use crate::{
    flights::Landing,
    flow::{Loading, Payload},
    handler::{
        Reads,
        read::{Call, Decision, Extension, State},
    },
    key::Key,
    marks::EntryName,
    pipeline::Orchestrator,
    step::StepError,
    steps::cache::fill,
};

/// A read through the cache; see [`Orchestrator::read_through`].
#[must_use = "it does nothing until `load` is awaited"]
#[derive(Debug)]
pub struct CachedRead<'a> {
    pub(super) orchestrator: &'a Orchestrator,
    pub(super) entity: Key,
    pub(super) depends_on: Vec<Key>,
    pub(super) ttl: Duration,
}

impl CachedRead<'_> {
    /// Adds entities that the value shows: when one of them changes, the value is loaded again.
    pub fn depends_on(mut self, entities: impl IntoIterator<Item = impl AsKey>) -> Self {
        self.depends_on.extend(entities.into_iter().map(|entity| entity.entity_key(self.orchestrator)));
        self
    }

    /// Sets the time to live of the value. Default: 10 minutes.
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl, ..self }
    }

    /// Returns the cached value, or else what `load` returns, which is cached. Concurrent calls for one entity and type share one load.
    ///
    /// If it is dropped, others that wait for its load load themselves.
    ///
    /// # Errors
    /// The load failed, or the pattern is not held.
    pub async fn load<T, E, F, Fut>(self, load: F) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        E: From<StepError>,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let orchestrator = self.orchestrator;
        let pattern = self.entity.pattern().to_owned();
        let Some((held, protocol)) = orchestrator.held(&pattern) else {
            return Err(not_held(&pattern).into());
        };
        // Its writes would not make the value stale.
        if let Some(unheld) = self.depends_on.iter().find(|key| orchestrator.held(key.pattern()).is_none()) {
            return Err(not_held(unheld.pattern()).into());
        }
        let name = EntryName::new(self.entity, held.variant(), self.depends_on);
        let loader = type_name::<T>().as_ptr().addr();
        let decision = match Call::of(orchestrator, held, protocol, loader, name, Reads::DEFAULT) {
            State::Hit(found) => Decision::Hit(found),
            State::Call(call, reply) => Box::pin(call.decide(reply)).await,
            State::Plain(_) | State::Eager(..) => return load().await,
        };
        let begun = match decision {
            Decision::Load(begun) => begun,
            Decision::Hit(found) => match found.value.decode() {
                Ok(value) => return Ok(value),
                Err(error) => {
                    // If it fails, the next call finds the entry once more.
                    let _ = found.forget(&error).await;
                    return load().await;
                }
            },
        };
        let mut leading = Lead { orchestrator, loading: begun.loading.ok() };
        let mut running = pin!(async { load().await });
        let mut extension = Extension::new(begun.lease);
        let value = poll_fn(|cx| {
            let entered = begun.body.enter();
            let polled = running.as_mut().poll(cx);
            drop(entered);
            if let (Some(loading), true) = (&leading.loading, polled.is_pending()) {
                extension.poll(orchestrator, loading, cx);
            }
            polled
        })
        .await;
        leading
            .end(value.as_ref().ok().map(|value| Payload::of(value).map_err(StepError::caused_by)), self.ttl)
            .await;
        value
    }
}

/// A load without a handler. If it is dropped, nobody waits for it any more.
struct Lead<'a> {
    orchestrator: &'a Orchestrator,
    loading: Option<Arc<Loading>>,
}

impl Lead<'_> {
    /// Its caller has the value, so a failure here is only logged.
    async fn end(&mut self, value: Option<Result<Payload, StepError>>, ttl: Duration) {
        let (Some(loading), Some(protocol)) = (self.loading.take(), self.orchestrator.protocol()) else {
            return;
        };
        let filled = match value {
            Some(Ok(value)) => fill::fill(protocol, &loading, value, Timestamp::now(), ttl).await.map(drop),
            Some(Err(error)) => {
                fill::fail(protocol, &loading, Landing::Failed);
                Err(error)
            }
            None => return fill::fail(protocol, &loading, Landing::Failed),
        };
        if let Err(error) = filled {
            self.orchestrator.cache_failed("storing a load", loading.name.entity.pattern(), &error);
        }
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        if let (Some(loading), Some(protocol)) = (&self.loading, self.orchestrator.protocol()) {
            fill::fail(protocol, loading, Landing::Gone);
        }
    }
}
