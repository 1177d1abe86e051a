//! A connection that comes back by itself.

use std::time::Duration;

use async_nats::{ConnectErrorKind, jetstream};
use graceful::backends::client::ConnectError;
use graceful_http::tls;

use super::url::Url;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(2);

/// A server that has said nothing for so long is asked whether it is there; after the third such silence the connection is
/// made anew.
const PING: Duration = Duration::from_secs(2);

/// The longest pause between two attempts to connect.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a question to JetStream, such as for a stream, may take.
const ANSWER: Duration = Duration::from_secs(5);

pub(super) struct Client {
    pub jetstream: jetstream::Context,
    /// For people.
    pub place: String,
}

impl Client {
    /// Connects, so that a wrong address or password is told at once.
    pub(super) async fn connect(url: &Url) -> Result<Self, ConnectError> {
        let place = url.place.clone();
        let client = url
            .options()
            // A server may ask for it, whatever the URL's scheme.
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

/// None at first, then twice as long each time, and by chance up to half as long, so that not all come back at once.
fn pause(attempts: usize) -> Duration {
    let longest = match u32::try_from(attempts) {
        Ok(0 | 1) => return Duration::ZERO,
        Ok(attempts) => Duration::from_millis(50 << attempts.min(5)),
        Err(_) => PAUSE,
    };
    longest.min(PAUSE).mul_f64(1.0 - fastrand::f64() / 2.0)
}
