//! The entity that every scenario updates, and the work that every handler does.

use std::{borrow::Cow, fmt};

use graceful::{Classify, Code};
use serde::{Deserialize, Serialize};

/// The bytes of JSON of a user whose text is empty.
pub const JSON: usize = 400;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    pub id: u64,
    pub name: String,
    pub email: String,
    pub phone: String,
    pub locale: String,
    pub time_zone: String,
    pub role: String,
    pub team: String,
    pub about: String,
    pub address: Address,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Address {
    pub street: String,
    pub city: String,
    pub post_code: String,
    pub country: String,
}

/// A server fault, so that every step of the error flow runs.
#[derive(Clone, Debug, Classify)]
pub enum UserError {
    #[classify(code = InvalidArgument, message = "the email address of user {id} is not one")]
    Email { id: u64 },
    #[classify(code = Unavailable, message = "the store of users does not answer")]
    Store,
}

/// The code and the message that the handlers written by hand use.
impl UserError {
    pub const fn code(&self) -> Code {
        match self {
            Self::Email { .. } => Code::InvalidArgument,
            Self::Store => Code::Unavailable,
        }
    }

    pub fn message(&self) -> Cow<'static, str> {
        match self {
            Self::Email { id } => format!("the email address of user {id} is not one").into(),
            Self::Store => "the store of users does not answer".into(),
        }
    }
}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl std::error::Error for UserError {}

impl User {
    /// A user with the given number of bytes of JSON, for which [`store`] returns an `Ok` or an `Err`.
    pub fn sample(id: u64, succeeds: bool, json: usize) -> Self {
        Self {
            id,
            name: "Augusta Ada King".to_owned(),
            email: "ada@analytical-engine.example.org".to_owned(),
            phone: "+44 20 7946 0958".to_owned(),
            locale: "en-GB".to_owned(),
            time_zone: "Europe/London".to_owned(),
            role: if succeeds { "maintainer" } else { "unreachable" }.to_owned(),
            team: "the difference engines".to_owned(),
            about: format!(
                "She wrote the first program, a century before any machine that could run it.{}",
                "x".repeat(json.saturating_sub(JSON))
            ),
            address: Address {
                street: "12 St James's Square".to_owned(),
                city: "London".to_owned(),
                post_code: "SW1Y 4JH".to_owned(),
                country: "United Kingdom".to_owned(),
            },
        }
    }
}

/// The body of every handler. It does little, so that mainly the steps are measured.
pub fn store(user: User) -> Result<User, UserError> {
    if !user.email.contains('@') {
        return Err(UserError::Email { id: user.id });
    }
    if user.role == "unreachable" { Err(UserError::Store) } else { Ok(user) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_has_the_requested_size() {
        for size in [JSON, 1024, 64 * 1024] {
            assert_eq!(serde_json::to_vec(&User::sample(42, true, size)).unwrap().len(), size);
        }
    }

    #[test]
    fn sample_has_the_requested_outcome() {
        assert!(store(User::sample(42, true, JSON)).is_ok());
        assert_eq!(store(User::sample(42, false, JSON)).unwrap_err().code(), Code::Unavailable);
    }
}
