//! The read-through cache of one orchestrator: which patterns are held, the loads that run, the ends that are not confirmed, and counters.

pub(crate) mod body;
mod ends;
mod patterns;

use std::sync::Arc;

pub(crate) use self::{
    ends::PendingEnds,
    patterns::{HeldPattern, HeldPatterns, variant},
};
use super::Orchestrator;
use crate::{backends::ReadThrough, flights::Flights, flow::Payload, step::Step};

/// The state of the read-through cache.
#[derive(Default)]
pub(crate) struct ReadThroughState {
    pub patterns: HeldPatterns,
    pub flights: Arc<Flights<Payload>>,
    pub ends: PendingEnds,
}

impl Orchestrator {
    /// What is known of a pattern that handlers read through the cache, and the cache.
    #[inline]
    pub(crate) fn held(&self, pattern: &str) -> Option<(&Arc<HeldPattern>, &dyn ReadThrough)> {
        let held = self.0.read_through.patterns.get(pattern)?;
        Some((held, self.protocol()?))
    }

    /// The cache, if handlers can read through it.
    pub(crate) fn protocol(&self) -> Option<&dyn ReadThrough> {
        self.cache()?.read_through()
    }

    /// The names of the held patterns.
    pub(crate) fn held_patterns(&self) -> String {
        self.0.read_through.patterns.names()
    }

    /// Whether any pattern is held.
    #[inline]
    pub(crate) fn holds_any(&self) -> bool {
        !self.0.read_through.patterns.is_empty()
    }

    /// Logs, once for each handler, that its pattern is not held.
    #[cold]
    pub(crate) fn not_held(&self, handler: &str, pattern: &str) {
        if self.cache().is_some() && self.0.missed.is_new(handler, Some(Step::Cache)) {
            tracing::error!(
                target: "graceful::requirements",
                handler,
                pattern,
                "a handler reads through the cache, but either the cache does not support it, or the pattern is not known at start: \
                 name it by `reads(…)` on the builder; its body runs at each call; this is logged once"
            );
        }
    }

    /// Logs, once for each pattern, that a reader is not async.
    #[cold]
    pub(crate) fn cannot_wait(&self, pattern: &str) {
        if self.0.missed.is_new(pattern, Some(Step::Cache)) {
            tracing::error!(
                target: "graceful::requirements",
                pattern,
                "a handler that is not `async` reads through a cache that answers later, for which it cannot wait: its body runs at each \
                 call; make it `async`; this is logged once"
            );
        }
    }

    pub(crate) fn flights(&self) -> &Arc<Flights<Payload>> {
        &self.0.read_through.flights
    }
}
