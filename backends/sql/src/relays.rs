//! The relays that are alive.

use graceful::backends::{LiveRelay, RelayInfo};
use sqlx::{AssertSqlSafe, ColumnIndex, Error, Executor, Row as _};
use uuid::Uuid;

use crate::{
    dialect::{Connection, Dialect, Row, Tables, Value},
    values::{at, broken, length},
};

impl<D: Dialect> Tables<D>
where
    for<'c> &'c mut Connection<D>: Executor<'c, Database = D::Database>,
    for<'v> &'v str: ColumnIndex<Row<D>> + Value<'v, D>,
    for<'v> i64: Value<'v, D>,
    for<'v> Uuid: Value<'v, D>,
{
    /// Records that a relay is alive, and forgets the others that were not announced for long.
    pub async fn announce(connection: &mut Connection<D>, relay: &RelayInfo) -> Result<(), Error> {
        let (now, handlers) = (D::NOW, serde_json::to_string(&relay.handlers).map_err(broken)?);
        let announce = format!(
            "INSERT INTO graceful_live_relays (id, service, environment, host, process, version, handlers, since, seen_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, {now}, {now}) ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at",
        );
        sqlx::query(AssertSqlSafe(announce))
            .bind(relay.id)
            .bind(&*D::escaped(&relay.service))
            .bind(&*D::escaped(&relay.environment))
            .bind(&*D::escaped(&relay.host))
            .bind(i64::from(relay.process))
            .bind(&*D::escaped(&relay.version))
            .bind(&*D::escaped(&handlers))
            .execute(&mut *connection)
            .await?;
        // Never this one, so that two relays do not wait for each other.
        let forget = format!("DELETE FROM graceful_live_relays WHERE seen_at <= {now} - $1 AND id <> $2");
        let forget = sqlx::query(AssertSqlSafe(forget)).bind(length(LiveRelay::STORED_FOR)).bind(relay.id);
        forget.execute(connection).await.map(drop)
    }

    /// Removes a relay.
    pub async fn withdraw(connection: &mut Connection<D>, relay: Uuid) -> Result<(), Error> {
        let query = sqlx::query("DELETE FROM graceful_live_relays WHERE id = $1").bind(relay);
        query.execute(connection).await.map(drop)
    }

    /// Reads the relays that are alive, the first announced first.
    pub async fn relays(connection: &mut Connection<D>) -> Result<Vec<LiveRelay>, Error> {
        let query =
            format!("SELECT * FROM graceful_live_relays WHERE seen_at > {} - $1 ORDER BY since, id", D::NOW);
        let query = sqlx::query(AssertSqlSafe(query)).bind(length(LiveRelay::ALIVE_FOR));
        let rows = query.fetch_all(connection).await?;
        let decoded = rows.iter().map(|row| {
            let handlers = serde_json::from_str(&Self::text(row, "handlers")?).map_err(broken)?;
            let mut info = RelayInfo::new(row.try_get("id")?, Self::text(row, "service")?, handlers);
            info.environment = Self::text(row, "environment")?;
            info.host = Self::text(row, "host")?;
            info.process = Self::number(row, "process")?;
            info.version = Self::text(row, "version")?;
            Ok(LiveRelay::new(info, at(row.try_get("since")?), at(row.try_get("seen_at")?)))
        });
        decoded.collect()
    }
}
