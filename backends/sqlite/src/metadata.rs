//! The state of each entity, and the chain of its flows.

use std::sync::Arc;

use graceful::{
    Flow, Key, Metadata,
    backends::{MetadataStore, Reply},
};
use uuid::Uuid;

use super::{Store, Tables};

impl MetadataStore for Store {
    fn record(&self, flow: &Arc<Flow>) -> Reply<Arc<Metadata>> {
        let flow = Arc::clone(flow);
        self.writer().write(move |connection| {
            let flow = Arc::clone(&flow);
            Box::pin(async move { Tables::record(connection, &flow.entity().to_string(), &flow).await })
        })
    }

    fn latest(&self, entity: &Key) -> Reply<Option<Arc<Metadata>>> {
        let entity = entity.to_string();
        self.read(move |connection| Box::pin(Tables::latest(connection, entity)))
    }

    fn state(&self, flow: Uuid) -> Reply<Option<Arc<Metadata>>> {
        self.read(move |connection| Box::pin(Tables::state(connection, flow)))
    }
}
