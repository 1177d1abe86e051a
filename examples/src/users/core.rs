//! The handlers, which contain business logic only.
//!
//! The steps of a write are durable: its flow is on disk, in the database of the users, before the response is returned. Reads are
//! answered from the cache if they can be, and a write makes the values that it changes stale. As a hit skips what a body checks, the
//! caller is checked before.

use graceful::{Context, idempotency::IdempotencyKey, orchestrate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Mail, UserError, table::Table};

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, sqlx::FromRow)]
pub struct User {
    /// The id, which the service assigns.
    pub id: i64,
    /// The name, which is unique.
    pub name: String,
    /// The email address, which accepts mail.
    pub email: String,
}

/// A user to be created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewUser {
    /// 1 to 40 letters, digits or `-`.
    pub name: String,
    /// The email address, which accepts mail.
    pub email: String,
}

/// The users, with the operations on them.
#[derive(Debug)]
pub struct Users<M> {
    table: Table,
    mail: M,
}

/// The administrator, who may change every user.
const ADMINISTRATOR: &str = "root";

#[orchestrate(pattern = "user")]
impl<M: Mail> Users<M> {
    /// Opens the users in a database, `sqlite://path/to/file.db` or `postgres://user@host/database`, and creates the table if it is missing.
    ///
    /// # Errors
    /// Fails if the database cannot be opened, or has a different table of users.
    pub async fn open(database: &str, mail: M) -> Result<Self, sqlx::Error> {
        Ok(Self { table: Table::open(database).await?, mail })
    }

    /// Creates a user; only the administrator may. A repetition with the same key gets the user that was created first.
    ///
    /// A repetition skips what the body checks; but the key belongs to its caller, so it gets only what the same caller got before.
    ///
    /// # Errors
    /// See [`UserError`].
    #[orchestrate(
        cache(key = result.id, touches(all_users = ())),
        event = "user_created",
        delivery = "durable",
        idempotent(key = key, request = new)
    )]
    pub async fn create(&self, key: Option<IdempotencyKey>, new: NewUser) -> Result<User, UserError> {
        allowed(None)?;
        self.valid(&new.name, &new.email).await?;
        self.table.insert(new).await
    }

    /// Returns a user to any authenticated caller.
    ///
    /// # Errors
    /// See [`UserError`].
    pub async fn read(&self, id: i64) -> Result<User, UserError> {
        caller()?;
        self.load(id).await
    }

    #[orchestrate(cache(key = id, read))]
    async fn load(&self, id: i64) -> Result<User, UserError> {
        self.table.get(id).await
    }

    /// Returns a page of users, in the order of their names, to any authenticated caller.
    ///
    /// # Errors
    /// See [`UserError`].
    pub async fn list(&self, page: u32) -> Result<Vec<User>, UserError> {
        caller()?;
        self.load_page(page).await
    }

    /// Who is on a page is known only to the body, so each page depends on all users, which every write touches.
    #[orchestrate(pattern = "user_page", cache(key = page, read, depends_on(all_users = ())))]
    async fn load_page(&self, page: u32) -> Result<Vec<User>, UserError> {
        self.table.page(page).await
    }

    /// Changes name and address of a user; only the user and the administrator may.
    ///
    /// # Errors
    /// See [`UserError`].
    #[orchestrate(cache(key = user.id, touches(all_users = ())), event = "user_updated", delivery = "durable")]
    pub async fn update(&self, user: User) -> Result<User, UserError> {
        // Do not reveal to anonymous callers which users exist.
        caller()?;
        let known = self.table.get(user.id).await?;
        allowed(Some(&known))?;
        self.valid(&user.name, &user.email).await?;
        self.table.update(user).await
    }

    /// Deletes a user; only the administrator may.
    ///
    /// # Errors
    /// See [`UserError`].
    #[orchestrate(
        cache(key = id, touches(all_users = ()), on_ok = "invalidate"),
        event = "user_deleted",
        delivery = "durable"
    )]
    pub async fn delete(&self, id: i64) -> Result<(), UserError> {
        allowed(None)?;
        self.table.remove(id).await
    }

    async fn valid(&self, name: &str, email: &str) -> Result<(), UserError> {
        let letters = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        if !(1..=40).contains(&name.len()) || !name.chars().all(letters) {
            return Err(UserError::Invalid("a name is 1 to 40 letters, digits or `-`"));
        }
        match self.mail.gets_through(email).await? {
            true => Ok(()),
            false => Err(UserError::Invalid("no mail gets through to this address")),
        }
    }
}

fn caller() -> Result<String, UserError> {
    Context::current().user.as_ref().map(ToString::to_string).ok_or(UserError::Anonymous)
}

/// Whether the caller may change this user; or any.
fn allowed(user: Option<&User>) -> Result<(), UserError> {
    let caller = caller()?;
    let own = user.is_some_and(|user| user.name == caller);
    if own || caller == ADMINISTRATOR { Ok(()) } else { Err(UserError::Forbidden) }
}
