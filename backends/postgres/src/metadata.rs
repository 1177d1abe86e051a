//! The state of each entity, and the chain of its flows.

use std::sync::Arc;

use graceful::{
    Flow, Key, Metadata,
    backends::{MetadataStore, Reply},
};
use sqlx::{PgConnection, Row as _, postgres::PgRow};
use uuid::Uuid;

use super::{KEPT_PER_ENTITY, Store, broken};

fn metadata(row: &PgRow) -> Result<Metadata, sqlx::Error> {
    serde_json::from_str(row.try_get("state")?).map_err(broken)
}

/// With the link that was set when the next flow came.
fn linked(row: &PgRow) -> Result<Arc<Metadata>, sqlx::Error> {
    let mut metadata = metadata(row)?;
    metadata.next = row.try_get("next")?;
    Ok(Arc::new(metadata))
}

async fn record(connection: &mut PgConnection, flow: &Flow) -> Result<Arc<Metadata>, sqlx::Error> {
    let (id, entity) = (flow.id(), flow.entity().to_string());
    let mut transaction = super::begin(connection).await?;
    // Of one entity's flows, one after the other: there may be no row yet that could be locked.
    sqlx::query(
        "SELECT pg_advisory_xact_lock(hashtextextended('graceful_metadata ' || current_schema() || $1, 0))",
    )
    .bind(&entity)
    .execute(&mut *transaction)
    .await?;
    let made_before = sqlx::query("SELECT state FROM graceful_metadata WHERE flow = $1")
        .bind(id)
        .fetch_optional(&mut *transaction)
        .await?;
    // A flow that is delivered again makes the state that it made: an event that is repeated is the same to the letter.
    if let Some(row) = made_before {
        return metadata(&row).map(Arc::new);
    }
    let latest = sqlx::query("SELECT state FROM graceful_metadata WHERE entity = $1 AND latest")
        .bind(&entity)
        .fetch_optional(&mut *transaction)
        .await?;
    let previous = latest.as_ref().map(metadata).transpose()?;
    let state = Metadata::after(previous.as_ref(), flow);
    if let Some(previous) = &previous {
        sqlx::query("UPDATE graceful_metadata SET latest = false, next = $1 WHERE flow = $2")
            .bind(id)
            .bind(previous.state)
            .execute(&mut *transaction)
            .await?;
    }
    sqlx::query("INSERT INTO graceful_metadata (flow, entity, latest, state) VALUES ($1, $2, true, $3)")
        .bind(id)
        .bind(&entity)
        .bind(serde_json::to_string(&state).map_err(broken)?)
        .execute(&mut *transaction)
        .await?;
    sqlx::query(
        "DELETE FROM graceful_metadata WHERE NOT latest AND entity = $1 AND flow <= \
         (SELECT flow FROM graceful_metadata WHERE entity = $1 ORDER BY flow DESC LIMIT 1 OFFSET $2)",
    )
    .bind(&entity)
    .bind(KEPT_PER_ENTITY)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(Arc::new(state))
}

impl MetadataStore for Store {
    fn record(&self, flow: &Arc<Flow>) -> Reply<Arc<Metadata>> {
        let flow = Arc::clone(flow);
        self.run(move |connection| Box::pin(async move { record(connection, &flow).await }))
    }

    fn latest(&self, entity: &Key) -> Reply<Option<Arc<Metadata>>> {
        let entity = entity.to_string();
        self.run(move |connection| {
            Box::pin(async move {
                let query = sqlx::query("SELECT * FROM graceful_metadata WHERE entity = $1 AND latest");
                query.bind(entity).fetch_optional(connection).await?.as_ref().map(linked).transpose()
            })
        })
    }

    fn state(&self, flow: Uuid) -> Reply<Option<Arc<Metadata>>> {
        self.run(move |connection| {
            Box::pin(async move {
                let query = sqlx::query("SELECT * FROM graceful_metadata WHERE flow = $1").bind(flow);
                query.fetch_optional(connection).await?.as_ref().map(linked).transpose()
            })
        })
    }
}
