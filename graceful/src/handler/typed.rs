//! Hooks and fallbacks that borrow the handler's result: they live in the handler's own future, so that nothing is demanded
//! of its types.

use std::{
    future::{Future, Ready, ready},
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

use super::{
    After, Begun, Decode,
    after::{answer, not_ready},
    enter::required,
};
use crate::{
    Failure, Flow, Orchestrator, Outcome, Payload, Step, StepError, StepResult, Success,
    backends::Reply,
    engine::{Budget, Engine, HookResult, Settle, TypedHooks, contain},
    orchestrator::ambient,
    steps,
};

/// The typed view of an outcome.
#[derive(Debug)]
pub enum Arm<'a, T, E> {
    Success(Success<'a, T>),
    Failure(Failure<'a, E>),
}

/// The typed view of a flow's outcome.
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

/// For a handler with a fallback and no typed hooks.
pub fn no_hooks<R>(_: Step, _: Arc<Flow>, _: Arc<R>) -> Ready<HookResult> {
    ready(Ok(()))
}

/// Turns an `Err` into an `Ok`.
pub trait Fallback<R: Outcome> {
    #[doc(hidden)]
    const DECLARED: bool = true;
    type Future: Future<Output = Result<Option<R::Ok>, StepError>>;
    fn recover(&self, orchestrator: &Orchestrator, flow: Arc<Flow>, result: Arc<R>) -> Self::Future;
}

impl<R, V, Fut> Fallback<R> for V
where
    R: Outcome,
    V: Fn(Arc<Flow>, Arc<R>) -> Fut,
    Fut: Future<Output = Result<Option<R::Ok>, StepError>>,
{
    type Future = Fut;

    fn recover(&self, _: &Orchestrator, flow: Arc<Flow>, result: Arc<R>) -> Fut {
        self(flow, result)
    }
}

/// For a handler with typed hooks and no fallback.
#[derive(Debug)]
pub struct NoFallback;

impl<R: Outcome> Fallback<R> for NoFallback {
    const DECLARED: bool = false;
    type Future = Ready<Result<Option<R::Ok>, StepError>>;

    fn recover(&self, _: &Orchestrator, _: Arc<Flow>, _: Arc<R>) -> Self::Future {
        ready(Ok(None))
    }
}

/// Recovers with the last good value, read back by `D`.
#[derive(Debug)]
pub struct LastGood<D>(pub D);

impl<R, D> Fallback<R> for LastGood<D>
where
    R: Outcome,
    D: Fn(Decode<'_, R::Ok>) -> Result<R::Ok, StepError> + Clone,
{
    type Future = Recalled<R::Ok, D>;

    fn recover(&self, orchestrator: &Orchestrator, flow: Arc<Flow>, _: Arc<R>) -> Self::Future {
        Recalled {
            reply: steps::fallback::last_good(orchestrator.backends(), &flow),
            decode: self.0.clone(),
            value: PhantomData,
        }
    }
}

/// The last good value, on its way.
#[derive(Debug)]
pub struct Recalled<T, D> {
    reply: Reply<Option<Payload>>,
    decode: D,
    value: PhantomData<fn() -> T>,
}

impl<T, D> Unpin for Recalled<T, D> {}

impl<T, D> Future for Recalled<T, D>
where
    D: Fn(Decode<'_, T>) -> Result<T, StepError>,
{
    type Output = Result<Option<T>, StepError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let payload = ready!(Pin::new(&mut self.reply).poll(cx))?;
        Poll::Ready(payload.map(|payload| (self.decode)(Decode::new(&payload))).transpose())
    }
}

/// What borrows the result.
#[derive(Debug)]
pub struct Typed<H, V, E> {
    pub(super) hooks: H,
    pub(super) fallback: V,
    pub(super) required: Option<fn(StepError) -> E>,
}

impl<R, H, V> After<R> for Typed<H, V, R::Err>
where
    R: Outcome,
    H: Hooks<R>,
    V: Fallback<R>,
{
    type Post = Box<TypedPost<R, H, V>>;

    fn begin(self, engine: Engine, result: R, cx: &mut Context<'_>) -> Begun<R, Self::Post> {
        let mut post = Box::new(TypedPost::new(self, engine, Arc::new(result)));
        match Pin::new(&mut post).poll(cx) {
            Poll::Ready(result) => Begun::Ready(result),
            Poll::Pending => Begun::Post(post),
        }
    }

    fn once(self, engine: Engine, result: R) -> R {
        let into = self.required;
        let result = Arc::new(result);
        let mut post = TypedPost::new(self, engine, Arc::clone(&result));
        let mut cx = Context::from_waker(Waker::noop());
        let settled = loop {
            match post.step(&mut cx) {
                Poll::Ready(Stage::Recovered) => {}
                Poll::Ready(Stage::Settled(report)) => break Some(report),
                Poll::Pending => break None,
            }
        };
        let open = settled.is_none() && post.required_is_open();
        let recovered = post.recovered.take();
        drop(post);
        let result = recovered.map_or_else(|| owned(result), R::from_ok);
        match settled {
            Some(report) => answer(result, &report, into),
            None => required(result, open.then(not_ready), into),
        }
    }
}

/// The result, when nobody borrows it any more.
fn owned<R>(result: Arc<R>) -> R {
    Arc::into_inner(result).expect("the hooks that share the result are over")
}

/// First the fallback, then the steps with their typed hooks.
pub struct TypedPost<R: Outcome, H: Hooks<R>, V: Fallback<R>> {
    /// Taken when nobody borrows it any more.
    result: Option<Arc<R>>,
    recovered: Option<R::Ok>,
    required: Option<fn(StepError) -> R::Err>,
    stage: PostStage<R, H, V>,
}

enum PostStage<R: Outcome, H: Hooks<R>, V: Fallback<R>> {
    Recovering { engine: Engine, hooks: H, running: Pin<Box<V::Future>>, budget: Budget },
    Settling(Settle<Running<R, H>>),
    Moving,
}

enum Stage {
    Recovered,
    Settled(crate::FlowReport),
}

/// Futures are boxed, everything else is moved.
impl<R: Outcome, H: Hooks<R>, V: Fallback<R>> Unpin for TypedPost<R, H, V> {}

impl<R: Outcome, H: Hooks<R>, V: Fallback<R>> TypedPost<R, H, V> {
    fn new(typed: Typed<H, V, R::Err>, mut engine: Engine, result: Arc<R>) -> Self {
        let Typed { hooks, fallback, required } = typed;
        let stage = if V::DECLARED && result.as_result().is_err() {
            let (flow, orchestrator) = (Arc::clone(engine.flow()), engine.orchestrator().clone());
            match contain(|| fallback.recover(&orchestrator, flow, Arc::clone(&result))) {
                Ok(future) => PostStage::Recovering {
                    engine,
                    hooks,
                    running: Box::pin(future),
                    budget: Budget::default(),
                },
                Err(error) => {
                    engine.fallback_was(StepResult::Failed(error.in_step(Step::Fallback)), false);
                    Self::settling(engine, hooks, &result)
                }
            }
        } else {
            Self::settling(engine, hooks, &result)
        };
        Self { result: Some(result), recovered: None, required, stage }
    }

    fn settling(engine: Engine, hooks: H, result: &Arc<R>) -> PostStage<R, H, V> {
        let running = Running { result: Arc::clone(result), hooks, running: Vec::new() };
        PostStage::Settling(Settle::new(engine, running))
    }

    /// One stage on.
    fn step(&mut self, cx: &mut Context<'_>) -> Poll<Stage> {
        let answer = match &mut self.stage {
            PostStage::Settling(settle) => return Pin::new(settle).poll(cx).map(Stage::Settled),
            PostStage::Recovering { engine, running, budget, .. } => {
                let (flow, orchestrator) = (Arc::clone(engine.flow()), engine.orchestrator().clone());
                let polled = contain(|| ambient::within(&orchestrator, &flow, || running.as_mut().poll(cx)));
                match polled.unwrap_or_else(|error| Poll::Ready(Err(error))) {
                    Poll::Ready(answer) => answer,
                    Poll::Pending => {
                        let allowed = flow.options.budget(Step::Fallback, true);
                        Err(ready!(budget.poll_over(allowed, &orchestrator, cx)))
                    }
                }
            }
            PostStage::Moving => unreachable!("a stage is left for the next one only"),
        };
        let PostStage::Recovering { mut engine, hooks, .. } =
            std::mem::replace(&mut self.stage, PostStage::Moving)
        else {
            unreachable!("only a recovering call has an answer");
        };
        let result = match &answer {
            Ok(Some(_)) => StepResult::Done("recovered"),
            Ok(None) => StepResult::Skipped("nothing to recover with"),
            Err(error) => StepResult::Failed(error.clone().in_step(Step::Fallback)),
        };
        self.recovered = answer.ok().flatten();
        engine.fallback_was(result, self.recovered.is_some());
        if let Some(result) = &self.result {
            self.stage = Self::settling(engine, hooks, result);
        }
        Poll::Ready(Stage::Recovered)
    }

    fn required_is_open(&self) -> bool {
        match &self.stage {
            PostStage::Settling(settle) => settle.required_is_open(),
            PostStage::Recovering { engine, .. } => engine.required_is_open(),
            PostStage::Moving => false,
        }
    }
}

impl<R: Outcome, H: Hooks<R>, V: Fallback<R>> Future for TypedPost<R, H, V> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let report = loop {
            match ready!(self.step(cx)) {
                Stage::Recovered => {}
                Stage::Settled(report) => break report,
            }
        };
        self.stage = PostStage::Moving;
        let result = match self.recovered.take() {
            Some(value) => R::from_ok(value),
            None => owned(self.result.take().expect("a future is not polled after its end")),
        };
        Poll::Ready(answer(result, &report, self.required))
    }
}

/// The typed hooks that are under way.
struct Running<R, H: Hooks<R>> {
    result: Arc<R>,
    hooks: H,
    running: Vec<(Step, Pin<Box<H::Future>>)>,
}

impl<R, H: Hooks<R>> TypedHooks for Running<R, H> {
    fn poll(&mut self, step: Step, flow: &Arc<Flow>, cx: &mut Context<'_>) -> Poll<HookResult> {
        let index = self.running.iter().position(|(running, _)| *running == step).unwrap_or_else(|| {
            let hook = self.hooks.start(step, Arc::clone(flow), Arc::clone(&self.result));
            self.running.push((step, Box::pin(hook)));
            self.running.len() - 1
        });
        self.running[index].1.as_mut().poll(cx)
    }

    fn forget(&mut self, step: Step) {
        self.running.retain(|(running, _)| *running != step);
    }
}
