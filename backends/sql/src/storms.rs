//! Storms and pages of alerts and jobs.

use graceful::backends::{IncidentCursor, IncidentFilter, STORM_LIMIT};
use sqlx::{ColumnIndex, Error, Executor, QueryBuilder};

use crate::{
    conditions::Condition,
    dialect::{Connection, Dialect, Row, Tables, Value},
    values::count,
};

/// The single alerts of a storm, up to a limit.
pub(crate) const ALERTS: &str = "SELECT count(*) AS singles FROM (SELECT 1 FROM graceful_alerts \
    WHERE storm = $1 AND resolved_at IS NULL LIMIT $2) AS single";

/// The single jobs of a storm, up to a limit; none if an incident has a job by now.
pub(crate) const JOBS: &str = "SELECT count(*) AS singles FROM (SELECT 1 FROM graceful_jobs \
    WHERE storm = $1 AND NOT EXISTS (SELECT 1 FROM graceful_jobs WHERE entity = $3) LIMIT $2) AS single";

impl<D: Dialect> Tables<D>
where
    for<'c> &'c mut Connection<D>: Executor<'c, Database = D::Database>,
    for<'v> &'v str: ColumnIndex<Row<D>> + Value<'v, D>,
    for<'v> String: Value<'v, D>,
    for<'v> i64: Value<'v, D>,
{
    /// Whether a storm has as many single alerts or jobs as can be open. The query has the argument `incident` if it is that of jobs.
    pub(crate) async fn is_full(
        connection: &mut Connection<D>,
        query: &'static str,
        storm: &str,
        incident: Option<&str>,
    ) -> Result<bool, Error> {
        let mut query = sqlx::query(query).bind(storm).bind(count(STORM_LIMIT));
        if let Some(incident) = incident {
            query = query.bind(incident);
        }
        let singles: usize = Self::number(&query.fetch_one(connection).await?, "singles")?;
        Ok(singles >= STORM_LIMIT)
    }

    /// Reads the rows of a page, and one more if there are more. An index serves each part of the filter.
    pub(crate) async fn open_page(
        connection: &mut Connection<D>,
        open: &'static str,
        opened_at: &'static str,
        filter: &IncidentFilter,
        after: Option<&IncidentCursor>,
        limit: usize,
    ) -> Result<Vec<Row<D>>, Error> {
        let order = format!("{opened_at}, {}", D::INCIDENT);
        let mut page = QueryBuilder::new(open);
        let entity = filter.entity.as_deref().map(|entity| D::escaped(entity).into_owned());
        let conditions = [(D::ENTITY, entity), (D::TENANT, filter.tenant_part())];
        let equal =
            |(name, value)| Some(Condition { before: format!("{name} = "), value: value?, after: "" });
        Self::push_conditions(&mut page, &conditions.into_iter().filter_map(equal).collect::<Vec<_>>());
        if let Some(after) = after {
            page.push(format_args!(" AND ({order}) > (")).push_bind(after.micros()).push(", ");
            page.push_bind(after.incident().to_owned()).push(")");
        }
        page.push(format_args!(" ORDER BY {order} LIMIT ")).push_bind(count(limit.saturating_add(1)));
        page.build().fetch_all(connection).await
    }
}
