//! Why a server could not be used, told at start.

use std::{error::Error, fmt};

/// Why a server could not be used.
///
/// Its text names the server by host and port, never a user, a password or a token, and so does its `Debug`.
///
/// ```no_run
/// # #[cfg(feature = "redis")]
/// # async fn example() {
/// use graceful::backends::redis;
///
/// let error = redis::Cache::connect("redis://:secret@127.0.0.1:1").await.unwrap_err();
/// assert!(error.to_string().starts_with("Redis at 127.0.0.1:1 "));
/// assert!(!format!("{error:?}").contains("secret"));
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectError(String);

impl ConnectError {
    /// The text must hold no secret.
    #[cfg(any(
        feature = "alertmanager",
        feature = "nats",
        feature = "postgres",
        feature = "redis",
        feature = "sparql",
        feature = "sqlite",
        feature = "webhook"
    ))]
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for ConnectError {}
