//! The read-through cache for code without an attribute.

use crate::{cache_stats::CacheStats, pipeline::Orchestrator};

impl Orchestrator {
    /// The counters of a pattern that handlers read through the cache; `None` if there is no such handler.
    pub fn cache_stats(&self, pattern: &str) -> Option<CacheStats> {
        self.held(pattern).map(|(held, _)| held.counters.read())
    }
}
