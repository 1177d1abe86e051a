//! What the SQL stores share: statements that both databases understand, and the decoding of rows.

use std::{borrow::Cow, marker::PhantomData};

use sqlx::{
    ColumnIndex, Database, Decode, Encode, Error, IntoArguments, Row as _, Type, database::HasStatementCache,
    query::Query,
};

/// The database of a store, and what it does differently.
///
/// The statements that compare times are in the stores: SQLite has the clock of the machine, PostgreSQL that of the server.
pub trait Dialect {
    /// The database.
    type Database: Database<Arguments: IntoArguments<Self::Database>> + HasStatementCache;

    /// Selects the newest state of an entity through the index of the newest states, whose condition is written differently.
    const LATEST: &'static str;

    /// The name of a pattern, in the order of its bytes whatever the collation of the database, as in an index.
    const PATTERN: &'static str;

    /// Deletes the uses of an entity, except for the newest. PostgreSQL skips those that another call is deleting.
    const DELETE_OLD_TRACES: &'static str;

    /// The name of the incident of an alert or a job, in the order of its bytes, as in the indexes of pages.
    const INCIDENT: &'static str;

    /// The name of the entity in that of an incident, as in the indexes of entities.
    const ENTITY: &'static str;

    /// The encoded tenant in the name of an entity or an incident, as in the indexes of tenants.
    const TENANT: &'static str;

    /// The time, in microseconds since 1970.
    const NOW: &'static str;

    /// The handler of a flow as in the index of handlers.
    const HANDLER: &'static str;

    /// The actor of an audit record as in the index of actors, and at how many characters it is cut there.
    const ACTOR: (&'static str, usize);

    /// The condition of the queued flows that a claim examines when they are due, as in the index of their times.
    const HEAD: &'static str;

    /// The condition under which such a `flow` can be claimed: it is the first of its entity.
    const FIRST: &'static str;

    /// The function that returns the position of a text in a text.
    const POSITION: &'static str;

    /// Makes a flow that is queued again the last one.
    const LAST: &'static str;

    /// Makes the first queued flow of an entity its head, if a trigger does not.
    const PROMOTE: Option<&'static str>;

    /// Wakes the relays of other processes, in a store that notifies.
    const WAKE: Option<&'static str>;

    /// Keeps claims from running until the end of the transaction, in a database with more than one writer.
    const LOCK_CLAIMS: Option<&'static str>;

    /// Locks rows, in a database with more than one writer.
    const LOCK: &'static str;

    /// Skips rows that another transaction has locked, in a database with more than one writer.
    const SKIP_LOCKED: &'static str;

    /// The end of a query that locks the rows that it reads, or fails if another transaction has locked one.
    const NOWAIT: &'static str;

    /// More columns of what a transaction for a handler returns first: they end the limit of waiting for locks that it began with.
    const WAITED: &'static str;

    /// Makes a random token.
    const TOKEN: &'static str;

    /// Resolves the open alert of an incident at the database's time.
    fn resolve_alert(incident: String, alert: String) -> Statement<Self>;

    /// The form in which a text is stored.
    fn escaped(text: &str) -> Cow<'_, str> {
        text.into()
    }

    /// The text that is stored in this form.
    fn unescaped(stored: &str) -> Cow<'_, str> {
        stored.into()
    }
}

/// A connection to the database of a dialect.
pub type Connection<D> = <<D as Dialect>::Database as Database>::Connection;

/// A row of the database of a dialect.
pub type Row<D> = <<D as Dialect>::Database as Database>::Row;

/// A statement with its arguments.
pub type Statement<D> =
    Query<'static, <D as Dialect>::Database, <<D as Dialect>::Database as Database>::Arguments>;

/// A type of a column and of an argument.
pub trait Value<'v, D: Dialect>:
    Decode<'v, D::Database> + Encode<'v, D::Database> + Type<D::Database>
{
}

impl<'v, D: Dialect, T: Decode<'v, D::Database> + Encode<'v, D::Database> + Type<D::Database>> Value<'v, D>
    for T
{
}

/// The tables of a store. Each part of the store has its functions in a module of its own, whose `impl` names the types of its columns: sqlx
/// has no single bound for them.
#[derive(Debug)]
pub struct Tables<D>(PhantomData<D>);

impl<D: Dialect> Tables<D>
where
    for<'v> &'v str: ColumnIndex<Row<D>> + Value<'v, D>,
    for<'v> i64: Value<'v, D>,
{
    /// Decodes a number, which both databases store with a sign.
    pub(crate) fn number<N>(row: &Row<D>, column: &'static str) -> Result<N, Error>
    where
        N: TryFrom<i64, Error: std::error::Error + Send + Sync + 'static>,
    {
        N::try_from(row.try_get(column)?)
            .map_err(|error| Error::ColumnDecode { index: format!("{column:?}"), source: error.into() })
    }

    pub(crate) fn text(row: &Row<D>, column: &'static str) -> Result<String, Error> {
        Ok(D::unescaped(row.try_get(column)?).into_owned())
    }

    pub(crate) fn optional_text(row: &Row<D>, column: &'static str) -> Result<Option<String>, Error> {
        let stored: Option<&str> = row.try_get(column)?;
        Ok(stored.map(|stored| D::unescaped(stored).into_owned()))
    }
}
