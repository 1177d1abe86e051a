//! The in-memory registry of patterns.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use jiff::Timestamp;
use uuid::Uuid;

use super::{Bytes, DEFAULT_BYTES, DEFAULT_CAPACITY, KEPT_PER_ENTITY, table::Table};
use crate::{
    backends::{self, PatternTrace, PatternUse, Reply},
    flow::Flow,
    key::Key,
    text::{Text, text},
};

/// An in-memory registry of patterns: how often each was used, and the last 32 flows of each entity.
///
/// When it is full, by number or by bytes, the least recently used patterns and entities are evicted.
///
/// ```
/// use graceful::{
///     Code, Failure, OrchestrationConfig, Orchestrator, Success,
///     backends::{Nexus, memory},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let nexus = memory::Nexus::new();
/// let orchestrator = Orchestrator::builder().service("users").nexus(nexus.clone()).build()?;
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// Success::wrap(Code::Ok, "user updated", &"ada").orchestrate(&config).await;
/// let failed = Failure::wrap(Code::NotFound, "no such user", &"cause").orchestrate(&config).await;
///
/// let used: Vec<_> = nexus.patterns(None, 10).await?.into_iter().map(|used| (used.pattern, used.count)).collect();
/// assert_eq!(used, [("user".into(), 1), ("user.error".into(), 1)]);
/// assert_eq!(nexus.trace(&failed.flow().entity()).await?[1].pattern, "user.error");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Nexus(Arc<Inner>);

/// The names are made when they are read: a registration builds no text.
#[derive(Debug)]
struct Inner {
    patterns: Table<(Text, bool), Option<Tally>>,
    traces: Table<Key, VecDeque<Visit>>,
}

#[derive(Clone, Copy)]
struct Tally {
    count: u64,
    first: Timestamp,
    last: Timestamp,
}

impl Tally {
    const fn once(at: Timestamp) -> Self {
        Self { count: 1, first: at, last: at }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            first: self.first.min(other.first),
            last: self.last.max(other.last),
        }
    }
}

#[derive(Clone, Copy)]
struct Visit {
    success: bool,
    flow: Uuid,
    at: Timestamp,
}

impl Bytes for Option<Tally> {
    fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}

impl Bytes for VecDeque<Visit> {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.capacity() * size_of::<Visit>()
    }
}

/// As [`Flow::registered_pattern`] says it.
fn name(pattern: &str, success: bool) -> Text {
    if success { pattern.into() } else { text!("{pattern}.error") }
}

impl Nexus {
    /// Creates a registry of 10 000 patterns and as many entities, up to 32 MiB.
    ///
    /// ```
    /// let nexus = graceful::backends::memory::Nexus::new();
    /// ```
    pub fn new() -> Self {
        Self::with_capacity(DEFAULT_CAPACITY)
    }

    /// Creates a registry of this many patterns and as many entities, up to 32 MiB.
    ///
    /// ```
    /// let nexus = graceful::backends::memory::Nexus::with_capacity(100);
    /// ```
    pub fn with_capacity(capacity: usize) -> Self {
        Self::with_limits(capacity, DEFAULT_BYTES)
    }

    /// Creates a registry of this many patterns and as many entities, up to this many bytes.
    ///
    /// ```
    /// let nexus = graceful::backends::memory::Nexus::with_limits(100, 1 << 20);
    /// ```
    pub fn with_limits(capacity: usize, bytes: usize) -> Self {
        let of_patterns = bytes / 4;
        let (patterns, traces) =
            (Table::new(capacity, of_patterns), Table::new(capacity, bytes - of_patterns));
        Self(Arc::new(Inner { patterns, traces }))
    }

    /// How many patterns and entities were evicted.
    ///
    /// ```
    /// assert_eq!(graceful::backends::memory::Nexus::new().dropped(), 0);
    /// ```
    pub fn dropped(&self) -> u64 {
        self.0.patterns.dropped() + self.0.traces.dropped()
    }
}

impl backends::Nexus for Nexus {
    fn register(&self, flow: &Arc<Flow>) -> Reply<()> {
        let (success, at) = (flow.is_success(), flow.timestamp());
        let entity = flow.nexus_key();
        self.0.patterns.upsert((flow.declaration.pattern.clone(), success), |tally| {
            let once = Tally::once(at);
            *tally = Some(tally.map_or(once, |tally| tally.plus(once)));
        });
        self.0.traces.upsert(entity, |visits| {
            if visits.len() >= KEPT_PER_ENTITY {
                visits.pop_front();
            }
            visits.push_back(Visit { success, flow: flow.id(), at });
        });
        Reply::ready(())
    }

    fn patterns(&self, after: Option<&str>, limit: usize) -> Reply<Vec<PatternUse>> {
        // Two keys may have one name: the errors of `user`, and the successes of a pattern called `user.error`.
        let mut by_name = BTreeMap::<Text, Tally>::new();
        self.0.patterns.for_each(|(pattern, success), tally| {
            let Some(tally) = *tally else { return };
            let named = by_name.entry(name(pattern, *success));
            named.and_modify(|sum| *sum = sum.plus(tally)).or_insert(tally);
        });
        let page =
            by_name.into_iter().filter(|(pattern, _)| after.is_none_or(|after| pattern.as_str() > after));
        let used = page.map(|(pattern, Tally { count, first, last })| PatternUse {
            pattern,
            count,
            first_used: first,
            last_used: last,
        });
        Reply::ready(used.take(limit).collect())
    }

    fn trace(&self, entity: &Key) -> Reply<Vec<PatternTrace>> {
        let mut visits = self.0.traces.with(entity, |visits| visits.clone()).unwrap_or_default();
        // They came in about this order; flows that ended at once may have overtaken each other.
        visits.make_contiguous().sort_by_key(|visit| visit.at);
        let traced = visits.into_iter().map(|Visit { success, flow, at }| {
            // An entity's pattern is part of its key.
            PatternTrace::new(name(entity.pattern(), success), flow, at)
        });
        Reply::ready(traced.collect())
    }
}

impl Default for Nexus {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::testing::{answer, at, flow, flow_at, flow_of},
        *,
    };
    use crate::{backends::Nexus as _, code::Code};

    fn register(nexus: &Nexus, flow: &Arc<Flow>) {
        answer(nexus.register(flow)).unwrap();
    }

    fn counts(nexus: &Nexus) -> Vec<(String, u64)> {
        let used = answer(nexus.patterns(None, usize::MAX)).unwrap();
        used.into_iter().map(|used| (used.pattern.to_string(), used.count)).collect()
    }

    #[test]
    fn uses_are_counted_per_registered_pattern_by_name() {
        let nexus = Nexus::new();
        let flows = [
            flow_of("user", "1", Code::Internal),
            flow_of("user", "2", Code::Ok),
            flow_of("user", "1", Code::Ok),
            flow_of("order", "1", Code::Ok),
        ];
        for flow in &flows {
            register(&nexus, flow);
        }
        assert_eq!(counts(&nexus), [("order".into(), 1), ("user".into(), 2), ("user.error".into(), 1)]);
        for flow in &flows {
            assert_eq!(name(flow.pattern(), flow.is_success()), flow.registered_pattern());
        }
    }

    #[test]
    fn first_and_last_use_are_those_of_the_flows() {
        let nexus = Nexus::new();
        for second in [5, 9, 2] {
            register(&nexus, &flow_at(second, "1", Code::Ok));
        }
        let used = answer(nexus.patterns(None, usize::MAX)).unwrap();
        assert_eq!((used[0].first_used, used[0].last_used, used[0].count), (at(2), at(9), 3));
    }

    #[test]
    fn two_patterns_of_one_name_are_one() {
        let nexus = Nexus::new();
        register(&nexus, &flow_of("user", "1", Code::Internal));
        register(&nexus, &flow_of("user.error", "1", Code::Ok));
        assert_eq!(counts(&nexus), [("user.error".into(), 2)]);
    }

    #[test]
    fn trace_of_an_entity_is_its_own_oldest_first() {
        let nexus = Nexus::new();
        let [late, early] = [flow_at(2, "1", Code::Internal), flow_at(1, "1", Code::Ok)];
        for flow in [&late, &early, &flow("2", Code::Ok)] {
            register(&nexus, flow);
        }
        let expected =
            [PatternTrace::new("user", early.id(), at(1)), PatternTrace::new("user.error", late.id(), at(2))];
        assert_eq!(answer(nexus.trace(&late.entity())).unwrap(), expected);
        assert_eq!(answer(nexus.trace(&flow("3", Code::Ok).entity())).unwrap(), []);
    }

    #[test]
    fn traces_patterns_and_entities_are_bounded() {
        let nexus = Nexus::with_capacity(2);
        (0..100).for_each(|second| register(&nexus, &flow_at(second, "1", Code::Ok)));
        let trace = answer(nexus.trace(&flow("1", Code::Ok).entity())).unwrap();
        assert_eq!((trace.len(), trace[0].at), (KEPT_PER_ENTITY, at(100 - 32)));
        for pattern in ["a", "b", "c"] {
            register(&nexus, &flow_of(pattern, "1", Code::Ok));
        }
        assert_eq!((counts(&nexus).len(), nexus.0.traces.len(), nexus.dropped()), (2, 2, 4));
    }

    #[test]
    fn no_use_is_lost_between_threads() {
        let nexus = Nexus::new();
        let flow = flow("1", Code::Ok);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..500).for_each(|_| register(&nexus, &flow)));
            }
        });
        assert_eq!(counts(&nexus), [("user".into(), 2000)]);
    }
}
