//! Hooks that borrow the handler's result. They are polled by the handler's own future, so that the types of the result need no bounds.

use std::{
    future::{Future, Ready, ready},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

use super::{
    After, Fallback,
    after::{REQUIRED, taken},
    enter::required,
    fallback::Asked,
};
use crate::{
    flow::Flow,
    handler::Outcome,
    pipeline::{
        Budget, Ended, FlowRun, Foreground, HookResult, MAX_DEPTH, StepResult, TypedHooks, current, too_deep,
    },
    step::{Step, StepError, contain},
    views::{Failure, Success},
};

/// The typed view of a call's outcome.
#[derive(Debug)]
pub enum Arm<'a, T, E> {
    Success(Success<'a, T>),
    Failure(Failure<'a, E>),
}

/// Makes the typed view of a call's outcome.
pub fn arm<'a, R: Outcome>(flow: &Arc<Flow>, result: &'a R) -> Arm<'a, R::Ok, R::Err> {
    match result.as_result() {
        Ok(value) => Arm::Success(Success::new(flow, value)),
        Err(error) => Arm::Failure(Failure::new(flow, error)),
    }
}

/// Starts the typed hook of a step.
pub trait Hooks<R> {
    type Future: Future<Output = HookResult>;
    fn start(&self, step: Step, flow: Arc<Flow>, result: Arc<R>) -> Self::Future;
}

impl<R, H, Fut> Hooks<R> for H
where
    H: Fn(Step, Arc<Flow>, Arc<R>) -> Fut,
    Fut: Future<Output = HookResult>,
{
    type Future = Fut;

    fn start(&self, step: Step, flow: Arc<Flow>, result: Arc<R>) -> Fut {
        self(step, flow, result)
    }
}

/// The hooks of a handler that has a fallback and no typed hooks.
pub fn no_hooks<R>(_: Step, _: Arc<Flow>, _: Arc<R>) -> Ready<HookResult> {
    ready(Ok(()))
}

/// The hooks and the fallback that borrow the result.
#[derive(Debug)]
pub struct Typed<H, V, E> {
    pub(super) hooks: H,
    pub(super) fallback: V,
    pub(super) required: Option<fn(StepError) -> E>,
}

// By hand, since an error need not be `Copy`.
impl<H: Copy, V: Copy, E> Clone for Typed<H, V, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H: Copy, V: Copy, E> Copy for Typed<H, V, E> {}

impl<R, H, V> After<R> for Typed<H, V, R::Err>
where
    R: Outcome,
    H: Hooks<R> + Copy,
    V: Fallback<R> + Copy,
{
    type Post = Box<TypedPost<R, H, H::Future, V::Future>>;

    fn begin(self, ended: Ended, result: &mut Poll<R>, cx: &mut Context<'_>) -> Option<Self::Post> {
        let mut post = TypedPost::new(self, ended, Arc::new(taken(result)));
        *result = Pin::new(&mut post).poll(cx);
        // It may be moved, because its futures are boxed.
        result.is_pending().then(|| Box::new(post))
    }

    fn once(self, ended: Ended, result: R) -> R {
        let into = self.required;
        let result = Arc::new(result);
        let mut post = TypedPost::new(self, ended, Arc::clone(&result));
        match post.poll_answer(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(failure) => {
                drop(result);
                required(post.take(), failure, into)
            }
            Poll::Pending => {
                let failure = post.required_so_far();
                let recovered = post.recovered.take();
                // The hooks that borrow the result end here; the other steps continue in the background.
                drop(post);
                required(recovered.map_or_else(|| owned(result), |value| R::from_ok(*value)), failure, into)
            }
        }
    }

    fn refused(self, error: StepError) -> R {
        R::from_err(self.required.expect(REQUIRED)(error))
    }
}

/// Takes the result when no hook borrows it any more.
fn owned<R>(result: Arc<R>) -> R {
    Arc::into_inner(result).expect("the hooks that share the result are over")
}

/// Runs the fallback, then the steps with their typed hooks.
///
/// The futures are type parameters for the reason that [`Run`](super::Run) gives.
pub struct TypedPost<R: Outcome, H, HookFuture, Recovery> {
    /// Taken when no hook borrows it any more.
    result: Option<Arc<R>>,
    /// Boxed, because there usually is none, and this struct is moved.
    recovered: Option<Box<R::Ok>>,
    required: Option<fn(StepError) -> R::Err>,
    stage: PostStage<R, H, HookFuture, Recovery>,
}

enum PostStage<R, H, HookFuture, Recovery> {
    Recovering { run: FlowRun, hooks: H, running: Pin<Box<Recovery>>, budget: Budget },
    Settling(Foreground<Borrowing<R, H, HookFuture>>),
    Over,
}

/// The futures are boxed, and nothing else is pinned.
impl<R: Outcome, H, HookFuture, Recovery> Unpin for TypedPost<R, H, HookFuture, Recovery> {}

impl<R, H, Recovery> TypedPost<R, H, H::Future, Recovery>
where
    R: Outcome,
    H: Hooks<R>,
    Recovery: Future<Output = Result<Option<R::Ok>, StepError>>,
{
    fn new<V>(typed: Typed<H, V, R::Err>, ended: Ended, result: Arc<R>) -> Self
    where
        V: Fallback<R, Future = Recovery>,
    {
        let Typed { hooks, fallback, required } = typed;
        let mut run = FlowRun::new(ended);
        if !V::DECLARED || result.as_result().is_ok() {
            let stage = Self::settling(run, hooks, &result);
            return Self { result: Some(result), recovered: None, required, stage };
        }
        let (flow, orchestrator) = (Arc::clone(run.flow()), run.orchestrator().clone());
        run.recover();
        let asked = match flow.depth {
            ..=MAX_DEPTH => contain(|| fallback.recover(&orchestrator, flow, Arc::clone(&result))),
            _ => Err(too_deep()),
        };
        let (stage, recovered) = match asked.unwrap_or_else(|error| Asked::Now(Err(error))) {
            Asked::Later(future) => {
                let (running, budget) = (Box::pin(future), Budget::default());
                (PostStage::Recovering { run, hooks, running, budget }, None)
            }
            Asked::Now(answer) => {
                let recovered = record_recovery(&mut run, answer);
                (Self::settling(run, hooks, &result), recovered)
            }
        };
        Self { result: Some(result), recovered, required, stage }
    }

    fn settling(run: FlowRun, hooks: H, result: &Arc<R>) -> PostStage<R, H, H::Future, Recovery> {
        let hooks = Borrowing { result: Arc::clone(result), hooks, started: Vec::new() };
        PostStage::Settling(Foreground::new(run, hooks))
    }

    /// Polls the fallback, then the steps. Returns the failure of a `required` step, if any.
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Option<StepError>> {
        if let PostStage::Recovering { run, running, budget, .. } = &mut self.stage {
            let answer = ready!(poll_fallback(run, running.as_mut(), budget, cx));
            self.recovered(answer);
        }
        match &mut self.stage {
            PostStage::Settling(settle) => settle.poll_answer(cx),
            _ => unreachable!("a call that is polled has steps to run"),
        }
    }

    fn recovered(&mut self, answer: Result<Option<R::Ok>, StepError>) {
        let recovering = std::mem::replace(&mut self.stage, PostStage::Over);
        let (PostStage::Recovering { mut run, hooks, running, .. }, Some(result)) =
            (recovering, &self.result)
        else {
            unreachable!("only a fallback recovers");
        };
        // The fallback may hold the flow, which is written next.
        drop(running);
        self.recovered = record_recovery(&mut run, answer);
        self.stage = Self::settling(run, hooks, result);
    }

    /// Takes the answer when no hook borrows the result any more.
    fn take(&mut self) -> R {
        self.stage = PostStage::Over;
        let result = self.result.take().expect("a future is not polled after its end");
        self.recovered.take().map_or_else(|| owned(result), |value| R::from_ok(*value))
    }

    fn required_so_far(&self) -> Option<StepError> {
        match &self.stage {
            PostStage::Settling(settle) => settle.required(),
            PostStage::Recovering { run, .. } => run.required(),
            PostStage::Over => None,
        }
    }
}

impl<R, H, Recovery> Future for TypedPost<R, H, H::Future, Recovery>
where
    R: Outcome,
    H: Hooks<R>,
    Recovery: Future<Output = Result<Option<R::Ok>, StepError>>,
{
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let failure = ready!(self.poll_answer(cx));
        let into = self.required;
        Poll::Ready(required(self.take(), failure, into))
    }
}

/// Records the result of a fallback in the run, and returns the recovered value.
fn record_recovery<T>(run: &mut FlowRun, answer: Result<Option<T>, StepError>) -> Option<Box<T>> {
    let (step, recovered) = match answer {
        Ok(Some(value)) => (StepResult::Done("recovered"), Some(Box::new(value))),
        Ok(None) => (StepResult::Skipped("nothing to recover with"), None),
        Err(error) => (StepResult::Failed(error.in_step(Step::Fallback)), None),
    };
    run.recovered(step, recovered.is_some());
    recovered
}

/// Polls a fallback. If it panics or times out, the `Err` stays.
fn poll_fallback<T>(
    run: &FlowRun,
    running: Pin<&mut impl Future<Output = Result<Option<T>, StepError>>>,
    budget: &mut Budget,
    cx: &mut Context<'_>,
) -> Poll<Result<Option<T>, StepError>> {
    let (flow, orchestrator) = (run.flow(), run.orchestrator());
    match contain(|| run.recovering(|| current::within(orchestrator, flow, || running.poll(cx)))) {
        Ok(Poll::Pending) => {
            let allowed = flow.declaration.options.budget(Step::Fallback, true);
            contain(|| budget.poll_over(allowed, orchestrator, cx)).unwrap_or_else(Poll::Ready).map(Err)
        }
        Ok(answer) => answer,
        Err(panicked) => Poll::Ready(Err(panicked)),
    }
}

/// The typed hooks, and the futures of those that have started.
struct Borrowing<R, H, HookFuture> {
    result: Arc<R>,
    hooks: H,
    started: Vec<(Step, Pin<Box<HookFuture>>)>,
}

impl<R, H: Hooks<R>> TypedHooks for Borrowing<R, H, H::Future> {
    fn poll(&mut self, step: Step, flow: &Arc<Flow>, cx: &mut Context<'_>) -> Poll<HookResult> {
        let index = self.started.iter().position(|(running, _)| *running == step).unwrap_or_else(|| {
            let hook = self.hooks.start(step, Arc::clone(flow), Arc::clone(&self.result));
            self.started.push((step, Box::pin(hook)));
            self.started.len() - 1
        });
        self.started[index].1.as_mut().poll(cx)
    }

    fn forget(&mut self, step: Step) {
        self.started.retain(|(running, _)| *running != step);
    }
}
