//! The table of the audit chain.

use sqlx::{ColumnIndex, Error, Executor, Row as _};
use uuid::Uuid;

use crate::{
    audit_chain::{AuditHead, Follow, Rewrite, Rewritten, Tampered},
    dialect::{Connection, Dialect, Row, Tables, Value},
    values::{broken, count, micros},
};

/// How many records are read per statement.
const PAGE: usize = 1000;

impl<D: Dialect> Tables<D>
where
    for<'c> &'c mut Connection<D>: Executor<'c, Database = D::Database>,
    for<'v> &'v str: ColumnIndex<Row<D>> + Value<'v, D>,
    for<'v> &'v [u8]: Value<'v, D>,
    for<'v> i64: Value<'v, D>,
    for<'v> Uuid: Value<'v, D>,
{
    /// Decodes the head that is stored with a record.
    pub fn decode_head(row: &Row<D>) -> Result<AuditHead, Error> {
        let hash: &[u8] = row.try_get("hash")?;
        Ok(AuditHead { sequence: row.try_get("seq")?, hash: hash.try_into().map_err(broken)? })
    }

    /// The id of a record as bytes, whatever their number: a record may have been edited. PostgreSQL sends a UUID as its bytes.
    pub(crate) fn record_id(row: &Row<D>) -> Result<&[u8], Error> {
        row.try_get_unchecked("flow")
    }

    async fn page(connection: &mut Connection<D>, after: i64) -> Result<Vec<Row<D>>, Error> {
        let query = sqlx::query("SELECT * FROM graceful_audit WHERE seq > $1 ORDER BY seq LIMIT $2");
        query.bind(after).bind(count(PAGE)).fetch_all(connection).await
    }

    /// Verifies the next records of the chain, and returns whether they were the last.
    pub async fn follow_page(
        connection: &mut Connection<D>,
        mut chain: Follow,
    ) -> Result<Result<(Follow, bool), Tampered>, Error> {
        let rows = Self::page(connection, chain.sequence()).await?;
        for row in &rows {
            let (entity, record) = (row.try_get("entity")?, row.try_get("record")?);
            let noted = Self::decode_head(row).ok();
            if let Err(tampered) = chain.take(Self::record_id(row)?, entity, record, noted) {
                return Ok(Err(tampered));
            }
        }
        Ok(Ok((chain, rows.len() < PAGE)))
    }

    /// Verifies the chain from its beginning.
    pub async fn follow(
        connection: &mut Connection<D>,
        known: Option<AuditHead>,
    ) -> Result<Result<AuditHead, Tampered>, Error> {
        let mut chain = Follow::new(known);
        loop {
            match Self::follow_page(&mut *connection, chain).await? {
                Ok((further, false)) => chain = further,
                Ok((whole, true)) => return Ok(whole.end()),
                Err(tampered) => return Ok(Err(tampered)),
            }
        }
    }

    /// Rewrites the next records of the chain: returns those that change, and whether the last was among the records.
    pub async fn rewrite_page(
        connection: &mut Connection<D>,
        rewrite: &mut Rewrite,
    ) -> Result<(Vec<Rewritten>, bool), Error> {
        let rows = Self::page(connection, rewrite.sequence()).await?;
        let mut changed = Vec::new();
        for row in &rows {
            let (entity, text) = (row.try_get("entity")?, row.try_get("record")?);
            changed.extend(rewrite.take(Self::record_id(row)?, entity, text).map_err(broken)?);
        }
        Ok((changed, rows.len() < PAGE))
    }

    /// Appends the record of a rewritten chain, and returns the new head.
    pub async fn end_rewrite(
        connection: &mut Connection<D>,
        rewrite: Rewrite,
        before: AuditHead,
    ) -> Result<AuditHead, Error> {
        let Some(marker) = rewrite.end(before).map_err(broken)? else { return Ok(before) };
        sqlx::query(
            "INSERT INTO graceful_audit (seq, flow, entity, record, hash, at) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(marker.head.sequence)
        .bind(marker.flow)
        .bind(&*marker.entity)
        .bind(&*marker.text)
        .bind(marker.head.hash.as_slice())
        .bind(micros(marker.at))
        .execute(connection)
        .await?;
        Ok(marker.head)
    }
}
