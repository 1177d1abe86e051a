//! What the handlers update: a user, a number, where fixed costs show, and an account with a long key.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::user::{JSON, User, UserError, store};

/// The bytes of JSON of a number.
pub const NUMBER: usize = 8;

/// What a handler updates.
pub trait Entity: Serialize + Send + Sync + Sized + 'static {
    /// The kind of entity.
    const PATTERN: &'static str;

    /// The name of the entity.
    fn id(&self) -> impl fmt::Display;

    /// The n-th entity, for which [`store`](Self::store) returns an `Ok` or an `Err`.
    fn sample(n: u64, succeeds: bool, json: usize) -> Self;

    /// The body of every handler. It does little, so that mainly the steps are measured.
    fn store(self) -> Result<Self, UserError>;
}

impl Entity for User {
    const PATTERN: &'static str = "user";

    fn id(&self) -> impl fmt::Display {
        self.id
    }

    fn sample(n: u64, succeeds: bool, json: usize) -> Self {
        User::sample(n, succeeds, json)
    }

    fn store(self) -> Result<Self, UserError> {
        store(self)
    }
}

/// A number is its own id, and its update succeeds.
impl Entity for u64 {
    const PATTERN: &'static str = "number";

    fn id(&self) -> impl fmt::Display {
        *self
    }

    fn sample(n: u64, _: bool, _: usize) -> Self {
        10_000_000 + n
    }

    fn store(self) -> Result<Self, UserError> {
        Ok(self)
    }
}

/// A user whose key has 36 characters, which is more than a short text stores inline.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    pub id: Uuid,
    pub user: User,
}

impl Entity for Account {
    const PATTERN: &'static str = "account";

    fn id(&self) -> impl fmt::Display {
        self.id
    }

    fn sample(n: u64, succeeds: bool, json: usize) -> Self {
        let user = User::sample(n, succeeds, JSON.min(json));
        Self { id: Uuid::from_u64_pair(0x0198_f3a1_5c2e_7000, 0x8000_0000_0000_0000 | n), user }
    }

    fn store(self) -> Result<Self, UserError> {
        let Self { id, user } = self;
        store(user).map(|user| Self { id, user })
    }
}
