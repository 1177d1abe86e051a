//! What a call does with the read-through cache: what it loads, or what it writes.

use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock},
};

use serde::{Deserialize, Serialize};

use super::{Argument, Flow, Payload};
use crate::{
    cache_stats::CacheCounters,
    flights::{Landing, Leader},
    key::Key,
    locks::unpoisoned,
    marks::{EntryName, Held, Seen, Write},
    step::StepError,
    text::Text,
};

/// An entity as a declaration names it: its pattern and its id.
pub(crate) type Named = (&'static str, Text);

/// Entities beside the call's own.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Others {
    /// Those that the call changes.
    pub touches: Vec<Named>,
    /// The patterns of which the call changes entities that are not known, because their expression has panicked.
    pub touches_any_of: Vec<&'static str>,
    /// Those that its value shows.
    pub depends_on: Vec<Named>,
}

/// The load of a reader that missed. Its value is filled in by the step `cache`.
pub(crate) struct Loading {
    pub name: EntryName,
    pub seen: Seen,
    /// Whether the load may be stored: no write was in progress at the look-up, and no mark was too young.
    pub storable: bool,
    pub counters: Arc<CacheCounters>,
    /// What was shared, so that a debug build can check that it is read back.
    #[cfg(debug_assertions)]
    shared: OnceLock<Payload>,
    /// Why the value can be neither stored nor shared.
    refused: OnceLock<&'static str>,
    /// Those who wait for this load.
    leader: Mutex<Option<Leader<Payload>>>,
}

impl Loading {
    pub(crate) fn new(
        name: EntryName,
        seen: Seen,
        storable: bool,
        counters: Arc<CacheCounters>,
        leader: Option<Leader<Payload>>,
    ) -> Self {
        Self {
            name,
            seen,
            storable,
            counters,
            #[cfg(debug_assertions)]
            shared: OnceLock::new(),
            refused: OnceLock::new(),
            leader: Mutex::new(leader),
        }
    }

    pub(crate) fn refuse(&self, reason: &'static str) {
        // The first reason stays.
        let _ = self.refused.set(reason);
    }

    pub(crate) fn refused(&self) -> Option<&'static str> {
        self.refused.get().copied()
    }

    /// Logs a value that is not read back: its `Serialize` and `Deserialize` do not agree. Only debug builds check it.
    pub(crate) fn check<T>(&self, decode: impl FnOnce(&Payload) -> Result<T, StepError>) {
        #[cfg(debug_assertions)]
        if let Some(Err(error)) = self.shared.get().map(decode) {
            tracing::warn!(
                target: "graceful::cache",
                entity = %self.name.entity,
                error = error.message(),
                "a cached value cannot be read back, so each read of it is a miss: its `Serialize` and `Deserialize` do not agree"
            );
        }
        #[cfg(not(debug_assertions))]
        let _ = decode;
    }

    /// Ends the load for those who wait.
    pub(crate) fn land(&self, landing: Landing<Payload>) {
        #[cfg(debug_assertions)]
        if let Landing::Loaded(value) = &landing {
            let _ = self.shared.set(value.clone());
        }
        if let Some(mut leader) = unpoisoned(self.leader.lock()).take() {
            leader.land(landing);
        }
    }
}

impl fmt::Debug for Loading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loading").field("name", &self.name).field("seen", &self.seen).finish_non_exhaustive()
    }
}

/// The entity of the call's own cache key, among those that it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Own {
    /// Its pattern is not held.
    Unheld,
    /// It is the first of those that are held before the body.
    First,
    /// Its key is known only after the body.
    AfterTheBody,
}

/// What is known of the body of a write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Progress {
    #[default]
    NotBegun,
    /// It may have written, unless its `Err` says that it has not.
    Begun,
    /// It has said that it changes something.
    Touched,
}

/// The write of a handler whose entities are read through the cache.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Writing {
    pub write: Write,
    pub own: Own,
    /// It is in a transaction of the caller's: its hold is set before the commit, and the relay ends it.
    pub in_transaction: bool,
    /// The variant of the entry that a put stores; `None` if there is none that every reader may get.
    pub variant: Option<Text>,
    /// The reply to the hold. It is not stored: a relay cannot put, because the value may be old by then.
    #[serde(skip)]
    pub held: Option<Held>,
    /// The flow is skipped by `when`, so nothing but the end of the write runs, also where a relay runs it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alone: bool,
    #[serde(default)]
    pub progress: Progress,
    /// What the body has touched, while it runs.
    #[serde(skip)]
    pub touched: Vec<Key>,
}

impl Writing {
    /// The write of a call that holds nothing, and whose body has touched these entities.
    pub(crate) fn touched(touched: Vec<Key>, alone: bool) -> Self {
        Self {
            write: Write::new(Vec::new(), Vec::new()),
            own: Own::Unheld,
            in_transaction: false,
            variant: None,
            held: None,
            alone,
            progress: Progress::Touched,
            touched,
        }
    }

    /// The body has ended, so all that it touches is known.
    pub(crate) fn add_touched(&mut self) {
        if !self.touched.is_empty() {
            self.progress = Progress::Touched;
            self.write.add(std::mem::take(&mut self.touched));
        }
    }

    /// All that the call has changed; its own entity also if its key was not known before the body, and its whole pattern if the key is
    /// not known at all.
    pub(crate) fn changed(&self, flow: &Flow) -> Write {
        let mut write = self.write.clone();
        if self.own == Own::AfterTheBody {
            write.add(match flow.values.faults.has(Argument::Key) {
                true => Some(flow.key_of_pattern(flow.pattern())),
                false => flow.cache_key(),
            });
        }
        write
    }
}

/// What a call does with the read-through cache. Most calls do nothing with it, so that costs one word.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cached(Option<Box<Use>>);

#[derive(Clone, Debug, Default)]
struct Use {
    others: Others,
    purpose: Purpose,
}

#[derive(Clone, Debug, Default)]
enum Purpose {
    #[default]
    None,
    /// A reader runs its body: as a load, or alone, for a reason, so that nothing of it is stored.
    Loads(Result<Arc<Loading>, &'static str>),
    Writes(Writing),
}

impl Cached {
    fn of(purpose: Purpose) -> Self {
        Self(Some(Box::new(Use { others: Others::default(), purpose })))
    }

    pub(crate) fn loads(loading: Result<Arc<Loading>, &'static str>) -> Self {
        Self::of(Purpose::Loads(loading))
    }

    pub(crate) fn writes(writing: Writing) -> Self {
        Self::of(Purpose::Writes(writing))
    }

    /// The load of a reader, or the reason why it has none.
    pub(crate) fn loading(&self) -> Option<Result<&Loading, &'static str>> {
        match &self.0.as_ref()?.purpose {
            Purpose::Loads(Ok(loading)) => Some(Ok(loading)),
            Purpose::Loads(Err(reason)) => Some(Err(reason)),
            _ => None,
        }
    }

    pub(crate) fn writing(&self) -> Option<&Writing> {
        match &self.0.as_ref()?.purpose {
            Purpose::Writes(writing) => Some(writing),
            _ => None,
        }
    }

    pub(crate) fn writing_mut(&mut self) -> Option<&mut Writing> {
        match &mut self.0.as_mut()?.purpose {
            Purpose::Writes(writing) => Some(writing),
            _ => None,
        }
    }

    /// The entities beside the call's own, if it names any.
    pub(crate) fn others(&self) -> Option<&Others> {
        Some(&self.0.as_ref()?.others)
    }

    pub(crate) fn others_mut(&mut self) -> &mut Others {
        &mut self.0.get_or_insert_default().others
    }

    #[inline]
    pub(crate) const fn is_unused(&self) -> bool {
        self.0.is_none()
    }
}

/// Of two calls: they are compared by what is stored of them.
impl PartialEq for Cached {
    fn eq(&self, other: &Self) -> bool {
        self.writing().map(|writing| &writing.write) == other.writing().map(|writing| &writing.write)
    }
}

/// A load is of this process only.
impl Serialize for Cached {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.writing().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Cached {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<Writing>::deserialize(deserializer)?.map_or_else(Self::default, Self::writes))
    }
}
