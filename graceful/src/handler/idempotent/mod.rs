//! Idempotent handlers: the first `Ok` for a key is stored, and every repetition gets it in place of the body.

mod answer;
mod call;
mod key;
mod names;
mod through;
mod transaction;

use std::future::{Future, IntoFuture as _};

pub(super) use self::transaction::Found;
pub use self::{
    answer::{RepeatableAnswer, StorableAnswer},
    key::{AnyKey, Keyed, NamesCall, OptionalKey, keyed},
    names::CallNames,
    through::Repeated,
};
use self::{call::Call, names::Names};
use super::{Active, After, Decode, Entered, FlowBuilder, HandlerSpec, Prepared, Run, Source, builder::Fill};
use crate::{
    handler::Outcome,
    pipeline::{Orchestrator, current, idempotent::refused},
    step::StepError,
};

/// A call of an idempotent handler, before it runs.
#[derive(Debug)]
pub struct Repeatable(State);

/// What is known of the call.
#[derive(Debug)]
enum State {
    /// There is no key, or `when` is false: the body runs.
    Plain,
    /// The body does not run.
    Refused(StepError),
    /// The key is claimed when the future is polled.
    Call(Box<Call>),
}

/// Enters an idempotent handler with the task's or the process' orchestrator.
pub fn repeatable(
    spec: &'static HandlerSpec,
    mut names: impl FnMut(&mut CallNames),
    mut fill: impl FnMut(&mut FlowBuilder<'_>),
) -> (Repeatable, Entered) {
    begin(current::orchestrator(), spec, &mut names, &mut fill)
}

/// Enters an idempotent handler with the orchestrator that its declaration names.
pub fn repeatable_on(
    spec: &'static HandlerSpec,
    on: &impl Source,
    mut names: impl FnMut(&mut CallNames),
    mut fill: impl FnMut(&mut FlowBuilder<'_>),
) -> (Repeatable, Entered) {
    begin(on.orchestrator(), spec, &mut names, &mut fill)
}

fn begin(
    orchestrator: Option<Orchestrator>,
    spec: &'static HandlerSpec,
    names: Names<'_>,
    fill: Fill<'_>,
) -> (Repeatable, Entered) {
    let names = CallNames::filled(names);
    match State::of(orchestrator.as_ref(), spec, &names) {
        refused @ State::Refused(_) => (Repeatable(refused), Entered(None)),
        state => {
            let active = orchestrator.and_then(|on| Active::new(spec, Some(on), fill));
            // `when` was evaluated again, and is false now.
            let state =
                if active.as_ref().is_none_or(|active| active.skipped) { State::Plain } else { state };
            (Repeatable(state), Entered(active))
        }
    }
}

impl State {
    fn of(orchestrator: Option<&Orchestrator>, spec: &'static HandlerSpec, names: &CallNames) -> Self {
        match (names.is_plain(), orchestrator) {
            (true, _) => Self::Plain,
            (false, None) => {
                spec.without_an_orchestrator();
                Self::refused(spec, StepError::new(NO_ORCHESTRATOR))
            }
            (false, Some(orchestrator)) => match Call::new(orchestrator, spec, names) {
                Ok(call) => Self::Call(Box::new(call)),
                Err(error) => Self::refused(spec, error),
            },
        }
    }

    fn refused(spec: &'static HandlerSpec, error: StepError) -> Self {
        refused(spec.handler(), &error);
        Self::Refused(error)
    }
}

const NO_ORCHESTRATOR: &str = "an idempotent handler does not run without an orchestrator, because it could run twice: `install` an \
                               orchestrator at start, or call the handler in the `scope` of one";

/// The future of a prepared call.
type RepeatedRun<F, R, O, X, A, D> = Repeated<Run<F, O, X, A, <A as After<R>>::Post>, R, D>;

impl Repeatable {
    /// The future of the call. `decode` makes the handler's value from the stored answer, `refuse` its error from a refusal.
    pub fn through<F, R, O, X, A, D>(
        self,
        prepared: Prepared<F, R, O, X, A>,
        decode: D,
        refuse: fn(StepError) -> R::Err,
    ) -> RepeatedRun<F, R, O, X, A, D>
    where
        F: Future<Output = R>,
        R: Outcome,
        O: Fn(&mut FlowBuilder<'_>, &R::Ok),
        X: Fn(&mut FlowBuilder<'_>, &R::Err),
        A: After<R>,
        D: Fn(Decode<'_, R::Ok>) -> Result<R::Ok, StepError>,
    {
        Repeated::new(self.0, prepared.into_future(), decode, refuse)
    }
}

/// An error type into which the refusal of an idempotent call can be converted.
#[diagnostic::on_unimplemented(
    message = "an idempotent handler's refusal becomes its error, and `{Self}` cannot be made from it",
    label = "`idempotent` needs `From<graceful::StepError>` for the error type",
    note = "implement `From<graceful::StepError>` for `{Self}`, as a variant with `#[classify(transparent)]`, or remove `idempotent`"
)]
pub trait ErrorOfRefusal: From<StepError> {}
#[diagnostic::do_not_recommend]
impl<E: From<StepError>> ErrorOfRefusal for E {}

/// Converts the refusal of an idempotent call to the handler's error.
pub fn refusal<E: ErrorOfRefusal>(error: StepError) -> E {
    E::from(error)
}
