//! The protocol of the read-through cache in memory: one lock over all marks and holds; a hit takes none.

use std::{
    sync::{Arc, MutexGuard},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    Cache, Stored,
    entities::{Entities, Marks},
};
use crate::{
    backends::{CacheEntry, End, Ended, Hit, LookUp, ReadThrough, Reply},
    key::Key,
    locks::unpoisoned,
    marks::{EntryName, Held, Mark, Seen, Write},
};

/// The marks under which an entry was stored, and when.
#[derive(Debug)]
pub(super) struct Provenance {
    stored: Instant,
    /// In the order of [`EntryName::marked`].
    marks: Marks,
}

impl Provenance {
    pub(super) fn is_current(&self) -> bool {
        self.marks.iter().all(|(entity, mark)| entity.mark() == *mark)
    }

    /// What it takes, and its share of the entities that it keeps alive.
    pub(super) fn bytes(&self) -> usize {
        self.marks.iter().fold(size_of::<Self>(), |bytes, (entity, _)| bytes + entity.bytes())
    }

    /// Whether the entry has the marks of all that a reader names.
    fn covers(&self, name: &EntryName) -> bool {
        name.depends_on.iter().all(|key| self.marks.iter().any(|(entity, _)| entity.key == *key))
    }
}

impl Cache {
    fn entities(&self) -> MutexGuard<'_, Entities> {
        unpoisoned(self.0.entities.lock())
    }

    fn hit_at(&self, name: &EntryName, key: &Key, now: Instant) -> Option<Hit> {
        let stored = self.0.entries.get(key)?;
        let provenance = stored.provenance.as_ref()?;
        if stored.has_expired(now) || !provenance.is_current() || !provenance.covers(name) {
            return None;
        }
        let age = now.saturating_duration_since(provenance.stored);
        // All of its marks were compared.
        Some(Hit::new(stored.entry?, age, false))
    }

    fn store(&self, name: &EntryName, entry: CacheEntry, marks: Marks, ttl: Duration, now: Instant) {
        let provenance = Some(Arc::new(Provenance { stored: now, marks }));
        let stored = Stored { entry: Some(entry), seen: None, expires: now.checked_add(ttl), provenance };
        self.0.entries.insert(name.key(), stored);
    }
}

impl ReadThrough for Cache {
    fn is_immediate(&self) -> bool {
        true
    }

    fn hit(&self, name: &EntryName) -> Reply<Option<Hit>> {
        let now = Instant::now();
        Reply::ready(match name.variant.is_empty() {
            true => self.hit_at(name, &name.entity, now),
            false => self.hit_at(name, &name.key(), now),
        })
    }

    fn look_up(
        &self,
        name: &EntryName,
        keep: Duration,
        _: Option<Duration>,
        refresh: Option<Duration>,
    ) -> Reply<LookUp> {
        let now = Instant::now();
        // The marks first: an entry that is stored in between has newer ones.
        let seen = self.entities().look_up(&name.marked(), now, keep);
        let hit = self.hit_at(name, &name.key(), now);
        let hit = hit.filter(|hit| refresh.is_none_or(|refresh| hit.age < refresh));
        Reply::ready(hit.map_or(LookUp::Missed(seen), LookUp::Hit))
    }

    fn fill(&self, name: &EntryName, seen: &Seen, entry: CacheEntry, ttl: Duration) -> Reply<bool> {
        let now = Instant::now();
        let marks = match seen.held {
            true => None,
            false => self.entities().unchanged(&name.marked(), seen, now),
        };
        let is_stored = marks.is_some();
        if let Some(marks) = marks {
            self.store(name, entry, marks, ttl, now);
        }
        Reply::ready(is_stored)
    }

    fn extend(&self, _: &EntryName, _: Mark, _: Duration) -> Reply<bool> {
        Reply::ready(false)
    }

    fn release(&self, _: &EntryName, _: Mark) -> Reply<()> {
        Reply::ready(())
    }

    fn hold(&self, write: &Write, expiry: Duration) -> Reply<Held> {
        Reply::ready(self.entities().hold(write, Instant::now(), expiry))
    }

    fn renew(&self, write: &Write, expiry: Duration) -> Reply<bool> {
        Reply::ready(self.entities().renew(write, Instant::now(), expiry))
    }

    fn end(&self, write: &Write, held: Option<&Held>, end: End) -> Reply<Ended> {
        let now = Instant::now();
        let mut entities = self.entities();
        let permitted = held.filter(|held| entities.permits(write, held, now));
        Reply::ready(match (end, permitted) {
            (End::Restore, Some(held)) => {
                entities.restore(write, held, now);
                Ended::Restored
            }
            (End::Put { name, entry, ttl }, Some(_)) => {
                entities.end(write, false, now);
                let marks = entities.current(&name.marked(), now, ttl);
                drop(entities);
                self.store(&name, entry, marks, ttl, now);
                Ended::Put
            }
            (end, _) => {
                entities.end(write, end == End::Unknown, now);
                drop(entities);
                for key in write.changes() {
                    self.0.entries.remove(key);
                }
                Ended::Invalidated
            }
        })
    }

    fn invalidate_pattern(&self, pattern: &Key) -> Reply<()> {
        self.entities().change(pattern, Instant::now());
        Reply::ready(())
    }
}
