//! The signals that ask a process to end.
//!
//! They are received by a thread of their own, so that a second signal, and the deadline, end a process whose runtime is blocked.

use std::{
    io, process,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use tokio::{runtime::Builder, sync::watch, time::timeout};

use super::TARGET;
use crate::locks::unpoisoned;

/// For how long the end of a process waits for its last log line.
const LOGGING: Duration = Duration::from_millis(200);

/// What asked the process to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// `SIGTERM`: a supervisor did.
    #[cfg_attr(not(unix), allow(dead_code, reason = "there is no such signal"))]
    Terminate,
    /// `SIGINT`, or Ctrl-C: a person did.
    Interrupt,
}

impl Signal {
    /// As shells report a process that a signal ended.
    const fn exit_code(self) -> i32 {
        match self {
            Self::Terminate => 128 + 15,
            Self::Interrupt => 128 + 2,
        }
    }
}

/// Whoever waits for the first signal, one sender for the process. `None` until the thread runs.
static ASKED: Mutex<Option<Arc<watch::Sender<Option<Signal>>>>> = Mutex::new(None);

/// When the process ends at the latest, in milliseconds after the first signal: the longest that was asked for.
static LIMIT: AtomicU64 = AtomicU64::new(0);

/// Waits for the first signal.
#[derive(Debug)]
pub(super) struct FirstSignal(watch::Receiver<Option<Signal>>);

impl FirstSignal {
    /// Receives the signals of this process from now on. Once it has received one, a second signal ends the process, and so does `limit`.
    pub(super) fn listen(limit: Duration) -> io::Result<Self> {
        LIMIT.fetch_max(limit.as_millis().try_into().unwrap_or(u64::MAX), Ordering::AcqRel);
        let mut asked = unpoisoned(ASKED.lock());
        if let Some(asked) = &*asked {
            return Ok(Self(asked.subscribe()));
        }
        let sender = Arc::new(watch::Sender::new(None));
        let receiver = sender.subscribe();
        let (ready, is_ready) = mpsc::channel();
        let theirs = Arc::clone(&sender);
        thread::Builder::new().name("graceful-signals".to_owned()).spawn(move || receive(&theirs, &ready))?;
        is_ready
            .recv()
            .unwrap_or_else(|_| Err(io::Error::other("the thread that receives signals has ended")))?;
        *asked = Some(sender);
        Ok(Self(receiver))
    }

    pub(super) async fn received(mut self) -> Signal {
        match self.0.wait_for(Option::is_some).await.map(|signal| *signal) {
            Ok(Some(signal)) => signal,
            // The sender is static.
            _ => std::future::pending().await,
        }
    }
}

fn receive(asked: &watch::Sender<Option<Signal>>, ready: &mpsc::Sender<io::Result<()>>) {
    let say = |result| drop(ready.send(result));
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return say(Err(error)),
    };
    runtime.block_on(async {
        let mut signals = match Signals::listen() {
            Ok(signals) => signals,
            Err(error) => return say(Err(error)),
        };
        say(Ok(()));
        let first = signals.next().await;
        // Nobody waits if the server was dropped; then the signal does what it does to other programs.
        if asked.receiver_count() == 0 {
            process::exit(first.exit_code());
        }
        asked.send_replace(Some(first));
        let limit = Duration::from_millis(LIMIT.load(Ordering::Acquire));
        match timeout(limit, signals.next()).await {
            Ok(second) => {
                log(|| tracing::warn!(target: TARGET, "a second signal ends the process at once"));
                process::exit(second.exit_code());
            }
            Err(_) => {
                log(move || {
                    tracing::error!(target: TARGET, ?limit, "the process had not ended at the deadline of the shutdown");
                });
                process::exit(1);
            }
        }
    });
}

/// Logs from another thread, because a blocked program may hold the lock of its log.
fn log(line: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    let logging = thread::Builder::new().spawn(move || {
        line();
        let _ = done.send(());
    });
    if logging.is_ok() {
        let _ = is_done.recv_timeout(LOGGING);
    }
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { terminate, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) -> Signal {
        std::future::poll_fn(|cx| {
            if self.terminate.poll_recv(cx).is_ready() {
                return std::task::Poll::Ready(Signal::Terminate);
            }
            self.interrupt.poll_recv(cx).map(|_| Signal::Interrupt)
        })
        .await
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn listen() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) -> Signal {
        self.0.recv().await;
        Signal::Interrupt
    }
}
