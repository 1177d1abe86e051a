//! The counters of one handler and pattern.

use std::time::{Duration, SystemTime};

use graceful::{FlowReport, StepResult};

use super::{histogram::Windows, series::Series};

/// The maximum number of characters of an error's text that are kept.
const MAX_TEXT: usize = 200;

#[derive(Default)]
pub(super) struct Entry {
    pub(super) ok: ArmEntry,
    pub(super) err: ArmEntry,
}

#[derive(Default)]
pub(super) struct ArmEntry {
    pub(super) flows: u64,
    pub(super) series: Series,
    pub(super) steps: [StepEntry; 9],
}

#[derive(Default)]
pub(super) struct StepEntry {
    pub(super) done: u64,
    pub(super) skipped: u64,
    pub(super) failed: u64,
    pub(super) off: u64,
    pub(super) last_skip: Option<&'static str>,
    pub(super) last_failure: Option<Failure>,
    /// Made when the step first runs.
    pub(super) durations: Option<Box<Windows>>,
}

pub(super) struct Failure {
    pub(super) text: String,
    pub(super) at: SystemTime,
}

impl Entry {
    /// `now` is the time since the measurements began.
    pub(super) fn observe(&mut self, report: &FlowReport, now: Duration) {
        let arm = if report.flow().is_success() { &mut self.ok } else { &mut self.err };
        arm.observe(report, now);
    }
}

impl ArmEntry {
    fn observe(&mut self, report: &FlowReport, now: Duration) {
        self.flows += 1;
        for (step, result) in report.steps() {
            let entry = &mut self.steps[step as usize];
            entry.count(result);
            if let Some(duration) = report.duration(step) {
                entry.durations.get_or_insert_default().add(duration, now);
            }
        }
        self.series.add(now, report.failures().next().is_some());
    }
}

impl StepEntry {
    fn count(&mut self, result: &StepResult) {
        match result {
            StepResult::Off => self.off += 1,
            StepResult::Done(_) => self.done += 1,
            StepResult::Skipped(why) => {
                self.skipped += 1;
                self.last_skip = Some(why);
            }
            StepResult::Failed(error) => {
                self.failed += 1;
                let at = SystemTime::now();
                let last = self.last_failure.get_or_insert_with(|| Failure { text: String::new(), at });
                // The text is replaced in its place, so that a step that fails all the time does not allocate.
                last.text.clear();
                last.text.extend(error.message().chars().take(MAX_TEXT));
                last.at = at;
            }
        }
    }
}
