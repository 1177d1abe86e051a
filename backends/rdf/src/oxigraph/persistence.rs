//! The persistence of a graph.

use std::{fmt::Debug, sync::Arc};

use graceful::backends::{Activity, Reply};
use uuid::Uuid;

/// Stores the flows of a [`Graph`](super::Graph), so that it can be [opened](super::Graph::open) again after a restart.
///
/// It stores activities, not triples, so that a version with another vocabulary can read them.
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
    /// Loads all stored activities, in any order.
    fn load(&self) -> Reply<Vec<Activity>>;
    /// Adds activities and deletes others, atomically. An added activity may be stored already, and a deleted one may be missing.
    fn change(&self, added: &[Arc<Activity>], forgotten: &[Uuid]) -> Reply<()>;
}
