//! Errors of connecting to a server, without secrets.

use std::{error::Error, fmt, future::Future, pin::Pin};

/// Why a server could not be used.
///
/// Its text holds nothing of the URL but host and port, and those only where they can be no secret in the wrong place: an IP
/// address, or `localhost`. So does its `Debug`.
///
/// ```
/// use graceful::backends::client::ConnectError;
///
/// let error = ConnectError::new("PostgreSQL: database \"s3cret\" does not exist");
/// assert_eq!(error.to_string(), "PostgreSQL: database \"…\" does not exist");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectError(String);

impl ConnectError {
    /// An error with this text. Whatever it quotes with `"` is left out, since servers quote names that came from the URL; control
    /// characters are escaped.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let parts = text.split('"').enumerate();
        let shown: String = parts.map(|(index, part)| if index % 2 == 0 { part } else { "\"…\"" }).collect();
        Self(crate::escape::escaped(&shown).into_owned())
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

/// Connects to what is outside of the runtime, also under `tokio::time::pause`: paused time goes to the next timer as soon as all
/// tasks wait, so whatever waits for a server, or for a thread of SQLite, would have run out of its time at once. While a blocking
/// task is under way it stands still.
pub fn in_real_time<'a, T>(
    work: impl Future<Output = T> + Send + 'a,
) -> Pin<Box<dyn Future<Output = T> + Send + 'a>> {
    // Boxed, since what connects is large, and its caller's future would hold it twice.
    Box::pin(async move {
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        tokio::task::spawn_blocking(move || ended.blocking_recv());
        let output = work.await;
        drop(end);
        output
    })
}
