//! Encrypted connections. The client's own TLS would use the default crypto provider of `rustls`, and panic if there is none or more than
//! one.

use std::sync::Arc;

use ::redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ErrorKind, RedisError, RedisResult,
    aio::MultiplexedConnection,
};
use graceful_http::tls;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const SCHEME: &str = "rediss://";

#[derive(Clone)]
pub(super) struct Encrypted(TlsConnector);

impl Encrypted {
    /// Creates the connector for a `rediss` URL, and the URL that the client understands.
    pub(super) fn of(url: &str) -> Result<Option<(Self, String)>, String> {
        let Some(rest) = url.strip_prefix(SCHEME) else { return Ok(None) };
        let connector = TlsConnector::from(Arc::new(tls::client_config()?));
        Ok(Some((Self(connector), format!("redis://{rest}"))))
    }

    pub(super) async fn connected(
        &self,
        client: &Client,
        config: AsyncConnectionConfig,
    ) -> RedisResult<MultiplexedConnection> {
        let info = client.get_connection_info();
        let ConnectionAddr::Tcp(host, port) = info.addr() else { return Err(no_host()) };
        let name = ServerName::try_from(host.clone()).map_err(|_| no_host())?;
        let tcp = TcpStream::connect((host.as_str(), *port)).await?;
        tcp.set_nodelay(true)?;
        let stream = self.0.connect(name, tcp).await?;
        let (connection, driver) =
            MultiplexedConnection::new_with_config(info.redis_settings(), stream, config).await?;
        // It ends with the connection.
        tokio::spawn(driver);
        Ok(connection)
    }
}

fn no_host() -> RedisError {
    (ErrorKind::InvalidClientConfig, "the host is neither a DNS name nor an IP address").into()
}
