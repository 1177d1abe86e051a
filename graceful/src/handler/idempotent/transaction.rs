//! Idempotent handlers with `tx`: the answer is inserted through the handler's own transaction, together with the flow.

use std::sync::Arc;

use super::{
    Repeatable, State,
    call::{Call, Decision, not_storable},
    through::replayed,
};
use crate::{
    backends::{AnotherDatabase, NoOpenTransaction, Transaction},
    code::Code,
    flow::{Answering, CallOutcome, Payload},
    handler::{Active, Decode, Locked, Observed, Outcome, transaction::with_the_store},
    pipeline::{
        idempotent::{CallResult, refused},
        registry::NO_STORE,
    },
    step::StepError,
};

/// What is known of the key of a call.
#[derive(Debug)]
pub(in super::super) enum Found {
    /// The handler is not idempotent, or the call has no key.
    Plain,
    /// The body runs, and this takes its answer.
    New(Arc<Answering>, Box<Call>),
    /// The call gets this answer.
    Known(Payload, Box<Call>),
    Refused(StepError),
}

impl Found {
    /// Whether the body does not run.
    pub(in super::super) const fn is_decided(&self) -> bool {
        matches!(self, Self::Known(..) | Self::Refused(_))
    }

    /// Counts a call whose body has returned `Ok`, and whose answer was inserted, or was not.
    pub(in super::super) fn count(&self, is_ok: bool, error: Option<&StepError>) {
        if let (Self::New(_, call), true) = (self, is_ok) {
            call.count(if error.is_none() { CallResult::First } else { CallResult::Unconfirmed });
        }
    }
}

impl Locked {
    /// Looks for the key, and locks it.
    pub async fn repeatable<S>(
        mut self,
        Repeatable(state): Repeatable,
        transaction: &mut dyn Transaction<S>,
    ) -> Self {
        self.found = match state {
            State::Plain => return self,
            State::Refused(error) => Found::Refused(error),
            State::Call(call) if call.orchestrator().flows().is_none() => {
                let error = StepError::new(NO_STORE);
                refused(call.handler(), &error);
                Found::Refused(error)
            }
            State::Call(call) => match locked_and_known(self.refused.take(), &call, transaction).await {
                Ok(Decision::Refuse(error)) => Found::Refused(error),
                Ok(Decision::Replay(value)) => Found::Known(value, call),
                Ok(Decision::Run(())) => {
                    let answering = call.answering(true);
                    if let Some(active) = &mut self.active {
                        active.answers(Arc::clone(&answering));
                    }
                    Found::New(answering, call)
                }
                Err(error) => Found::Refused(not_looked_up(error, &call)),
            },
        };
        if self.found.is_decided()
            && let Some(active) = self.active.take()
        {
            Active::forget(active);
        }
        self
    }
}

/// The error of a key that could not be looked up: a mistake of the service, or a store that is unavailable.
fn not_looked_up(error: StepError, call: &Call) -> StepError {
    let is_mistake = std::error::Error::source(&error)
        .is_some_and(|source| source.is::<AnotherDatabase>() || source.is::<NoOpenTransaction>());
    if is_mistake {
        let error = with_the_store(error, call.orchestrator());
        refused(call.handler(), &error);
        return error;
    }
    call.not_claimed(&error)
}

/// `refused` is the error of the lock of the only writer, if it was not granted.
async fn locked_and_known<S>(
    refused: Option<StepError>,
    call: &Call,
    transaction: &mut dyn Transaction<S>,
) -> Result<Decision<()>, StepError> {
    match refused {
        Some(error) => Err(error),
        None => look(call, transaction).await,
    }
}

/// Another call may have committed between the first look and the lock.
async fn look<S>(call: &Call, transaction: &mut dyn Transaction<S>) -> Result<Decision<()>, StepError> {
    let names = Arc::clone(&call.call.names);
    if let Some(known) = transaction.find(&names).await? {
        return Ok(call.known(known));
    }
    if transaction.locks_all() {
        return Ok(Decision::Run(()));
    }
    if !transaction.try_lock(&names).await? {
        return Ok(call.running());
    }
    let known = transaction.find(&names).await?;
    Ok(known.map_or(Decision::Run(()), |known| call.known(known)))
}

impl<R: Outcome> Observed<R> {
    /// Gives every caller the stored answer. An answer that cannot be stored is an error before the commit.
    #[must_use]
    pub fn repeated(mut self, decode: impl Fn(Decode<'_, R::Ok>) -> Result<R::Ok, StepError>) -> Self {
        match &self.found {
            Found::Plain => {}
            Found::Refused(error) => self.result = Err(error.clone()),
            Found::Known(value, call) => {
                self.result = replayed(value, call.handler(), decode).map(R::from_ok);
            }
            Found::New(answering, call) => {
                let is_ok = self.result.as_ref().is_ok_and(|result| result.as_result().is_ok());
                if !is_ok {
                    return self;
                }
                let decoded = answering.value().and_then(|value| decode(Decode::new(value)));
                self.result = decoded.map(R::from_ok).map_err(|error| not_storable(&error));
                if self.result.is_err() {
                    call.count(CallResult::NotStorable);
                    if let Some(ended) = &mut self.ended {
                        Arc::make_mut(&mut ended.flow).come_to(CallOutcome::Err, Code::Internal);
                    }
                }
            }
        }
        self
    }
}
