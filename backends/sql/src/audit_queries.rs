//! Queries of audit records.
//!
//! A page is in the order of the records' times, and of the sequence numbers of one time. So the times of a filter are a range of the index, with
//! or without an entity, a tenant or an actor, however late the record of a durable flow was appended. No index serves an actor together with
//! an entity or a tenant, nor the records without a tenant: then a query examines a bounded number of records.

use graceful::{
    Code, Key,
    backends::{AuditCursor, AuditFilter, AuditQuery, AuditRecord, Page, RecordCheck, Uuid},
};
use sqlx::{ColumnIndex, Error, Executor, QueryBuilder, Row as _};

use crate::{
    audit_chain::{self, AuditHead},
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
    /// The encoded tenant, which is not empty.
    Tenant(String),
    All,
}

/// The range of a filter, and the conditions on its rows; none if the filter can select nothing.
fn range<D: Dialect>(filter: &AuditFilter) -> Option<(Range, Vec<Condition>)> {
    let equal = |column: &str, value: String| Condition { before: format!("{column} = "), value, after: "" };
    let actor = filter.actor.as_deref().map(|actor| D::escaped(actor).into_owned());
    let tenant = filter.tenant_part();
    let (range, conditions) = match (&filter.entity, &actor, tenant) {
        (Some(entity), _, tenant) => {
            // All records of an entity are of one tenant.
            if tenant.is_some_and(|tenant| entity.split(':').nth(1) != Some(&*tenant)) {
                return None;
            }
            let is_actor = actor.map(|actor| equal("actor", actor));
            (Range::Entity(D::escaped(entity).into_owned()), is_actor.into_iter().collect())
        }
        (None, Some(actor), tenant) => {
            let name: String = actor.chars().take(D::ACTOR.1).collect();
            // A name that is cut in the index may be that of others.
            let may_be_cut = name.chars().count() >= D::ACTOR.1;
            let is_actor = may_be_cut.then(|| equal("actor", actor.clone()));
            let is_tenant = tenant.map(|tenant| equal(D::TENANT, tenant));
            (Range::Actor(name), is_actor.into_iter().chain(is_tenant).collect())
        }
        (None, None, Some(tenant)) if tenant.is_empty() => (Range::All, vec![equal(D::TENANT, tenant)]),
        (None, None, Some(tenant)) => (Range::Tenant(tenant), Vec::new()),
        (None, None, None) => (Range::All, Vec::new()),
    };
    Some((range, conditions))
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
    for<'v> Option<&'v [u8]>: Value<'v, D>,
{
    /// Reads a page of the audit log.
    pub async fn audit_records(
        connection: &mut Connection<D>,
        query: &AuditQuery,
    ) -> Result<Page<AuditRecord, AuditCursor>, Error> {
        Self::audit_page(connection, query, "", Self::decode_record).await
    }

    /// Reads a page of the audit log, and checks each record against its hash and that of the record before it.
    pub async fn verified_records(
        connection: &mut Connection<D>,
        query: &AuditQuery,
    ) -> Result<Page<(AuditRecord, RecordCheck), AuditCursor>, Error> {
        let hashes = ", audit.hash, \
            (SELECT hash FROM graceful_audit AS earlier WHERE earlier.seq = audit.seq - 1) AS hash_before";
        let read = |row: &Row<D>, seq| Ok((Self::decode_record(row, seq)?, Self::check(row, seq)?));
        Self::audit_page(connection, query, hashes, read).await
    }

    /// Checks a record. Whatever is stored in the columns of hashes, it is no error.
    fn check(row: &Row<D>, seq: i64) -> Result<RecordCheck, Error> {
        let before = match row.try_get::<Option<&[u8]>, _>("hash_before")?.map(<[u8; 32]>::try_from) {
            Some(Ok(hash)) => AuditHead { sequence: seq.saturating_sub(1), hash },
            None if seq == AuditHead::EMPTY.sequence + 1 => AuditHead::EMPTY,
            _ => return Ok(RecordCheck::Changed),
        };
        let expected = before.next(Self::record_id(row)?, row.try_get("entity")?, row.try_get("record")?);
        let is_intact = row.try_get::<&[u8], _>("hash")? == expected.hash;
        Ok(if is_intact { RecordCheck::Intact } else { RecordCheck::Changed })
    }

    /// Reads a page: each row with these columns, too, and what `read` makes of it and its number.
    async fn audit_page<T>(
        connection: &mut Connection<D>,
        query: &AuditQuery,
        columns: &'static str,
        read: impl Fn(&Row<D>, i64) -> Result<T, Error>,
    ) -> Result<Page<T, AuditCursor>, Error> {
        let (filter, limit) = (query.filter(), query.limit());
        let empty = Page { items: Vec::new(), next: None };
        let Some((range, conditions)) = range::<D>(filter).filter(|_| limit > 0) else { return Ok(empty) };
        let one_more = limit.saturating_add(1);
        let examined = if conditions.is_empty() { one_more } else { EXAMINED.max(one_more) };
        // One statement, so that the last examined row is that of the page.
        let mut page = QueryBuilder::new(
            "WITH examined AS MATERIALIZED (SELECT seq, at, actor, entity FROM graceful_audit WHERE ",
        );
        match range {
            Range::Entity(entity) => page.push("entity = ").push_bind(entity),
            Range::Actor(name) => {
                page.push(format_args!("actor IS NOT NULL AND {} = ", D::ACTOR.0)).push_bind(name)
            }
            // The index has no records without a tenant.
            Range::Tenant(tenant) => {
                page.push(format_args!("{0} <> '' AND {0} = ", D::TENANT)).push_bind(tenant)
            }
            Range::All => page.push("TRUE"),
        };
        if let Some((at, seq)) = query.after() {
            page.push(" AND (at, seq) < (").push_bind(micros(at)).push(", ").push_bind(seq).push(")");
        }
        Self::push_times(&mut page, "at", filter.since, filter.until);
        page.push(" ORDER BY at DESC, seq DESC LIMIT ").push_bind(count(examined));
        page.push(format_args!(
            ") SELECT bounds.*, audit.seq, audit.at, audit.flow, audit.entity, audit.record{columns} FROM \
             (SELECT count(*) AS examined, (SELECT at FROM examined ORDER BY at, seq LIMIT 1) AS last_at, \
             (SELECT seq FROM examined ORDER BY at, seq LIMIT 1) AS last_seq FROM examined) AS bounds \
             LEFT JOIN (SELECT seq FROM examined WHERE TRUE",
        ));
        Self::push_conditions(&mut page, &conditions);
        page.push(" ORDER BY at DESC, seq DESC LIMIT ").push_bind(count(one_more));
        page.push(
            ") AS found ON TRUE LEFT JOIN graceful_audit AS audit ON audit.seq = found.seq \
             ORDER BY audit.at DESC, audit.seq DESC",
        );
        let rows = page.build().fetch_all(connection).await?;
        let (mut items, mut places, mut next) = (Vec::new(), Vec::new(), None);
        for row in &rows {
            if !conditions.is_empty() && Self::number::<u64>(row, "examined")? >= count_u64(examined) {
                next = Some((at(row.try_get("last_at")?), row.try_get("last_seq")?));
            }
            if let Some(seq) = row.try_get::<Option<i64>, _>("seq")? {
                places.push((at(row.try_get("at")?), seq));
                items.push(read(row, seq)?);
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
