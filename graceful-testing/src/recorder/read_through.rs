//! The read-through cache of a recorder: it records the hits, and what the steps fill in and end.

use std::time::Duration;

use graceful::{
    Key, Step, Text,
    backends::{
        Cache, CacheEntry, End, Ended, EntryName, Held, Hit, LookUp, Mark, ReadThrough, Reply, Seen, Write,
    },
};

use super::{answered::Answered, backends::Recording};

impl Answered for Ended {
    fn shown(&self) -> &'static str {
        match self {
            Self::Put | Self::Restored => "",
            _ => "invalidated",
        }
    }
}

/// The ids of entities; those of another pattern than the first with that pattern.
fn named(entities: &[Key]) -> String {
    let pattern = entities.first().map(Key::pattern);
    let named = entities.iter().map(|key| match Some(key.pattern()) == pattern {
        true => key.id().to_owned(),
        false => format!("{} {}", key.pattern(), key.id()),
    });
    named.collect::<Vec<_>>().join(", ")
}

impl Answered for bool {
    fn shown(&self) -> &'static str {
        if *self { "" } else { "refused" }
    }
}

impl Recording<dyn Cache> {
    /// The wrapped cache supports it, because this one is returned only then.
    fn protocol(&self) -> &dyn ReadThrough {
        self.inner().read_through().expect("the cache can be read through")
    }

    /// Also outside of a step: by a reader that looks up, and for a hold.
    fn answer<T>(&self, ask: impl FnOnce(&dyn ReadThrough) -> Reply<T>) -> Reply<T> {
        self.log().answer(Step::Cache, || ask(self.protocol()))
    }
}

impl ReadThrough for Recording<dyn Cache> {
    fn is_immediate(&self) -> bool {
        self.protocol().is_immediate()
    }

    fn unfit(&self) -> Option<Text> {
        self.protocol().unfit()
    }

    fn hit(&self, name: &EntryName) -> Reply<Option<Hit>> {
        let (log, key) = (self.log(), name.entity.clone());
        self.answer(|cache| cache.hit(name)).map(move |hit| {
            if hit.is_some() {
                log.hit(key);
            }
            hit
        })
    }

    fn look_up(
        &self,
        name: &EntryName,
        keep: Duration,
        lease: Option<Duration>,
        refresh: Option<Duration>,
    ) -> Reply<LookUp> {
        self.answer(|cache| cache.look_up(name, keep, lease, refresh))
    }

    fn fill(&self, name: &EntryName, seen: &Seen, entry: CacheEntry, ttl: Duration) -> Reply<bool> {
        let call = format!("fill {} {}", name.entity.id(), entry.value.as_json());
        self.log().record(|| call, || self.answer(|cache| cache.fill(name, seen, entry, ttl)))
    }

    fn extend(&self, name: &EntryName, lease: Mark, expiry: Duration) -> Reply<bool> {
        self.protocol().extend(name, lease, expiry)
    }

    fn release(&self, name: &EntryName, lease: Mark) -> Reply<()> {
        self.protocol().release(name, lease)
    }

    fn hold(&self, write: &Write, expiry: Duration) -> Reply<Held> {
        self.answer(|cache| cache.hold(write, expiry))
    }

    fn renew(&self, write: &Write, expiry: Duration) -> Reply<bool> {
        self.answer(|cache| cache.renew(write, expiry))
    }

    fn end(&self, write: &Write, held: Option<&Held>, end: End) -> Reply<Ended> {
        let ids = named(write.changes());
        let call = match &end {
            End::Put { entry, .. } => format!("put {ids} {}", entry.value.as_json()),
            End::Restore => format!("keep {ids}"),
            _ => format!("invalidate {ids}"),
        };
        self.log().record(|| call, || self.answer(|cache| cache.end(write, held, end)))
    }

    fn invalidate_pattern(&self, pattern: &Key) -> Reply<()> {
        self.answer(|cache| cache.invalidate_pattern(pattern))
    }
}
