//! Stores durable flows; from then on a relay runs them.

use super::{
    Ended, FlowReport, FlowRun, Overrides, StepResult,
    run::{Caller, Pass, Pipeline},
};
use crate::{
    backends::{FailureCause, Lane, QueuedFlow},
    flow::{Delivery, Event, Options},
    step::{Step, StepError, StepErrorKind, Steps},
};

/// Stores a flow. The future is ready when the flow is on disk; if it is dropped before, the flow is still stored.
///
/// If storing fails, the steps run at once instead, and the failure is logged and counted.
pub(super) async fn store(mut run: FlowRun) -> FlowReport {
    let pipeline = run.pipeline();
    if pipeline.flow.is_alone() {
        // Only the end of a held write is left, which this process repeats until it is confirmed.
        pipeline.go_on_here();
        return run.await;
    }
    let flows = pipeline.orchestrator.flows().cloned();
    let stored = match (&flows, queued(pipeline)) {
        (Some(flows), Ok(queued)) => flows.enqueue(queued).await,
        (None, _) => Err(pipeline.orchestrator.no_store(&pipeline.flow)),
        (_, Err(error)) => Err(error),
    };
    match stored {
        Ok(()) => {
            run.pipeline().orchestrator.stored();
            if let Some(answering) = &run.flow().answering {
                answering.flow_is_stored();
            }
            run.left_to_the_relay()
        }
        Err(error) => {
            let pipeline = run.pipeline();
            pipeline.orchestrator.not_stored(&error, &pipeline.flow);
            pipeline.go_on_here();
            run.await
        }
    }
}

impl FlowRun {
    /// Stores a flow whose caller waits for that.
    pub(crate) async fn store(self) {
        store(self).await;
    }

    /// Records that the flow is on disk, so that a relay runs it.
    fn left_to_the_relay(&mut self) -> FlowReport {
        let pipeline = self.pipeline();
        pipeline.kept = true;
        pipeline.orchestrator.relay().wake();
        let report = pipeline.report("stored");
        self.0 = None;
        report
    }
}

/// The parts of a pipeline that stores and relays need.
impl Pipeline {
    /// The pipeline of a flow that comes from a store.
    pub(super) fn resume(ended: Ended, done: Steps) -> Self {
        let mut pipeline = Self::new(ended);
        for step in pipeline.todo.and(done).iter() {
            pipeline.results[step as usize] = Some(StepResult::Done("done before"));
        }
        pipeline.todo = pipeline.todo.without(done);
        (pipeline.caller, pipeline.pass, pipeline.kept) = (Caller::Gone, Pass::All, true);
        pipeline
    }

    /// The steps that will not run again, in this process or another.
    pub(super) fn behind(&self) -> Steps {
        let mut behind = Steps::of(&[Step::Fallback]);
        for step in Step::ALL {
            let result = &self.results[step as usize];
            if result.as_ref().is_some_and(|result| result.error().is_none()) || self.given_up.contains(step)
            {
                behind.insert(step);
            }
        }
        behind
    }

    /// Fails a step before it is started; it is not retried.
    pub(super) fn give_up(&mut self, step: Step, error: StepError) {
        self.given_up.insert(step);
        self.done(step, Err(error));
    }

    /// Whether the step must still run, by its own arm.
    pub(super) fn is_due(&self, step: Step) -> bool {
        let hooked = self.flow.declaration.options.hooked(self.flow.is_success());
        self.todo.contains(step) && !hooked.plain.or(hooked.typed).contains(step)
    }

    /// The steps that no other process could run, because their hooks are values; and the end of a load or a write, for which the caller
    /// waits in every delivery mode.
    pub(super) fn of_this_process(&self) -> Steps {
        let options = &self.flow.declaration.options;
        let cached = match self.flow.values.cached.is_unused() {
            true => Steps::NONE,
            false => Steps::of(&[Step::Cache]),
        };
        cached.or(self.with_hooks_of_this_process(options))
    }

    fn with_hooks_of_this_process(&self, options: &Options) -> Steps {
        match self.overrides {
            Overrides::Configured(_) if options.delivery == Delivery::Durable => {
                options.hooked(self.flow.is_success()).plain
            }
            _ => Steps::NONE,
        }
    }

    /// Whether a relay could run the remaining steps: no hook of them exists only in this process.
    pub(super) fn is_portable(&self) -> bool {
        let hooked = self.flow.declaration.options.hooked(self.flow.is_success());
        let left = self.running.iter().fold(self.todo, |left, running| left.or(Steps::of(&[running.step])));
        matches!(self.overrides, Overrides::Durable(_))
            || left.and(hooked.plain.or(hooked.typed)) == Steps::NONE
    }

    /// The identity by which a relay finds the handler; empty if the relay needs no hook of it.
    pub(super) fn identity(&self) -> String {
        match self.overrides {
            Overrides::Durable(durable) => (durable.identity)().to_owned(),
            _ => String::new(),
        }
    }

    /// Lets the remaining steps run here while the caller waits, because the flow cannot be stored.
    pub(super) fn go_on_here(&mut self) {
        (self.pass, self.phase) = (Pass::All, 0);
    }

    /// All failures so far, as one line.
    pub(super) fn failures(&self) -> Option<String> {
        Some(self.failed(Steps::NONE)?.1)
    }

    /// The failures that another attempt may avoid.
    pub(super) fn failures_to_retry(&self) -> Option<FailureCause> {
        let (step, failures) = self.failed(self.given_up)?;
        Some(FailureCause::at_step(&self.identity(), step, self.flow.code(), failures))
    }

    /// Whether another attempt would fail as this one did, because servers refuse what the failed steps send.
    pub(super) fn is_refused(&self) -> bool {
        let failed = |step: &Step| !self.given_up.contains(*step);
        let error = |step: Step| self.results[step as usize].as_ref()?.error();
        let mut errors = Step::ALL.into_iter().filter(failed).filter_map(error).peekable();
        errors.peek().is_some() && errors.all(|error| error.kind() == StepErrorKind::Refused)
    }

    /// The result of each step so far, as in a report.
    pub(super) fn results(&self) -> Vec<(Step, String)> {
        let result = |step: Step| Some((step, self.results[step as usize].as_ref()?.to_string()));
        Step::ALL.into_iter().filter_map(result).collect()
    }

    /// The first step that failed, except for these, and the failures as one line.
    fn failed(&self, except: Steps) -> Option<(Step, String)> {
        let error = |step: Step| Some((step, self.results[step as usize].as_ref()?.error()?));
        let mut failures = Step::ALL.into_iter().filter(|step| !except.contains(*step)).filter_map(error);
        let (first, error) = failures.next()?;
        let others = failures.map(|(_, error)| format!("; {error}"));
        Some((first, others.fold(error.to_string(), |all, other| all + &other)))
    }
}

/// Encodes the flow with the steps that will not run again.
pub(super) fn encode(pipeline: &Pipeline) -> Result<Vec<u8>, StepError> {
    pipeline.flow.encode(&pipeline.identity(), pipeline.behind())
}

/// Makes the flow that is inserted through the caller's transaction.
///
/// # Errors
/// Fails if the flow cannot be stored, or if its event could never be sent. Then the transaction must not be committed.
pub(crate) fn to_insert(ended: &Ended) -> Result<QueuedFlow, StepError> {
    let mut pipeline = Pipeline::unwatched(ended.clone());
    if pipeline.orchestrator.flows().is_none() {
        return Err(pipeline.orchestrator.no_store(&pipeline.flow));
    }
    let queued = queued(&mut pipeline)?;
    pipeline.failures().map_or(Ok(queued), |failures| Err(StepError::new(failures)))
}

/// The flow as it is stored.
fn queued(pipeline: &mut Pipeline) -> Result<QueuedFlow, StepError> {
    if !pipeline.is_portable() {
        return Err(StepError::new(
            "durable delivery cannot store the hooks of an `OrchestrationConfig`: declare them by path in the attribute",
        ));
    }
    let mut body = encode(pipeline)?;
    if let Some(error) = too_large(pipeline, body.len()) {
        pipeline.give_up(Step::Event, error);
        body = encode(pipeline)?;
    }
    let flow = &pipeline.flow;
    let handler = pipeline.identity();
    // A flow without an identity is counted by its pattern.
    let sharing = if handler.is_empty() { flow.pattern() } else { &*handler };
    let lane = Lane::of(sharing, flow.tenant());
    // If a `required` step has failed the caller gets an `Err`, and the key is released.
    let is_answered = flow.is_success() && pipeline.required_failure().is_none();
    let answering = flow.answering.as_ref().filter(|_| is_answered);
    let answer = answering.and_then(|answering| answering.to_store_with_flow());
    Ok(QueuedFlow { id: flow.id, entity: flow.entity().to_string(), handler, lane, body, answer })
}

/// An upper bound of the bytes that the envelope of an event adds to the flow's record. The envelope repeats id, service and entity, and encodes
/// them.
const ENVELOPE: usize = 4096;

/// Returns an error if the flow's event is larger than the limit. If the record of the flow fits, its event fits, too, so the event is
/// serialised only for flows near the limit.
fn too_large(pipeline: &Pipeline, stored: usize) -> Option<StepError> {
    let limit = pipeline.orchestrator.max_event_bytes();
    if stored + ENVELOPE <= limit || !pipeline.is_due(Step::Event) {
        return None;
    }
    let size = Event::of(&pipeline.flow)?.to_json().map_or(usize::MAX, |json| json.len());
    (size > limit).then(|| {
        StepError::new(format_args!(
            "the event has {size} bytes, but the limit is {limit}: send less with `event(payload = …)`, or raise \
             `max_event_bytes`"
        ))
    })
}
