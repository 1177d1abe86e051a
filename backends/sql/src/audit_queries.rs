//! Queries of audit records.
//!
//! A page is in the order of the records' times, and of the sequence numbers of one time. So the times of a filter are a range of the index, with
//! or without an entity or an actor, however late the record of a durable flow was appended. No index serves an entity and an actor
//! together: then a query examines a bounded number of the entity's records.

use graceful::{
    Code, Key,
    backends::{AuditCursor, AuditFilter, AuditQuery, AuditRecord, Page, Uuid},
};
use sqlx::{ColumnIndex, Error, Executor, QueryBuilder, Row as _};

use crate::{
    audit_chain,
    conditions::Condition,
    dialect::{Connection, Dialect, Row, Tables, Value},
    queries::{EXAMINED, count_u64},
    values::{at, count, micros},
};

/// A range of an index.
enum Range {
    Entity(String),
    /// The actor's name in the index.
    Actor(String),
    All,
}

/// The range of a filter, and the condition on its rows.
fn range<D: Dialect>(filter: &AuditFilter) -> (Range, Option<Condition>) {
    let actor = filter.actor.as_deref().map(D::escaped);
    let is_actor =
        || Some(Condition { before: "actor = ".to_owned(), value: actor.as_deref()?.to_owned(), after: "" });
    match (&filter.entity, &actor) {
        (Some(entity), _) => (Range::Entity(entity.clone()), is_actor()),
        (None, None) => (Range::All, None),
        (None, Some(actor)) => {
            let name: String = actor.chars().take(D::ACTOR.1).collect();
            // A name that is cut in the index may be that of others.
            let may_be_cut = name.chars().count() >= D::ACTOR.1;
            (Range::Actor(name), if may_be_cut { is_actor() } else { None })
        }
    }
}

impl<D: Dialect> Tables<D>
where
    for<'c> &'c mut Connection<D>: Executor<'c, Database = D::Database>,
    for<'v> &'v str: ColumnIndex<Row<D>> + Value<'v, D>,
    for<'v> &'v [u8]: Value<'v, D>,
    for<'v> String: Value<'v, D>,
    for<'v> i64: Value<'v, D>,
    for<'v> Uuid: Value<'v, D>,
    for<'v> Option<i64>: Value<'v, D>,
{
    /// Reads a page of the audit log.
    pub async fn audit_records(
        connection: &mut Connection<D>,
        query: &AuditQuery,
    ) -> Result<Page<AuditRecord, AuditCursor>, Error> {
        let (filter, limit) = (query.filter(), query.limit());
        if limit == 0 {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let (range, condition) = range::<D>(filter);
        let one_more = limit.saturating_add(1);
        let examined = if condition.is_some() { EXAMINED.max(one_more) } else { one_more };
        // One statement, so that the last examined row is that of the page.
        let mut page = QueryBuilder::new(
            "WITH examined AS MATERIALIZED (SELECT seq, at, actor FROM graceful_audit WHERE ",
        );
        match range {
            Range::Entity(entity) => page.push("entity = ").push_bind(entity),
            Range::Actor(name) => {
                page.push(format_args!("actor IS NOT NULL AND {} = ", D::ACTOR.0)).push_bind(name)
            }
            Range::All => page.push("TRUE"),
        };
        if let Some((at, seq)) = query.after() {
            page.push(" AND (at, seq) < (").push_bind(micros(at)).push(", ").push_bind(seq).push(")");
        }
        Self::push_times(&mut page, "at", filter.since, filter.until);
        page.push(" ORDER BY at DESC, seq DESC LIMIT ").push_bind(count(examined));
        page.push(
            ") SELECT bounds.*, audit.seq, audit.at, audit.flow, audit.entity, audit.record FROM \
             (SELECT count(*) AS examined, (SELECT at FROM examined ORDER BY at, seq LIMIT 1) AS last_at, \
             (SELECT seq FROM examined ORDER BY at, seq LIMIT 1) AS last_seq FROM examined) AS bounds \
             LEFT JOIN (SELECT seq FROM examined WHERE TRUE",
        );
        Self::push_conditions(&mut page, condition.as_slice());
        page.push(" ORDER BY at DESC, seq DESC LIMIT ").push_bind(count(one_more));
        page.push(
            ") AS found ON TRUE LEFT JOIN graceful_audit AS audit ON audit.seq = found.seq \
             ORDER BY audit.at DESC, audit.seq DESC",
        );
        let rows = page.build().fetch_all(connection).await?;
        let (mut items, mut places, mut next) = (Vec::new(), Vec::new(), None);
        for row in &rows {
            if condition.is_some() && Self::number::<u64>(row, "examined")? >= count_u64(examined) {
                next = Some((at(row.try_get("last_at")?), row.try_get("last_seq")?));
            }
            if let Some(seq) = row.try_get::<Option<i64>, _>("seq")? {
                places.push((at(row.try_get("at")?), seq));
                items.push(Self::decode_record(row, seq)?);
            }
        }
        if items.len() > limit {
            items.truncate(limit);
            next = places.get(limit - 1).copied();
        }
        let next = next.map(|(at, seq)| query.cursor(at, seq));
        Ok(Page { items, next })
    }

    /// Decodes a record. One that somebody has edited may be unreadable, which must not hide the others.
    fn decode_record(row: &Row<D>, seq: i64) -> Result<AuditRecord, Error> {
        let error = match audit_chain::record(row.try_get("record")?) {
            Ok(record) => return Ok(record),
            Err(error) => error,
        };
        let entity: &str = row.try_get("entity")?;
        let mut record = AuditRecord::new(
            Key::new("graceful", None, "audit_log", "unreadable"),
            "unreadable_audit_record",
            format_args!("record {seq} of the entity {entity} cannot be read: {error}").to_string(),
        );
        record.flow = Uuid::from_slice(Self::record_id(row)?).unwrap_or_default();
        (record.code, record.at) = (Code::DataLoss, at(row.try_get("at")?));
        Ok(record)
    }
}
