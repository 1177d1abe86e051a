//! A connection that reconnects automatically.

use std::time::Duration;

use async_nats::{ConnectErrorKind, jetstream};
use graceful::backends::client::ConnectError;
use graceful_http::tls;

use super::url::Url;

/// The timeout of connecting.
const CONNECT: Duration = Duration::from_secs(2);

/// A silent server is pinged at this interval; after three pings without an answer the client reconnects.
const PING: Duration = Duration::from_secs(2);

/// The longest pause between two attempts to reconnect.
const PAUSE: Duration = Duration::from_secs(1);

/// The timeout of a request to JetStream, e.g. for a stream.
const ANSWER: Duration = Duration::from_secs(5);

pub(super) struct Client {
    pub jetstream: jetstream::Context,
    /// The server, for messages.
    pub place: String,
}

impl Client {
    /// Connects at once, so that a wrong address or password is reported at start.
    pub(super) async fn connect(url: &Url) -> Result<Self, ConnectError> {
        let place = url.place.clone();
        let client = url
            .options()
            // A server may require TLS, independently of the scheme.
            .tls_client_config(tls::client_config().map_err(ConnectError::new)?)
            .name("graceful")
            .connection_timeout(CONNECT)
            .ping_interval(PING)
            .max_reconnects(None)
            .reconnect_delay_callback(pause)
            .connect(&url.servers)
            .await;
        let client = client.map_err(|error| {
            let why = match error.kind() {
                ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
                    "refuses the user, the password or the token".to_owned()
                }
                ConnectErrorKind::TimedOut => format!("does not answer within {CONNECT:?}"),
                _ => format!("cannot be used: {error}"),
            };
            ConnectError::new(format!("{place} {why}"))
        })?;
        let mut jetstream = jetstream::new(client);
        jetstream.set_timeout(ANSWER);
        Ok(Self { jetstream, place })
    }
}

/// No pause at first, then a doubling pause with random jitter, so that clients do not all reconnect at once.
fn pause(attempts: usize) -> Duration {
    let longest = match u32::try_from(attempts) {
        Ok(0 | 1) => return Duration::ZERO,
        Ok(attempts) => Duration::from_millis(50 << attempts.min(5)),
        Err(_) => PAUSE,
    };
    longest.min(PAUSE).mul_f64(1.0 - fastrand::f64() / 2.0)
}
