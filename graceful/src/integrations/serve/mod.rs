//! Servers that end in order: what `graceful::axum::serve` and `graceful::tonic::serve` share.

mod body;
mod drain;
mod run;
mod service;
mod signals;

use std::{
    error::Error,
    fmt,
    future::{Future, IntoFuture},
    io,
    time::Duration,
};

pub(crate) use self::drain::{Drain, Phase};
pub use self::service::DrainService;
use crate::{backends::BoxFuture, pipeline::Orchestrator};

const TARGET: &str = "graceful::shutdown";

const SHUTTING_DOWN: &str = "the process is shutting down";

/// How long a process that is no longer ready still answers.
const WAIT: Duration = Duration::from_secs(3);

/// Below the 30 s after which Kubernetes kills a process.
const DEADLINE: Duration = Duration::from_secs(25);

type Server = Box<dyn FnOnce(Drain) -> BoxFuture<io::Result<()>> + Send>;

/// Servers that run until the process is asked to end, and then shut down in order. It does nothing until it is awaited.
///
/// `SIGTERM` and `SIGINT` (elsewhere than on Unix, Ctrl-C) begin the shutdown:
///
/// 1. [`Orchestrator::health`] turns unavailable, and [`Orchestrator::shutdown_begins`] is ready. After `SIGTERM` everything is served for
///    another 3 s ([`wait`](Self::wait)), because load balancers still send requests; answers over HTTP/1 close their connection.
/// 2. The listeners are closed, and live streams end ([`streams`](Self::streams)): server-sent events as if they were complete, gRPC with the
///    status `UNAVAILABLE`. Idle connections are closed. Other requests finish. A request that has no answer at 60 % of the deadline is
///    dropped, so that its error flow runs with [`Code::Cancelled`](crate::Code::Cancelled), and is answered by 503 or `UNAVAILABLE`; other
///    bodies break off.
/// 3. [`Orchestrator::shutdown`]: background flows and the relay finish, until 90 % of the deadline.
/// 4. [`finally`](Self::finally) runs.
///
/// Each phase ends as soon as nothing is left in it. The [`deadline`](Self::deadline) of the whole is 25 s. A second signal ends the process at
/// once, with the exit code 143 or 130, and half a second after the deadline the process is ended with the exit code 1, even if its runtime
/// is blocked or `main` does something else. So end `main` when this has ended.
///
/// With [`when`](Self::when) the signals are the program's own, and nothing here ends the process.
///
/// # What is no response
///
/// Nothing here ends a WebSocket or a task that a handler has spawned, or waits for it. End it by [`Orchestrator::shutdown_begins`].
///
/// # Errors
/// Awaiting it fails if there is no orchestrator, neither passed nor installed; if signals cannot be received; with the error of a server or
/// of a future [alongside](Self::alongside), after a shutdown in the same order; or, with the kind
/// [`TimedOut`](io::ErrorKind::TimedOut), if requests, flows or futures were left at their deadline, which is logged.
///
/// # Panics
/// Awaiting it panics outside of a Tokio runtime with timer and network.
///
/// # Cancel safety
/// If it is dropped while it serves, the servers stop accepting, and the orchestrator is not shut down. The next signal ends the process.
#[must_use = "servers do nothing until they are awaited"]
pub struct Serve {
    servers: Vec<Server>,
    alongside: Vec<BoxFuture<io::Result<()>>>,
    orchestrator: Option<Orchestrator>,
    when: Option<BoxFuture<()>>,
    finally: Option<BoxFuture<()>>,
    wait: Duration,
    streams: Duration,
    deadline: Duration,
}

impl Serve {
    pub(crate) fn new<F>(server: impl FnOnce(Drain) -> F + Send + 'static) -> Self
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        Self {
            servers: vec![Box::new(|drain| Box::pin(server(drain)))],
            alongside: Vec::new(),
            orchestrator: None,
            when: None,
            finally: None,
            wait: WAIT,
            streams: Duration::ZERO,
            deadline: DEADLINE,
        }
    }

    /// Adds the servers of another `Serve`, and what runs [alongside](Self::alongside) them. Its other settings are ignored.
    ///
    /// ```no_run
    /// # async fn example(app: axum::Router, other: axum::Router) -> std::io::Result<()> {
    /// # use tokio::net::TcpListener;
    /// let public = TcpListener::bind("0.0.0.0:8080").await?;
    /// let internal = TcpListener::bind("127.0.0.1:9090").await?;
    /// graceful::axum::serve(public, app).and(graceful::axum::serve(internal, other)).await
    /// # }
    /// ```
    pub fn and(mut self, other: Self) -> Self {
        self.servers.extend(other.servers);
        self.alongside.extend(other.alongside);
        self
    }

    /// Runs a future beside the servers, e.g. a subscriber, and waits for it before the orchestrator is shut down, until 60 % of the
    /// deadline. It must end by itself when [`Orchestrator::shutdown_begins`]. Its error begins the shutdown; its `Ok` does not.
    ///
    /// ```no_run
    /// # async fn example(listener: tokio::net::TcpListener, app: axum::Router, orchestrator: graceful::Orchestrator) -> std::io::Result<()> {
    /// graceful::axum::serve(listener, app)
    ///     .alongside(async move {
    ///         // E.g. `subscriber.run_until(orchestrator.shutdown_begins(), …).await`
    ///         orchestrator.shutdown_begins().await;
    ///         Ok::<_, std::io::Error>(())
    ///     })
    ///     .await
    /// # }
    /// ```
    pub fn alongside<E>(mut self, future: impl Future<Output = Result<(), E>> + Send + 'static) -> Self
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.alongside.push(Box::pin(async { future.await.map_err(io::Error::other) }));
        self
    }

    /// Shuts down this orchestrator. Default: the one of the current scope, otherwise the installed one.
    ///
    /// ```no_run
    /// # async fn example(listener: tokio::net::TcpListener, app: axum::Router, orchestrator: graceful::Orchestrator) -> std::io::Result<()> {
    /// graceful::axum::serve(listener, app).on(&orchestrator).await
    /// # }
    /// ```
    pub fn on(mut self, orchestrator: &Orchestrator) -> Self {
        self.orchestrator = Some(orchestrator.clone());
        self
    }

    /// Sets for how long everything is served after the process has turned unavailable, so that no load balancer sends requests to a closed
    /// listener. Default: 3 s. It is a part of the deadline, at most half of it. There is no wait after `SIGINT`: that is a person's Ctrl-C.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # async fn example(listener: tokio::net::TcpListener, app: axum::Router) -> std::io::Result<()> {
    /// graceful::axum::serve(listener, app).wait(Duration::from_secs(6)).await
    /// # }
    /// ```
    pub fn wait(mut self, time: Duration) -> Self {
        self.wait = time;
        self
    }

    /// Sets how long live streams go on after the listeners are closed, for streams that come to an end by themselves. Default: not at all.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # async fn example(listener: tokio::net::TcpListener, app: axum::Router) -> std::io::Result<()> {
    /// graceful::axum::serve(listener, app).streams(Duration::from_secs(5)).await
    /// # }
    /// ```
    pub fn streams(mut self, time: Duration) -> Self {
        self.streams = time;
        self
    }

    /// Sets how long the whole shutdown may take. Default: 25 s, because Kubernetes kills a process after 30 s.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # async fn example(listener: tokio::net::TcpListener, app: axum::Router) -> std::io::Result<()> {
    /// graceful::axum::serve(listener, app).deadline(Duration::from_secs(8)).await
    /// # }
    /// ```
    pub fn deadline(mut self, time: Duration) -> Self {
        self.deadline = time;
        self
    }

    /// Begins the shutdown when this future is ready, instead of at a signal: for programs that handle signals themselves, and for tests.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use graceful::Orchestrator;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// let (stop, stopped) = tokio::sync::oneshot::channel();
    /// let server = graceful::axum::serve(listener, axum::Router::new())
    ///     .on(&Orchestrator::in_memory())
    ///     .wait(Duration::ZERO)
    ///     .when(async { _ = stopped.await });
    /// stop.send(()).unwrap();
    /// server.await
    /// # }
    /// ```
    pub fn when(mut self, asked: impl Future<Output = ()> + Send + 'static) -> Self {
        self.when = Some(Box::pin(asked));
        self
    }

    /// Runs a future at the end, after the last flow: to flush telemetry, and to close pools. It has the rest of the time until the deadline.
    ///
    /// ```no_run
    /// # struct Pool;
    /// # impl Pool { async fn close(&self) {} }
    /// # async fn example(listener: tokio::net::TcpListener, app: axum::Router, pool: Pool) -> std::io::Result<()> {
    /// graceful::axum::serve(listener, app).finally(async move { pool.close().await }).await
    /// # }
    /// ```
    pub fn finally(mut self, last: impl Future<Output = ()> + Send + 'static) -> Self {
        self.finally = Some(Box::pin(last));
        self
    }
}

impl IntoFuture for Serve {
    type Output = io::Result<()>;
    type IntoFuture = BoxFuture<io::Result<()>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(run::run(self))
    }
}

impl fmt::Debug for Serve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve")
            .field("servers", &self.servers.len())
            .field("alongside", &self.alongside.len())
            .field("wait", &self.wait)
            .field("streams", &self.streams)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
