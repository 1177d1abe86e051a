//! The table of idempotent calls.
//!
//! Each name of a call has a row. Its key is the SHA-256 of the name: names may be longer than an entry of an index, and tell who has called.

use std::time::Duration;

use graceful::{
    Sha256, StepError,
    backends::{CallState, IdempotentAnswer, IdempotentCall, KnownCall, RequestHash, StoredAnswer},
};
use sqlx::{ColumnIndex, Error, Executor, QueryBuilder, Row as _};
use uuid::Uuid;

use crate::{
    dialect::{Connection, Dialect, Row, Tables, Value},
    values::{broken, count, length},
};

/// The names of a call as in the table. All statements lock the rows in this order, so that two calls do not wait for each other.
pub fn call_names(names: &[String]) -> Vec<[u8; 32]> {
    let mut hashes: Vec<_> = names.iter().map(|name| Sha256::of(name.as_bytes()).0).collect();
    hashes.sort_unstable();
    hashes
}

/// The error of a flow that is not stored, because its call has not all of its names any more.
pub fn lost_claim() -> StepError {
    StepError::aborted(
        "the flow was not stored, because its idempotency key was claimed by another call meanwhile",
    )
}

impl<D: Dialect> Tables<D>
where
    for<'c> &'c mut Connection<D>: Executor<'c, Database = D::Database>,
    for<'v> &'v str: ColumnIndex<Row<D>>,
    for<'v> &'v [u8]: Value<'v, D>,
    for<'v> Option<&'v [u8]>: Value<'v, D>,
    for<'v> bool: Value<'v, D>,
    for<'v> i64: Value<'v, D>,
    for<'v> Uuid: Value<'v, D>,
{
    /// Decodes what is known of a call, from its columns and the rest of its time as `remaining`.
    pub fn decode_call(row: &Row<D>) -> Result<KnownCall, Error> {
        let request: Option<&[u8]> = row.try_get("request")?;
        let decoded =
            |bytes| RequestHash::from_bytes(bytes).ok_or_else(|| broken("not the hash of a request"));
        let request = request.map(decoded).transpose()?;
        let state = match row.try_get("answered")? {
            true => CallState::Answered(StoredAnswer::from_bytes(row.try_get("answer")?)),
            false => {
                let remaining: i64 = row.try_get("remaining")?;
                CallState::Running(Duration::from_micros(u64::try_from(remaining).unwrap_or_default()))
            }
        };
        Ok(KnownCall::new(request, state))
    }

    /// Reads what is known of these names: an answer before a running call. A statement that is not persistent leaves nothing prepared on the
    /// connection.
    pub async fn known_call(
        connection: &mut Connection<D>,
        names: &[String],
        is_persistent: bool,
    ) -> Result<Option<KnownCall>, Error> {
        let now = D::NOW;
        let mut query = QueryBuilder::new(format!(
            "SELECT request, answered, answer, expires - {now} AS remaining FROM graceful_idempotent_calls WHERE "
        ));
        Self::push_names(&mut query, names);
        query.push(format_args!(" AND expires > {now} ORDER BY answered DESC, name LIMIT 1"));
        let row = query.build().persistent(is_persistent).fetch_optional(connection).await?;
        row.as_ref().map(Self::decode_call).transpose()
    }

    /// Stores the answer of a claimed call. Returns false, and changes nothing, if the call has not all of its names any more.
    pub async fn answer_call(
        connection: &mut Connection<D>,
        answer: &IdempotentAnswer,
    ) -> Result<bool, Error> {
        let mut query = QueryBuilder::default();
        Self::push_answer(&mut query, answer);
        query.push(" RETURNING name");
        Ok(!query.build().fetch_all(connection).await?.is_empty())
    }

    /// Extends the lease of a claimed call. Returns false, and changes nothing, if the call has not all of its names any more.
    pub async fn renew_call(
        connection: &mut Connection<D>,
        call: &IdempotentCall,
        lease: Duration,
    ) -> Result<bool, Error> {
        let mut query = QueryBuilder::default();
        let expires = format!("expires = CASE WHEN answered THEN expires ELSE {} + ", D::NOW);
        Self::push_change(&mut query, call, |query| {
            query.push(expires).push_bind(length(lease)).push(" END");
        });
        query.push(" RETURNING name");
        Ok(!query.build().fetch_all(connection).await?.is_empty())
    }

    /// Deletes the names that a call has claimed and not answered.
    pub async fn release_call(connection: &mut Connection<D>, call: &IdempotentCall) -> Result<(), Error> {
        let mut query = QueryBuilder::new(
            "DELETE FROM graceful_idempotent_calls WHERE name IN (SELECT name FROM graceful_idempotent_calls WHERE ",
        );
        Self::push_owned(&mut query, call);
        query.push(format_args!(" AND NOT answered ORDER BY name {})", D::LOCK));
        query.build().execute(connection).await.map(drop)
    }

    /// Appends the change of a claimed call's rows into those of an answer. It returns the rows if the call has all of its names, otherwise none.
    pub fn push_answer(query: &mut QueryBuilder<D::Database>, answer: &IdempotentAnswer) {
        let IdempotentAnswer { call, answer, window, .. } = answer;
        Self::push_change(query, call, |query| {
            // A repetition changes nothing.
            query.push("answer = CASE WHEN answered THEN answer ELSE ").push_bind(answer.as_bytes());
            query.push(format_args!(" END, expires = CASE WHEN answered THEN expires ELSE {} + ", D::NOW));
            query.push_bind(length(*window)).push(" END, answered = TRUE");
        });
    }

    /// Appends the deletion of the rows of these names that have expired.
    pub fn push_delete_expired(query: &mut QueryBuilder<D::Database>, names: &[String]) {
        query.push("DELETE FROM graceful_idempotent_calls WHERE ");
        Self::push_names(query, names);
        query.push(format_args!(" AND expires <= {}", D::NOW));
    }

    /// Appends the insertion of the rows of a call for this time: of one that runs, or with its answer. It has no condition yet.
    pub fn push_insert(
        query: &mut QueryBuilder<D::Database>,
        call: &IdempotentCall,
        answer: Option<&StoredAnswer>,
        time: Duration,
    ) {
        let request = call.request.as_ref().map(RequestHash::as_bytes);
        query
            .push("INSERT INTO graceful_idempotent_calls (name, token, request, answered, answer, expires) SELECT given.column1, ")
            .push_bind(call.token)
            .push(", ")
            .push_bind(request)
            .push(", ")
            .push_bind(answer.is_some())
            .push(", ")
            .push_bind(answer.and_then(StoredAnswer::as_bytes))
            .push(format_args!(", {} + ", D::NOW))
            .push_bind(length(time))
            .push(" FROM (");
        query.push_values(call_names(&call.names), |mut row, name| {
            row.push_bind(&name[..]);
        });
        query.push(") AS given");
    }

    fn push_names(query: &mut QueryBuilder<D::Database>, names: &[String]) {
        query.push("name IN (");
        let mut places = query.separated(", ");
        for name in call_names(names) {
            places.push_bind(&name[..]);
        }
        query.push(")");
    }

    fn push_owned(query: &mut QueryBuilder<D::Database>, call: &IdempotentCall) {
        Self::push_names(query, &call.names);
        query.push(" AND token = ").push_bind(call.token);
    }

    /// Appends the change of a call's rows if it has all of its names.
    fn push_change(
        query: &mut QueryBuilder<D::Database>,
        call: &IdempotentCall,
        change: impl FnOnce(&mut QueryBuilder<D::Database>),
    ) {
        query.push("UPDATE graceful_idempotent_calls SET ");
        change(query);
        query.push(" WHERE ");
        Self::push_owned(query, call);
        query.push(" AND (SELECT count(*) FROM (SELECT name FROM graceful_idempotent_calls WHERE ");
        Self::push_owned(query, call);
        query.push(format_args!(" ORDER BY name {}) AS owned) = ", D::LOCK));
        query.push_bind(count(call.names.len()));
    }
}
