//! The end of a flow: the caller's answer, the report, and the steps that remain without a caller.

use super::{
    FlowReport, StepResult,
    budget::left_undone,
    run::{Caller, Pass, Pipeline},
};
use crate::{
    step::{Step, StepError, StepErrorKind},
    steps,
};

impl Pipeline {
    /// Continues with the remaining steps: those that the answer depends on are done, or the caller does not wait.
    pub(super) fn go_on_with_the_rest(&mut self) {
        if std::mem::take(&mut self.recovering) {
            self.done(Step::Fallback, Err(super::overrides::abandoned()));
        }
        self.caller = Caller::Gone;
        self.pass = Pass::All;
        self.phase = 0;
    }

    /// Abandons the flow: each remaining step fails.
    pub(super) fn abandon(&mut self) {
        let running: Vec<_> = self.running.drain(..).map(|running| running.step).collect();
        for step in self.todo.iter().chain(running) {
            self.done(step, Err(left_undone()));
        }
    }

    /// Returns an error if a caller that waits no longer cannot get an `Ok`: a `required` step has failed, or is not done.
    pub(super) fn required(&self) -> Option<StepError> {
        let required = |&step: &Step| self.flow.required().contains(step);
        let mut missing = self.todo.iter().chain(self.running.iter().map(|running| running.step));
        self.required_failure().or_else(|| missing.find(required).map(|step| not_ready().in_step(step)))
    }

    /// Ends the flow: notifies counters, log and observers.
    pub(super) fn notify_observers(&self) {
        if self.flow.is_alone() {
            return;
        }
        self.orchestrator.count_flow(self.flow.ending);
        // Without telemetry there is no observer, because a flow that is observed is timed.
        if self.watch.is_on() {
            self.watch.flow_ended(&self.flow);
            self.orchestrator.notify_observers(|| self.report("not run"));
        }
    }

    /// The first failure of a step that is `required`.
    pub(super) fn required_failure(&self) -> Option<StepError> {
        self.flow.required().iter().find_map(|step| self.results[step as usize].as_ref()?.error().cloned())
    }

    /// The result of each step so far. Steps that are not done are reported as skipped, for the reason `missing`.
    pub(super) fn report(&self, missing: &'static str) -> FlowReport {
        let result = |step: Step| match &self.results[step as usize] {
            Some(result) => result.clone(),
            None if self.flow.declaration.options.off.contains(step) => StepResult::Off,
            None if self.todo.contains(step) || self.is_running(step) => StepResult::Skipped(missing),
            None if step == Step::Fallback => StepResult::Skipped(steps::fallback::undone(&self.flow)),
            None => StepResult::Skipped("no backend"),
        };
        FlowReport::new(&self.flow, Step::ALL.map(result), self.watch.durations())
    }

    fn is_running(&self, step: Step) -> bool {
        self.running.iter().any(|running| running.step == step)
    }
}

/// The failure of a `required` step that is not done when its caller cannot wait.
fn not_ready() -> StepError {
    StepError::of_kind(
        StepErrorKind::Abandoned,
        "not ready at once, but `required` by a sync handler, which cannot wait",
    )
}
