//! Handlers that read through the cache: a hit answers in place of the body; on a miss the body is a load.

mod call;
mod extension;
mod looking_up;
mod names;
mod settings;
mod sync;
mod through;
mod waiting;

use std::{
    fmt::Display,
    future::{Future, IntoFuture as _},
};

pub(crate) use self::{
    call::{Call, Decision},
    extension::Extension,
};
pub use self::{names::ReadNames, settings::Reads, sync::FinishRead, through::Through};
use super::{
    Active, After, Decode, Entered, FlowBuilder, HandlerSpec, Once, Prepared, Returns, Run, Source,
    builder::Fill,
};
use crate::{
    backends::{End, Ended, Hit, Reply},
    cache_stats::CacheOutcome,
    flow::Payload,
    handler::Outcome,
    key::Key,
    marks::Write,
    pipeline::{Orchestrator, current},
    step::StepError,
};

/// A call of a handler that reads through the cache, before it runs.
#[derive(Debug)]
pub struct Reading(State);

/// What is known of the call.
#[derive(Debug)]
pub(crate) enum State {
    /// The cache is not asked, for this reason: the body runs.
    Plain(&'static str),
    /// The value is cached.
    Hit(Found),
    /// The cache was asked.
    Call(Box<Call>, Reply<Option<Hit>>),
    /// The cache is asked when the future is polled. The orchestrator, unless the declaration names it, is known only then.
    Eager(&'static HandlerSpec, Box<ReadNames>, Option<Orchestrator>),
}

/// A cached value, and where it was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) value: Payload,
    entity: Key,
    orchestrator: Orchestrator,
}

/// Evaluates the names of a read.
type Names<'a> = &'a mut dyn FnMut(&mut ReadNames);

/// Enters a reader with the task's or the process' orchestrator.
pub fn read(
    spec: &'static HandlerSpec,
    mut names: impl FnMut(&mut ReadNames),
    mut fill: impl FnMut(&mut FlowBuilder<'_>),
) -> (Reading, Entered) {
    let orchestrator = if Orchestrator::any_exists() { current::orchestrator() } else { None };
    begin(orchestrator, spec, &mut names, &mut fill)
}

/// Enters a reader with the orchestrator that its declaration names.
pub fn read_on(
    spec: &'static HandlerSpec,
    on: &impl Source,
    mut names: impl FnMut(&mut ReadNames),
    mut fill: impl FnMut(&mut FlowBuilder<'_>),
) -> (Reading, Entered) {
    begin(on.orchestrator(), spec, &mut names, &mut fill)
}

/// The reason of a body that runs because nobody reads through: there is no orchestrator.
const NO_ORCHESTRATOR: &str = "no orchestrator";

/// The reason of a body that runs in the place of an entry that cannot be decoded.
const UNREADABLE: &str = "the cached value cannot be decoded";

/// Enters a reader that returns a future; see [`enter_eager`](super::enter_eager).
pub fn read_eager(
    spec: &'static HandlerSpec,
    mut names: impl FnMut(&mut ReadNames),
    mut fill: impl FnMut(&mut FlowBuilder<'_>),
) -> (Reading, Entered) {
    if !Orchestrator::any_exists() {
        return not_read();
    }
    eager(None, spec, &mut names, &mut fill)
}

/// The same with the orchestrator that the declaration names.
pub fn read_eager_on(
    spec: &'static HandlerSpec,
    on: &impl Source,
    mut names: impl FnMut(&mut ReadNames),
    mut fill: impl FnMut(&mut FlowBuilder<'_>),
) -> (Reading, Entered) {
    match on.orchestrator() {
        Some(orchestrator) => eager(Some(orchestrator), spec, &mut names, &mut fill),
        None => not_read(),
    }
}

fn eager(
    orchestrator: Option<Orchestrator>,
    spec: &'static HandlerSpec,
    names: Names<'_>,
    fill: Fill<'_>,
) -> (Reading, Entered) {
    let names = ReadNames::filled(names);
    let entered = entered(orchestrator.clone(), spec, &names, fill, "the cache was not asked");
    (Reading(State::Eager(spec, Box::new(names), orchestrator)), entered)
}

fn begin(
    orchestrator: Option<Orchestrator>,
    spec: &'static HandlerSpec,
    names: Names<'_>,
    fill: Fill<'_>,
) -> (Reading, Entered) {
    let Some(orchestrator) = orchestrator else { return not_read() };
    let names = ReadNames::filled(names);
    let state = Call::begin(&orchestrator, spec, &names);
    let reason = match &state {
        State::Hit(_) => return (Reading(state), Entered(None)),
        State::Plain(reason) => reason,
        State::Call(..) | State::Eager(..) => "the cache has not answered yet",
    };
    let entered = entered(Some(orchestrator), spec, &names, fill, reason);
    (Reading(state), entered)
}

/// Only the body runs.
fn not_read() -> (Reading, Entered) {
    (Reading(State::Plain(NO_ORCHESTRATOR)), Entered(None))
}

/// Enters a reader whose body may have to run: alone, for this reason, unless it is given a load.
fn entered(
    orchestrator: Option<Orchestrator>,
    spec: &'static HandlerSpec,
    names: &ReadNames,
    fill: Fill<'_>,
    reason: &'static str,
) -> Entered {
    let active = Active::new(spec, orchestrator, &mut |builder| {
        names.give(builder);
        fill(builder);
    });
    Entered(active.map(|mut active| {
        active.loads(Err(reason));
        active
    }))
}

impl Reading {
    /// The future of the call. `decode` makes the handler's value from the cached one.
    pub fn through<F, R, O, X, A, D>(
        self,
        prepared: Prepared<F, R, O, X, A>,
        decode: D,
    ) -> Through<Run<F, O, X, A, A::Post>, D>
    where
        F: Future<Output = R>,
        R: Outcome,
        O: Fn(&mut FlowBuilder<'_>, &R::Ok),
        X: Fn(&mut FlowBuilder<'_>, &R::Err),
        A: After<R>,
        D: Fn(Decode<'_, R::Ok>) -> Result<R::Ok, StepError>,
    {
        Through::new(self.0, prepared.into_future(), decode)
    }

    /// Runs the call of a function that is not async.
    pub fn finish<B, V, O, X, A, D>(
        self,
        prepared: Prepared<&mut Once<B>, V::Outcome, O, X, A>,
        decode: D,
    ) -> V
    where
        B: FnOnce() -> V,
        V: FinishRead<O, X, A, D>,
        O: Fn(&mut FlowBuilder<'_>, &<V::Outcome as Outcome>::Ok),
        X: Fn(&mut FlowBuilder<'_>, &<V::Outcome as Outcome>::Err),
        D: Fn(Decode<'_, <V::Outcome as Outcome>::Ok>) -> Result<<V::Outcome as Outcome>::Ok, StepError>,
    {
        V::finish_read(self, prepared, decode)
    }
}

impl Found {
    /// An entry that this program cannot decode is a miss: it is invalidated, so that the next call loads it.
    #[cold]
    pub(crate) fn forget(&self, error: &dyn Display) -> Reply<Ended> {
        self.orchestrator.cache_failed("decoding a cached value", self.entity.pattern(), error);
        let Some((held, protocol)) = self.orchestrator.held(self.entity.pattern()) else {
            return Reply::ready(Ended::Invalidated);
        };
        held.counters.count(CacheOutcome::Miss);
        protocol.end(&Write::new(vec![self.entity.clone()], Vec::new()), None, End::Invalidate)
    }
}

/// The address of a declaration, which tells handlers that read the same entry apart.
fn address(spec: &'static HandlerSpec) -> usize {
    std::ptr::from_ref(spec).addr()
}
