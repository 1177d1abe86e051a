//! What a [`ReadThrough`] cache must do.

mod leases;
mod reads;
mod writes;

use std::time::Duration;

use graceful::{
    Key, Payload,
    backends::{Cache, CacheEntry, End, Ended, EntryName, Held, LookUp, ReadThrough, Reply, Seen, Write},
};
use jiff::Timestamp;
use tokio::time::sleep;

/// A time that no case waits for.
const LONG: Duration = Duration::from_secs(60);

/// A time whose end a case awaits.
const SHORT: Duration = Duration::from_millis(20);

/// Checks the promises of [`ReadThrough`] for a cache that supports it. The caches may share one server: each case has keys of its own.
///
/// What depends on a lease is checked only if the cache gives leases.
///
/// ```
/// use graceful::backends::memory;
/// use graceful_testing::conformance;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// conformance::read_through(async || memory::Cache::new()).await;
/// # });
/// ```
///
/// # Panics
/// One of them is broken, or [`Cache::read_through`] returns `None`.
pub async fn read_through<C: Cache>(fresh: impl AsyncFn() -> C) {
    reads::all(&fresh).await;
    writes::all(&fresh).await;
    leases::all(&fresh).await;
}

/// A cache, and an entity that no other test uses, which depends on another.
struct Case<C> {
    cache: C,
    name: EntryName,
}

fn entry(value: &str) -> CacheEntry {
    let value = Payload::of(value).expect("a text can be serialised");
    CacheEntry::new(value, Timestamp::UNIX_EPOCH, None)
}

fn key(pattern: &str) -> Key {
    Key::new("conformance", Some("acme"), pattern, format!("{:032x}", fastrand::u128(..)))
}

impl<C: Cache> Case<C> {
    async fn of(fresh: &impl AsyncFn() -> C) -> Self {
        // The pattern is of this case's own, too, because its mark is changed.
        let id = format!("{:032x}", fastrand::u128(..));
        let entity = key(&format!("list-{id}"));
        let depends_on = vec![key(&format!("user-{id}"))];
        let case = Self { cache: fresh().await, name: EntryName::new(entity, "".into(), depends_on) };
        assert_eq!(case.port().unfit(), None);
        case
    }

    fn port(&self) -> &dyn ReadThrough {
        self.cache.read_through().expect("handlers can read through the cache")
    }

    /// The entity that the value depends on.
    fn other(&self) -> &Key {
        &self.name.depends_on[0]
    }

    /// Another entry of the same entity.
    fn variant(&self, variant: &str) -> EntryName {
        EntryName::new(self.name.entity.clone(), variant.into(), self.name.depends_on.clone())
    }

    /// A write of the entity, whose value shows the other one.
    fn write(&self) -> Write {
        self.write_of([])
    }

    /// The same, which changes others, too.
    fn write_of(&self, others: impl IntoIterator<Item = Key>) -> Write {
        let changes = [self.name.entity.clone()].into_iter().chain(others).collect();
        Write::new(changes, self.name.depends_on.clone())
    }

    /// A write of the other entity.
    fn write_of_other(&self) -> Write {
        Write::new(vec![self.other().clone()], Vec::new())
    }

    async fn hit_of(&self, name: &EntryName) -> Option<String> {
        let hit = self.done(self.port().hit(name)).await?;
        Some(hit.entry.value.decode().expect("the value is a text"))
    }

    async fn hit(&self) -> Option<String> {
        self.hit_of(&self.name).await
    }

    /// What a reader sees that must load.
    async fn seen_of(&self, name: &EntryName) -> Seen {
        match self.done(self.port().look_up(name, LONG, None, None)).await {
            LookUp::Missed(seen) => seen,
            LookUp::Hit(hit) => panic!("it is no miss: {hit:?}"),
        }
    }

    async fn seen(&self) -> Seen {
        self.seen_of(&self.name).await
    }

    async fn fill(&self, seen: &Seen, value: &str) -> bool {
        self.done(self.port().fill(&self.name, seen, entry(value), LONG)).await
    }

    /// A reader loads and stores the value.
    async fn load(&self, value: &str) {
        let seen = self.seen().await;
        assert!(self.fill(&seen, value).await, "a load is stored");
        assert_eq!(self.hit().await.as_deref(), Some(value));
    }

    async fn hold(&self, write: &Write) -> Held {
        self.done(self.port().hold(write, LONG)).await
    }

    async fn end(&self, write: &Write, held: &Held, end: End) -> Ended {
        self.done(self.port().end(write, Some(held), end)).await
    }

    fn put(&self, value: &str) -> End {
        End::Put { name: self.name.clone(), entry: entry(value), ttl: LONG }
    }

    /// A write from its hold to its invalidation.
    async fn change(&self, write: &Write) {
        let held = self.hold(write).await;
        assert_eq!(self.end(write, &held, End::Invalidate).await, Ended::Invalidated);
    }

    async fn until_not_held(&self) {
        while self.seen().await.held {
            sleep(SHORT).await;
        }
    }

    async fn done<T: Unpin>(&self, reply: Reply<T>) -> T {
        let is_ready = matches!(reply, Reply::Ready(_));
        assert!(is_ready || !self.port().is_immediate(), "an immediate cache answers at once");
        reply.await.expect("the cache answers")
    }
}
