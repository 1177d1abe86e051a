//! The measurements at one time, as plain data.

use std::time::{Duration, SystemTime};

use graceful::Step;
use serde::Serialize;

use super::{
    entry::{ArmEntry, Entry, StepEntry},
    series::{INTERVALS, SECONDS, Series},
};

/// The measurements of this process at one time.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// The flows of all handlers together.
    pub throughput: Throughput,
    /// Each handler with each of its patterns, sorted by both; last [`OTHER`](super::OTHER), if there are too many.
    pub handlers: Vec<HandlerSnapshot>,
}

/// The flows of all handlers, per arm, in each of the last 60 intervals of 10 s: from the oldest to the one that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Throughput {
    /// The length of an interval in seconds.
    pub interval_secs: u64,
    /// The success flows.
    pub ok: Vec<Interval>,
    /// The error flows.
    pub err: Vec<Interval>,
}

/// The flows of one arm that ended in one interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Interval {
    /// The number of flows.
    pub flows: u32,
    /// Those of them of which a step failed.
    pub failed: u32,
}

/// The measurements of one handler and pattern.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct HandlerSnapshot {
    /// The name of the handler, as in `Flow::handler`; empty for flows of the manual path.
    pub handler: String,
    /// The pattern.
    pub pattern: String,
    /// The success flows.
    pub ok: ArmSnapshot,
    /// The error flows.
    pub err: ArmSnapshot,
}

/// The measurements of one arm.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ArmSnapshot {
    /// The number of flows since the measurements began.
    pub flows: u64,
    /// The flows per second over the last minute.
    pub per_second: f64,
    /// The steps, in the order of [`Step::ALL`].
    pub steps: [StepSnapshot; 9],
}

/// The measurements of one step in one arm. The counters count since the measurements began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StepSnapshot {
    /// The step.
    pub step: Step,
    /// How often the step was done.
    pub done: u64,
    /// How often the step was skipped.
    pub skipped: u64,
    /// How often the step failed.
    pub failed: u64,
    /// How often the step was off.
    pub off: u64,
    /// The reason for which the step was last skipped.
    pub last_skip: Option<&'static str>,
    /// The last failure.
    pub last_failure: Option<LastFailure>,
    /// The median of the durations over the last 5 to 10 minutes in microseconds, with an error of about 10 %; `None` if the step did not run.
    pub p50_us: Option<u64>,
    /// The duration that 95 % of them did not exceed.
    pub p95_us: Option<u64>,
}

/// The last failure of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LastFailure {
    /// The text of the error, cut at 200 characters. It may contain any character.
    pub text: String,
    /// When the flow ended, in milliseconds since 1970.
    pub at_ms: u64,
}

impl Default for Snapshot {
    fn default() -> Self {
        let empty = || vec![Interval::default(); INTERVALS];
        Self {
            throughput: Throughput { interval_secs: SECONDS, ok: empty(), err: empty() },
            handlers: Vec::new(),
        }
    }
}

impl Snapshot {
    /// Adds the entry, whose old values are removed before.
    pub(super) fn add(&mut self, handler: &str, pattern: &str, entry: &mut Entry, now: Duration) {
        let ok = ArmSnapshot::of(&mut entry.ok, now);
        let err = ArmSnapshot::of(&mut entry.err, now);
        add_series(&mut self.throughput.ok, &entry.ok.series);
        add_series(&mut self.throughput.err, &entry.err.series);
        self.handlers.push(HandlerSnapshot {
            handler: handler.to_owned(),
            pattern: pattern.to_owned(),
            ok,
            err,
        });
    }
}

fn add_series(sums: &mut [Interval], series: &Series) {
    for (sum, interval) in sums.iter_mut().zip(series.intervals()) {
        sum.flows = sum.flows.saturating_add(interval.flows);
        sum.failed = sum.failed.saturating_add(interval.failed);
    }
}

impl ArmSnapshot {
    fn of(arm: &mut ArmEntry, now: Duration) -> Self {
        arm.series.advance(now);
        Self {
            flows: arm.flows,
            per_second: arm.series.per_second(now),
            steps: Step::ALL.map(|step| StepSnapshot::of(step, &mut arm.steps[step as usize], now)),
        }
    }
}

impl StepSnapshot {
    fn of(step: Step, entry: &mut StepEntry, now: Duration) -> Self {
        if let Some(durations) = &mut entry.durations {
            durations.advance(now);
        }
        let percentile = |percent| entry.durations.as_ref()?.percentile(percent);
        Self {
            step,
            done: entry.done,
            skipped: entry.skipped,
            failed: entry.failed,
            off: entry.off,
            last_skip: entry.last_skip,
            last_failure: entry
                .last_failure
                .as_ref()
                .map(|last| LastFailure { text: last.text.clone(), at_ms: millis(last.at) }),
            p50_us: percentile(50),
            p95_us: percentile(95),
        }
    }
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
