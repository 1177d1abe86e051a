//! What can be wrong, and what it means.

use std::io;

use graceful::Classify;

/// Why a handler has not done it. Its code decides what follows, and its message is all that a client gets.
#[derive(Debug, Classify)]
pub enum UserError {
    /// Nobody has logged in.
    #[classify(code = Unauthenticated, message = "say who you are")]
    Anonymous,
    /// Somebody else may.
    #[classify(code = PermissionDenied, message = "you may not do that")]
    Forbidden,
    /// What was sent cannot be.
    #[classify(code = InvalidArgument, message = "{0}")]
    Invalid(&'static str),
    /// There is no such user.
    #[classify(code = NotFound, message = "no user {0}")]
    Missing(i64),
    /// Names are unique.
    #[classify(code = AlreadyExists, message = "the name {0} is taken")]
    Taken(String),
    /// The service that knows of mail is away, or whatever it says.
    #[classify(transparent)]
    Mail(io::Error),
    /// The database does not do it. What it says is for the log, and reaches no client.
    #[classify(transparent)]
    Database(sqlx::Error),
}

impl From<io::Error> for UserError {
    fn from(error: io::Error) -> Self {
        Self::Mail(error)
    }
}

impl From<sqlx::Error> for UserError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}
