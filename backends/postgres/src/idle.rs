//! Spares the server questions whose answer is known: that there is nothing to do.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

/// How long nothing is asked after the answer that there is nothing, unless there is a reason to.
const QUIET: Duration = Duration::from_secs(1);

/// How long after a reason to ask every question is asked: nobody tells of a flow while a relay is at work.
const BUSY: Duration = Duration::from_millis(200);

#[derive(Debug, Default)]
pub(super) struct Idle {
    times: Mutex<Times>,
    /// Nobody has to be asked who tells by himself.
    pub(super) is_told: AtomicBool,
}

#[derive(Debug, Default)]
struct Times {
    busy_until: Option<Instant>,
    quiet_until: Option<Instant>,
}

impl Idle {
    /// There is, or may be soon, something to do.
    pub(super) fn wake(&self) {
        let busy_until = Some(Instant::now() + BUSY);
        *self.times.lock().unwrap_or_else(PoisonError::into_inner) = Times { busy_until, quiet_until: None };
    }

    /// Whether it need not be asked yet.
    pub(super) fn is_quiet(&self) -> bool {
        let times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_told.load(Ordering::Relaxed) && times.quiet_until.is_some_and(|until| Instant::now() < until)
    }

    /// There was something to do, or nothing.
    pub(super) fn answered(&self, something: bool) {
        if something {
            return self.wake();
        }
        let (mut times, now) = (self.times.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
        if times.busy_until.is_none_or(|until| until <= now) {
            times.quiet_until = Some(now + QUIET);
        }
    }
}
