//! Skips claims while it is known that no flow is due.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

/// How long claims are skipped after an empty one, unless there is a notification.
const QUIET: Duration = Duration::from_secs(1);

/// How long after a notification no claim is skipped: there are no notifications while a relay is at work.
const BUSY: Duration = Duration::from_millis(200);

#[derive(Debug, Default)]
pub(super) struct Idle {
    times: Mutex<Times>,
    /// Whether notifications work; otherwise no claim is skipped.
    pub(super) is_notified: AtomicBool,
}

#[derive(Debug, Default)]
struct Times {
    busy_until: Option<Instant>,
    quiet_until: Option<Instant>,
}

impl Idle {
    /// A flow is or may soon be due.
    pub(super) fn wake(&self) {
        let busy_until = Some(Instant::now() + BUSY);
        *self.times.lock().unwrap_or_else(PoisonError::into_inner) = Times { busy_until, quiet_until: None };
    }

    /// Whether a claim can be skipped.
    pub(super) fn is_quiet(&self) -> bool {
        let times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_notified.load(Ordering::Relaxed)
            && times.quiet_until.is_some_and(|until| Instant::now() < until)
    }

    /// Records whether a claim has found a flow.
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
