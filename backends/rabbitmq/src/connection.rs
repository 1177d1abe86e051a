//! Connections, each opened within a time limit, and closed for certain.

use std::{future::Future, io, ops::Deref, sync::Mutex, time::Duration};

use graceful::backends::client::ConnectError;
use lapin::{
    Channel, ConnectionProperties, ErrorKind,
    protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError},
    uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo},
};
use tokio::{
    runtime::Handle,
    sync::{oneshot, watch},
    time::{sleep, timeout},
};

use super::{
    socket::{Kit, connected},
    url::Url,
};

/// The timeout of connecting to one server.
pub(super) const CONNECT: Duration = Duration::from_secs(2);

/// The time limit of what is declared or opened on a connection.
const COMMAND: Duration = Duration::from_secs(5);

/// The interval of heartbeats in seconds. A silent server is given up after two of them.
const HEARTBEAT: u16 = 5;

/// How long a connection may take to close before it is cut.
const CLOSE: Duration = Duration::from_secs(2);

/// The longest pause between two attempts to reconnect.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Connection {
    client: lapin::Connection,
    cut: Option<oneshot::Sender<()>>,
    /// Its other half is dropped with the socket.
    open: watch::Receiver<()>,
    runtime: Handle,
}

impl Connection {
    /// Connects to the first server that answers.
    pub(super) async fn open(url: &Url) -> Result<Self, Failure> {
        let mut failure = None;
        for (host, port) in &url.servers {
            match Self::open_to(url, host, *port).await {
                Ok(connection) => return Ok(connection),
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(|| Failure::of(url, "has no host")))
    }

    async fn open_to(url: &Url, host: &str, port: u16) -> Result<Self, Failure> {
        let ((cut, is_cut), (is_open, open)) = (oneshot::channel(), watch::channel(()));
        let (server, is_encrypted) = (host.to_owned(), url.is_encrypted);
        // It connects once: automatic recovery is off.
        let ends = Mutex::new(Some((is_cut, is_open)));
        let connect = async move |_: AMQPUri, _| {
            let ends = ends.lock().ok().and_then(|mut ends| ends.take());
            let (is_cut, is_open) = ends.ok_or_else(aborted)?;
            Ok(connected(server.clone(), port, is_encrypted, is_cut, is_open).await?)
        };
        let properties = ConnectionProperties::default().with_connection_name("graceful".into());
        let opening = lapin::Connection::connector(uri(url, host, port), Kit::current(), connect, properties);
        match timeout(CONNECT, opening).await {
            Ok(Ok(client)) => Ok(Self { client, cut: Some(cut), open, runtime: Handle::current() }),
            Ok(Err(error)) => Err(Failure::connecting(url, &error)),
            Err(_) => Err(Failure::of(url, &format!("does not answer within {CONNECT:?}"))),
        }
    }
}

impl Connection {
    /// Waits for the end of the connection.
    pub(super) async fn ended(&self) {
        let mut open = self.open.clone();
        while open.changed().await.is_ok() {}
    }

    /// Drops a value when the connection has ended.
    pub(super) fn drop_after_end(&self, value: impl Send + 'static) {
        let mut open = self.open.clone();
        self.runtime.spawn(async move {
            while open.changed().await.is_ok() {}
            drop(value);
        });
    }

    /// Whether the connection has not ended, as far as this process knows.
    pub(super) fn is_open(&self) -> bool {
        self.client.status().connected() && self.open.has_changed().is_ok()
    }

    /// Waits for an answer of the client. The client leaves some calls without an answer when the connection ends.
    pub(super) async fn while_open<T>(
        &self,
        call: impl Future<Output = Result<T, lapin::Error>>,
    ) -> Result<T, lapin::Error> {
        tokio::select! {
            biased;
            answer = call => answer,
            () = self.ended() => Err(aborted().into()),
        }
    }
}

fn aborted() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

impl Deref for Connection {
    type Target = lapin::Connection;

    fn deref(&self) -> &lapin::Connection {
        &self.client
    }
}

/// The client begins to close the connection when it is dropped. A server that does not answer would keep the client's thread.
impl Drop for Connection {
    fn drop(&mut self) {
        let cut = self.cut.take();
        self.runtime.spawn(async move {
            sleep(CLOSE).await;
            drop(cut);
        });
    }
}

fn uri(url: &Url, host: &str, port: u16) -> AMQPUri {
    AMQPUri {
        scheme: if url.is_encrypted { AMQPScheme::AMQPS } else { AMQPScheme::AMQP },
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo { username: url.user.clone(), password: url.password.clone() },
            host: host.to_owned(),
            port,
        },
        vhost: url.vhost.clone(),
        query: AMQPQueryString { heartbeat: Some(HEARTBEAT), ..AMQPQueryString::default() },
    }
}

/// Why something could not be done.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// Whether the server refused, as opposed to a failed connection.
    pub refused: bool,
    pub error: ConnectError,
}

impl Failure {
    pub(super) fn of(url: &Url, why: &str) -> Self {
        Self { refused: false, error: ConnectError::new(format!("{} {why}", url.place)) }
    }

    fn connecting(url: &Url, error: &lapin::Error) -> Self {
        let why = match refusal(error) {
            // What the server says contains the user and the virtual host.
            Some(AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED)) => {
                "refuses the user or the password".to_owned()
            }
            Some(AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED)) => {
                "has no such virtual host, or refuses the user access to it".to_owned()
            }
            _ => format!("cannot be used: {}", shown(error)),
        };
        Self { refused: refusal(error).is_some(), ..Self::of(url, &why) }
    }

    /// Of a command, such as the declaration of a queue: `what` of the server cannot be used.
    pub(super) fn using(url: &Url, what: &str, error: &lapin::Error) -> Self {
        let text = format!("{what} of {} cannot be used: {}", url.place, shown(error));
        Self { refused: is_refusal(error), error: ConnectError::new(text) }
    }
}

/// What the server has refused, if the error is its answer.
fn refusal(error: &lapin::Error) -> Option<AMQPErrorKind> {
    match error.kind() {
        ErrorKind::ProtocolError(error) => Some(error.kind().clone()),
        _ => None,
    }
}

/// Whether the server has refused this command. A hard error ends the connection with all that is on its way, often for a reason outside of the
/// command, such as an operator who closes the connection.
pub(super) fn is_refusal(error: &lapin::Error) -> bool {
    matches!(refusal(error), Some(AMQPErrorKind::Soft(_)))
}

pub(super) fn is_soft(error: &lapin::Error, expected: &AMQPSoftError) -> bool {
    matches!(refusal(error), Some(AMQPErrorKind::Soft(kind)) if kind == *expected)
}

/// The text of an error, without the names of the virtual host and the user, which are parts of the URL.
pub(super) fn shown(error: &lapin::Error) -> String {
    let text = match error.kind() {
        ErrorKind::ProtocolError(error) => match error.kind() {
            AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => {
                return "ACCESS_REFUSED: the user has no permission for it".to_owned();
            }
            AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => {
                return "NOT_ALLOWED: the server does not allow it to the user".to_owned();
            }
            _ => error.get_message().to_string(),
        },
        ErrorKind::IOError(error) => error.to_string(),
        _ => error.to_string(),
    };
    without_vhost(text)
}

fn without_vhost(text: String) -> String {
    match text.split_once(" in vhost '") {
        Some((before, rest)) => before.to_owned() + rest.split_once('\'').map_or("", |(_, behind)| behind),
        None => text,
    }
}

/// Opens a channel, which the client closes when it is dropped.
pub(super) async fn channel(connection: &Connection, url: &Url) -> Result<Channel, Failure> {
    connection
        .while_open(connection.create_channel())
        .await
        .map_err(|error| Failure::using(url, "a channel", &error))
}

/// Fails after a time limit.
pub(super) async fn within<T>(
    url: &Url,
    call: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let late = |_| Failure::of(url, &format!("does not answer within {COMMAND:?}"));
    timeout(COMMAND, call).await.map_err(late)?
}

/// No pause at first, then a doubling pause with random jitter, so that clients do not all reconnect at once.
pub(super) fn pause(attempts: u32) -> Duration {
    match attempts {
        0 => Duration::ZERO,
        _ => PAUSE.min(Duration::from_millis(50 << attempts.min(5))).mul_f64(1.0 - fastrand::f64() / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use lapin::{protocol::AMQPError, types::ShortString};

    use super::*;

    #[test]
    fn error_text_contains_neither_user_nor_virtual_host() {
        let shown = |kind: AMQPErrorKind, text: &str| {
            let error = AMQPError::new(kind, ShortString::try_new(text).unwrap());
            super::shown(&ErrorKind::ProtocolError(error).into())
        };
        let refused = "ACCESS_REFUSED - write access to exchange 'graceful' in vhost 's3cret' refused for user 's3cret'";
        let text = shown(AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED), refused);
        assert_eq!(text, "ACCESS_REFUSED: the user has no permission for it");
        let refused = "NOT_ALLOWED - access to vhost 's3cret' refused for user 's3cret'";
        let text = shown(AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED), refused);
        assert_eq!(text, "NOT_ALLOWED: the server does not allow it to the user");
        let missing = "NOT_FOUND - no exchange 'graceful' in vhost 's3cret'";
        let text = shown(AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND), missing);
        assert_eq!(text, "NOT_FOUND - no exchange 'graceful'");
    }
}
