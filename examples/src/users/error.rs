//! The errors of the handlers, and their classification.

use std::io;

use graceful::{Classify, StepError};

/// The error of a handler. Its code decides what the steps do, and clients get its message only.
#[derive(Debug, Classify)]
pub enum UserError {
    /// The caller is not authenticated.
    #[classify(code = Unauthenticated, message = "say who you are")]
    Anonymous,
    /// The caller is not permitted to do this.
    #[classify(code = PermissionDenied, message = "you may not do that")]
    Forbidden,
    /// The request is invalid.
    #[classify(code = InvalidArgument, message = "{0}")]
    Invalid(&'static str),
    /// The user does not exist.
    #[classify(code = NotFound, message = "no user {0}")]
    Missing(i64),
    /// The name is taken.
    #[classify(code = AlreadyExists, message = "the name {0} is taken")]
    Taken(String),
    /// The mail service is unavailable, or returned an error.
    #[classify(transparent)]
    Mail(io::Error),
    /// The database failed. Its error is logged, and never sent to a client.
    #[classify(transparent)]
    Database(sqlx::Error),
    /// A repetition was refused.
    #[classify(transparent)]
    Refused(StepError),
}

impl From<StepError> for UserError {
    fn from(error: StepError) -> Self {
        Self::Refused(error)
    }
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
