//! Spares callers a server that is away.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

// Tokio's instant is the plain one, but for a test that has paused its runtime's time.
use tokio::time::Instant;

use crate::StepError;

/// So many failures in a row open it.
pub(crate) const FAILURES: u32 = 3;

/// How long it stays open before the next call is let through as a probe.
pub(crate) const OPEN_FOR: Duration = Duration::from_secs(1);

/// A circuit breaker: closed, open, half-open.
///
/// Closed, it lets every call through, and counts failures in a row. Open, it refuses all at once. After [`OPEN_FOR`] it is
/// half-open: one call goes through as the probe, the others are refused; its success closes the breaker, its failure opens
/// it again.
pub(crate) struct Breaker {
    server: &'static str,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant },
    HalfOpen,
}

impl Breaker {
    /// `server` is what a refusal calls it.
    pub(crate) const fn new(server: &'static str) -> Self {
        Self { server, state: Mutex::new(State::Closed { failures: 0 }) }
    }

    /// Lets a call through, which must say how it went.
    pub(crate) fn admit(&self) -> Result<Attempt<'_>, StepError> {
        let mut state = self.state();
        match *state {
            State::Closed { .. } => {}
            State::Open { until } if until <= Instant::now() => *state = State::HalfOpen,
            State::Open { .. } | State::HalfOpen => return Err(self.refusal()),
        }
        drop(state);
        Ok(self.attempt())
    }

    /// A call that goes through whatever the state, and must say how it went, too.
    pub(crate) const fn attempt(&self) -> Attempt<'_> {
        Attempt(Some(self))
    }

    fn refusal(&self) -> StepError {
        StepError::new(smol_str::format_smolstr!(
            "{} is away: the last calls got no answer, and it is tried again every {OPEN_FOR:?}",
            self.server
        ))
    }

    fn failed(&self) {
        let mut state = self.state();
        let failures = match *state {
            State::Closed { failures } => failures + 1,
            State::HalfOpen => FAILURES,
            // A call from before it opened.
            State::Open { .. } => return,
        };
        if failures < FAILURES {
            *state = State::Closed { failures };
            return;
        }
        let is_new = matches!(*state, State::Closed { .. });
        *state = State::Open { until: Instant::now() + OPEN_FOR };
        drop(state);
        // A probe that fails says nothing new.
        if is_new {
            tracing::warn!(target: "graceful::breaker", server = self.server, "a server is away");
        }
    }

    fn succeeded(&self) {
        let before = std::mem::replace(&mut *self.state(), State::Closed { failures: 0 });
        if !matches!(before, State::Closed { .. }) {
            tracing::info!(target: "graceful::breaker", server = self.server, "a server is back");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.state(), f)
    }
}

/// A call that was let through. Dropped without a word, it has failed.
#[must_use]
pub(crate) struct Attempt<'a>(Option<&'a Breaker>);

impl Attempt<'_> {
    /// The server has answered.
    pub(crate) fn succeeded(mut self) {
        if let Some(breaker) = self.0.take() {
            breaker.succeeded();
        }
    }

    /// The server has not answered.
    pub(crate) fn failed(self) {
        drop(self);
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if let Some(breaker) = self.0.take() {
            breaker.failed();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(breaker: &Breaker, times: u32) {
        (0..times).for_each(|_| breaker.admit().unwrap().failed());
    }

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_open_it_and_a_probe_closes_it() {
        let breaker = Breaker::new("the server");
        fail(&breaker, FAILURES);
        let refused = breaker.admit().err().unwrap().to_string();
        assert!(refused.starts_with("the server is away"), "{refused}");

        tokio::time::advance(OPEN_FOR).await;
        let probe = breaker.admit().unwrap();
        assert!(breaker.admit().is_err(), "there is one probe at a time");
        probe.succeeded();
        fail(&breaker, FAILURES - 1);
        assert!(breaker.admit().is_ok(), "it counts from nought again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_fails_or_is_dropped_opens_it_again() {
        let breaker = Breaker::new("the server");
        fail(&breaker, FAILURES);
        for _ in 0..2 {
            tokio::time::advance(OPEN_FOR).await;
            drop(breaker.admit().unwrap());
            assert!(breaker.admit().is_err());
        }
    }

    #[test]
    fn failures_between_successes_do_not_count() {
        let breaker = Breaker::new("the server");
        for _ in 0..3 {
            fail(&breaker, FAILURES - 1);
            breaker.admit().unwrap().succeeded();
        }
        assert!(breaker.admit().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_from_before_it_opened_does_not_prolong_it_and_its_success_closes_it() {
        let breaker = Breaker::new("the server");
        let [late_failure, late_success] = [(); 2].map(|()| breaker.admit().unwrap());
        fail(&breaker, FAILURES);
        tokio::time::advance(OPEN_FOR / 2).await;
        late_failure.failed();
        tokio::time::advance(OPEN_FOR / 2).await;
        breaker.admit().unwrap().failed();
        late_success.succeeded();
        assert!(breaker.admit().is_ok());
    }
}
