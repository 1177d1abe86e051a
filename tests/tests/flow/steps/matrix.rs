//! The test cases that all steps have in common.

use graceful::{CallOutcome, FlowReport, OrchestratorBuilder, Step, StepErrorKind, StepResult};
use graceful_tests::{Fault, Faulty, Log, User, UserError, World, ada, hooks};
use serde_json::Value;
use tracing::Level;

#[derive(Clone, Copy, Debug)]
pub enum Arm {
    Ok,
    Err,
}

impl Arm {
    /// What makes a handler take this arm.
    fn error(self) -> Option<UserError> {
        match self {
            Self::Ok => None,
            Self::Err => Some(UserError::Broken),
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Ok => Self::Err,
            Self::Err => Self::Ok,
        }
    }
}

/// One arm of a step.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub step: Step,
    pub arm: Arm,
}

/// A call that is over, and what each step's backend held before and after it.
struct Ran {
    case: Case,
    world: World,
    log: Log,
    result: Result<User, UserError>,
    report: FlowReport,
    calls: Vec<String>,
    before: Vec<Value>,
    after: Vec<Value>,
}

impl Case {
    pub async fn by_default<F>(self, handler: impl FnOnce(User, Option<UserError>) -> F)
    where
        F: Future<Output = Result<User, UserError>>,
    {
        let ran = self.run(|builder| builder, handler).await;
        ran.result_is_untouched();
        ran.others_ran();
        ran.nothing_failed();
        assert!(ran.report.step(self.step).is_done(), "{}", ran.report);
        assert!(ran.changed(self.step), "the default ran");
        assert!(ran.calls.is_empty(), "no hook of this arm: {:?}", ran.calls);
    }

    pub async fn overridden<F>(self, handler: impl FnOnce(User, Option<UserError>) -> F)
    where
        F: Future<Output = Result<User, UserError>>,
    {
        let told = match self.arm {
            Arm::Ok => "ok 42",
            Arm::Err => "err 42",
        };
        self.run(|builder| builder, handler).await.hook_ran_instead(told);
    }

    pub async fn overridden_typed<F>(self, handler: impl FnOnce(User, Option<UserError>) -> F)
    where
        F: Future<Output = Result<User, UserError>>,
    {
        let told = match self.arm {
            Arm::Ok => "ok Ada",
            Arm::Err => "err Some(Broken)",
        };
        self.run(|builder| builder, handler).await.hook_ran_instead(told);
    }

    pub async fn off<F>(self, handler: impl FnOnce(User, Option<UserError>) -> F)
    where
        F: Future<Output = Result<User, UserError>>,
    {
        let ran = self.run(|builder| builder, handler).await;
        ran.result_is_untouched();
        ran.others_ran();
        ran.nothing_failed();
        assert!(matches!(ran.report.step(self.step), StepResult::Off), "{}", ran.report);
        assert!(!ran.changed(self.step), "the default did not run");
    }

    /// A hook at fault harms nobody but its step.
    pub async fn contained<F>(self, handler: impl FnOnce(User, Option<UserError>) -> F, kind: StepErrorKind)
    where
        F: Future<Output = Result<User, UserError>>,
    {
        let ran = self.run(|builder| builder, handler).await;
        ran.result_is_untouched();
        ran.failed(kind, "the hook");
    }

    /// A backend at fault harms nobody but its step.
    pub async fn contained_at<F>(
        self,
        handler: impl FnOnce(User, Option<UserError>) -> F,
        fault: Fault,
        kind: StepErrorKind,
    ) where
        F: Future<Output = Result<User, UserError>>,
    {
        let ran = self.run(|builder| self.at_fault(builder, fault), handler).await;
        ran.result_is_untouched();
        ran.failed(kind, "the backend");
    }

    /// Where the step is `required`, a hook at fault is the handler's `Err`.
    pub async fn required<F>(self, handler: impl FnOnce(User, Option<UserError>) -> F, kind: StepErrorKind)
    where
        F: Future<Output = Result<User, UserError>>,
    {
        let ran = self.run(|builder| builder, handler).await;
        ran.failed(kind, "the hook");
        ran.result_is_the_failure(kind);
    }

    /// Where the step is `required`, a backend at fault is the handler's `Err`.
    pub async fn required_at<F>(
        self,
        handler: impl FnOnce(User, Option<UserError>) -> F,
        fault: Fault,
        kind: StepErrorKind,
    ) where
        F: Future<Output = Result<User, UserError>>,
    {
        let ran = self.run(|builder| self.at_fault(builder, fault), handler).await;
        ran.failed(kind, "the backend");
        ran.result_is_the_failure(kind);
    }

    fn at_fault(self, builder: OrchestratorBuilder, fault: Fault) -> OrchestratorBuilder {
        let faulty = Faulty(fault);
        match self.step {
            Step::Fallback | Step::Cache => builder.cache(faulty),
            Step::Metadata => builder.metadata(faulty),
            Step::Graph => builder.graph(faulty),
            Step::Schedule => builder.scheduler(faulty),
            Step::Event => builder.events(faulty),
            Step::Nexus => builder.nexus(faulty),
            Step::Audit => builder.audit(faulty),
            Step::Alert => builder.alerts(faulty),
        }
    }

    /// The entity has gone through the other arm before, so that each step of this one has something to do.
    async fn run<F>(
        self,
        change: impl FnOnce(OrchestratorBuilder) -> OrchestratorBuilder,
        handler: impl FnOnce(User, Option<UserError>) -> F,
    ) -> Ran
    where
        F: Future<Output = Result<User, UserError>>,
    {
        let world = World::with(change);
        let sound = world.backends.builder().build().unwrap();
        drop(sound.scope(crate::steps::update(ada(), self.arm.other().error())).await);
        let before = held(&world).await;

        let (log, listening) = Log::listen();
        let result = world.run(handler(ada(), self.arm.error())).await;
        drop(listening);

        let (report, after) = (world.reports.only(), held(&world).await);
        Ran { case: self, world, log, result, report, calls: hooks::calls(), before, after }
    }
}

async fn held(world: &World) -> Vec<Value> {
    let mut held = Vec::new();
    for step in Step::ALL {
        held.push(world.holds(step, &world.entity()).await);
    }
    held
}

impl Ran {
    fn changed(&self, step: Step) -> bool {
        self.before[step as usize] != self.after[step as usize]
    }

    #[track_caller]
    fn result_is_untouched(&self) {
        match (self.case.arm, &self.result) {
            (Arm::Ok, Ok(user)) => assert_eq!(*user, ada()),
            (Arm::Err, Err(UserError::Broken)) => {}
            (_, result) => panic!("the handler did not answer this: {result:?}"),
        }
    }

    #[track_caller]
    fn others_ran(&self) {
        for step in Step::ALL.into_iter().filter(|step| ![Step::Fallback, self.case.step].contains(step)) {
            assert!(self.report.step(step).is_done(), "{step} ran: {}", self.report);
            assert!(self.changed(step), "{step} had its effect: {}", self.report);
        }
    }

    #[track_caller]
    fn nothing_failed(&self) {
        assert_eq!(self.report.failures().count(), 0, "{}", self.report);
        assert_eq!(self.counted_failures(), [0; 9]);
        assert!(self.log.of("graceful::step").is_empty());
    }

    #[track_caller]
    fn hook_ran_instead(self, told: &str) {
        self.result_is_untouched();
        self.others_ran();
        self.nothing_failed();
        assert_eq!(self.calls, [told], "the hook ran, once");
        assert_eq!(self.report.step(self.case.step).to_string(), "overridden");
        assert!(!self.changed(self.case.step), "the default did not run");
    }

    /// The step failed, it alone, and it is seen: in the report, in the counters, in the log.
    #[track_caller]
    fn failed(&self, kind: StepErrorKind, whose: &str) {
        let step = self.case.step;
        self.others_ran();
        assert!(!self.changed(step), "what failed has no effect");

        let failures: Vec<_> = self.report.failures().collect();
        let [error] = failures[..] else { panic!("one step failed: {}", self.report) };
        assert_eq!((error.step(), error.kind()), (Some(step), kind));
        assert_eq!(self.report.step(step).error().unwrap().message(), error.message());
        let said = match kind {
            StepErrorKind::Failed => format!("{whose} failed"),
            StepErrorKind::Panicked => format!("panicked: {whose} panicked"),
            StepErrorKind::TimedOut => "timed out after its time budget of ".to_owned(),
            kind => panic!("no case is about {kind:?}"),
        };
        assert!(error.message().starts_with(&said), "{error}");

        let mut counted = [0; 9];
        counted[step as usize] = 1;
        assert_eq!(self.counted_failures(), counted);
        let ending = if self.report.flow().is_success() { CallOutcome::Ok } else { CallOutcome::Err };
        assert_eq!(self.world.orchestrator.stats().flows(ending), 1);

        let lines = self.log.of("graceful::step");
        let [line] = &lines[..] else { panic!("it is logged once: {lines:?}") };
        assert_eq!((line.level, line.field("step")), (Level::WARN, step.as_str()));
        assert_eq!((line.field("error"), line.field("entity")), (error.message(), "users::user:42"));
        assert_eq!(line.field("flow"), self.report.flow().id().to_string());
    }

    #[track_caller]
    fn result_is_the_failure(self, kind: StepErrorKind) {
        let error = self.result.unwrap_err().step();
        assert_eq!((error.step(), error.kind()), (Some(self.case.step), kind));
        let required = self.report.required_failure().expect("the report names it");
        assert_eq!(required.message(), error.message());
    }

    fn counted_failures(&self) -> [u64; 9] {
        Step::ALL.map(|step| self.world.orchestrator.stats().failures(step))
    }
}
