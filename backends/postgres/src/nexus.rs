//! The registry of patterns.

use std::sync::Arc;

use graceful::{
    Flow, Key,
    backends::{Nexus, PatternTrace, PatternUse, Reply},
};
use sqlx::PgConnection;

use super::{Store, Tables, begin};

async fn register(connection: &mut PgConnection, flow: &Flow) -> Result<(), sqlx::Error> {
    let mut transaction = begin(connection).await?;
    match Tables::register(&mut transaction, flow).await? {
        true => transaction.commit().await,
        false => Ok(()),
    }
}

impl Nexus for Store {
    fn register(&self, flow: &Arc<Flow>) -> Reply<()> {
        let flow = Arc::clone(flow);
        self.run(move |connection| Box::pin(async move { register(connection, &flow).await }))
    }

    fn patterns(&self, after: Option<&str>, limit: usize) -> Reply<Vec<PatternUse>> {
        let after = after.map(str::to_owned);
        self.for_operator(move |connection| Box::pin(Tables::patterns(connection, after, limit)))
    }

    fn trace(&self, entity: &Key) -> Reply<Vec<PatternTrace>> {
        let entity = entity.to_string();
        self.for_operator(move |connection| Box::pin(Tables::trace(connection, entity)))
    }
}
