//! The read-through cache of one orchestrator: which patterns are held, the loads that run, the ends that are not confirmed, and counters.

pub(crate) mod body;
mod ends;
pub(crate) mod log;
mod patterns;

use std::sync::Arc;

use self::body::TouchedName;
pub(crate) use self::{
    ends::PendingEnds,
    patterns::{HeldPattern, HeldPatterns, variant},
};
use super::Orchestrator;
use crate::{
    backends::{Backends, ReadThrough},
    flights::Flights,
    flow::Payload,
    key::Key,
    text::Text,
};

/// The state of the read-through cache.
#[derive(Default)]
pub(crate) struct ReadThroughState {
    pub patterns: HeldPatterns,
    pub flights: Arc<Flights<Payload>>,
    pub ends: PendingEnds,
}

impl ReadThroughState {
    /// The patterns that are held, if handlers can read through the cache: those of this program, of `reads`, and of `shared`.
    pub(crate) fn of(backends: &Backends, reads: &[Text], shared: &[Text]) -> Self {
        let protocol = backends.cache.as_ref().and_then(|cache| cache.read_through());
        let patterns = protocol.map(|protocol| {
            let shared = (!protocol.is_immediate()).then_some(shared);
            HeldPatterns::of_program(reads, shared)
        });
        Self { patterns: patterns.unwrap_or_default(), ..Self::default() }
    }
}

impl Orchestrator {
    /// What is known of a pattern that handlers read through the cache, and the cache.
    #[inline]
    pub(crate) fn held(&self, pattern: &str) -> Option<(&Arc<HeldPattern>, &dyn ReadThrough)> {
        let held = self.0.read_through.patterns.get(pattern)?;
        Some((held, self.protocol()?))
    }

    /// The keys of those that are held.
    pub(crate) fn touched_keys(&self, names: Vec<TouchedName>) -> impl Iterator<Item = Key> {
        let held = names.into_iter().filter(|name| self.held(&name.pattern).is_some());
        held.map(|TouchedName { tenant, pattern, id }| {
            Key::of_parts([&self.origin().service, &tenant, &pattern, &id])
        })
    }

    /// The cache, if handlers can read through it.
    pub(crate) fn protocol(&self) -> Option<&dyn ReadThrough> {
        self.cache()?.read_through()
    }

    /// The names of the held patterns.
    pub(crate) fn held_patterns(&self) -> String {
        self.0.read_through.patterns.names()
    }

    /// Writes the counters of each held pattern as they are.
    #[cfg(feature = "metrics")]
    pub(crate) fn write_cache_counters(&self) {
        self.0.read_through.patterns.write_counters();
    }

    /// Whether any pattern is held.
    #[inline]
    pub(crate) fn holds_any(&self) -> bool {
        !self.0.read_through.patterns.is_empty()
    }

    pub(crate) fn flights(&self) -> &Arc<Flights<Payload>> {
        &self.0.read_through.flights
    }
}
