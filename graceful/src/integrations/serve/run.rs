//! The sequence of a shutdown.

use std::{
    fmt::Write as _,
    future::{Future, poll_fn},
    io,
    pin::pin,
    task::Poll,
    time::Duration,
};

use tokio::{
    task::{JoinError, JoinSet},
    time::{Instant, sleep, sleep_until, timeout_at},
};

use super::{
    Serve, TARGET,
    drain::{Drain, Phase},
    signals::{FirstSignal, Signal},
};
use crate::pipeline::{Orchestrator, current};

/// How long connections without a request may stay open, until their last answers are sent: a client that is gone never closes.
const FLUSH: Duration = Duration::from_secs(2);

/// A shutdown of the orchestrator may take so much longer than its own deadline, if it stores flows.
const STORING: Duration = Duration::from_secs(1);

/// After the deadline, a shutdown that still gets its turn ends the process in order.
const GRACE: Duration = Duration::from_millis(500);

/// The points in time at which the parts of a shutdown end.
struct Ends {
    wait: Instant,
    streams: Instant,
    requests: Instant,
    connections: Instant,
    flows: Instant,
    deadline: Instant,
}

impl Ends {
    fn from_now(wait: Duration, streams: Duration, deadline: Duration) -> Self {
        // Longer than any process runs.
        let deadline = deadline.min(Duration::from_secs(1 << 32));
        let now = Instant::now();
        let at = |percent| now + deadline / 100 * percent;
        let wait = now + wait.min(deadline / 2);
        Self {
            wait,
            streams: at(60).min(wait + streams.min(deadline)),
            requests: at(60),
            connections: at(70),
            flows: at(90),
            deadline: at(100),
        }
    }
}

pub(super) async fn run(serve: Serve) -> io::Result<()> {
    let orchestrator = serve.orchestrator.clone().or_else(current::orchestrator);
    let orchestrator = orchestrator.ok_or_else(|| {
        io::Error::other("no orchestrator: install one, or pass one by `.on(&orchestrator)`")
    })?;
    let mut stop = pin!(asked(serve.when, serve.deadline)?);
    let drain = Drain::default();
    let mut servers = JoinSet::new();
    for server in serve.servers {
        servers.spawn(server(drain.clone()));
    }
    let mut alongside = JoinSet::new();
    for future in serve.alongside {
        alongside.spawn(future);
    }

    // Until a signal, the end of a server, or an error.
    let mut result = Ok(());
    let signal = poll_fn(|cx| {
        if let Poll::Ready(signal) = stop.as_mut().poll(cx) {
            return Poll::Ready(signal);
        }
        if let Poll::Ready(Some(ended)) = servers.poll_join_next(cx) {
            result = flat(ended);
            return Poll::Ready(None);
        }
        while let Poll::Ready(Some(ended)) = alongside.poll_join_next(cx) {
            result = flat(ended);
            if result.is_err() {
                return Poll::Ready(None);
            }
        }
        Poll::Pending
    })
    .await;
    let is_broken = result.is_err();
    if let Err(error) = &result {
        tracing::error!(target: TARGET, %error, "a server, or a future alongside, has failed");
    }

    orchestrator.begin_shutdown();
    drain.enter(Phase::Leaving);
    tracing::info!(target: TARGET, ?signal, "the shutdown begins");
    // A server that has failed answers nobody, and a person does not wait.
    let wait = if is_broken || signal == Some(Signal::Interrupt) { Duration::ZERO } else { serve.wait };
    let ends = Ends::from_now(wait, serve.streams, serve.deadline);
    sleep_until(ends.wait).await;

    let mut left =
        Left { requests: drain_servers(&drain, &mut servers, &ends, &mut result).await, ..Left::default() };
    drop(servers);
    while let Ok(Some(ended)) = timeout_at(ends.requests, alongside.join_next()).await {
        result = result.and(flat(ended));
    }
    left.alongside = alongside.len();
    let _ = timeout_at(ends.flows, alongside.shutdown()).await;
    tracing::info!(target: TARGET, "the servers have ended");
    left.flows = shut_down(&orchestrator, &ends).await;
    if let Some(last) = serve.finally {
        left.last = timeout_at(ends.deadline, last).await.is_err();
    }
    // What is left is logged in any case.
    let left = left.into_result();
    result.and(left)
}

/// What begins the shutdown: the program's own future, or a signal.
fn asked(
    when: Option<crate::backends::BoxFuture<()>>,
    deadline: Duration,
) -> io::Result<impl Future<Output = Option<Signal>>> {
    let signal = match &when {
        Some(_) => None,
        None => Some(FirstSignal::listen(deadline.saturating_add(GRACE))?),
    };
    Ok(async {
        if let Some(signal) = signal {
            return Some(signal.received().await);
        }
        if let Some(when) = when {
            when.await;
        }
        None
    })
}

/// Closes the listeners, ends live streams, and waits for requests. Returns how many were dropped.
async fn drain_servers(
    drain: &Drain,
    servers: &mut JoinSet<io::Result<()>>,
    ends: &Ends,
    result: &mut io::Result<()>,
) -> usize {
    drain.enter(Phase::Closing);
    let mut closed = pin!(async {
        while let Some(ended) = servers.join_next().await {
            let ended = flat(ended);
            if result.is_ok() {
                *result = ended;
            }
        }
    });
    let mut dropped = 0;
    {
        let mut emptied = pin!(async {
            sleep_until(ends.streams).await;
            drain.enter(Phase::EndingStreams);
            if timeout_at(ends.requests, drain.idle()).await.is_ok() {
                return sleep(FLUSH.min(ends.connections.saturating_duration_since(Instant::now()))).await;
            }
            dropped = drain.requests();
            let (requests, bodies) = (dropped, drain.bodies());
            tracing::warn!(target: TARGET, requests, bodies, "requests were not answered in time, or bodies not sent; they are dropped");
            drain.enter(Phase::Aborting);
            sleep_until(ends.connections).await;
        });
        poll_fn(|cx| match closed.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => emptied.as_mut().poll(cx),
        })
        .await;
    }
    // Also requests of connections that are still open.
    drain.enter(Phase::Aborting);
    let streams = drain.ended_streams();
    if streams > 0 {
        tracing::info!(target: TARGET, streams, "live streams were ended");
    }
    dropped
}

/// Shuts the orchestrator down. Returns the number of flows that are left.
async fn shut_down(orchestrator: &Orchestrator, ends: &Ends) -> usize {
    let rest = ends.flows.saturating_duration_since(Instant::now());
    let time = rest.saturating_sub(STORING).max(rest / 2);
    orchestrator.shutdown(time).await
}

fn flat(ended: Result<io::Result<()>, JoinError>) -> io::Result<()> {
    ended.unwrap_or_else(|panicked| Err(io::Error::other(panicked)))
}

/// What had not ended at its deadline.
#[derive(Default)]
struct Left {
    requests: usize,
    alongside: usize,
    flows: usize,
    last: bool,
}

impl Left {
    fn into_result(self) -> io::Result<()> {
        let mut what = String::new();
        for (count, of) in [
            (self.requests, "requests"),
            (self.alongside, "futures alongside"),
            (self.flows, "flows"),
            (self.last.into(), "finally"),
        ] {
            if count > 0 {
                let _ = write!(what, "{}{of}: {count}", if what.is_empty() { "" } else { ", " });
            }
        }
        if what.is_empty() {
            return Ok(());
        }
        tracing::error!(target: TARGET, left = what, "the shutdown has come to its deadline");
        Err(io::Error::new(io::ErrorKind::TimedOut, format!("left at the deadline of the shutdown: {what}")))
    }
}
