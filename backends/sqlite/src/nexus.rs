//! The registry of patterns.

use std::sync::Arc;

use graceful::{
    Flow, Key,
    backends::{Nexus, PatternTrace, PatternUse, Reply},
};

use super::{Store, Tables};

impl Nexus for Store {
    fn register(&self, flow: &Arc<Flow>) -> Reply<()> {
        let flow = Arc::clone(flow);
        self.writer().write(move |connection| {
            let flow = Arc::clone(&flow);
            Box::pin(async move { Tables::register(connection, &flow).await.map(drop) })
        })
    }

    fn patterns(&self, after: Option<&str>, limit: usize) -> Reply<Vec<PatternUse>> {
        let after = after.map(str::to_owned);
        self.read(move |connection| Box::pin(Tables::patterns(connection, after, limit)))
    }

    fn trace(&self, entity: &Key) -> Reply<Vec<PatternTrace>> {
        let entity = entity.to_string();
        self.read(move |connection| Box::pin(Tables::trace(connection, entity)))
    }
}
