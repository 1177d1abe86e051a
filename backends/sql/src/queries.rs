//! Queries of stored flows.
//!
//! A query reads one or more *ranges* of an index, each in the order of the page: of one entity, of one group of failures, or of one
//! state and handler. Other parts of the filter are conditions on the rows of the ranges; then a query examines a bounded number of rows.

use graceful::backends::{Count, FlowFilter, FlowQuery, FlowState, FlowSummary, Moment, Page};
use sqlx::{ColumnIndex, Error, Executor, QueryBuilder, Row as _};
use uuid::Uuid;

use crate::{
    dialect::{Connection, Dialect, Row, Tables, Value},
    flows::{COLUMNS, state_number},
    values::{at, count, length, micros},
};

/// How many rows a query examines if the filter has conditions that no index serves.
const EXAMINED: usize = 2000;

/// How many ranges one statement reads: SQLite has a limit of 500.
const RANGES: usize = 200;

/// A range of an index.
enum Range {
    /// The queued flows of an entity.
    QueuedOf(String),
    /// The other flows of an entity, in one state.
    EndedOf(String, FlowState),
    /// The flows of a group in one state.
    Group(i64, FlowState),
    /// The flows of a handler in one state, by the name in the index.
    Handler(String, FlowState),
}

impl<D: Dialect> Tables<D>
where
    for<'c> &'c mut Connection<D>: Executor<'c, Database = D::Database>,
    for<'v> &'v str: ColumnIndex<Row<D>> + Value<'v, D>,
    for<'v> String: Value<'v, D>,
    for<'v> Vec<u8>: Value<'v, D>,
    for<'v> i16: Value<'v, D>,
    for<'v> i64: Value<'v, D>,
    for<'v> Uuid: Value<'v, D>,
    for<'v> Option<i64>: Value<'v, D>,
{
    /// Reads a page.
    pub async fn flows(
        connection: &mut Connection<D>,
        query: &FlowQuery,
    ) -> Result<Page<FlowSummary>, Error> {
        let (filter, limit) = (query.filter(), query.limit());
        if limit == 0 {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let ranges = Self::ranges(connection, filter).await?;
        let (mut items, mut boundary) = (Vec::new(), None);
        for ranges in ranges.chunks(RANGES) {
            let (found, end) = Self::page_of(connection, query, ranges).await?;
            items.extend(found);
            boundary = boundary.max(end);
        }
        // Behind the boundary, not all ranges were examined.
        items.retain(|flow| boundary.is_none_or(|boundary| (flow.stored_at, flow.id) >= boundary));
        items.sort_unstable_by_key(|flow| std::cmp::Reverse((flow.stored_at, flow.id)));
        let more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| more).map(|flow| (flow.stored_at, flow.id));
        let next = last.or(boundary).map(|(stored_at, id)| query.cursor(stored_at, id));
        Ok(Page { items, next })
    }

    /// Reads the flows of some ranges, and the last row that was examined if there may be more.
    async fn page_of(
        connection: &mut Connection<D>,
        query: &FlowQuery,
        ranges: &[Range],
    ) -> Result<(Vec<FlowSummary>, Option<(jiff::Timestamp, Uuid)>), Error> {
        let (filter, limit) = (query.filter(), query.limit());
        let conditional = has_conditions::<D>(filter);
        let examined =
            if conditional { EXAMINED.max(limit.saturating_add(1)) } else { limit.saturating_add(1) };
        // One statement, so that the last examined row is that of the page.
        let mut page = QueryBuilder::new("WITH examined AS MATERIALIZED (SELECT * FROM (");
        Self::push_ranges(&mut page, ranges, filter, query.after(), examined);
        page.push(") AS ranges ORDER BY stored_at DESC, id DESC LIMIT ").push_bind(count(examined));
        page.push(format_args!(
            ") SELECT bounds.*, found.*, {} AS now FROM (SELECT count(*) AS examined, \
             (SELECT stored_at FROM examined ORDER BY stored_at, id LIMIT 1) AS last_at, \
             (SELECT id FROM examined ORDER BY stored_at, id LIMIT 1) AS last_id FROM examined) AS bounds \
             LEFT JOIN (SELECT {COLUMNS} FROM examined WHERE TRUE",
            D::NOW,
        ));
        Self::push_conditions(&mut page, filter);
        page.push(" ORDER BY stored_at DESC, id DESC LIMIT ").push_bind(count(limit.saturating_add(1)));
        page.push(") AS found ON TRUE ORDER BY found.stored_at DESC, found.id DESC");
        let rows = page.build().fetch_all(&mut *connection).await?;
        let (mut flows, mut last) = (Vec::new(), None);
        for row in &rows {
            if Self::number::<u64>(row, "examined")? >= count_u64(examined) {
                last = Some((at(row.try_get("last_at")?), row.try_get("last_id")?));
            }
            if row.try_get::<Option<Uuid>, _>("id")?.is_some() {
                flows.push(Self::decode_summary(row)?);
            }
        }
        let is_full = !conditional || flows.len() > limit;
        Ok((flows, last.filter(|_| !is_full)))
    }

    /// Counts the flows that a filter selects.
    pub async fn count(
        connection: &mut Connection<D>,
        filter: &FlowFilter,
        cap: u64,
    ) -> Result<Count, Error> {
        let cap_rows = usize::try_from(cap).unwrap_or(usize::MAX).saturating_add(1);
        let examined = if has_conditions::<D>(filter) { cap_rows.max(EXAMINED) } else { cap_rows };
        let mut total = Count::default();
        for ranges in Self::ranges(connection, filter).await?.chunks(RANGES) {
            let mut counted = QueryBuilder::new("SELECT count(*) AS examined, coalesce(sum(CASE WHEN TRUE");
            Self::push_conditions(&mut counted, filter);
            counted.push(" THEN 1 ELSE 0 END), 0) AS found FROM (SELECT * FROM (");
            Self::push_ranges(&mut counted, ranges, filter, None, examined);
            counted.push(") AS ranges LIMIT ").push_bind(count(examined)).push(") AS examined");
            let row = counted.build().fetch_one(&mut *connection).await?;
            let (all, found): (u64, u64) = (Self::number(&row, "examined")?, Self::number(&row, "found")?);
            total.number += found;
            total.more |= all >= count_u64(examined);
        }
        Ok(if total.number > cap { Count::at_least(cap) } else { total })
    }

    /// The ranges in which the flows of a filter are.
    async fn ranges(connection: &mut Connection<D>, filter: &FlowFilter) -> Result<Vec<Range>, Error> {
        let states = filter.states();
        if let Some(group) = filter.group {
            let of_group = states.into_iter().map(|state| Range::Group(group.number(), state));
            return Ok(of_group.collect());
        }
        if let Some(entity) = filter.entity.as_deref().map(|entity| D::escaped(entity).into_owned()) {
            return Ok(states
                .into_iter()
                .map(|state| match state {
                    FlowState::Queued => Range::QueuedOf(entity.clone()),
                    ended => Range::EndedOf(entity.clone(), ended),
                })
                .collect());
        }
        let mut ranges = Vec::new();
        for state in states {
            let handlers = match &filter.handler {
                Some(handler) => vec![in_index(&D::escaped(handler))],
                None => Self::handlers(connection, state).await?,
            };
            ranges.extend(handlers.into_iter().map(|handler| Range::Handler(handler, state)));
        }
        Ok(ranges)
    }

    /// The handlers of the flows in a state, as in the index: by steps through it.
    async fn handlers(connection: &mut Connection<D>, state: FlowState) -> Result<Vec<String>, Error> {
        let (state, handler) = (state_number(state), D::HANDLER);
        let mut query = QueryBuilder::new("WITH RECURSIVE handlers (name) AS (SELECT * FROM (SELECT ");
        query.push(format_args!("{handler} FROM graceful_flows WHERE state = ")).push_bind(state);
        query
            .push(format_args!(
                " ORDER BY {handler} LIMIT 1) AS first UNION ALL SELECT (SELECT {handler} \
            FROM graceful_flows WHERE state = "
            ))
            .push_bind(state);
        query.push(format_args!(
            " AND {handler} > handlers.name ORDER BY {handler} LIMIT 1) FROM handlers \
            WHERE name IS NOT NULL) SELECT name FROM handlers WHERE name IS NOT NULL"
        ));
        let rows = query.build().fetch_all(connection).await?;
        rows.iter().map(|row| Ok(row.try_get::<&str, _>("name")?.to_owned())).collect()
    }

    /// Appends a selection of the rows of all ranges, each up to a limit, newest first.
    fn push_ranges(
        query: &mut QueryBuilder<D::Database>,
        ranges: &[Range],
        filter: &FlowFilter,
        after: Option<(jiff::Timestamp, Uuid)>,
        limit: usize,
    ) {
        if ranges.is_empty() {
            query.push(format_args!("SELECT {COLUMNS} FROM graceful_flows WHERE FALSE"));
        }
        for (number, range) in ranges.iter().enumerate() {
            let union = if number == 0 { "" } else { " UNION ALL " };
            query.push(format_args!("{union}SELECT * FROM (SELECT {COLUMNS} FROM graceful_flows WHERE "));
            match range {
                Range::QueuedOf(entity) => query.push("state = 0 AND entity = ").push_bind(entity.clone()),
                Range::EndedOf(entity, state) => query
                    .push(format_args!("state <> 0 AND state = {} AND entity = ", state_number(*state)))
                    .push_bind(entity.clone()),
                Range::Group(group, state) => query
                    .push(format_args!("state = {} AND failure_group = ", state_number(*state)))
                    .push_bind(*group),
                Range::Handler(handler, state) => query
                    .push(format_args!("state = {} AND {} = ", state_number(*state), D::HANDLER))
                    .push_bind(handler.clone()),
            };
            if let Some((stored_at, id)) = after {
                query.push(" AND (stored_at, id) < (").push_bind(micros(stored_at)).push(", ");
                query.push_bind(id).push(")");
            }
            Self::push_times(query, filter);
            query.push(" ORDER BY stored_at DESC, id DESC LIMIT ").push_bind(count(limit));
            query.push(format_args!(") AS range{number}"));
        }
    }

    /// Appends the conditions on the time of storing.
    pub(crate) fn push_times(query: &mut QueryBuilder<D::Database>, filter: &FlowFilter) {
        for (sign, moment) in [(">=", filter.since), ("<", filter.until)] {
            match moment {
                None => continue,
                Some(Moment::At(at)) => {
                    query.push(format_args!(" AND stored_at {sign} ")).push_bind(micros(at))
                }
                Some(Moment::Ago(time)) => {
                    query.push(format_args!(" AND stored_at {sign} {} - ", D::NOW)).push_bind(length(time))
                }
            };
        }
    }

    /// Appends the conditions that no index serves, each behind `AND`.
    pub(crate) fn push_conditions(query: &mut QueryBuilder<D::Database>, filter: &FlowFilter) {
        let and = " AND ";
        let position = D::POSITION;
        let rest = format!("substr(entity, {position}(entity, ':') + 1)");
        if let Some(handler) = &filter.handler {
            query.push(and).push("handler = ").push_bind(D::escaped(handler).into_owned());
        }
        if let Some(entity) = filter.entity.as_ref().filter(|_| filter.group.is_some()) {
            query.push(and).push("entity = ").push_bind(D::escaped(entity).into_owned());
        }
        if let Some(tenant) = filter.tenant_part() {
            query.push(and).push(format_args!("{position}({rest}, ")).push_bind(tenant + ":").push(") = 1");
        }
        if let Some(pattern) = filter.pattern_part() {
            let rest = format!("substr({rest}, {position}({rest}, ':') + 1)");
            query.push(and).push(format_args!("{position}({rest}, ")).push_bind(pattern + ":").push(") = 1");
        }
        if let Some(code) = filter.code {
            query.push(and).push("code = ").push_bind(code.as_str().to_owned());
        }
        if let Some(step) = filter.step {
            query.push(and).push("step = ").push_bind(step.as_str().to_owned());
        }
        if let Some(text) = &filter.text {
            query.push(and).push(format_args!("{position}(error, ")).push_bind(D::escaped(text).into_owned());
            query.push(") > 0");
        }
    }
}

fn count_u64(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

/// The part of a handler's name that is in the index. In SQLite, `substr` ends at a NUL.
fn in_index(handler: &str) -> String {
    handler.chars().take(200).take_while(|c| *c != '\0').collect()
}

/// Whether a filter has conditions that the ranges do not fulfil.
fn has_conditions<D: Dialect>(filter: &FlowFilter) -> bool {
    let FlowFilter { handler, entity, tenant, pattern, code, step, group, text, .. } = filter;
    let beside_the_group = group.is_some() && entity.is_some();
    let of_handler = handler.is_some() && (group.is_some() || entity.is_some());
    let longer =
        handler.as_ref().is_some_and(|handler| in_index(&D::escaped(handler)) != D::escaped(handler));
    beside_the_group
        || of_handler
        || longer
        || tenant.is_some()
        || pattern.is_some()
        || code.is_some()
        || step.is_some()
        || text.is_some()
}
