//! Renews the leases of idempotent calls on a thread of its own, because a body that blocks its executor must not lose its lease.

use std::{
    fmt, io,
    sync::{Arc, Mutex, mpsc},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use tokio::{
    runtime::{Builder, Handle},
    sync::{OnceCell, oneshot},
    task::AbortHandle,
    time::{sleep, timeout},
};

use crate::{
    backends::{Idempotency, IdempotentCall, LeaseRenewal},
    locks::unpoisoned,
    step::StepError,
};

/// A lease is renewed when this part of it has passed.
const RENEWED_AFTER: u32 = 3;

/// How long after a failure a renewal is tried again, as a part of the lease.
const RETRIED_AFTER: u32 = 20;

/// The thread, which is started for the first lease.
#[derive(Default)]
pub(crate) struct Leases(Mutex<Option<Arc<Renewer>>>);

/// Renews the leases of one store. The thread ends when it is dropped.
struct Renewer {
    store: Arc<dyn Idempotency>,
    runtime: Handle,
    renewal: OnceCell<Arc<dyn LeaseRenewal>>,
    _stop: oneshot::Sender<()>,
}

/// The lease of one call. It is renewed until it is dropped.
pub(crate) struct Lease {
    state: Arc<State>,
    renewing: AbortHandle,
}

struct State(Mutex<Known>);

struct LostAtTheEnd(Arc<State>);

impl Drop for LostAtTheEnd {
    fn drop(&mut self) {
        self.0.lose();
    }
}

struct Known {
    /// When the lease expires, at the earliest.
    deadline: Instant,
    is_lost: bool,
    waker: Option<Waker>,
}

impl Leases {
    /// Begins to renew a lease that was asked for at `claimed`.
    ///
    /// # Errors
    /// The thread could not be started.
    pub(super) fn keep(
        &self,
        store: &Arc<dyn Idempotency>,
        call: &IdempotentCall,
        lease: Duration,
        claimed: Instant,
    ) -> Result<Lease, StepError> {
        let renewer = self.renewer(store).map_err(StepError::caused_by)?;
        let known = Known { deadline: claimed + lease, is_lost: false, waker: None };
        let state = Arc::new(State(Mutex::new(known)));
        let runtime = renewer.runtime.clone();
        let renewing = runtime.spawn(renewer.renew(Arc::clone(&state), call.clone(), lease)).abort_handle();
        Ok(Lease { state, renewing })
    }

    fn renewer(&self, store: &Arc<dyn Idempotency>) -> io::Result<Arc<Renewer>> {
        let mut renewer = unpoisoned(self.0.lock());
        if let Some(renewer) = &*renewer {
            return Ok(Arc::clone(renewer));
        }
        let started = Arc::new(Renewer::start(Arc::clone(store))?);
        *renewer = Some(Arc::clone(&started));
        Ok(started)
    }
}

impl Renewer {
    fn start(store: Arc<dyn Idempotency>) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel::<()>();
        let (started, handle) = mpsc::channel();
        // The runtime is made and dropped on its own thread: an async context could not drop it.
        let run = move || match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => {
                drop(started.send(Ok(runtime.handle().clone())));
                // The sender is only dropped.
                let _ = runtime.block_on(stopped);
            }
            Err(error) => drop(started.send(Err(error))),
        };
        std::thread::Builder::new().name("graceful-leases".to_owned()).spawn(run)?;
        let runtime = handle.recv().map_err(io::Error::other)??;
        Ok(Self { store, runtime, renewal: OnceCell::new(), _stop: stop })
    }

    /// However it ends, also by a panic, the lease is lost.
    async fn renew(self: Arc<Self>, state: Arc<State>, call: IdempotentCall, lease: Duration) {
        let state = LostAtTheEnd(state);
        let mut pause = lease / RENEWED_AFTER;
        loop {
            sleep(pause).await;
            let sent = Instant::now();
            let left = state.0.deadline().saturating_duration_since(sent);
            if left.is_zero() {
                return;
            }
            match timeout(left, self.renewed(call.clone(), lease)).await {
                Ok(Ok(true)) => {
                    state.0.extend(sent + lease);
                    pause = lease / RENEWED_AFTER;
                }
                Ok(Ok(false)) | Err(_) => return,
                Ok(Err(error)) => {
                    tracing::debug!(target: "graceful::idempotency", error = error.message(), "a lease could not be renewed");
                    pause = left.min(lease / RETRIED_AFTER);
                }
            }
        }
    }

    async fn renewed(&self, call: IdempotentCall, lease: Duration) -> Result<bool, StepError> {
        let renewal = self.renewal.get_or_try_init(|| self.store.renewal()).await?;
        renewal.renew(call, lease).await
    }
}

impl State {
    fn deadline(&self) -> Instant {
        unpoisoned(self.0.lock()).deadline
    }

    fn extend(&self, deadline: Instant) {
        unpoisoned(self.0.lock()).deadline = deadline;
    }

    fn lose(&self) {
        let mut known = unpoisoned(self.0.lock());
        known.is_lost = true;
        let waker = known.waker.take();
        drop(known);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Known {
    fn is_over(&self) -> bool {
        self.is_lost || self.deadline <= Instant::now()
    }
}

impl Lease {
    pub(crate) fn is_lost(&self) -> bool {
        unpoisoned(self.state.0.lock()).is_over()
    }

    /// Ready when the lease may have expired. The deadline is compared, too, because the process may have stood still.
    pub(crate) fn poll_lost(&self, cx: &Context<'_>) -> Poll<()> {
        let mut known = unpoisoned(self.state.0.lock());
        if known.is_over() {
            return Poll::Ready(());
        }
        if !known.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            known.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").finish_non_exhaustive()
    }
}
