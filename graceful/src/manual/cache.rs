//! The read-through cache for code without an attribute, by the same protocol.

use std::{
    fmt::Display,
    future::{Future, pending, poll_fn},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use super::CachedRead;
use crate::{
    backends::End,
    flow::Touched,
    handler::{HOLD_EXPIRY, RENEWAL},
    key::Key,
    marks::{Held, Write},
    pipeline::{
        Orchestrator, current,
        read_through::body::{self, Body, BodyKind},
    },
    step::StepError,
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
        let answer = match self.protocol().filter(|_| !write.changes().is_empty()) {
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

pub(super) fn not_held(pattern: &str) -> StepError {
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
pub(super) fn made_in<F>(body: &Arc<Body>, make: impl FnOnce() -> F) -> F {
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
        let holds = self.write.changes().to_vec();
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
        self.write.add(self.touched.take());
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
            self.write.add(self.touched.take());
            // It is finished in the background.
            drop(protocol.end(&self.write, None, End::Unknown));
        }
    }
}
