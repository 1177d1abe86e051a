//! The error of connecting to a backend, without secrets.

use std::{error::Error, fmt, future::Future, pin::Pin};

/// The error of connecting to a server, or of opening the file of a store.
///
/// Its text and its `Debug` contain no part of the URL except host and port, and these only for an IP address or `localhost`: any other
/// host might be a password in the wrong place.
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
    /// Creates an error with this text. Texts in `"` are removed, because servers quote names from the URL; control characters are
    /// escaped.
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

/// Runs a connection attempt in real time, even under `tokio::time::pause`. Paused time jumps to the next timer as soon as all tasks
/// wait, so an attempt that waits for a server or for a thread of SQLite would time out at once. While a blocking task runs, paused time does
/// not advance.
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
