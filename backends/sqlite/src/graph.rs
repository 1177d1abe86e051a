//! The persistence of the embedded knowledge graph.

use std::sync::Arc;

use graceful::backends::{
    Activity, Reply,
    client::{ConnectError, in_real_time},
};
use graceful_rdf::oxigraph;
use graceful_sql::values::broken;
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use super::{Store, open::not_opened};

impl Store {
    /// Opens the knowledge graph that is stored here.
    pub(crate) async fn open_graph(&self) -> Result<oxigraph::Graph, ConnectError> {
        let opened = in_real_time(oxigraph::Graph::open(self.clone())).await;
        opened.map_err(|error| not_opened(self.path(), error))
    }
}

async fn change(
    connection: &mut SqliteConnection,
    added: &[Arc<Activity>],
    forgotten: &[Uuid],
) -> Result<(), sqlx::Error> {
    for activity in added {
        sqlx::query("INSERT OR REPLACE INTO graceful_graph (flow, activity) VALUES (?, ?)")
            .bind(activity.flow)
            .bind(serde_json::to_string(&**activity).map_err(broken)?)
            .execute(&mut *connection)
            .await?;
    }
    for flow in forgotten {
        sqlx::query("DELETE FROM graceful_graph WHERE flow = ?").bind(flow).execute(&mut *connection).await?;
    }
    Ok(())
}

impl oxigraph::GraphPersistence for Store {
    fn load(&self) -> Reply<Vec<Activity>> {
        self.read(|connection| {
            Box::pin(async {
                let rows = sqlx::query("SELECT activity FROM graceful_graph").fetch_all(connection).await?;
                let activity = |row: &sqlx::sqlite::SqliteRow| {
                    serde_json::from_str(row.try_get("activity")?).map_err(broken)
                };
                rows.iter().map(activity).collect()
            })
        })
    }

    fn change(&self, added: &[Arc<Activity>], forgotten: &[Uuid]) -> Reply<()> {
        if added.is_empty() && forgotten.is_empty() {
            return Reply::ready(());
        }
        let (added, forgotten): (Arc<[_]>, Arc<[_]>) = (added.into(), forgotten.into());
        self.writer().write(move |connection| {
            let (added, forgotten) = (Arc::clone(&added), Arc::clone(&forgotten));
            Box::pin(async move { change(connection, &added, &forgotten).await })
        })
    }
}
