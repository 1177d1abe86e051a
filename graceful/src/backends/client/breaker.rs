//! A circuit breaker, so that callers do not wait for an unavailable server.

use std::{
    fmt,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

// Tokio's instant is the plain one, but for a test that has paused its runtime's time.
use tokio::time::Instant;

#[cfg(feature = "metrics")]
use super::circuits::Circuit;
use crate::{locks::unpoisoned, step::StepError};

/// This many failures in a row open the breaker.
const FAILURES: u32 = 3;

/// How long it stays open before the next call is let through as a probe.
const OPEN_FOR: Duration = Duration::from_secs(1);

/// A circuit breaker: closed, open, half-open.
///
/// Closed, it lets every call through and counts failures in a row; the third opens it. Open, it refuses every call at once. After one
/// second it is half-open: one call goes through as the probe, the others are refused. If the probe succeeds the breaker closes, if it
/// fails the breaker opens again.
///
/// ```
/// use graceful::backends::client::Breaker;
///
/// let breaker = Breaker::new("the search server");
/// for _ in 0..3 {
///     breaker.admit()?.failed();
/// }
/// assert!(breaker.admit().is_err());
/// # Ok::<(), graceful::StepError>(())
/// ```
pub struct Breaker {
    server: &'static str,
    state: Mutex<State>,
    #[cfg(feature = "metrics")]
    circuit: Circuit,
}

#[derive(Debug)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant },
    HalfOpen,
}

impl Breaker {
    /// A closed breaker. Its refusals and log lines name `server`.
    pub const fn new(server: &'static str) -> Self {
        Self {
            server,
            state: Mutex::new(State::Closed { failures: 0 }),
            #[cfg(feature = "metrics")]
            circuit: Circuit::of(server),
        }
    }

    /// Admits a call, which then reports how it ended.
    ///
    /// # Errors
    /// Fails if the breaker is open: then the call must not be made.
    pub fn admit(&self) -> Result<Call<'_>, StepError> {
        #[cfg(feature = "metrics")]
        self.circuit.called();
        let mut state = self.state();
        match *state {
            State::Closed { .. } => {}
            State::Open { until } if until <= Instant::now() => *state = State::HalfOpen,
            State::Open { .. } | State::HalfOpen => return Err(self.refusal()),
        }
        drop(state);
        Ok(self.attempt())
    }

    /// Returns why the server counts as unavailable, for a report of health: from the time at which the breaker opens until a call succeeds.
    pub fn outage(&self) -> Option<StepError> {
        let is_closed = matches!(*self.state(), State::Closed { .. });
        (!is_closed).then(|| self.refusal())
    }

    /// Admits a call whatever the state; it reports how it ended, too.
    pub const fn attempt(&self) -> Call<'_> {
        Call(Some(self))
    }

    fn refusal(&self) -> StepError {
        StepError::new(format_args!(
            "{} is unavailable (circuit open after {FAILURES} failures; retrying every {OPEN_FOR:?})",
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
            #[cfg(feature = "metrics")]
            self.circuit.opened();
            tracing::warn!(target: "graceful::breaker", server = self.server, "server is unavailable");
        }
    }

    fn succeeded(&self) {
        let before = std::mem::replace(&mut *self.state(), State::Closed { failures: 0 });
        if !matches!(before, State::Closed { .. }) {
            #[cfg(feature = "metrics")]
            self.circuit.closed();
            tracing::info!(target: "graceful::breaker", server = self.server, "server is available again");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        unpoisoned(self.state.lock())
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.state(), f)
    }
}

/// A call that a [`Breaker`] admitted. Dropped without a report, it counts as failed.
#[derive(Debug)]
#[must_use]
pub struct Call<'a>(Option<&'a Breaker>);

impl Call<'_> {
    /// The server answered.
    pub fn succeeded(mut self) {
        if let Some(breaker) = self.0.take() {
            breaker.succeeded();
        }
    }

    /// The server did not answer.
    pub fn failed(self) {
        drop(self);
    }
}

impl Drop for Call<'_> {
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
    async fn consecutive_failures_open_the_breaker_and_a_probe_closes_it() {
        let breaker = Breaker::new("the server");
        fail(&breaker, FAILURES);
        let refused = breaker.admit().err().unwrap().to_string();
        assert!(refused.starts_with("the server is unavailable"), "{refused}");
        assert_eq!(breaker.outage().unwrap().to_string(), refused);

        tokio::time::advance(OPEN_FOR).await;
        let probe = breaker.admit().unwrap();
        assert!(breaker.admit().is_err(), "there is one probe at a time");
        assert!(breaker.outage().is_some(), "it is not known yet");
        probe.succeeded();
        assert!(breaker.outage().is_none());
        fail(&breaker, FAILURES - 1);
        assert!(breaker.admit().is_ok(), "it counts from nought again");
    }

    #[tokio::test(start_paused = true)]
    async fn failed_or_dropped_probe_opens_the_breaker_again() {
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
    async fn call_from_before_the_opening_does_not_prolong_it_and_its_success_closes_it() {
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
