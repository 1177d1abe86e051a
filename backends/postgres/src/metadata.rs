//! The state of each entity, and the chain of its flows.

use std::sync::Arc;

use graceful::{
    Flow, Key, Metadata,
    backends::{MetadataStore, Reply},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Store, Tables, begin_alone};

async fn record(connection: &mut PgConnection, flow: &Flow) -> Result<Arc<Metadata>, sqlx::Error> {
    // There may be no row yet that could be locked.
    let entity = flow.entity().to_string();
    let mut transaction = begin_alone(connection, "graceful_metadata ", &entity).await?;
    let state = Tables::record(&mut transaction, &entity, flow).await?;
    transaction.commit().await?;
    Ok(state)
}

impl MetadataStore for Store {
    fn record(&self, flow: &Arc<Flow>) -> Reply<Arc<Metadata>> {
        let flow = Arc::clone(flow);
        self.run(move |connection| Box::pin(async move { record(connection, &flow).await }))
    }

    fn latest(&self, entity: &Key) -> Reply<Option<Arc<Metadata>>> {
        let entity = entity.to_string();
        self.run(move |connection| Box::pin(Tables::latest(connection, entity)))
    }

    fn state(&self, flow: Uuid) -> Reply<Option<Arc<Metadata>>> {
        self.for_operator(move |connection| Box::pin(Tables::state(connection, flow)))
    }
}
