//! The read-through cache of one orchestrator: which patterns are held, the loads that run, the ends that are not confirmed, and counters.

pub(crate) mod body;
mod ends;
mod log;
mod patterns;

use std::sync::Arc;

pub(crate) use self::{
    ends::PendingEnds,
    patterns::{HeldPattern, HeldPatterns, variant},
};
use super::Orchestrator;
use crate::{backends::ReadThrough, flights::Flights, flow::Payload};

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

    pub(crate) fn flights(&self) -> &Arc<Flights<Payload>> {
        &self.0.read_through.flights
    }
}
