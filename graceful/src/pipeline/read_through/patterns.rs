//! The patterns that handlers read through the cache, each with its counters.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    cache_stats::CacheCounters,
    key::encoded,
    pipeline::registry,
    text::{Text, text},
};

/// What is known of a pattern whose writes are held.
#[derive(Debug)]
pub(crate) struct HeldPattern {
    /// The form of the readers' values, in this program.
    pub rev: u32,
    /// A reader gives each actor an entry of its own, so a write cannot put one for all.
    pub per_actor: bool,
    pub counters: Arc<CacheCounters>,
}

/// The patterns whose writes are held. Most handlers ask for one that is not, so that is found out without a search.
#[derive(Debug, Default)]
pub(crate) struct HeldPatterns {
    /// One bit for each pattern; two may have the same.
    bits: u64,
    /// There are few, and comparing names costs less than a hash that withstands the names of strangers.
    by_name: BTreeMap<Text, Arc<HeldPattern>>,
}

/// The bit of a pattern.
#[inline]
const fn bit(pattern: &str) -> u64 {
    let bytes = pattern.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(first), Some(last)) => 1 << ((bytes.len() ^ (*first as usize * 7) ^ (*last as usize)) & 63),
        _ => 1,
    }
}

impl HeldPatterns {
    /// Those that a handler of this program reads or depends on, and those of `reads`; `shared` ones, which another program reads, only
    /// where the cache is not of this process.
    pub(crate) fn of_program(reads: &[Text], shared: Option<&[Text]>) -> Self {
        let mut held = Self::default();
        for handler in registry::handlers().filter(|handler| handler.reads && !handler.pattern.is_empty()) {
            held.add(handler.pattern.into(), handler.rev, handler.per_actor);
            for pattern in handler.depends_on {
                held.add((*pattern).into(), 0, false);
            }
        }
        for pattern in reads {
            held.add(pattern.clone(), 0, false);
        }
        if let Some(shared) = shared {
            let declared =
                registry::handlers().filter(|handler| handler.shared && !handler.pattern.is_empty());
            for handler in declared {
                held.add(handler.pattern.into(), handler.rev, false);
            }
            for pattern in shared {
                held.add(pattern.clone(), 0, false);
            }
        }
        held
    }

    fn add(&mut self, name: Text, rev: u32, per_actor: bool) {
        self.bits |= bit(&name);
        let known = self.by_name.remove(&name);
        let rev = known.as_ref().map_or(rev, |known| known.rev.max(rev));
        let per_actor = per_actor || known.is_some_and(|known| known.per_actor);
        let counters = Arc::new(CacheCounters::new(name.clone()));
        let pattern = HeldPattern { rev, per_actor, counters };
        self.by_name.insert(name, Arc::new(pattern));
    }

    #[inline]
    pub(crate) fn get(&self, pattern: &str) -> Option<&Arc<HeldPattern>> {
        match self.bits & bit(pattern) {
            0 => None,
            _ => self.by_name.get(pattern),
        }
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.bits == 0
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn write_counters(&self) {
        self.by_name.values().for_each(|pattern| pattern.counters.write());
    }

    /// Their names, in order.
    pub(crate) fn names(&self) -> String {
        let names: Vec<_> = self.by_name.keys().map(Text::as_str).collect();
        names.join(", ")
    }
}

impl HeldPattern {
    /// The variant of the entry for all actors.
    pub(crate) fn variant(&self) -> Text {
        variant(self.rev, None)
    }
}

/// The variant of an entry: by the form of its value, and by actor.
pub(crate) fn variant(rev: u32, actor: Option<&str>) -> Text {
    match (rev, actor) {
        (0, None) => Text::default(),
        (rev, None) => text!("{rev}"),
        (rev, Some(actor)) => text!("{rev}/{}", encoded(actor)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pattern_that_is_held_is_found_and_no_other() {
        let mut held = HeldPatterns::default();
        assert!(held.is_empty() && held.get("user").is_none());
        held.add("user".into(), 0, false);
        held.add("user".into(), 2, true);
        let user = held.get("user").unwrap();
        assert_eq!((user.rev, user.per_actor), (2, true));
        for other in ["", "users", "order", "resu"] {
            assert!(held.get(other).is_none(), "{other}");
        }
    }

    #[test]
    fn variants_of_forms_and_actors_differ() {
        let variants = [variant(0, None), variant(2, None), variant(0, Some("2")), variant(2, Some("2"))];
        let distinct: std::collections::HashSet<_> = variants.iter().collect();
        assert_eq!(distinct.len(), variants.len());
    }
}
