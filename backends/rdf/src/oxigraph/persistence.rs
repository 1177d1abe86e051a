//! What of a graph outlives its process.

use std::{fmt::Debug, sync::Arc};

use graceful::backends::{Activity, Reply};
use uuid::Uuid;

/// Where a [`Graph`](super::Graph) keeps its flows, so that it can be [opened](super::Graph::open) again.
///
/// Activities are kept, not triples: what is in the store can be read by a version that says it in other triples.
///
/// ```
/// use std::{
///     collections::HashMap,
///     sync::{Arc, Mutex},
/// };
///
/// use graceful::backends::{Activity, Reply, Uuid};
/// use graceful_rdf::oxigraph::{Graph, GraphPersistence};
///
/// /// Outlives the graph, and not the process.
/// #[derive(Clone, Debug, Default)]
/// struct Shared(Arc<Mutex<HashMap<Uuid, Activity>>>);
///
/// impl GraphPersistence for Shared {
///     fn load(&self) -> Reply<Vec<Activity>> {
///         Reply::ready(self.0.lock().unwrap().values().cloned().collect())
///     }
///
///     fn change(&self, added: &[Arc<Activity>], forgotten: &[Uuid]) -> Reply<()> {
///         let mut kept = self.0.lock().unwrap();
///         kept.extend(added.iter().map(|activity| (activity.flow, Activity::clone(activity))));
///         kept.retain(|flow, _| !forgotten.contains(flow));
///         Reply::ready(())
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let graph = Graph::open(Shared::default()).await?;
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
pub trait GraphPersistence: Debug + Send + Sync + 'static {
    /// All that is kept, in any order.
    fn load(&self) -> Reply<Vec<Activity>>;
    /// Adds some, where one of the same flow may be there already, and forgets others, where one may be gone already: all
    /// of it, or nothing.
    fn change(&self, added: &[Arc<Activity>], forgotten: &[Uuid]) -> Reply<()>;
}
