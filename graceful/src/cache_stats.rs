//! The counters of the read-through cache, for each pattern.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident)*) => {
        #[derive(Debug, Default)]
        pub(crate) struct CacheCounters {
            $(pub $name: Counter,)*
        }

        impl CacheCounters {
            pub(crate) fn read(&self) -> CacheStats {
                CacheStats { $($name: self.$name.0.load(Ordering::Relaxed),)* }
            }
        }

        /// The counters of one pattern that handlers read through the cache, since the orchestrator was built.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct CacheStats {
            $($(#[$doc])* pub $name: u64,)*
        }
    };
}

counters! {
    /// Reads that were answered from the cache.
    hits
    /// Reads that found no current entry.
    misses
    /// Loads that were stored.
    filled
    /// Loads that were not stored, because an entity changed or was being changed meanwhile.
    refused
    /// Reads that waited for the load of another call.
    waited
    /// Loads that refreshed an entry before its end.
    refreshed
    /// Holds and ends of writes that the cache did not confirm in time.
    unconfirmed
    /// Loads that were cancelled while others waited for them, or could have.
    leader_cancelled
}

/// One counter.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    #[inline]
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
