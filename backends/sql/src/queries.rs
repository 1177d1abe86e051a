//! Queries of stored flows.
//!
//! A query reads one or more *ranges* of an index, each in the order of the page: of one entity, of one group of failures, or of one
//! state and handler. Other parts of the filter are conditions on the rows of the ranges; then a query examines a bounded number of rows.

use graceful::backends::{Count, FlowFilter, FlowQuery, FlowState, FlowSummary, Page};
use sqlx::{ColumnIndex, Error, Executor, QueryBuilder, Row as _};
use uuid::Uuid;

use crate::{
    conditions::Condition,
    dialect::{Connection, Dialect, Row, Tables, Value},
    flows::{COLUMNS, state_number},
    values::{at, count, micros},
};

/// How many rows a query examines if the filter has conditions that no index serves.
pub(crate) const EXAMINED: usize = 2000;

/// How many ranges one statement reads: SQLite has a limit of 500.
const RANGES: usize = 200;

/// A range of an index.
enum Range {
    /// The flows of an entity in one state.
    Entity(String, FlowState),
    /// The flows of a group in one state.
    Group(i64, FlowState),
    /// The flows of a handler in one state, by the name in the index.
    Handler(String, FlowState),
}

/// The ranges of a query, and which parts of its filter all of their rows fulfil.
struct Ranges {
    all: Vec<Range>,
    fulfilled: Fulfilled,
}

/// The parts of a filter that need no condition.
#[derive(Default)]
pub(crate) struct Fulfilled {
    handler: bool,
    entity: bool,
}

/// The conditions of a filter, without its states, its group and its times.
pub(crate) fn conditions<D: Dialect>(filter: &FlowFilter, fulfilled: &Fulfilled) -> Vec<Condition> {
    let position = D::POSITION;
    let tenant = format!("substr(entity, {position}(entity, ':') + 1)");
    let pattern = format!("substr({tenant}, {position}({tenant}, ':') + 1)");
    let escaped = |text: &String| D::escaped(text).into_owned();
    let equal = |column: &str| (format!("{column} = "), "");
    let begins = |rest: &str| (format!("{position}({rest}, "), ") = 1");
    [
        (equal("handler"), filter.handler.as_ref().filter(|_| !fulfilled.handler).map(escaped)),
        (equal("entity"), filter.entity.as_ref().filter(|_| !fulfilled.entity).map(escaped)),
        (begins(&tenant), filter.tenant_part().map(|part| part + ":")),
        (begins(&pattern), filter.pattern_part().map(|part| part + ":")),
        (equal("code"), filter.code.map(|code| code.as_str().to_owned())),
        (equal("step"), filter.step.map(|step| step.as_str().to_owned())),
        ((format!("{position}(error, "), ") > 0"), filter.text.as_ref().map(escaped)),
    ]
    .into_iter()
    .filter_map(|((before, after), value)| Some(Condition { before, value: value?, after }))
    .collect()
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
        let Ranges { all, fulfilled } = Self::ranges(connection, filter).await?;
        let conditions = conditions::<D>(filter, &fulfilled);
        let (mut items, mut boundary) = (Vec::new(), None);
        for ranges in all.chunks(RANGES) {
            let (found, end) = Self::page_of(connection, query, ranges, &conditions).await?;
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
        conditions: &[Condition],
    ) -> Result<(Vec<FlowSummary>, Option<(jiff::Timestamp, Uuid)>), Error> {
        let (filter, limit) = (query.filter(), query.limit());
        let examined = match conditions {
            [] => limit.saturating_add(1),
            _ => EXAMINED.max(limit.saturating_add(1)),
        };
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
        Self::push_conditions(&mut page, conditions);
        page.push(" ORDER BY stored_at DESC, id DESC LIMIT ").push_bind(count(limit.saturating_add(1)));
        page.push(") AS found ON TRUE ORDER BY found.stored_at DESC, found.id DESC");
        let rows = page.build().fetch_all(&mut *connection).await?;
        let (mut flows, mut last) = (Vec::new(), None);
        for row in &rows {
            if Self::number::<u64>(row, "examined")? >= count_u64(examined) {
                last = Some((at(row.try_get("last_at")?), row.try_get("last_id")?));
            }
            if row.try_get::<Option<Uuid>, _>("id")?.is_some() {
                flows.push(Self::shown_summary(row)?);
            }
        }
        let is_full = conditions.is_empty() || flows.len() > limit;
        Ok((flows, last.filter(|_| !is_full)))
    }

    /// Counts the flows that a filter selects.
    pub async fn count(
        connection: &mut Connection<D>,
        filter: &FlowFilter,
        cap: u64,
    ) -> Result<Count, Error> {
        let cap_rows = usize::try_from(cap).unwrap_or(usize::MAX).saturating_add(1);
        let Ranges { all, fulfilled } = Self::ranges(connection, filter).await?;
        let conditions = conditions::<D>(filter, &fulfilled);
        let examined = if conditions.is_empty() { cap_rows } else { cap_rows.max(EXAMINED) };
        let mut total = Count::default();
        for ranges in all.chunks(RANGES) {
            let mut counted = QueryBuilder::new("SELECT count(*) AS examined, coalesce(sum(CASE WHEN TRUE");
            Self::push_conditions(&mut counted, &conditions);
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
    async fn ranges(connection: &mut Connection<D>, filter: &FlowFilter) -> Result<Ranges, Error> {
        let (states, mut fulfilled) = (filter.states(), Fulfilled::default());
        let in_states = |range: &dyn Fn(FlowState) -> Range| states.iter().copied().map(range).collect();
        let all = if let Some(group) = filter.group {
            in_states(&|state| Range::Group(group.number(), state))
        } else if let Some(entity) = &filter.entity {
            fulfilled.entity = true;
            in_states(&|state| Range::Entity(D::escaped(entity).into_owned(), state))
        } else if let Some(handler) = filter.handler.as_deref().map(D::escaped) {
            // A name that is cut in the index may be that of others.
            fulfilled.handler = in_index(&handler) == handler;
            in_states(&|state| Range::Handler(in_index(&handler), state))
        } else {
            let mut all = Vec::new();
            for state in states {
                let handlers = Self::handlers(connection, state).await?;
                all.extend(handlers.into_iter().map(|handler| Range::Handler(handler, state)));
            }
            all
        };
        Ok(Ranges { all, fulfilled })
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
                // Each of the two indexes has its condition.
                Range::Entity(entity, FlowState::Queued) => {
                    query.push("state = 0 AND entity = ").push_bind(entity.clone())
                }
                Range::Entity(entity, state) => query
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
            Self::push_times(query, "stored_at", filter.since, filter.until);
            query.push(" ORDER BY stored_at DESC, id DESC LIMIT ").push_bind(count(limit));
            query.push(format_args!(") AS range{number}"));
        }
    }
}

pub(crate) fn count_u64(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

/// The part of a handler's name that is in the index. In SQLite, `substr` ends at a NUL.
pub(crate) fn in_index(handler: &str) -> String {
    handler.chars().take(200).take_while(|c| *c != '\0').collect()
}
