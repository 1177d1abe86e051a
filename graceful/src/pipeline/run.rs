//! Runs the steps of one flow in their order. The panic of a step is contained.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use tracing::Span;

use super::{
    Budget, Ended, HookResult, Overrides, StepResult, TypedHooks, observe::log_cause,
    telemetry::FlowTelemetry,
};
use crate::{
    backends::{BoxFuture, Reply},
    flow::{CallOutcome, Delivery, Flow},
    pipeline::{
        Orchestrator,
        current::{self, MAX_DEPTH, too_deep},
    },
    step::{Step, StepError, StepErrorKind, Steps, contain},
    steps::{self, Done},
};

/// The first three steps run one after the other, so that a consumer of the event finds the right value in the cache. Then the others run
/// concurrently.
const PHASES: [Steps; 4] = [
    Steps::of(&[Step::Fallback]),
    Steps::of(&[Step::Metadata]),
    Steps::of(&[Step::Cache]),
    Steps::of(&[Step::Graph, Step::Schedule, Step::Event, Step::Nexus, Step::Audit, Step::Alert]),
];

/// The steps of one flow. All of its contents are `'static`, so it can be moved to the background at any time.
pub(super) struct Pipeline {
    pub(super) orchestrator: Orchestrator,
    pub(super) flow: Arc<Flow>,
    pub(super) overrides: Overrides,
    /// The steps to run: they are not off, and have a backend or are required.
    pub(super) todo: Steps,
    /// The steps that run the arm of their backend, because no hook replaces them and nothing prevents them.
    own: Steps,
    /// The steps that have failed for good.
    pub(super) given_up: Steps,
    pub(super) results: [Option<StepResult>; 9],
    pub(super) running: Vec<Running>,
    pub(super) phase: usize,
    pub(super) pass: Pass,
    /// The fallback runs in the handler's future.
    pub(super) recovering: bool,
    pub(super) caller: Caller,
    pub(super) watch: FlowTelemetry,
    /// The flow is on disk, so a relay runs it if it is dropped here.
    pub(super) kept: bool,
}

/// Which steps a pass over the phases runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    All,
    /// Only the steps on which the answer depends, before the others are queued.
    Required,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    Waits,
    /// The steps run in the background.
    Gone,
}

/// A step that was not ready at once.
pub(super) struct Running {
    pub(super) step: Step,
    task: Task,
    budget: Budget,
}

enum Task {
    Backend(BoxFuture<Result<Done, StepError>>),
    Hook(BoxFuture<HookResult>),
    Typed,
}

impl Pipeline {
    pub(super) fn new(ended: Ended) -> Self {
        let is_observed = ended.orchestrator.is_observed();
        Self::timed(ended, is_observed)
    }

    /// The same, and if `is_timed` its report has the durations of the steps.
    #[inline]
    pub(super) fn timed(mut ended: Ended, is_timed: bool) -> Self {
        let watch = FlowTelemetry::over(&mut ended.flow, is_timed);
        if ended.flow.cause.is_some() {
            log_cause(&mut ended.flow, &watch);
        }
        Self::watched(ended, watch)
    }

    /// A pipeline that is only inspected, without a span.
    pub(super) fn unwatched(ended: Ended) -> Self {
        Self::watched(ended, FlowTelemetry::default())
    }

    #[inline]
    fn watched(Ended { orchestrator, mut flow, overrides }: Ended, watch: FlowTelemetry) -> Self {
        let options = &flow.declaration.options;
        let hooked = options.hooked(flow.is_success());
        let (mut served, mut needed) = (orchestrator.served(), flow.required());
        if options.last_good {
            needed.insert(Step::Fallback);
        } else {
            served.remove(Step::Fallback);
        }
        let hooked = hooked.plain.or(hooked.typed);
        let mut todo = served.or(hooked).or(needed).without(options.off);
        if flow.is_alone() {
            todo = todo.and(Steps::of(&[Step::Cache]));
        }
        let own = if flow.depth > MAX_DEPTH { Steps::NONE } else { todo.and(served).without(hooked) };
        let pass = match flow.delivery() {
            Delivery::Inline => Pass::All,
            Delivery::Background | Delivery::Durable => Pass::Required,
        };
        let mut naming = todo.without(Steps::of(&[Step::Event]));
        if flow.values.cache_key.is_none() {
            naming = naming.without(Steps::of(&[Step::Fallback, Step::Cache]));
        }
        if !naming.is_empty()
            && let Some(flow) = Arc::get_mut(&mut flow)
        {
            flow.remember_entity();
        }
        Self {
            watch,
            orchestrator,
            flow,
            overrides,
            todo,
            own,
            given_up: Steps::NONE,
            results: [const { None }; 9],
            running: Vec::new(),
            phase: 0,
            pass,
            recovering: false,
            caller: Caller::Waits,
            kept: false,
        }
    }

    /// Runs the phases as far as they are ready.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, typed: &mut dyn TypedHooks) -> Poll<()> {
        let span = self.watch.flow();
        let _entered = span.as_ref().map(Span::enter);
        loop {
            if !self.running.is_empty() {
                self.poll_running(cx, typed);
                if !self.running.is_empty() {
                    return Poll::Pending;
                }
            }
            let Some(phase) = PHASES.get(self.phase) else { return Poll::Ready(()) };
            self.phase += 1;
            self.start_all(self.todo.and(*phase).and(self.taken()));
        }
    }

    /// The steps that this pass runs.
    fn taken(&self) -> Steps {
        match self.pass {
            Pass::All => self.todo,
            Pass::Required => self.flow.required().or(self.of_this_process()),
        }
    }

    /// Starts steps. If one panics, the others still run.
    fn start_all(&mut self, mut steps: Steps) {
        while let Some(mut step) = steps.first() {
            let contained = contain(|| {
                loop {
                    steps.remove(step);
                    self.start(step);
                    let Some(next) = steps.first() else { return };
                    step = next;
                }
            });
            if let Err(error) = contained {
                self.done(step, Err(error));
            }
        }
    }

    #[inline]
    fn start(&mut self, step: Step) {
        let span = self.watch.begin(step, &self.flow, &self.orchestrator);
        let _entered = span.as_ref().map(Span::enter);
        if !self.own.contains(step) {
            return self.start_another(step);
        }
        match steps::start(step, self.orchestrator.backends(), &self.flow) {
            Reply::Ready(Some(answer)) => self.done(step, answer),
            Reply::Ready(None) => {
                self.done(
                    step,
                    Err(StepError::new("the backend returned a `Reply` whose result was taken before")),
                );
            }
            Reply::Pending(future) => self.run(step, Task::Backend(future)),
        }
    }

    fn run(&mut self, step: Step, task: Task) {
        self.todo.remove(step);
        self.running.push(Running { step, task, budget: Budget::default() });
    }

    /// Starts a step that has a hook, or that cannot run.
    fn start_another(&mut self, step: Step) {
        match self.another(step) {
            Ok(task) => self.run(step, task),
            Err(error) => self.done(step, Err(error)),
        }
    }

    fn another(&self, step: Step) -> Result<Task, StepError> {
        let Flow { declaration, depth, ending, .. } = &*self.flow;
        if *depth > MAX_DEPTH {
            return Err(too_deep());
        }
        // Without a result a typed hook cannot borrow it, so its variant that takes only the flow is used.
        let borrows = matches!(ending, CallOutcome::Ok | CallOutcome::Err) && !self.kept;
        let hooked = declaration.options.hooked(ending.is_success());
        if borrows && hooked.typed.contains(step) {
            return Ok(Task::Typed);
        }
        if !hooked.plain.or(hooked.typed).contains(step) {
            return Err(self.orchestrator.no_backend(step, &self.flow));
        }
        Ok(Task::Hook(self.overrides.start(step, &self.flow)))
    }

    fn poll_running(&mut self, cx: &mut Context<'_>, typed: &mut dyn TypedHooks) {
        let mut index = 0;
        while index < self.running.len() {
            let polled = match self.watch.step(self.running[index].step) {
                None => self.poll_one(index, cx, typed),
                Some(span) => span.in_scope(|| self.poll_one(index, cx, typed)),
            };
            match polled {
                Poll::Pending => index += 1,
                Poll::Ready(answer) => {
                    let Running { step, task, .. } = self.running.remove(index);
                    // Dropping the future of a hook may panic.
                    let dropped = contain(|| match task {
                        Task::Typed => typed.forget(step),
                        task => drop(task),
                    });
                    self.done(step, answer.and_then(|done| dropped.map(|()| done)));
                }
            }
        }
    }

    fn poll_one(
        &mut self,
        index: usize,
        cx: &mut Context<'_>,
        typed: &mut dyn TypedHooks,
    ) -> Poll<Result<Done, StepError>> {
        let Running { step, task, budget } = &mut self.running[index];
        let hooked = |answer: Poll<HookResult>| answer.map_ok(|()| Done::Did("overridden"));
        let polled = contain(|| match task {
            Task::Backend(future) => future.as_mut().poll(cx),
            Task::Hook(future) => {
                hooked(current::within(&self.orchestrator, &self.flow, || future.as_mut().poll(cx)))
            }
            Task::Typed => {
                hooked(current::within(&self.orchestrator, &self.flow, || typed.poll(*step, &self.flow, cx)))
            }
        });
        if let Poll::Ready(answer) = polled.unwrap_or_else(|error| Poll::Ready(Err(error))) {
            return Poll::Ready(answer);
        }
        let allowed = self.flow.declaration.options.budget(*step, self.caller == Caller::Waits);
        // A runtime without timers panics here.
        let over = contain(|| budget.poll_over(allowed, &self.orchestrator, cx));
        over.unwrap_or_else(Poll::Ready).map(Err)
    }

    #[inline]
    pub(super) fn done(&mut self, step: Step, answer: Result<Done, StepError>) {
        let result = match answer {
            Ok(Done::Did(what)) => StepResult::Done(what),
            Ok(Done::Skipped(why)) => StepResult::Skipped(why),
            Ok(Done::Normalised(metadata)) => {
                Arc::make_mut(&mut self.flow).metadata = Some(metadata);
                StepResult::Done("normalised")
            }
            Err(error) => StepResult::Failed(error.in_step(step)),
        };
        self.record(step, result);
    }

    #[inline]
    pub(super) fn record(&mut self, step: Step, result: StepResult) {
        if let StepResult::Failed(error) = &result {
            let span = self.watch.step(step);
            let _entered = span.as_ref().map(Span::enter);
            self.orchestrator.step_failed(step, !self.own.contains(step), error, &self.flow);
            if error.kind() == StepErrorKind::Argument {
                self.given_up.insert(step);
            }
        } else if result.is_done() {
            self.orchestrator.step_succeeded(step, !self.own.contains(step), &self.flow);
        }
        let is_ended = self.own.contains(step) && !matches!(result, StepResult::Failed(_));
        // A hook stores something else, and leaves the hold.
        if let (Step::Cache, false, Some(writing)) = (step, is_ended, self.flow.values.cached.writing()) {
            let write = writing.changed(&self.flow);
            // An argument without a value is no fault of the cache.
            if let StepResult::Failed(error) = &result
                && error.kind() != StepErrorKind::Argument
            {
                self.orchestrator.count_unconfirmed(&write);
                self.orchestrator.repeat_end(&write);
            } else {
                self.orchestrator.end_later(&write, writing.held.as_ref());
            }
        }
        if self.watch.is_on() {
            self.watch.end(step, &result, &self.flow);
        }
        self.todo.remove(step);
        self.results[step as usize] = Some(result);
    }
}
