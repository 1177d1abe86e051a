//! The table of secrets.

use sqlx::{ColumnIndex, Error, Executor, Row as _};

use crate::{
    dialect::{Connection, Dialect, Row, Tables, Value},
    indexed,
};

/// The name of a secret as in its table.
fn key<D: Dialect>(name: &str) -> String {
    indexed(&D::escaped(name)).into_owned()
}

impl<D: Dialect> Tables<D>
where
    for<'c> &'c mut Connection<D>: Executor<'c, Database = D::Database>,
    for<'v> &'v str: ColumnIndex<Row<D>>,
    for<'v> String: Value<'v, D>,
    for<'v> Vec<u8>: Value<'v, D>,
{
    /// Reads a secret.
    pub async fn secret(connection: &mut Connection<D>, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let query = sqlx::query("SELECT secret FROM graceful_secrets WHERE name = $1").bind(key::<D>(name));
        query.fetch_optional(connection).await?.map(|row| row.try_get("secret")).transpose()
    }

    /// Stores a secret, if there is none of this name. Returns the one that is stored, which may be that of another process.
    pub async fn create_secret(
        connection: &mut Connection<D>,
        name: &str,
        secret: Vec<u8>,
    ) -> Result<Vec<u8>, Error> {
        let insert = "INSERT INTO graceful_secrets (name, secret) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING name";
        let insert = sqlx::query(insert).bind(key::<D>(name)).bind(secret);
        insert.fetch_optional(&mut *connection).await?;
        // A statement of its own, which sees what another process has committed.
        Self::secret(connection, name).await?.ok_or(Error::RowNotFound)
    }
}
