//! Calls that failed, and whether the server is the reason.

use graceful::StepError;

/// A call that failed.
pub(super) struct Failed {
    /// Whether the server or the connection failed, not the statement.
    pub(super) is_unavailable: bool,
    pub(super) why: String,
}

/// Whether the server is unavailable, by the classes of <https://www.postgresql.org/docs/current/errcodes-appendix.html>: connection failure,
/// insufficient resources, shutdown or startup; also the code of a server that has become a standby.
pub(super) fn is_unavailable(error: &sqlx::Error) -> bool {
    use sqlx::Error::{Database, Io, PoolClosed, PoolTimedOut, Protocol, Tls, WorkerCrashed};
    match error {
        Database(error) => error.code().is_some_and(|code| {
            ["08", "53", "57"].iter().any(|class| code.starts_with(class)) || code == "25006"
        }),
        Io(_) | PoolClosed | PoolTimedOut | Protocol(_) | Tls(_) | WorkerCrashed => true,
        _ => false,
    }
}

/// A call that the circuit breaker has refused.
impl From<StepError> for Failed {
    fn from(refused: StepError) -> Self {
        Self { is_unavailable: true, why: refused.message().to_owned() }
    }
}

impl From<Failed> for StepError {
    fn from(failed: Failed) -> Self {
        Self::new(failed.why)
    }
}
