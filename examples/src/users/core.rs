//! The handlers: business logic only.
//!
//! What follows a write is durable: it is on disk, in the database of the users, before the answer leaves. What follows a read
//! may be lost with the process.

use graceful::{Context, orchestrate};
use serde::{Deserialize, Serialize};

use super::{Mail, UserError, table::Table};

/// A user, as all know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct User {
    /// Given by the service.
    pub id: i64,
    /// Nobody else's.
    pub name: String,
    /// Where mail gets through.
    pub email: String,
}

/// A user to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewUser {
    /// 1 to 40 letters, digits or `-`.
    pub name: String,
    /// Where mail gets through.
    pub email: String,
}

/// The users, and what may be done with them.
#[derive(Debug)]
pub struct Users<M> {
    table: Table,
    mail: M,
}

/// Who may do anything with anybody.
const ADMINISTRATOR: &str = "root";

#[orchestrate(pattern = "user")]
impl<M: Mail> Users<M> {
    /// The users in this database, `sqlite://path/to/file.db` or `postgres://user@host/database`; their table is made.
    ///
    /// # Errors
    /// There is no such database, or it has other users.
    pub async fn open(database: &str, mail: M) -> Result<Self, sqlx::Error> {
        Ok(Self { table: Table::open(database).await?, mail })
    }

    /// A new user; only the administrator may.
    ///
    /// # Errors
    /// As [`UserError`] says.
    #[orchestrate(cache = result.id, event = "user_created", delivery = "durable")]
    pub async fn create(&self, new: NewUser) -> Result<User, UserError> {
        allowed(None)?;
        self.valid(&new.name, &new.email).await?;
        self.table.insert(new).await
    }

    /// A user, for whoever has logged in.
    ///
    /// # Errors
    /// As [`UserError`] says.
    #[orchestrate(cache(key = id, on_err = "keep"))]
    pub async fn read(&self, id: i64) -> Result<User, UserError> {
        caller()?;
        self.table.get(id).await
    }

    /// The user under a new name or with another address; the user itself may, and the administrator.
    ///
    /// # Errors
    /// As [`UserError`] says.
    #[orchestrate(cache = user.id, event = "user_updated", delivery = "durable")]
    pub async fn update(&self, user: User) -> Result<User, UserError> {
        // Who there is, is not for everybody.
        caller()?;
        let known = self.table.get(user.id).await?;
        allowed(Some(&known))?;
        self.valid(&user.name, &user.email).await?;
        self.table.update(user).await
    }

    /// The user is gone; only the administrator may.
    ///
    /// # Errors
    /// As [`UserError`] says.
    #[orchestrate(cache(key = id, on_ok = "invalidate"), event = "user_deleted", delivery = "durable")]
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
