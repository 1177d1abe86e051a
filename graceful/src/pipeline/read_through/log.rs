//! What is logged and counted of a read-through cache that fails, and of readers that it cannot serve.

use std::{collections::BTreeSet, fmt::Display};

use crate::{
    cache_stats::CacheOutcome,
    key::Key,
    marks::Write,
    pipeline::{Orchestrator, registry},
    step::{Step, StepError},
};

/// What is logged of a write that the cache does not confirm.
pub(crate) const HOLD: &str = "the hold of a write";
pub(crate) const END: &str = "the end of a write";

impl Orchestrator {
    /// Logs what failed of reading through the cache: the first failure of an outage and one a second.
    #[cold]
    pub(crate) fn cache_failed(&self, what: &'static str, pattern: &str, error: &dyn Display) {
        let Some(failures) = self.0.outages.steps.failed(Step::Cache, None) else { return };
        tracing::warn!(
            target: "graceful::cache",
            what,
            pattern,
            %error,
            failures,
            "read-through cache failed"
        );
    }

    /// Counts a hold or an end that the cache did not confirm, once for each pattern of the write.
    #[cold]
    pub(crate) fn count_unconfirmed(&self, write: &Write) {
        let patterns: BTreeSet<_> = write.changes().iter().map(Key::pattern).collect();
        for (held, _) in patterns.into_iter().filter_map(|pattern| self.held(pattern)) {
            held.counters.count(CacheOutcome::Unconfirmed);
        }
    }

    /// The same, and logs it.
    #[cold]
    pub(crate) fn unconfirmed(&self, what: &'static str, write: &Write, error: &StepError) {
        self.count_unconfirmed(write);
        let pattern = write.changes().first().map_or("", Key::pattern);
        self.cache_failed(what, pattern, error);
    }

    /// Logs, once for each pattern, that code without a handler names one that is not known: nothing becomes of it.
    #[cold]
    pub(crate) fn not_known(&self, pattern: &str) {
        if !registry::handlers().any(|handler| handler.pattern == pattern || handler.pattern.is_empty())
            && self.0.missed.is_new(pattern, Some(Step::Cache))
        {
            tracing::warn!(
                target: "graceful::requirements",
                pattern,
                held = self.held_patterns(),
                "an entity was named whose pattern no handler has: is it misspelled? This is logged once"
            );
        }
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
}
