//! The state of each entity, and the chain of its flows.

use std::sync::Arc;

use graceful::{
    Flow, Key, Metadata,
    backends::{MetadataStore, Reply},
};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

use super::{KEPT_PER_ENTITY, Store, broken};

fn metadata(row: &SqliteRow) -> Result<Metadata, sqlx::Error> {
    serde_json::from_str(row.try_get("state")?).map_err(broken)
}

/// With the link that was set when the next flow came.
fn linked(row: &SqliteRow) -> Result<Arc<Metadata>, sqlx::Error> {
    let next: Option<&[u8]> = row.try_get("next")?;
    let next = next.map(Uuid::from_slice).transpose().map_err(broken)?;
    let mut metadata = metadata(row)?;
    metadata.next = next;
    Ok(Arc::new(metadata))
}

async fn record(connection: &mut SqliteConnection, flow: &Flow) -> Result<Arc<Metadata>, sqlx::Error> {
    let (id, entity) = (flow.id(), flow.entity().to_string());
    let made_before = sqlx::query("SELECT state FROM graceful_metadata WHERE flow = ?")
        .bind(id.as_bytes().as_slice())
        .fetch_optional(&mut *connection)
        .await?;
    // A flow that is delivered again makes the state that it made: an event that is repeated is the same to the letter.
    if let Some(row) = made_before {
        return metadata(&row).map(Arc::new);
    }
    let latest = sqlx::query("SELECT state FROM graceful_metadata WHERE entity = ? AND latest = 1")
        .bind(&entity)
        .fetch_optional(&mut *connection)
        .await?;
    let previous = latest.as_ref().map(metadata).transpose()?;
    let state = Metadata::after(previous.as_ref(), flow);
    if let Some(previous) = &previous {
        sqlx::query("UPDATE graceful_metadata SET latest = 0, next = ? WHERE flow = ?")
            .bind(id.as_bytes().as_slice())
            .bind(previous.state.as_bytes().as_slice())
            .execute(&mut *connection)
            .await?;
    }
    sqlx::query("INSERT INTO graceful_metadata (flow, entity, latest, state) VALUES (?, ?, 1, ?)")
        .bind(id.as_bytes().as_slice())
        .bind(&entity)
        .bind(serde_json::to_string(&state).map_err(broken)?)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "DELETE FROM graceful_metadata WHERE latest = 0 AND entity = ?1 AND flow <= \
         (SELECT flow FROM graceful_metadata WHERE entity = ?1 ORDER BY flow DESC LIMIT 1 OFFSET ?2)",
    )
    .bind(&entity)
    .bind(KEPT_PER_ENTITY)
    .execute(connection)
    .await?;
    Ok(Arc::new(state))
}

impl MetadataStore for Store {
    fn record(&self, flow: &Arc<Flow>) -> Reply<Arc<Metadata>> {
        let flow = Arc::clone(flow);
        self.writer().write(move |connection| {
            let flow = Arc::clone(&flow);
            Box::pin(async move { record(connection, &flow).await })
        })
    }

    fn latest(&self, entity: &Key) -> Reply<Option<Arc<Metadata>>> {
        let entity = entity.to_string();
        self.read(move |connection| {
            Box::pin(async move {
                let query = sqlx::query("SELECT * FROM graceful_metadata WHERE entity = ? AND latest = 1");
                query.bind(entity).fetch_optional(connection).await?.as_ref().map(linked).transpose()
            })
        })
    }

    fn state(&self, flow: Uuid) -> Reply<Option<Arc<Metadata>>> {
        self.read(move |connection| {
            Box::pin(async move {
                let query = sqlx::query("SELECT * FROM graceful_metadata WHERE flow = ?");
                let row = query.bind(flow.as_bytes().as_slice()).fetch_optional(connection).await?;
                row.as_ref().map(linked).transpose()
            })
        })
    }
}
