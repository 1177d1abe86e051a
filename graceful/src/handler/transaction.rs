//! Handlers with `tx`, whose flow is stored through the open transaction of the caller.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::pin,
    sync::Arc,
    task::Poll,
};

use super::{Active, Entered, FlowBuilder, hold::hold_before_commit, idempotent::Found};
use crate::{
    backends::{AnotherDatabase, Transaction},
    code::Code,
    flow::{CallOutcome, Flow},
    handler::Outcome,
    pipeline::{Ended, FlowRun, HookResult, Orchestrator, current, to_insert},
    step::{Step, StepError, StepErrorKind},
};

/// Adds the orchestrator's store to the error of a transaction of another database.
pub(super) fn with_the_store(error: StepError, orchestrator: &Orchestrator) -> StepError {
    if let (Some(source), Some(store)) = (std::error::Error::source(&error), orchestrator.flows())
        && source.is::<AnotherDatabase>()
    {
        return StepError::new(format_args!(
            "{error}: open it on the database of the orchestrator's store, which is {store:?}, so that both are committed together"
        ));
    }
    error
}

/// The type of the parameter that `tx` names, if it is not written as a reference: it must be an alias of one.
#[diagnostic::on_unimplemented(
    message = "`tx` needs a `&mut` of the open transaction, and this parameter is a `{Self}` by value",
    label = "write `&mut` before this type",
    note = "the caller commits the transaction, so the handler borrows it, as in `tx: &mut sqlx::Transaction<'_, Sqlite>`"
)]
pub trait Borrowed {
    /// The type itself. It is an associated type, so that a missing implementation causes only one compiler error.
    type Open;
}

#[diagnostic::do_not_recommend]
impl<T: ?Sized> Borrowed for &mut T {
    type Open = Self;
}

/// Erases the type of the transaction, so that a wrong type causes only one compiler error.
pub fn transaction<S, T: Transaction<S>>(transaction: &mut T) -> &mut dyn Transaction<S> {
    transaction
}

/// A call whose transaction has the lock that it needs, or could not get it.
#[derive(Debug)]
pub struct Locked {
    pub(super) active: Option<Active>,
    pub(super) refused: Option<StepError>,
    /// What is known of the key of an idempotent call.
    pub(super) found: Found,
    locks_all: bool,
    /// The commit depends on the hold of the cache.
    requires_hold: bool,
}

/// A call whose body has ended, or was not run, and whose flow is not stored yet.
#[derive(Debug)]
pub struct Observed<R> {
    pub(super) result: Result<R, StepError>,
    pub(super) ended: Option<Ended>,
    pub(super) found: Found,
    requires_hold: bool,
}

impl<R: Outcome> Observed<R> {
    /// Only checks the types of the hooks, because a relay runs them.
    #[must_use]
    pub fn typed_hooks<H, Fut>(self, _: H) -> Self
    where
        H: Fn(Step, Arc<Flow>, Arc<R>) -> Fut,
        Fut: Future<Output = HookResult>,
    {
        self
    }
}

impl Entered {
    /// Waits for the write lock before the body reads; after a read, SQLite would refuse it if another connection has written.
    pub async fn lock<S>(self, transaction: &mut dyn Transaction<S>) -> Locked {
        let mut active = self.0;
        let (mut refused, locks_all) = (None, transaction.locks_all());
        let requires_hold = active.as_ref().is_some_and(Active::requires_hold);
        if !active.as_mut().is_some_and(Active::resolve_in_transaction) {
            active = None;
        } else if active.as_ref().is_some_and(Active::stores)
            && let Some(lock) = transaction.lock()
        {
            refused = lock.await.err();
        }
        Locked { active, refused, found: Found::Plain, locks_all, requires_hold }
    }
}

impl Locked {
    /// Runs the body and reads its result; no step runs yet.
    ///
    /// If it is dropped before the body has ended, the handler counts as cancelled.
    ///
    /// # Panics
    /// Panics if the body does.
    pub async fn observe<F, R, O, X>(self, body: F, ok: O, err: X) -> Observed<R>
    where
        F: Future<Output = R>,
        R: Outcome,
        O: Fn(&mut FlowBuilder<'_>, &R::Ok),
        X: Fn(&mut FlowBuilder<'_>, &R::Err),
    {
        let Self { mut active, refused, found, locks_all, requires_hold } = self;
        if found.is_decided() {
            // `repeated` replaces it by the answer or the refusal.
            let undecided = Err(StepError::new("the answer was not decoded"));
            return Observed { result: undecided, ended: None, found, requires_hold };
        }
        if active.is_none() {
            return Observed { result: Ok(body.await), ended: None, found, requires_hold };
        }
        if let Some(mut error) = refused {
            let ended = active.take().and_then(Active::refused);
            if let Some(ended) = &ended {
                error = with_the_store(error, &ended.orchestrator);
                ended.orchestrator.not_stored(&error, &ended.flow);
            }
            return Observed { result: Err(error), ended, found, requires_hold };
        }
        let mut body = pin!(body);
        let polled = poll_fn(|cx| {
            let entered = active.as_mut().and_then(Active::enter_body);
            let mut poll = || body.as_mut().poll(cx);
            let polled = catch_unwind(AssertUnwindSafe(|| match locks_all {
                true => current::locked(&mut poll),
                false => poll(),
            }));
            if let Some(active) = &mut active {
                active.leave_body(entered);
            }
            match polled {
                Ok(polled) => polled.map(Ok),
                Err(payload) => Poll::Ready(Err(payload)),
            }
        });
        match polled.await {
            Ok(result) => {
                let ended = active.take().and_then(|active| active.returned(&result, &ok, &err));
                Observed { result: Ok(result), ended, found, requires_hold }
            }
            Err(payload) => {
                // The transaction is still open and may lock the store, so this must not wait.
                if let Some(ended) = active.take().and_then(|active| active.panicked(&*payload)) {
                    FlowRun::new(ended).detach();
                }
                resume_unwind(payload)
            }
        }
    }
}

/// Stores the flow: that of an `Ok` through the transaction, so that it exists if and only if the data does; that of an `Err` outside of
/// the transaction, because the caller will roll it back.
pub async fn in_transaction<R: Outcome, S>(
    observed: Observed<R>,
    transaction: &mut dyn Transaction<S>,
    into: fn(StepError) -> R::Err,
) -> R {
    let Observed { result, ended, found, requires_hold } = observed;
    let result = result.unwrap_or_else(|error| R::from_err(into(error)));
    let Some(ended) = ended else { return without_flow(result, found, transaction, into).await };
    if result.as_result().is_err() {
        let run = FlowRun::new(ended);
        match transaction.locks_all() {
            true => run.detach(),
            false => run.store().await,
        }
        return result;
    }
    let mut undecided = Undecided(Some(ended));
    let held = match &mut undecided.0 {
        Some(ended) => hold_before_commit(ended).await,
        None => Ok(()),
    };
    let stored = match held {
        Err(error) if requires_hold => Err(error),
        _ => undecided.insert(transaction).await,
    };
    found.count(result.as_result().is_ok(), stored.as_ref().err());
    match stored {
        Ok(()) => {
            undecided.0 = None;
            result
        }
        // The flow of the other call exists. A hold stays until it expires, as after every commit whose outcome is not known.
        Err(error) if error.kind() == StepErrorKind::Aborted => {
            undecided.0 = None;
            R::from_err(into(error))
        }
        Err(error) => {
            let code = match error.kind() {
                StepErrorKind::Unavailable => Code::Unavailable,
                _ => Code::Internal,
            };
            undecided.come_to(CallOutcome::Err, code);
            R::from_err(into(error))
        }
    }
}

/// Stores the answer of an idempotent call that no flow follows.
async fn without_flow<R: Outcome, S>(
    result: R,
    found: Found,
    transaction: &mut dyn Transaction<S>,
    into: fn(StepError) -> R::Err,
) -> R {
    let Found::New(answering, _) = &found else { return result };
    if result.as_result().is_err() {
        return result;
    }
    let stored = transaction.answer(answering.to_store()).await;
    found.count(true, stored.as_ref().err());
    match stored {
        Ok(()) => result,
        Err(error) => R::from_err(into(error)),
    }
}

/// The flow of an `Ok` that is not in its transaction yet. If it cannot be inserted, the call ends as an error or as cancelled, and its flow
/// becomes an error flow.
struct Undecided(Option<Ended>);

impl Undecided {
    async fn insert<S>(&self, transaction: &mut dyn Transaction<S>) -> Result<(), StepError> {
        let Some(ended) = &self.0 else { return Ok(()) };
        let inserted = match to_insert(ended) {
            Ok(flow) => transaction.insert(flow).await,
            Err(error) => Err(error),
        };
        let inserted = inserted.map_err(|error| with_the_store(error, &ended.orchestrator));
        match &inserted {
            Ok(()) => {
                ended.orchestrator.stored();
                ended.orchestrator.relay().wake();
            }
            Err(error) => ended.orchestrator.not_stored(error, &ended.flow),
        }
        inserted
    }

    fn come_to(&mut self, ending: CallOutcome, code: Code) {
        if let Some(mut ended) = self.0.take() {
            Arc::make_mut(&mut ended.flow).come_to(ending, code);
            FlowRun::new(ended).detach();
        }
    }
}

/// The caller's future was dropped, and its transaction with it.
impl Drop for Undecided {
    fn drop(&mut self) {
        self.come_to(CallOutcome::Cancelled, Code::Cancelled);
    }
}
