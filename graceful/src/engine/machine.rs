//! The steps of one flow, in their order, each contained.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use super::{Budget, Ended, FlowReport, HookResult, Overrides, StepResult, TypedHooks, budget::no_runtime};
use crate::{
    Delivery, Ending, Flow, Orchestrator, Step, StepError, StepErrorKind,
    backends::{BoxFuture, Reply},
    orchestrator::ambient,
    step::{Steps, contain},
    steps::{self, Done},
};

/// How deep flows may be within a flow, through hooks; the steps of one that is deeper are refused.
pub(crate) const MAX_DEPTH: u8 = 8;

/// One after the other, since a consumer that gets the event must find the cache right; then the rest at once.
const PHASES: [Steps; 4] = [
    Steps::of(&[Step::Fallback]),
    Steps::of(&[Step::Metadata]),
    Steps::of(&[Step::Cache]),
    Steps::of(&[Step::Graph, Step::Schedule, Step::Event, Step::Nexus, Step::Audit, Step::Alert]),
];

/// The steps of one flow. What it holds is `'static`, so it can be moved to the background half-way.
pub(super) struct Machine {
    pub(super) orchestrator: Orchestrator,
    pub(super) flow: Arc<Flow>,
    overrides: Overrides,
    /// What is to be done: neither off, nor without a backend.
    todo: Steps,
    /// What has failed for good.
    given_up: Steps,
    results: [Option<StepResult>; 9],
    running: Vec<Running>,
    phase: usize,
    pass: Pass,
    /// The typed half of `fallback` is under way, in the handler's future.
    recovering: bool,
    pub(super) caller: Caller,
    /// The flow is on disk: dropped here, it is run elsewhere.
    pub(super) kept: bool,
}

/// Which steps a pass over the phases takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    All,
    /// Those that the answer depends on, before the others are queued.
    Required,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    Waits,
    /// The steps run in the background.
    Gone,
}

/// A step that was not done at once.
struct Running {
    step: Step,
    task: Task,
    budget: Budget,
}

/// A step that was started.
enum Begun {
    Done(Done),
    Running(Task),
}

enum Task {
    Backend(BoxFuture<Result<Done, StepError>>),
    Hook(BoxFuture<HookResult>),
    Typed,
}

impl Machine {
    pub(super) fn new(Ended { orchestrator, flow, overrides }: Ended) -> Self {
        let options = &flow.declaration.options;
        let hooked = options.hooked(flow.is_success());
        let mut served = orchestrator.served();
        if !options.last_good {
            served.remove(Step::Fallback);
        }
        let todo = served.or(hooked.plain).or(hooked.typed).without(options.off);
        let pass = match options.delivery {
            Delivery::Inline => Pass::All,
            Delivery::Background | Delivery::Durable => Pass::Required,
        };
        Self {
            orchestrator,
            flow,
            overrides,
            todo,
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

    /// The machine of a flow that comes from a store.
    pub(super) fn resume(ended: Ended, done: Steps) -> Self {
        let mut machine = Self::new(ended);
        for step in machine.todo.and(done).iter() {
            machine.results[step as usize] = Some(StepResult::Done("done before"));
        }
        machine.todo = machine.todo.without(done);
        (machine.caller, machine.pass, machine.kept) = (Caller::Gone, Pass::All, true);
        machine
    }

    /// The steps that are behind the flow, whoever takes it over.
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

    /// A step fails before it was started, and is not tried again.
    pub(super) fn give_up(&mut self, step: Step, error: StepError) {
        self.given_up.insert(step);
        self.done(step, Err(error));
    }

    /// Whether the step is still to be done by its own arm.
    pub(super) fn is_due(&self, step: Step) -> bool {
        let hooked = self.flow.declaration.options.hooked(self.flow.is_success());
        self.todo.contains(step) && !hooked.plain.or(hooked.typed).contains(step)
    }

    /// Goes through the phases as far as they are ready.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, typed: &mut dyn TypedHooks) -> Poll<()> {
        loop {
            self.poll_running(cx, typed);
            if !self.running.is_empty() {
                return Poll::Pending;
            }
            let Some(phase) = PHASES.get(self.phase) else { return Poll::Ready(()) };
            self.phase += 1;
            for step in self.todo.and(*phase).and(self.taken()).iter() {
                self.todo.remove(step);
                self.start(step);
            }
        }
    }

    /// What this pass takes.
    fn taken(&self) -> Steps {
        match self.pass {
            Pass::All => self.todo,
            Pass::Required => self.flow.declaration.options.required.or(self.of_this_process()),
        }
    }

    /// The steps that no other process could run: hooks that are values.
    fn of_this_process(&self) -> Steps {
        let options = &self.flow.declaration.options;
        match self.overrides {
            Overrides::Configured(_) if options.delivery == Delivery::Durable => {
                options.hooked(self.flow.is_success()).plain
            }
            _ => Steps::NONE,
        }
    }

    /// Whether a relay could run what is left: no hook of it is only to be had here.
    pub(super) fn is_portable(&self) -> bool {
        let hooked = self.flow.declaration.options.hooked(self.flow.is_success());
        let left = self.running.iter().fold(self.todo, |left, running| left.or(Steps::of(&[running.step])));
        matches!(self.overrides, Overrides::Durable(_))
            || left.and(hooked.plain.or(hooked.typed)) == Steps::NONE
    }

    /// What a relay finds the handler by; empty where it needs nothing of it.
    pub(super) fn identity(&self) -> String {
        match self.overrides {
            Overrides::Durable(durable) => (durable.identity)(),
            _ => String::new(),
        }
    }

    fn start(&mut self, step: Step) {
        match self.begun(step) {
            Ok(Begun::Done(done)) => self.done(step, Ok(done)),
            Ok(Begun::Running(task)) => self.running.push(Running { step, task, budget: Budget::default() }),
            Err(error) => self.done(step, Err(error)),
        }
    }

    fn begun(&self, step: Step) -> Result<Begun, StepError> {
        let Flow { declaration, depth, ending, .. } = &*self.flow;
        if *depth > MAX_DEPTH {
            return Err(too_deep());
        }
        let hooked = declaration.options.hooked(ending.is_success());
        // Without a result there is nothing to borrow: the same hook takes the flow alone.
        let borrows = matches!(ending, Ending::Ok | Ending::Err) && !self.kept;
        if hooked.typed.contains(step) && borrows {
            return Ok(Begun::Running(Task::Typed));
        }
        if hooked.typed.or(hooked.plain).contains(step) {
            return contain(|| self.overrides.start(step, &self.flow))
                .map(|hook| Begun::Running(Task::Hook(hook)));
        }
        match contain(|| steps::start(step, self.orchestrator.backends(), &self.flow))? {
            Reply::Ready(Some(answer)) => answer.map(Begun::Done),
            Reply::Ready(None) => Err(StepError::new("answered twice")),
            Reply::Pending(future) => Ok(Begun::Running(Task::Backend(future))),
        }
    }

    fn poll_running(&mut self, cx: &mut Context<'_>, typed: &mut dyn TypedHooks) {
        let mut index = 0;
        while index < self.running.len() {
            match self.poll_one(index, cx, typed) {
                Poll::Pending => index += 1,
                Poll::Ready(answer) => {
                    let Running { step, task, .. } = self.running.remove(index);
                    // What a hook holds may panic when it is dropped.
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
                hooked(ambient::within(&self.orchestrator, &self.flow, || future.as_mut().poll(cx)))
            }
            Task::Typed => {
                hooked(ambient::within(&self.orchestrator, &self.flow, || typed.poll(*step, &self.flow, cx)))
            }
        });
        if let Poll::Ready(answer) = polled.unwrap_or_else(|error| Poll::Ready(Err(error))) {
            return Poll::Ready(answer);
        }
        let allowed = self.flow.declaration.options.budget(*step, self.caller == Caller::Waits);
        // A runtime without timers panics when it is asked for one.
        let over = contain(|| budget.poll_over(allowed, &self.orchestrator, cx));
        over.unwrap_or_else(Poll::Ready).map(Err)
    }

    fn done(&mut self, step: Step, answer: Result<Done, StepError>) {
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

    /// The typed half of `fallback` begins.
    pub(super) fn recover(&mut self) {
        self.recovering = true;
    }

    /// The typed half of `fallback` has run: what became of it, and whether the caller gets an `Ok` of it.
    pub(super) fn recovered(&mut self, result: StepResult, applied: bool) {
        self.recovering = false;
        self.record(Step::Fallback, result);
        Arc::make_mut(&mut self.flow).fallback_applied = applied;
    }

    fn record(&mut self, step: Step, result: StepResult) {
        if let StepResult::Failed(error) = &result {
            self.orchestrator.step_failed(step, error, &self.flow);
        }
        self.todo.remove(step);
        self.results[step as usize] = Some(result);
    }

    /// What the answer depends on is done, or nobody waits for an answer: the rest is next.
    pub(super) fn go_on_with_the_rest(&mut self) {
        if std::mem::take(&mut self.recovering) {
            self.done(Step::Fallback, Err(super::overrides::abandoned()));
        }
        self.caller = Caller::Gone;
        self.pass = Pass::All;
        self.phase = 0;
    }

    /// The flow cannot be stored: the rest runs here, while the caller waits.
    pub(super) fn go_on_here(&mut self) {
        (self.pass, self.phase) = (Pass::All, 0);
    }

    /// Nobody is left to run it: each step that has not been done fails.
    pub(super) fn abandon(&mut self) {
        let running: Vec<_> = self.running.drain(..).map(|running| running.step).collect();
        for step in self.todo.iter().chain(running) {
            self.done(step, Err(no_runtime()));
        }
    }

    /// Why a caller that does not wait any longer cannot be given an `Ok`: a `required` step has failed, or is not done.
    pub(super) fn required(&self) -> Option<StepError> {
        let required = |&step: &Step| self.flow.declaration.options.required.contains(step);
        let mut missing = self.todo.iter().chain(self.running.iter().map(|running| running.step));
        self.required_failure().or_else(|| missing.find(required).map(|step| not_ready().in_step(step)))
    }

    /// The end: everybody is told what became of the flow.
    pub(super) fn tell(&self) {
        self.orchestrator.flow_ended(self.flow.ending, || self.report("not run"));
    }

    /// Every failure so far, as a line.
    pub(super) fn failures(&self) -> Option<String> {
        let failures: Vec<_> =
            self.results.iter().flatten().filter_map(StepResult::error).map(ToString::to_string).collect();
        (!failures.is_empty()).then(|| failures.join("; "))
    }

    /// The first failure of a step that is `required`.
    pub(super) fn required_failure(&self) -> Option<StepError> {
        let required = self.flow.declaration.options.required;
        required.iter().find_map(|step| self.results[step as usize].as_ref()?.error().cloned())
    }

    /// What became of each step so far; `missing` of those that are not done.
    pub(super) fn report(&self, missing: &'static str) -> FlowReport {
        let result = |step: Step| match &self.results[step as usize] {
            Some(result) => result.clone(),
            None if self.flow.declaration.options.off.contains(step) => StepResult::Off,
            None if self.todo.contains(step) || self.is_running(step) => StepResult::Skipped(missing),
            None if step == Step::Fallback => StepResult::Skipped(steps::fallback::undone(&self.flow)),
            None => StepResult::Skipped("no backend"),
        };
        FlowReport::new(&self.flow, Step::ALL.map(result))
    }

    fn is_running(&self, step: Step) -> bool {
        self.running.iter().any(|running| running.step == step)
    }
}

pub(crate) fn too_deep() -> StepError {
    StepError::of_kind(
        StepErrorKind::TooDeep,
        smol_str::format_smolstr!(
            "more than {MAX_DEPTH} flows deep: hooks call handlers whose hooks call handlers"
        ),
    )
}

/// A caller that cannot wait cannot be promised anything.
fn not_ready() -> StepError {
    StepError::of_kind(
        StepErrorKind::Abandoned,
        "not ready at once, and `required` by a sync handler, which cannot wait",
    )
}
