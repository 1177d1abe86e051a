//! The users in the database: the statements, and what their answers mean.

use sqlx::AnyPool;

use super::{NewUser, User, UserError};

#[derive(Debug)]
pub(super) struct Table(AnyPool);

/// How the two databases count.
const SQLITE: &str = "CREATE TABLE IF NOT EXISTS users
    (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, email TEXT NOT NULL)";
const POSTGRES: &str = "CREATE TABLE IF NOT EXISTS users
    (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name TEXT NOT NULL UNIQUE, email TEXT NOT NULL)";

/// The users on a page.
const PAGE: i64 = 20;

impl Table {
    pub(super) async fn open(database: &str) -> Result<Self, sqlx::Error> {
        sqlx::any::install_default_drivers();
        let pool = AnyPool::connect(database).await?;
        let create = if database.starts_with("sqlite:") { SQLITE } else { POSTGRES };
        sqlx::query(create).execute(&pool).await?;
        Ok(Self(pool))
    }

    pub(super) async fn insert(&self, NewUser { name, email }: NewUser) -> Result<User, UserError> {
        let id = sqlx::query_scalar("INSERT INTO users (name, email) VALUES ($1, $2) RETURNING id")
            .bind(&name)
            .bind(&email)
            .fetch_one(&self.0)
            .await
            .map_err(|error| refused(error, &name))?;
        Ok(User { id, name, email })
    }

    pub(super) async fn get(&self, id: i64) -> Result<User, UserError> {
        let found = sqlx::query_as("SELECT id, name, email FROM users WHERE id = $1");
        found.bind(id).fetch_optional(&self.0).await?.ok_or(UserError::Missing(id))
    }

    pub(super) async fn page(&self, page: u32) -> Result<Vec<User>, UserError> {
        let users =
            sqlx::query_as("SELECT id, name, email FROM users ORDER BY name LIMIT $1 OFFSET $2").bind(PAGE);
        Ok(users.bind(i64::from(page) * PAGE).fetch_all(&self.0).await?)
    }

    pub(super) async fn update(&self, user: User) -> Result<User, UserError> {
        let updated = sqlx::query("UPDATE users SET name = $2, email = $3 WHERE id = $1")
            .bind(user.id)
            .bind(&user.name)
            .bind(&user.email)
            .execute(&self.0)
            .await
            .map_err(|error| refused(error, &user.name))?;
        if updated.rows_affected() == 0 { Err(UserError::Missing(user.id)) } else { Ok(user) }
    }

    pub(super) async fn remove(&self, id: i64) -> Result<(), UserError> {
        let removed = sqlx::query("DELETE FROM users WHERE id = $1").bind(id).execute(&self.0).await?;
        if removed.rows_affected() == 0 { Err(UserError::Missing(id)) } else { Ok(()) }
    }
}

/// Names are unique: the database says so.
fn refused(error: sqlx::Error, name: &str) -> UserError {
    match error.as_database_error() {
        Some(refused) if refused.is_unique_violation() => UserError::Taken(name.to_owned()),
        _ => error.into(),
    }
}
