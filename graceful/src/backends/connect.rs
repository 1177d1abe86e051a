//! Why a server could not be used, told at start.

use std::{error::Error, fmt};
#[cfg(any(feature = "nats", feature = "postgres", feature = "redis", feature = "sqlite"))]
use std::{future::Future, pin::Pin};

/// Why a server could not be used.
///
/// Its text holds nothing of the URL but host and port, and those only where they can be no secret in the wrong place: an IP
/// address, or `localhost`. So does its `Debug`.
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
    /// The text must hold no secret: what it quotes, as servers do with names that came from the URL, is left out.
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
#[cfg(any(feature = "nats", feature = "postgres", feature = "redis", feature = "sqlite"))]
pub(crate) fn in_real_time<'a, T>(
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
