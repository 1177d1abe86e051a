//! The runtime that the client uses, and its sockets.
//!
//! The client's own sockets cannot be closed from outside, so a handshake that gets no answer would keep a thread for ever; and its TLS would
//! use the default crypto provider of `rustls`, and panic if there is none or more than one.

use std::{
    future::{Future, ready},
    io::{self, Read, Write},
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{self, Context, Poll},
    time::{Duration, Instant},
};

use async_rs::{
    Runtime, Tokio,
    traits::{Executor, Reactor, RuntimeKit},
    util::Task,
};
use graceful_http::tls;
use lapin::AsyncTcpStream;
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::{oneshot, watch},
    time::timeout,
};
use tokio_rustls::TlsConnector;
use tokio_stream::Stream;

use super::connection::CONNECT;

/// Connects to a server, within a time limit and until the other half of `cut` is dropped: the client has a thread for this.
pub(super) async fn connected(
    host: String,
    port: u16,
    is_encrypted: bool,
    mut cut: oneshot::Receiver<()>,
    open: watch::Sender<()>,
) -> io::Result<AsyncTcpStream<Socket>> {
    let io = tokio::select! {
        biased;
        _ = &mut cut => return Err(io::ErrorKind::ConnectionAborted.into()),
        // The caller's limit comes first; it cuts.
        io = timeout(2 * CONNECT, connected_io(host, port, is_encrypted)) => io??,
    };
    Ok(AsyncTcpStream::Plain(Socket { io, cut: Some(cut), _open: open }))
}

async fn connected_io(host: String, port: u16, is_encrypted: bool) -> io::Result<Box<dyn Io>> {
    let tcp = TcpStream::connect((host.as_str(), port)).await?;
    tcp.set_nodelay(true)?;
    if !is_encrypted {
        return Ok(Box::new(tcp));
    }
    let connector = TlsConnector::from(Arc::new(tls::client_config().map_err(io::Error::other)?));
    let name = ServerName::try_from(host).map_err(io::Error::other)?;
    Ok(Box::new(connector.connect(name, tcp).await?))
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection, plain or encrypted, that ends when the other half of `cut` is dropped.
pub(super) struct Socket {
    io: Box<dyn Io>,
    /// `None` when it has been cut.
    cut: Option<oneshot::Receiver<()>>,
    /// Dropped with the connection.
    _open: watch::Sender<()>,
}

impl Socket {
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if let Some(cut) = &mut self.cut
            && Pin::new(cut).poll(cx).is_ready()
        {
            self.cut = None;
        }
        match self.cut {
            Some(_) => Ok(()),
            None => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }
}

impl futures_io::AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        let mut buffer = ReadBuf::new(into);
        task::ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

impl futures_io::AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// Tokio, with these sockets.
#[derive(Clone, Debug)]
pub(super) struct Kit(Tokio);

impl Kit {
    /// Of the current Tokio runtime.
    pub(super) fn current() -> Runtime<Self> {
        Runtime::new(Self(Tokio::current()))
    }
}

impl RuntimeKit for Kit {}

impl Executor for Kit {
    type Task<T: Send + 'static> = <Tokio as Executor>::Task<T>;

    fn block_on<T, F: Future<Output = T>>(&self, future: F) -> T {
        self.0.block_on(future)
    }

    fn spawn<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        future: F,
    ) -> Task<Self::Task<T>> {
        self.0.spawn(future)
    }

    fn spawn_blocking<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(
        &self,
        work: F,
    ) -> Task<Self::Task<T>> {
        self.0.spawn_blocking(work)
    }
}

impl Reactor for Kit {
    type TcpStream = Socket;
    type Sleep = <Tokio as Reactor>::Sleep;

    /// The client does not call it.
    #[expect(refining_impl_trait, reason = "there is no other type to name")]
    fn register<H: Read + Write + Send + 'static>(&self, _: H) -> io::Result<Socket> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sleep(&self, time: Duration) -> Self::Sleep {
        self.0.sleep(time)
    }

    fn interval(&self, time: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(time)
    }

    /// The client is given [`connected`] instead.
    fn tcp_connect_addr(&self, _: SocketAddr) -> impl Future<Output = io::Result<Socket>> + Send + 'static {
        ready(Err(io::ErrorKind::Unsupported.into()))
    }
}
