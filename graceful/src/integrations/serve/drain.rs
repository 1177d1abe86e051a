//! What all servers of a process know of its shutdown: the phase, and what is still under way.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::{Notify, watch};

use crate::backends::BoxFuture;

/// How far a shutdown is. A phase includes those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Everything is served.
    #[default]
    Serving,
    /// Everything is served, but the process is not ready, and its clients should leave.
    Leaving,
    /// The listeners are closed.
    Closing,
    /// Live streams end.
    EndingStreams,
    /// What is still under way is dropped.
    Aborting,
}

/// Shared by the coordinator of a shutdown, the servers, and everything that they serve.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drain(Arc<State>);

#[derive(Debug, Default)]
struct State {
    phase: watch::Sender<Phase>,
    requests: AtomicUsize,
    bodies: AtomicUsize,
    /// Live streams that were ended.
    ended: AtomicUsize,
    /// Notified when nothing is under way.
    idle: Notify,
}

impl Drain {
    pub(crate) fn enter(&self, phase: Phase) {
        self.0.phase.send_replace(phase);
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.0.phase.borrow()
    }

    /// Waits until the shutdown has come to this phase.
    pub(crate) fn reached(&self, phase: Phase) -> BoxFuture<()> {
        let mut phases = self.0.phase.subscribe();
        Box::pin(async move {
            // Fails if nobody is left who could change the phase, and then nobody waits for this.
            let _ = phases.wait_for(|reached| *reached >= phase).await;
        })
    }

    /// Counts a request until its handler has answered.
    pub(crate) fn request(&self) -> Counted {
        Counted::new(self, |state| &state.requests)
    }

    /// Counts the body of a response until its end.
    pub(crate) fn body(&self) -> Counted {
        Counted::new(self, |state| &state.bodies)
    }

    pub(crate) fn stream_ended(&self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }

    /// How many requests have no answer yet.
    pub(crate) fn requests(&self) -> usize {
        self.0.requests.load(Ordering::Acquire)
    }

    /// How many responses have a body that has not ended.
    pub(crate) fn bodies(&self) -> usize {
        self.0.bodies.load(Ordering::Acquire)
    }

    pub(crate) fn ended_streams(&self) -> usize {
        self.0.ended.load(Ordering::Relaxed)
    }

    /// Waits until all requests are answered, and all bodies have ended.
    pub(crate) async fn idle(&self) {
        loop {
            let notified = self.0.idle.notified();
            if self.requests() + self.bodies() == 0 {
                return;
            }
            notified.await;
        }
    }
}

/// Counts one of what is under way until it is dropped.
#[derive(Debug)]
pub(crate) struct Counted {
    state: Arc<State>,
    of: fn(&State) -> &AtomicUsize,
}

impl Counted {
    fn new(drain: &Drain, of: fn(&State) -> &AtomicUsize) -> Self {
        of(&drain.0).fetch_add(1, Ordering::AcqRel);
        Self { state: Arc::clone(&drain.0), of }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if (self.of)(&self.state).fetch_sub(1, Ordering::AcqRel) == 1 {
            self.state.idle.notify_waiters();
        }
    }
}
