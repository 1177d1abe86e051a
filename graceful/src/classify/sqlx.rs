//! `sqlx::Error`.

use sqlx::error::{DatabaseError, Error, ErrorKind};

use super::Classify;
use crate::code::Code;

#[diagnostic::do_not_recommend]
impl Classify for Error {
    fn code(&self) -> Code {
        match self {
            Self::RowNotFound => Code::NotFound,
            Self::Database(refused) => database(&**refused),
            Self::BeginFailed
            | Self::Io(_)
            | Self::PoolClosed
            | Self::PoolTimedOut
            | Self::Tls(_)
            | Self::WorkerCrashed => Code::Unavailable,
            _ => Code::Internal,
        }
    }
}

fn database(refused: &dyn DatabaseError) -> Code {
    match refused.kind() {
        ErrorKind::UniqueViolation => Code::AlreadyExists,
        ErrorKind::ExclusionViolation | ErrorKind::ForeignKeyViolation => Code::FailedPrecondition,
        ErrorKind::CheckViolation | ErrorKind::NotNullViolation => Code::InvalidArgument,
        _ => refused.code().map_or(Code::Internal, |code| by_number(&code)),
    }
}

/// By the `SQLSTATE` of PostgreSQL, of five characters, or by the result code of SQLite, which is shorter.
fn by_number(number: &str) -> Code {
    match number {
        // A conflict of transactions, a deadlock.
        "40001" | "40P01" => Code::Aborted,
        // The time limit of a statement.
        "57014" => Code::DeadlineExceeded,
        // Locked or busy, in its variants; no space left.
        "5" | "6" | "13" | "261" | "262" | "517" => Code::Unavailable,
        // The connection; resources of the server; its shutdown.
        _ if number.len() == 5 && ["08", "53", "57P"].iter().any(|class| number.starts_with(class)) => {
            Code::Unavailable
        }
        _ => Code::Internal,
    }
}
