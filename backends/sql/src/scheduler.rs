//! Review jobs.

use graceful::{Incident, Key, backends::Job};
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
        let entity: Key = serde_json::from_str(row.try_get("key")?).map_err(broken)?;
        let incident = Incident::new(entity, D::unescaped(row.try_get("owner")?));
        let code = row.try_get::<&str, _>("code")?.parse().map_err(broken)?;
        let (opened_at, due) = (at(row.try_get("opened_at")?), at(row.try_get("due")?));
        let mut job = Job::new(&incident, row.try_get("flow")?, code, opened_at, due);
        job.bumps = Self::number(row, "bumps")?;
        job.held_until = row.try_get::<Option<i64>, _>("held_until")?.map(at);
        job.attempts = Self::number(row, "attempts")?;
        job.error = Self::optional_text(row, "error")?;
        job.token = row.try_get("token")?;
        Ok(job)
    }

    /// Reads the open jobs.
    pub async fn jobs(connection: &mut Connection<D>) -> Result<Vec<Job>, Error> {
        let query = sqlx::query("SELECT * FROM graceful_jobs ORDER BY due");
        query.fetch_all(connection).await?.iter().map(Self::decode_job).collect()
    }
}
