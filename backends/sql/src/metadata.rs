//! The state of each entity, and the chain of its flows.

use std::sync::Arc;

use graceful::{Flow, Metadata};
use sqlx::{ColumnIndex, Error, Executor, Row as _};
use uuid::Uuid;

use crate::{
    KEPT_PER_ENTITY,
    dialect::{Connection, Dialect, Row, Tables, Value},
    values::broken,
};

impl<D: Dialect> Tables<D>
where
    for<'c> &'c mut Connection<D>: Executor<'c, Database = D::Database>,
    for<'v> &'v str: ColumnIndex<Row<D>> + Value<'v, D>,
    for<'v> String: Value<'v, D>,
    for<'v> i64: Value<'v, D>,
    for<'v> Uuid: Value<'v, D>,
{
    fn decode_metadata(row: &Row<D>) -> Result<Metadata, Error> {
        serde_json::from_str(row.try_get("state")?).map_err(broken)
    }

    /// With the link that was set when the next flow came.
    fn decode_linked(row: &Row<D>) -> Result<Arc<Metadata>, Error> {
        let mut metadata = Self::decode_metadata(row)?;
        metadata.next = row.try_get("next")?;
        Ok(Arc::new(metadata))
    }

    /// Records the state that a flow makes of its entity. No other flow of the entity may be recorded at the same time.
    pub async fn record(
        connection: &mut Connection<D>,
        entity: &str,
        flow: &Flow,
    ) -> Result<Arc<Metadata>, Error> {
        let id = flow.id();
        let made_before = sqlx::query("SELECT state FROM graceful_metadata WHERE flow = $1")
            .bind(id)
            .fetch_optional(&mut *connection)
            .await?;
        // A flow that is delivered again makes the state that it made: an event that is repeated is the same to the letter.
        if let Some(row) = made_before {
            return Self::decode_metadata(&row).map(Arc::new);
        }
        let latest = sqlx::query(D::LATEST).bind(entity).fetch_optional(&mut *connection).await?;
        let previous = latest.as_ref().map(Self::decode_metadata).transpose()?;
        let state = Metadata::after(previous.as_ref(), flow);
        if let Some(previous) = &previous {
            sqlx::query("UPDATE graceful_metadata SET latest = FALSE, next = $1 WHERE flow = $2")
                .bind(id)
                .bind(previous.state)
                .execute(&mut *connection)
                .await?;
        }
        sqlx::query("INSERT INTO graceful_metadata (flow, entity, latest, state) VALUES ($1, $2, TRUE, $3)")
            .bind(id)
            .bind(entity)
            .bind(serde_json::to_string(&state).map_err(broken)?)
            .execute(&mut *connection)
            .await?;
        sqlx::query(
            "DELETE FROM graceful_metadata WHERE NOT latest AND entity = $1 AND flow <= \
             (SELECT flow FROM graceful_metadata WHERE entity = $1 ORDER BY flow DESC LIMIT 1 OFFSET $2)",
        )
        .bind(entity)
        .bind(KEPT_PER_ENTITY)
        .execute(connection)
        .await?;
        Ok(Arc::new(state))
    }

    /// Reads the newest state of an entity.
    pub async fn latest(
        connection: &mut Connection<D>,
        entity: String,
    ) -> Result<Option<Arc<Metadata>>, Error> {
        let row = sqlx::query(D::LATEST).bind(entity).fetch_optional(connection).await?;
        row.as_ref().map(Self::decode_linked).transpose()
    }

    /// Reads the state that a flow made.
    pub async fn state(connection: &mut Connection<D>, flow: Uuid) -> Result<Option<Arc<Metadata>>, Error> {
        let query = sqlx::query("SELECT * FROM graceful_metadata WHERE flow = $1").bind(flow);
        query.fetch_optional(connection).await?.as_ref().map(Self::decode_linked).transpose()
    }
}
