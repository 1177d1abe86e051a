//! The counters of the read-through cache, for each pattern.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::text::Text;

macro_rules! outcomes {
    ($($(#[$doc:meta])* $variant:ident $field:ident)*) => {
        /// What happened to a read or a write of a pattern that is read through the cache.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum CacheOutcome {
            $($variant,)*
        }

        impl CacheOutcome {
            const COUNT: usize = [$(Self::$variant),*].len();

            #[cfg(feature = "metrics")]
            const ALL: [Self; Self::COUNT] = [$(Self::$variant),*];

            const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($field),)*
                }
            }
        }

        /// The counters of one pattern that is read through the cache, since the orchestrator was built.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct CacheStats {
            $($(#[$doc])* pub $field: u64,)*
        }

        impl CacheCounters {
            pub(crate) fn read(&self) -> CacheStats {
                CacheStats {
                    $($field: self.counts[CacheOutcome::$variant as usize].load(Ordering::Relaxed),)*
                }
            }
        }
    };
}

outcomes! {
    /// Reads that were answered from the cache.
    Hit hits
    /// Reads that found no current entry. One that cannot be decoded counts as a hit and as a miss.
    Miss misses
    /// Reads whose cache did not answer, so that the body ran, and nothing of it was stored.
    Unanswered unanswered
    /// Loads that were stored.
    Filled filled
    /// Loads that were not stored, because an entity changed or was being changed meanwhile, or within the time of `lag`.
    Refused refused
    /// Reads that waited for the load of another call, of this process or of another.
    Waited waited
    /// Loads that began to refresh an entry before its end.
    Refreshed refreshed
    /// Holds and ends of writes that the cache did not confirm in time, once for each pattern of the write.
    Unconfirmed unconfirmed
    /// Loads that were cancelled, or panicked, while others waited for them or could have.
    LeaderCancelled leader_cancelled
}

/// The name of the metric.
#[cfg(feature = "metrics")]
pub(crate) const NAME: &str = "graceful_cache_total";

/// The counters of one pattern.
#[derive(Debug)]
pub(crate) struct CacheCounters {
    /// The label of the metric, which shares its text.
    #[cfg(feature = "metrics")]
    label: metrics::SharedString,
    pattern: Text,
    counts: [AtomicU64; CacheOutcome::COUNT],
}

impl CacheCounters {
    pub(crate) fn new(pattern: Text) -> Self {
        Self {
            #[cfg(feature = "metrics")]
            label: metrics::SharedString::from_shared(pattern.as_str().into()),
            pattern,
            counts: [const { AtomicU64::new(0) }; CacheOutcome::COUNT],
        }
    }

    /// Counts an outcome, and tells it in the current span.
    #[inline]
    pub(crate) fn count(&self, outcome: CacheOutcome) {
        self.counts[outcome as usize].fetch_add(1, Ordering::Relaxed);
        tracing::trace!(target: "graceful::cache", pattern = %self.pattern, outcome = outcome.as_str(), "cache");
        #[cfg(feature = "metrics")]
        self.metric(outcome).increment(1);
    }

    /// Writes each counter as it is, so that it exists before it counts.
    #[cfg(feature = "metrics")]
    pub(crate) fn write(&self) {
        for outcome in CacheOutcome::ALL {
            self.metric(outcome).increment(0);
        }
    }

    #[cfg(feature = "metrics")]
    fn metric(&self, outcome: CacheOutcome) -> metrics::Counter {
        metrics::counter!(NAME, "pattern" => self.label.clone(), "outcome" => outcome.as_str())
    }
}
