//! Enters a handler: finds the orchestrator, and evaluates the expressions that are known before the body runs.

use std::{any::Any, future::Future, pin::Pin, sync::Arc};

use tracing::Level;

use super::{FlowBuilder, HandlerSpec, Once, Returns, builder::Fill};
use crate::{
    code::Code,
    context::Context,
    flow::{Argument, CallOutcome, Flow, Origin},
    handler::Outcome,
    pipeline::{self, Ended, FlowRun, Orchestrator, current},
    step::StepError,
};

/// A type that `on = …` accepts.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an orchestrator",
    label = "expected an `Orchestrator`, an `Option` of one, or a reference to either",
    note = "`on` names the orchestrator to use, such as `on = self.orchestrator`"
)]
pub trait Source {
    fn orchestrator(&self) -> Option<Orchestrator>;
}

#[diagnostic::do_not_recommend]
impl Source for Orchestrator {
    fn orchestrator(&self) -> Option<Orchestrator> {
        Some(self.clone())
    }
}

#[diagnostic::do_not_recommend]
impl<S: Source> Source for Option<S> {
    fn orchestrator(&self) -> Option<Orchestrator> {
        self.as_ref().and_then(Source::orchestrator)
    }
}

#[diagnostic::do_not_recommend]
impl<S: Source + ?Sized> Source for &S {
    fn orchestrator(&self) -> Option<Orchestrator> {
        S::orchestrator(self)
    }
}

#[diagnostic::do_not_recommend]
impl<S: Source + ?Sized> Source for Arc<S> {
    fn orchestrator(&self) -> Option<Orchestrator> {
        S::orchestrator(self)
    }
}

/// A call that has begun; without an orchestrator it is the plain call.
#[derive(Debug)]
pub struct Entered(pub(super) Option<Active>);

/// A call that has an orchestrator. If it is dropped before its body has ended, the call counts as cancelled.
#[derive(Debug)]
pub struct Active {
    spec: &'static HandlerSpec,
    /// `None` until the first poll, if the function is called before its future is polled.
    orchestrator: Option<Orchestrator>,
    /// Taken when the call has ended.
    flow: Option<Arc<Flow>>,
    polled: bool,
}

/// Makes the future of a call in the given place. What `make` borrows while it runs is not part of the future.
#[inline]
pub fn call<'p, T: IntoFuture>(
    mut place: Pin<&'p mut Option<T::IntoFuture>>,
    spec: &'static HandlerSpec,
    make: impl FnOnce(&'static HandlerSpec) -> T,
) -> Pin<&'p mut T::IntoFuture> {
    place.set(Some(make(spec).into_future()));
    place.as_pin_mut().unwrap_or_else(|| unreachable!("it is there"))
}

/// Enters a handler with the task's or the process' orchestrator.
#[inline]
pub fn enter(spec: &'static HandlerSpec, mut fill: impl FnMut(&mut FlowBuilder<'_>)) -> Entered {
    Entered(begin_current(spec, &mut fill))
}

/// Enters a handler with the orchestrator that its declaration names.
pub fn enter_on(
    spec: &'static HandlerSpec,
    on: &impl Source,
    mut fill: impl FnMut(&mut FlowBuilder<'_>),
) -> Entered {
    Entered(begin(on.orchestrator(), spec, &mut fill))
}

/// Enters a function that returns a future. When the future is polled, the function's parameters are gone, but only then is it known
/// whether there is an orchestrator. So the expressions are evaluated at the call, if the process has any orchestrator.
pub fn enter_eager(spec: &'static HandlerSpec, mut fill: impl FnMut(&mut FlowBuilder<'_>)) -> Entered {
    if !Orchestrator::any_exists() {
        spec.without_an_orchestrator();
        return Entered(None);
    }
    Entered(Active::new(spec, None, &mut fill))
}

#[inline]
fn begin_current(spec: &'static HandlerSpec, fill: Fill<'_>) -> Option<Active> {
    if !Orchestrator::any_exists() {
        spec.without_an_orchestrator();
        return None;
    }
    begin(current::orchestrator(), spec, fill)
}

fn begin(orchestrator: Option<Orchestrator>, spec: &'static HandlerSpec, fill: Fill<'_>) -> Option<Active> {
    if orchestrator.is_none() {
        spec.without_an_orchestrator();
    }
    Active::new(spec, Some(orchestrator?), fill)
}

impl Entered {
    /// An async body: `ok` and `err` read its result.
    #[inline]
    pub fn run<F, O, X>(self, body: F, ok: O, err: X) -> <F::Output as Outcome>::Run<F, O, X>
    where
        F: Future<Output: Outcome>,
        O: Fn(&mut FlowBuilder<'_>, &<F::Output as Outcome>::Ok),
        X: Fn(&mut FlowBuilder<'_>, &<F::Output as Outcome>::Err),
    {
        F::Output::run(self.0, body, ok, err)
    }

    /// An async body whose result a hook borrows, or whose answer depends on a step.
    #[inline]
    pub fn prepare<F, O, X>(self, body: F, ok: O, err: X) -> <F::Output as Outcome>::Prepared<F, O, X>
    where
        F: Future<Output: Outcome>,
        O: Fn(&mut FlowBuilder<'_>, &<F::Output as Outcome>::Ok),
        X: Fn(&mut FlowBuilder<'_>, &<F::Output as Outcome>::Err),
    {
        F::Output::prepare(self.0, body, ok, err)
    }

    /// A body that is not async: it returns a `Result`, or a boxed future of one.
    pub fn call<B, V, O, X>(
        self,
        body: &mut Once<B>,
        ok: O,
        err: X,
    ) -> <V::Outcome as Outcome>::Prepared<&mut Once<B>, O, X>
    where
        B: FnOnce() -> V,
        V: Returns,
        O: Fn(&mut FlowBuilder<'_>, &<V::Outcome as Outcome>::Ok),
        X: Fn(&mut FlowBuilder<'_>, &<V::Outcome as Outcome>::Err),
    {
        V::Outcome::prepare(self.0, body, ok, err)
    }
}

impl Active {
    fn new(spec: &'static HandlerSpec, orchestrator: Option<Orchestrator>, fill: Fill<'_>) -> Option<Self> {
        let origin = orchestrator
            .as_ref()
            .map_or_else(Origin::unknown, |orchestrator| Arc::clone(orchestrator.origin()));
        let mut flow = Arc::new(Flow::begin(spec.declared(), origin));
        let filling = owned(&mut flow);
        filling.message = spec.message();
        if orchestrator.is_some() {
            placed(filling);
        }
        let follows = FlowBuilder::new(filling, false, Argument::When).filled(fill);
        filling.values.named_at_entry = filling.values.entity().is_some();
        follows.then(|| Self { spec, orchestrator, flow: Some(flow), polled: false })
    }

    /// Finds the orchestrator if it is not known yet. Returns false if there is none.
    pub(super) fn resolve(&mut self) -> bool {
        self.polled = true;
        if self.orchestrator.is_none() {
            let Some(orchestrator) = current::orchestrator() else {
                self.spec.without_an_orchestrator();
                return false;
            };
            let flow = self.flow();
            flow.origin = Arc::clone(orchestrator.origin());
            placed(flow);
            self.orchestrator = Some(orchestrator);
        }
        true
    }

    /// Records the result of a body that has returned; from here on no type of the handler is used. `None` if no step runs.
    pub(super) fn returned<R: Outcome>(
        self,
        result: &R,
        ok: &dyn Fn(&mut FlowBuilder<'_>, &R::Ok),
        err: &dyn Fn(&mut FlowBuilder<'_>, &R::Err),
    ) -> Option<Ended> {
        match result.as_result() {
            Ok(value) => self.read(CallOutcome::Ok, &mut |builder| ok(builder, value)),
            Err(error) => self.read(CallOutcome::Err, &mut |builder| err(builder, error)),
        }
    }

    fn read(mut self, ending: CallOutcome, fill: Fill<'_>) -> Option<Ended> {
        let logs = ending == CallOutcome::Err && self.logs_errors();
        let flow = self.flow();
        let read = match ending {
            CallOutcome::Ok => Argument::Payload,
            _ => {
                unclassified(flow);
                Argument::Error
            }
        };
        match FlowBuilder::new(flow, logs, read).filled(fill) {
            true => self.ended(ending),
            false => {
                self.flow = None;
                None
            }
        }
    }

    pub(super) fn panicked(mut self, payload: &(dyn Any + Send)) -> Option<Ended> {
        let logs = self.logs_errors();
        let flow = self.flow();
        unclassified(flow);
        flow.cause = logs.then(|| StepError::panicked(payload).message().into());
        self.ended(CallOutcome::Panicked)
    }

    /// Records that the body was not run.
    pub(super) fn refused(mut self) -> Option<Ended> {
        unclassified(self.flow());
        self.ended(CallOutcome::Err)
    }

    fn cancelled(&mut self) -> Option<Ended> {
        let flow = self.flow();
        flow.code = Code::Cancelled;
        flow.message = Code::Cancelled.text().into();
        self.ended(CallOutcome::Cancelled)
    }

    fn ended(&mut self, ending: CallOutcome) -> Option<Ended> {
        let flow = self.flow();
        if !ending.is_success() {
            flow.values.drop_payloads();
        }
        flow.end(ending);
        Some(Ended {
            orchestrator: self.orchestrator.take()?,
            flow: self.flow.take()?,
            overrides: self.spec.overrides(),
        })
    }

    /// Whether the cause of a server fault is logged.
    #[cold]
    fn logs_errors(&self) -> bool {
        self.spec.logs_errors()
            && self.orchestrator.as_ref().is_some_and(Orchestrator::logs_errors)
            && tracing::enabled!(target: pipeline::CAUSE, Level::ERROR)
    }

    fn flow(&mut self) -> &mut Flow {
        owned(self.flow.as_mut().expect("a call ends once"))
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        if self.polled
            && self.flow.is_some()
            && let Some(ended) = self.cancelled()
        {
            FlowRun::new(ended).detach();
        }
    }
}

/// Borrows the flow mutably; it is not shared before it has ended.
fn owned(flow: &mut Arc<Flow>) -> &mut Flow {
    Arc::get_mut(flow).expect("a flow that has not ended is its call's own")
}

/// Sets the context of the call, and the parent: the flow whose hook made the call.
fn placed(flow: &mut Flow) {
    flow.context = Context::of_call();
    flow.caller = pipeline::caller();
    if let Some(parent) = current::parent() {
        flow.parent = Some(parent.id);
        flow.depth = parent.depth.saturating_add(1);
    }
}

/// Sets the code and the message of an error that is not classified.
fn unclassified(flow: &mut Flow) {
    flow.code = Code::Internal;
    flow.message = Code::Internal.text().into();
}

/// Turns the outcome into an `Err` if a `required` step has failed.
pub(super) fn required<R: Outcome>(
    result: R,
    failure: Option<StepError>,
    into: Option<fn(StepError) -> R::Err>,
) -> R {
    match (failure, into) {
        (Some(error), Some(into)) => R::from_err(into(error)),
        _ => result,
    }
}
