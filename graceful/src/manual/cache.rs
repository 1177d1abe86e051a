//! The read-through cache for code without an attribute, by the same protocol.

use std::{
    any::type_name,
    fmt::Display,
    future::{Future, pending, poll_fn},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    backends::End,
    flights::Landing,
    flow::{Loading, Payload, Touched},
    handler::{
        HOLD_EXPIRY, RENEWAL, Reads,
        read::{Call, Decision, Extension, State},
    },
    key::Key,
    marks::{EntryName, Held, Write},
    pipeline::{
        Orchestrator, current,
        read_through::body::{self, Body, BodyKind},
    },
    step::StepError,
    steps::cache::fill,
};

/// The time to live of a value that is read through the cache, unless another is set.
const TTL: Duration = Duration::from_secs(600);

/// An entity: a [`Key`], or a pattern and an id of the orchestrator's service and of the current context's tenant.
///
/// ```
/// use graceful::{Key, Orchestrator};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let orchestrator = Orchestrator::in_memory();
/// orchestrator.invalidate([("user", 42)]).await?;
/// orchestrator.invalidate([Key::new("service", Some("acme"), "user", "42")]).await?;
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
pub trait AsKey {
    /// The key of the entity.
    fn entity_key(&self, orchestrator: &Orchestrator) -> Key;
}

impl AsKey for Key {
    fn entity_key(&self, _: &Orchestrator) -> Key {
        self.clone()
    }
}

impl<D: Display> AsKey for (&str, D) {
    fn entity_key(&self, orchestrator: &Orchestrator) -> Key {
        orchestrator.key(self.0, &self.1)
    }
}

/// A read through the cache; see [`Orchestrator::read_through`].
#[must_use = "it does nothing until `load` is awaited"]
#[derive(Debug)]
pub struct CachedRead<'a> {
    orchestrator: &'a Orchestrator,
    entity: Key,
    depends_on: Vec<Key>,
    ttl: Duration,
}

impl Orchestrator {
    /// Reads an entity through the cache, without a handler: a hit is the answer, otherwise the load runs and its value is cached.
    ///
    /// The guarantees are those of a handler with `cache(key = …, read)`; see the [guide](crate::guide::caching). The pattern must be
    /// held: a handler reads it, or the builder names it by [`reads`](crate::OrchestratorBuilder::reads).
    ///
    /// ```
    /// use graceful::{Orchestrator, StepError};
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let orchestrator = Orchestrator::builder().in_memory().reads("user").build().unwrap();
    /// let load = || async { Ok::<_, StepError>("ada".to_owned()) };
    /// assert_eq!(orchestrator.read_through("user", 42).load(load).await?, "ada");
    /// let never = || async { unreachable!("it is cached") };
    /// assert_eq!(orchestrator.read_through("user", 42).load::<String, StepError, _, _>(never).await?, "ada");
    /// # Ok::<(), StepError>(())
    /// # }).unwrap();
    /// ```
    pub fn read_through(&self, pattern: &str, id: impl Display) -> CachedRead<'_> {
        CachedRead { orchestrator: self, entity: self.key(pattern, id), depends_on: Vec::new(), ttl: TTL }
    }

    /// Runs a write that has no handler, such as a migration, under the protocol of the read-through cache: no read returns a value of
    /// these entities that is older than the write.
    ///
    /// If it is dropped or panics, the outcome of the write is unknown, and the entities are not cached for 30 seconds.
    ///
    /// # Errors
    /// The cache did not confirm the hold. Then the write did not run.
    ///
    /// ```
    /// use graceful::Orchestrator;
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let orchestrator = Orchestrator::builder().in_memory().reads("user").build().unwrap();
    /// let rows = orchestrator.changing([("user", 42)], || async { 1 }).await?;
    /// assert_eq!(rows, 1);
    /// # Ok::<(), graceful::StepError>(())
    /// # }).unwrap();
    /// ```
    pub async fn changing<T, Fut: Future<Output = T>>(
        &self,
        entities: impl IntoIterator<Item = impl AsKey>,
        change: impl FnOnce() -> Fut,
    ) -> Result<T, StepError> {
        let (held, unheld) = self.keys(entities);
        let touched = Touched::default();
        let write = Write::new(held, Vec::new());
        let answer = match self.protocol().filter(|_| !write.changes.is_empty()) {
            None => change().await,
            Some(protocol) => {
                let changing = Changing { orchestrator: self, write, touched, over: false };
                let held =
                    protocol.hold(&changing.write, HOLD_EXPIRY).await.map_err(StepError::unavailable)?;
                let answer = changing.run(change).await;
                changing.end(&held).await;
                answer
            }
        };
        // The write has run, so this cannot become its error.
        if let Err(error) = self.forget(&unheld).await {
            tracing::error!(
                target: "graceful::cache",
                error = error.message(),
                "entities that a write has changed were not invalidated: they stay cached until their time to live ends"
            );
        }
        Ok(answer)
    }

    /// Invalidates cached entities, for a write that is already committed. See [`changing`](Self::changing) for one that is not.
    ///
    /// # Errors
    /// The cache did not confirm it. It is repeated in the background for entities that are read through the cache.
    pub async fn invalidate(&self, entities: impl IntoIterator<Item = impl AsKey>) -> Result<(), StepError> {
        let (held, unheld) = self.keys(entities);
        if let (Some(protocol), false) = (self.protocol(), held.is_empty()) {
            let write = Write::new(held, Vec::new());
            if let Err(error) = protocol.end(&write, None, End::Invalidate).await {
                self.repeat_end(&write);
                return Err(error);
            }
        }
        self.forget(&unheld).await
    }

    /// Invalidates all cached entities of a pattern, in the current context's tenant, and all that depend on one of them.
    ///
    /// # Errors
    /// The pattern is not held; or the cache did not confirm it, and then it is repeated in the background.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let orchestrator = graceful::Orchestrator::builder().in_memory().reads("user").build().unwrap();
    /// orchestrator.invalidate_pattern("user").await?;
    /// assert!(orchestrator.invalidate_pattern("typo").await.is_err());
    /// # Ok::<(), graceful::StepError>(())
    /// # }).unwrap();
    /// ```
    pub async fn invalidate_pattern(&self, pattern: &str) -> Result<(), StepError> {
        let (_, protocol) = self.held(pattern).ok_or_else(|| not_held(pattern))?;
        let pattern = self.key(pattern, "").of_pattern();
        protocol.invalidate_pattern(&pattern).await.inspect_err(|_| self.repeat_end_of_pattern(&pattern))
    }

    /// The keys whose pattern is held, and the others.
    fn keys(&self, entities: impl IntoIterator<Item = impl AsKey>) -> (Vec<Key>, Vec<Key>) {
        let keys = entities.into_iter().map(|entity| entity.entity_key(self));
        keys.partition(|key| self.held(key.pattern()).is_some())
    }

    /// Invalidates entities that are only put.
    async fn forget(&self, unheld: &[Key]) -> Result<(), StepError> {
        if let Some(cache) = self.cache() {
            for key in unheld {
                cache.invalidate(key, None, TTL).await?;
            }
        }
        Ok(())
    }
}

fn not_held(pattern: &str) -> StepError {
    StepError::new(format_args!(
        "the pattern `{pattern}` is not read through the cache: name it by `reads(\"{pattern}\")` on the builder of the orchestrator"
    ))
}

/// Tells the handler whose body is running that it changes another entity, which only the body knows. When the handler has ended, the
/// entity's cached values, and those that depend on it, are invalidated.
///
/// It has the limits of a cache key over `result`: the entity is not held before the body, so another call may cache an old value if this process
/// dies between the commit and the end. Outside of a handler whose pattern is read through the cache, the entity is not cached for
/// the next 30 seconds. Without an orchestrator it does nothing.
///
/// ```
/// use graceful::{Orchestrator, orchestrate};
///
/// #[orchestrate(pattern = "order", cache(key = order, touches(customer = new)))]
/// async fn move_order(order: u64, new: u64) -> Result<(), std::fmt::Error> {
///     let old = 7; // UPDATE … RETURNING
///     graceful::touch("customer", old);
///     Ok(())
/// }
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let orchestrator = Orchestrator::builder().in_memory().reads("customer").build().unwrap();
/// # orchestrator.scope(move_order(1, 8)).await.unwrap();
/// # });
/// ```
pub fn touch(pattern: &str, id: impl Display) {
    let writer = body::writer();
    let of_writer = writer.as_ref().map(|(orchestrator, _)| orchestrator.clone());
    let Some(orchestrator) = of_writer.or_else(current::orchestrator) else { return };
    if orchestrator.held(pattern).is_none() {
        return;
    }
    let key = orchestrator.key(pattern, id);
    if let Some((_, touched)) = writer {
        return touched.add(key);
    }
    if let Some(protocol) = orchestrator.protocol() {
        // It is finished in the background, and expires.
        drop(protocol.hold(&Write::new(vec![key], Vec::new()), HOLD_EXPIRY));
    }
}

/// Makes the future of a body inside of the body.
fn made_in<F>(body: &Arc<Body>, make: impl FnOnce() -> F) -> F {
    let _entered = body.enter();
    make()
}

/// A write without a handler. If it is dropped before its end, its outcome is unknown.
struct Changing<'a> {
    orchestrator: &'a Orchestrator,
    write: Write,
    touched: Touched,
    over: bool,
}

impl Changing<'_> {
    async fn run<T, Fut: Future<Output = T>>(&self, change: impl FnOnce() -> Fut) -> T {
        let holds = self.write.changes.clone();
        let (touched, orchestrator) = (self.touched.clone(), self.orchestrator.downgrade());
        let body = Body::within(BodyKind::Writes { holds, tx: false, touched, orchestrator });
        let mut change = pin!(made_in(&body, change));
        // A migration may take longer than a hold lasts.
        let mut renewal = pin!(self.renew());
        poll_fn(|cx| {
            let _ = renewal.as_mut().poll(cx);
            let _entered = body.enter();
            change.as_mut().poll(cx)
        })
        .await
    }

    /// Never ends.
    async fn renew(&self) {
        loop {
            let Some(pause) = self.orchestrator.sleep(RENEWAL) else { return pending().await };
            pause.await;
            if let Some(protocol) = self.orchestrator.protocol() {
                drop(protocol.renew(&self.write, HOLD_EXPIRY));
            }
        }
    }

    async fn end(mut self, held: &Held) {
        self.over = true;
        self.write.changes.extend(self.touched.take());
        if let Some(protocol) = self.orchestrator.protocol()
            && protocol.end(&self.write, Some(held), End::Invalidate).await.is_err()
        {
            self.orchestrator.repeat_end(&self.write);
        }
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        if let (false, Some(protocol)) = (self.over, self.orchestrator.protocol()) {
            self.write.changes.extend(self.touched.take());
            // It is finished in the background.
            drop(protocol.end(&self.write, None, End::Unknown));
        }
    }
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
            State::Plain | State::Eager(..) => return load().await,
        };
        let begun = match decision {
            Decision::Load(begun) => begun,
            Decision::Hit(found) => match found.value.decode() {
                Ok(value) => return Ok(value),
                Err(_) => {
                    found.is_void();
                    return load().await;
                }
            },
        };
        let mut leading = Lead { orchestrator, loading: begun.loading };
        let mut running = pin!(made_in(&begun.body, load));
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
        leading.end(value.as_ref().ok().and_then(|value| Payload::of(value).ok()), self.ttl).await;
        value
    }
}

/// A load without a handler. If it is dropped, nobody waits for it any more.
struct Lead<'a> {
    orchestrator: &'a Orchestrator,
    loading: Option<Arc<Loading>>,
}

impl Lead<'_> {
    async fn end(&mut self, value: Option<Payload>, ttl: Duration) {
        let (Some(loading), Some(protocol)) = (self.loading.take(), self.orchestrator.protocol()) else {
            return;
        };
        match value {
            // One that is not stored is loaded again.
            Some(value) => drop(fill::fill(protocol, &loading, value, Timestamp::now(), ttl).await),
            None => fill::fail(protocol, &loading, Landing::Failed),
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
