//! The entry: is there an orchestrator, and what is known before the body runs?

use std::{any::Any, future::Future, sync::Arc};

use smol_str::{SmolStr, format_smolstr};

use super::{Draft, Returns, Site};
use crate::{
    Code, Context, Ending, Flow, Orchestrator, Outcome, StepError,
    engine::{Engine, HookResult, NoTypedHooks, Overrides, Settle},
    orchestrator::ambient,
    step::contain,
};

/// What `on = …` may name.
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
pub struct Entered(Option<Active>);

/// A call that something follows.
#[derive(Debug)]
pub struct Active {
    /// `None` until the first poll, where the function is called before its future is.
    orchestrator: Option<Orchestrator>,
    flow: Arc<Flow>,
    overrides: Overrides,
    pub(super) polled: bool,
    kept: Vec<SmolStr>,
}

/// Enters a handler with the task's or the process' orchestrator.
pub fn enter(site: &'static Site, fill: impl FnOnce(&mut Draft<'_>)) -> Entered {
    Entered(ambient::orchestrator().and_then(|orchestrator| begin(Some(orchestrator), site, fill)))
}

/// Enters a handler with the orchestrator that its declaration names.
pub fn enter_on(site: &'static Site, on: &impl Source, fill: impl FnOnce(&mut Draft<'_>)) -> Entered {
    Entered(on.orchestrator().and_then(|orchestrator| begin(Some(orchestrator), site, fill)))
}

/// Enters a function that returns a future which it did not make itself: its arguments are gone when the future is polled,
/// and only then is it known whether there is an orchestrator. So they are evaluated if there may be one.
pub fn enter_eager(site: &'static Site, fill: impl FnOnce(&mut Draft<'_>)) -> Entered {
    Entered(Orchestrator::any_exists().then(|| begin(None, site, fill)).flatten())
}

fn begin(
    orchestrator: Option<Orchestrator>,
    site: &'static Site,
    fill: impl FnOnce(&mut Draft<'_>),
) -> Option<Active> {
    let mut flow = Flow::begin(Arc::default(), site.names(), site.options);
    flow.message = site.message();
    if let Some(orchestrator) = &orchestrator {
        placed(&mut flow, orchestrator);
    }
    let mut kept = Vec::new();
    let follows = filled(&mut flow, &mut kept, fill);
    flow.values.named_at_entry = flow.values.is_named();
    follows.then(|| Active {
        orchestrator,
        flow: Arc::new(flow),
        overrides: Overrides::None,
        polled: false,
        kept,
    })
}

/// Where the call runs: service, context, and the flow whose hook made it.
fn placed(flow: &mut Flow, orchestrator: &Orchestrator) {
    flow.origin = Arc::clone(orchestrator.origin());
    flow.context = Context::try_current();
    if let Some(parent) = ambient::parent() {
        flow.parent = Some(parent.id);
        flow.depth = parent.depth.saturating_add(1);
    }
}

/// Evaluates expressions of the declaration; false where `when` says that nothing follows. A panic of theirs is not the
/// handler's: the steps that need the value say so.
fn filled(flow: &mut Flow, kept: &mut Vec<SmolStr>, fill: impl FnOnce(&mut Draft<'_>)) -> bool {
    let mut draft = Draft { flow, skipped: false, kept };
    if let Err(error) = contain(|| fill(&mut draft)) {
        // Which one it was is not known: every step that carries the value of one says so.
        let text = format_smolstr!("an expression of the declaration {}", error.message());
        draft.flow.values.metadata_fault = Some(text.clone());
        draft.fault(text);
    }
    !draft.skipped
}

impl Entered {
    /// Hooks that take the flow alone.
    #[must_use]
    pub fn hooks(
        mut self,
        start: fn(crate::Step, Arc<Flow>) -> crate::backends::BoxFuture<HookResult>,
    ) -> Self {
        if let Some(active) = &mut self.0 {
            active.overrides = Overrides::Declared(start);
        }
        self
    }

    /// An async body: `ok` and `err` read its result.
    pub fn run<F, O, X>(self, body: F, ok: O, err: X) -> <F::Output as Outcome>::Prepared<F, O, X>
    where
        F: Future<Output: Outcome>,
        O: FnOnce(&mut Draft<'_>, &<F::Output as Outcome>::Ok),
        X: FnOnce(&mut Draft<'_>, &<F::Output as Outcome>::Err),
    {
        F::Output::prepare(self.0, body, ok, err)
    }

    /// A body that is not async: it returns a `Result`, or a boxed future of one.
    pub fn call<B, V, O, X>(self, body: B, ok: O, err: X) -> <V::Outcome as Outcome>::Prepared<B, O, X>
    where
        B: FnOnce() -> V,
        V: Returns,
        O: FnOnce(&mut Draft<'_>, &<V::Outcome as Outcome>::Ok),
        X: FnOnce(&mut Draft<'_>, &<V::Outcome as Outcome>::Err),
    {
        V::Outcome::prepare(self.0, body, ok, err)
    }
}

impl Active {
    /// Finds the orchestrator, where it was not known yet; false where there is none.
    pub(super) fn resolve(&mut self) -> bool {
        self.polled = true;
        if self.orchestrator.is_none() {
            let Some(orchestrator) = ambient::orchestrator() else { return false };
            placed(Arc::make_mut(&mut self.flow), &orchestrator);
            self.orchestrator = Some(orchestrator);
        }
        true
    }

    /// The body has returned: what it says is read, and its types are left behind. `None` where nothing follows.
    pub(super) fn returned<R: Outcome>(
        mut self,
        result: &R,
        ok: impl FnOnce(&mut Draft<'_>, &R::Ok),
        err: impl FnOnce(&mut Draft<'_>, &R::Err),
    ) -> Option<Engine> {
        let (flow, kept) = (Arc::make_mut(&mut self.flow), &mut self.kept);
        let (ending, follows) = match result.as_result() {
            Ok(value) => (Ending::Ok, filled(flow, kept, |draft| ok(draft, value))),
            Err(error) => {
                unclassified(flow);
                (Ending::Err, filled(flow, kept, |draft| err(draft, error)))
            }
        };
        follows.then(|| self.engine(ending)).flatten()
    }

    pub(super) fn panicked(mut self) -> Option<Engine> {
        unclassified(Arc::make_mut(&mut self.flow));
        self.engine(Ending::Panicked)
    }

    pub(super) fn cancelled(mut self) -> Option<Engine> {
        let flow = Arc::make_mut(&mut self.flow);
        flow.code = Code::Cancelled;
        flow.message = Code::Cancelled.text().into();
        self.engine(Ending::Cancelled)
    }

    fn engine(mut self, ending: Ending) -> Option<Engine> {
        let flow = Arc::make_mut(&mut self.flow);
        if !ending.is_success() {
            flow.values.drop_payloads();
        }
        let (code, message) = (flow.code, flow.message.clone());
        flow.end(ending, code, message);
        Some(Engine::new(self.orchestrator?, self.flow, self.overrides))
    }
}

/// What an error means until somebody classifies it.
fn unclassified(flow: &mut Flow) {
    flow.code = Code::Internal;
    flow.message = Code::Internal.text().into();
}

/// The flow of a panic, for as long as it can be awaited; then the panic goes on.
pub(super) type AfterPanic = Box<(Settle<NoTypedHooks>, Box<dyn Any + Send>)>;

/// What a `required` step's failure turns the handler's outcome into.
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
