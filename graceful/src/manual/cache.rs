//! The read-through cache for code without an attribute, by the same protocol.

use std::{
    collections::BTreeSet,
    fmt::Display,
    future::{Future, pending, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::pin,
    task::Poll,
    time::Duration,
};

use super::CachedRead;
use crate::{
    backends::{End, ReadThrough},
    flow::DEFAULT_CACHE_TTL_MS,
    key::Key,
    marks::{HOLD_EXPIRY, HOLD_RENEWAL, Held, Write},
    pipeline::{
        Orchestrator, current,
        read_through::{
            body::{self, Body, BodyKind, TouchedName},
            log::{END, HOLD},
        },
    },
    step::StepError,
};

/// The time to live of a value that is read through the cache, unless another is set.
const TTL: Duration = Duration::from_millis(DEFAULT_CACHE_TTL_MS);

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
    /// these entities that is older than the write. Entities of a pattern that is not read through the cache are only invalidated after
    /// the write; a failure of that is logged.
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
        let answer = match self.protocol() {
            None => change().await,
            Some(protocol) => {
                let mut changing = Changing::new(self, held);
                changing.hold(protocol).await?;
                let answer = changing.run(change).await;
                changing.end(protocol).await;
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
    /// The cache did not confirm each of them; all are tried. It is repeated in the background for entities that are read through the
    /// cache; others stay cached until their time to live ends.
    pub async fn invalidate(&self, entities: impl IntoIterator<Item = impl AsKey>) -> Result<(), StepError> {
        let (held, unheld) = self.keys(entities);
        let ended = match self.protocol() {
            Some(protocol) if !held.is_empty() => {
                let write = Write::new(held, Vec::new());
                let ended = protocol.end(&write, None, End::Invalidate).await.map(drop);
                ended.inspect_err(|error| self.unended(END, &write, error))
            }
            _ => Ok(()),
        };
        // Each is tried.
        let forgotten = self.forget(&unheld).await;
        ended.and(forgotten)
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
        let invalidated = protocol.invalidate_pattern(&pattern).await;
        invalidated.inspect_err(|error| self.unended(END, &Write::new(vec![pattern], Vec::new()), error))
    }

    /// The keys whose pattern is held, and the others.
    fn keys(&self, entities: impl IntoIterator<Item = impl AsKey>) -> (Vec<Key>, Vec<Key>) {
        let keys = entities.into_iter().map(|entity| entity.entity_key(self));
        let (held, unheld): (Vec<_>, Vec<_>) = keys.partition(|key| self.held(key.pattern()).is_some());
        for pattern in unheld.iter().map(Key::pattern).collect::<BTreeSet<_>>() {
            self.not_known(pattern);
        }
        (held, unheld)
    }

    /// Invalidates entities that are only put.
    async fn forget(&self, unheld: &[Key]) -> Result<(), StepError> {
        let Some(cache) = self.cache() else { return Ok(()) };
        let mut first = Ok(());
        for key in unheld {
            first = first.and(cache.invalidate(key, None, TTL).await.map(drop));
        }
        first
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
/// dies between the commit and the end. Outside of the body of a handler or of [`changing`](Orchestrator::changing), and in a handler with
/// `cache = off`, the entity is not cached for the next 30 seconds. Without an orchestrator, and for a pattern that is not read through the
/// cache, it does nothing.
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
    if body::touch(pattern, &id) {
        return;
    }
    let Some(orchestrator) = current::orchestrator() else { return };
    if orchestrator.held(pattern).is_some() {
        orchestrator.hold_for_a_while(&Write::new(vec![orchestrator.key(pattern, id)], Vec::new()));
    }
}

/// A write without a handler.
struct Changing<'a> {
    orchestrator: &'a Orchestrator,
    /// All that it changes. What is known only in the body is added when that has ended.
    write: Write,
    touched: Vec<Key>,
    held: Option<Held>,
    stage: Stage,
}

#[derive(Clone, Copy)]
enum Stage {
    /// The body has not begun.
    Holding,
    Running,
    Over,
}

impl<'a> Changing<'a> {
    fn new(orchestrator: &'a Orchestrator, changes: Vec<Key>) -> Self {
        Self {
            orchestrator,
            write: Write::new(changes, Vec::new()),
            touched: Vec::new(),
            held: None,
            stage: Stage::Holding,
        }
    }

    /// It holds nothing if only its body knows what it changes.
    async fn hold(&mut self, protocol: &dyn ReadThrough) -> Result<(), StepError> {
        if self.write.changes().is_empty() {
            return Ok(());
        }
        let held = protocol.hold(&self.write, HOLD_EXPIRY).await;
        let held = held.inspect_err(|error| self.orchestrator.unconfirmed(HOLD, &self.write, error));
        self.held = Some(held.map_err(StepError::unavailable)?);
        Ok(())
    }

    async fn run<T, Fut: Future<Output = T>>(&mut self, change: impl FnOnce() -> Fut) -> T {
        self.stage = Stage::Running;
        let held = self.write.clone();
        let body = Body::within(BodyKind::Writes { holds: held.changes().to_vec(), tx: false });
        // The future is made inside of the body.
        let mut change = pin!(async { change().await });
        // A migration may take longer than a hold lasts.
        let mut renewal = pin!(renew(self.orchestrator, &held));
        let polled = poll_fn(|cx| {
            let _ = renewal.as_mut().poll(cx);
            let entered = body.enter();
            let polled = catch_unwind(AssertUnwindSafe(|| change.as_mut().poll(cx)));
            self.touched(entered.leave());
            match polled {
                Ok(polled) => polled.map(Ok),
                Err(panic) => Poll::Ready(Err(panic)),
            }
        });
        polled.await.unwrap_or_else(|panic| resume_unwind(panic))
    }

    fn touched(&mut self, names: Vec<TouchedName>) {
        self.touched.extend(self.orchestrator.touched_keys(names));
    }

    /// The body has ended, so all that it touches is known.
    fn add_touched(&mut self) {
        if !self.touched.is_empty() {
            self.write.add(std::mem::take(&mut self.touched));
        }
    }

    async fn end(mut self, protocol: &dyn ReadThrough) {
        self.add_touched();
        if !self.write.changes().is_empty()
            && let Err(error) = protocol.end(&self.write, self.held.as_ref(), End::Invalidate).await
        {
            self.orchestrator.unended(END, &self.write, &error);
        }
        self.stage = Stage::Over;
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.add_touched();
        let end = match self.stage {
            _ if self.write.changes().is_empty() => return,
            Stage::Holding => End::Invalidate,
            Stage::Running => End::Unknown,
            Stage::Over => return,
        };
        if let Some(protocol) = self.orchestrator.protocol() {
            let reply = protocol.end(&self.write, self.held.as_ref(), end);
            self.orchestrator.confirm_later(END, &self.write, reply);
        }
    }
}

/// Renews a hold, and never ends.
async fn renew(orchestrator: &Orchestrator, write: &Write) {
    if write.changes().is_empty() {
        return pending().await;
    }
    loop {
        let Some(pause) = orchestrator.sleep(HOLD_RENEWAL) else { return pending().await };
        pause.await;
        if let Some(protocol) = orchestrator.protocol() {
            drop(protocol.renew(write, HOLD_EXPIRY));
        }
    }
}
