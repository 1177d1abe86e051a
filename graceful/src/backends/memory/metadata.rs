//! The in-memory metadata store.

use std::sync::Arc;

use uuid::Uuid;

use super::{Bytes, DEFAULT_BYTES, DEFAULT_CAPACITY, table::Table};
use crate::{
    backends::{self, Reply},
    flow::{Flow, Metadata},
    key::Key,
};

/// How many states are stored per entity.
const STATES_PER_ENTITY: usize = 4;

/// An in-memory store of the state of each entity, and of the chain of its flows.
///
/// When it is full, by number or by bytes, the least recently used entities and states are evicted. An evicted entity starts again with
/// counters at zero; the chain ends at an evicted state. A flow that is recorded again counts once, as long as its state is
/// stored.
///
/// ```
/// use graceful::{
///     Code, Failure, OrchestrationConfig, Orchestrator, Success,
///     backends::{MetadataStore, memory},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let store = memory::MetadataStore::new();
/// let orchestrator = Orchestrator::builder().service("users").metadata(store.clone()).build()?;
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// let created = Success::wrap(Code::Ok, "user created", &"ada").orchestrate(&config).await;
/// let failed = Failure::wrap(Code::Internal, "disk full", &"cause").orchestrate(&config).await;
///
/// let latest = store.latest(&failed.flow().entity()).await?.unwrap();
/// assert_eq!((latest.score, latest.error_count), (1, 1));
/// let first = store.state(latest.previous.unwrap()).await?.unwrap();
/// assert_eq!((first.state, first.next), (created.flow().id(), Some(failed.flow().id())));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct MetadataStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    latest: Table<Key, Latest>,
    states: Table<Uuid, State>,
}

/// A state and its bytes, which are counted once.
#[derive(Default)]
struct Latest {
    metadata: Option<Arc<Metadata>>,
    bytes: usize,
}

impl Bytes for Latest {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.bytes
    }
}

impl Bytes for State {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.bytes
    }
}

/// The next flow is beside the state, not in it: others hold the state already, and a copy would cost its fields.
#[derive(Default)]
struct State {
    metadata: Option<Arc<Metadata>>,
    next: Option<Uuid>,
    bytes: usize,
}

impl State {
    fn with_next(&self) -> Option<Arc<Metadata>> {
        let metadata = self.metadata.as_ref()?;
        Some(match self.next {
            None => Arc::clone(metadata),
            next => Arc::new(Metadata { next, ..(**metadata).clone() }),
        })
    }
}

impl MetadataStore {
    /// Creates a store of 10 000 entities and 40 000 states, up to 32 MiB.
    ///
    /// ```
    /// let store = graceful::backends::memory::MetadataStore::new();
    /// ```
    pub fn new() -> Self {
        Self::with_capacity(DEFAULT_CAPACITY)
    }

    /// Creates a store of this many entities and four times as many states, up to 32 MiB.
    ///
    /// ```
    /// let store = graceful::backends::memory::MetadataStore::with_capacity(100);
    /// ```
    pub fn with_capacity(entities: usize) -> Self {
        Self::with_limits(entities, DEFAULT_BYTES)
    }

    /// Creates a store of this many entities and four times as many states, up to this many bytes.
    ///
    /// ```
    /// let store = graceful::backends::memory::MetadataStore::with_limits(100, 1 << 20);
    /// ```
    pub fn with_limits(entities: usize, bytes: usize) -> Self {
        // An entity's latest state is shared by both tables.
        let of_latest = bytes / 2;
        let states = Table::new(entities.saturating_mul(STATES_PER_ENTITY), bytes - of_latest);
        Self(Arc::new(Inner { latest: Table::new(entities, of_latest), states }))
    }

    /// How many entities were evicted.
    ///
    /// ```
    /// assert_eq!(graceful::backends::memory::MetadataStore::new().dropped(), 0);
    /// ```
    pub fn dropped(&self) -> u64 {
        self.0.latest.dropped()
    }
}

impl backends::MetadataStore for MetadataStore {
    fn record(&self, flow: &Arc<Flow>) -> Reply<Arc<Metadata>> {
        let Inner { latest, states } = &*self.0;
        let metadata = latest.upsert(flow.entity(), |latest| {
            // A flow that is delivered again must not become its own predecessor, and its event is the same to the letter.
            if let Some(made_before) = states.with(&flow.id(), |state| state.metadata.clone()).flatten() {
                return made_before;
            }
            let metadata = Arc::new(Metadata::after(latest.metadata.as_deref(), flow));
            let bytes = metadata.bytes();
            // Still under the entity's lock, so that the next flow finds the state that it follows.
            let stored = State { metadata: Some(Arc::clone(&metadata)), next: None, bytes };
            states.upsert(metadata.state, |state| *state = stored);
            if let Some(previous) = metadata.previous {
                states.with(&previous, |state| state.next = Some(metadata.state));
            }
            *latest = Latest { metadata: Some(Arc::clone(&metadata)), bytes };
            metadata
        });
        Reply::ready(metadata)
    }

    fn latest(&self, entity: &Key) -> Reply<Option<Arc<Metadata>>> {
        Reply::ready(self.0.latest.with(entity, |latest| latest.metadata.clone()).flatten())
    }

    fn state(&self, flow: Uuid) -> Reply<Option<Arc<Metadata>>> {
        Reply::ready(self.0.states.with(&flow, |state| state.with_next()).flatten())
    }
}

impl Default for MetadataStore {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::{
        super::testing::{answer, flow},
        *,
    };
    use crate::{backends::MetadataStore as _, code::Code};

    fn latest(store: &MetadataStore, flow: &Flow) -> Option<Arc<Metadata>> {
        answer(store.latest(&flow.entity())).unwrap()
    }

    fn state(store: &MetadataStore, flow: Uuid) -> Option<Arc<Metadata>> {
        answer(store.state(flow)).unwrap()
    }

    #[test]
    fn chain_is_linked_in_both_directions() {
        let store = MetadataStore::new();
        let [first, second] = [flow("1", Code::Ok), flow("1", Code::Internal)];
        let answered = answer(store.record(&first)).unwrap();
        assert_eq!((answered.state, answered.previous, answered.next), (first.id(), None, None));
        assert_eq!(state(&store, first.id()).unwrap().next, None);

        let answered = answer(store.record(&second)).unwrap();
        assert_eq!((answered.previous, answered.score, answered.error_count), (Some(first.id()), 1, 1));
        assert_eq!(latest(&store, &second), Some(answered));
        let before = state(&store, first.id()).unwrap();
        assert_eq!((before.state, before.next), (first.id(), Some(second.id())));
    }

    #[test]
    fn repeated_flow_is_counted_once() {
        let store = MetadataStore::new();
        let [first, second] = [flow("1", Code::Ok), flow("1", Code::Internal)];
        for flow in [&first, &first, &second, &second, &first] {
            assert_eq!(answer(store.record(flow)).unwrap().state, flow.id());
        }
        let latest = latest(&store, &first).unwrap();
        assert_eq!((latest.state, latest.previous), (second.id(), Some(first.id())));
        assert_eq!((latest.score, latest.error_count), (1, 1));
    }

    #[test]
    fn entities_do_not_share_a_chain() {
        let store = MetadataStore::new();
        let [one, two] = [flow("1", Code::Ok), flow("2", Code::Ok)];
        answer(store.record(&one)).unwrap();
        assert_eq!(answer(store.record(&two)).unwrap().previous, None);
        assert_eq!(latest(&store, &one).unwrap().state, one.id());
    }

    #[test]
    fn unknown_entity_has_no_metadata() {
        let store = MetadataStore::new();
        assert_eq!(latest(&store, &flow("1", Code::Ok)), None);
        assert_eq!(state(&store, Uuid::nil()), None);
    }

    #[test]
    fn forgotten_entity_starts_again() {
        let store = MetadataStore::with_capacity(1);
        let flows = ["1", "2", "1"].map(|id| flow(id, Code::Ok));
        let [.., again] = flows.each_ref().map(|flow| answer(store.record(flow)).unwrap());
        assert_eq!((again.score, again.previous), (1, None));
        assert_eq!(store.dropped(), 2);
    }

    #[test]
    fn states_are_bounded() {
        let store = MetadataStore::with_capacity(2);
        let flows: Vec<_> = (0..100).map(|_| flow("1", Code::Ok)).collect();
        for flow in &flows {
            answer(store.record(flow)).unwrap();
        }
        let kept = flows.iter().filter(|flow| state(&store, flow.id()).is_some()).count();
        assert_eq!(kept, 2 * STATES_PER_ENTITY);
        assert_eq!(latest(&store, &flows[99]).unwrap().score, 100);
    }

    #[test]
    fn chain_recorded_by_many_threads_is_unbroken() {
        const THREADS: usize = 4;
        const FLOWS: usize = 250;
        let store = MetadataStore::new();
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (store, code) = (&store, if thread == 0 { Code::Internal } else { Code::Ok });
                scope.spawn(move || (0..FLOWS).for_each(|_| drop(answer(store.record(&flow("1", code))))));
            }
        });

        let mut current = latest(&store, &flow("1", Code::Ok)).unwrap();
        assert_eq!((current.score, current.error_count), (3 * FLOWS as u64, FLOWS as u64));
        let mut length = 1;
        while let Some(previous) = current.previous {
            let before = state(&store, previous).unwrap();
            assert_eq!(before.next, Some(current.state));
            current = before;
            length += 1;
        }
        assert_eq!(length, THREADS * FLOWS);
    }

    #[test]
    fn store_holds_no_more_than_its_bytes() {
        let store = MetadataStore::with_limits(10_000, 1 << 20);
        let fields = serde_json::json!({"note": "x".repeat(10_000)});
        for n in 0..500 {
            let mut flow = flow(&n.to_string(), Code::Ok);
            let declared = Arc::new(fields.as_object().unwrap().clone());
            Arc::get_mut(&mut flow).unwrap().values.metadata = Some(declared);
            answer(store.record(&flow)).unwrap();
        }
        let bytes = store.0.latest.bytes() + store.0.states.bytes();
        assert!((1 << 19..=1 << 20).contains(&bytes), "{bytes}");
    }
}
