//! Review jobs.

use graceful::backends::Job;
use smol_str::SmolStr;
use sqlx::{ColumnIndex, Error, Executor, Row as _};
use uuid::Uuid;

use crate::{
    dialect::{Connection, Dialect, Row, Tables, Value},
    values::{at, broken},
};

impl<D: Dialect> Tables<D>
where
    for<'c> &'c mut Connection<D>: Executor<'c, Database = D::Database>,
    for<'v> &'v str: ColumnIndex<Row<D>> + Value<'v, D>,
    for<'v> String: Value<'v, D>,
    for<'v> i64: Value<'v, D>,
    for<'v> Uuid: Value<'v, D>,
{
    /// Decodes a job.
    pub fn decode_job(row: &Row<D>) -> Result<Job, Error> {
        let code: &str = row.try_get("code")?;
        Ok(Job {
            id: row.try_get("entity")?,
            entity: serde_json::from_str(row.try_get("key")?).map_err(broken)?,
            owner: SmolStr::new(D::unescaped(row.try_get("owner")?)),
            due: at(row.try_get("due")?),
            opened_at: at(row.try_get("opened_at")?),
            bumps: Self::number(row, "bumps")?,
            flow: row.try_get("flow")?,
            code: code.parse().map_err(broken)?,
            held_until: row.try_get::<Option<i64>, _>("held_until")?.map(at),
            attempts: Self::number(row, "attempts")?,
            error: Self::optional_text(row, "error")?,
            token: row.try_get("token")?,
        })
    }

    /// Reads the open jobs.
    pub async fn jobs(connection: &mut Connection<D>) -> Result<Vec<Job>, Error> {
        let query = sqlx::query("SELECT * FROM graceful_jobs ORDER BY due");
        query.fetch_all(connection).await?.iter().map(Self::decode_job).collect()
    }
}
