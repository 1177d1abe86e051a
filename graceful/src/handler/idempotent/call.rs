//! One call of an idempotent handler: it claims its key, and stores its answer.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use super::CallNames;
use crate::{
    backends::{CallState, Claimed, Idempotency, KnownCall},
    flow::{Answering, CanonicalRequest, IdempotentCall, Payload, RequestHash, StoredAnswer},
    handler::HandlerSpec,
    pipeline::{
        Orchestrator,
        idempotent::{CallResult, Lease, count, refused},
        registry::NO_IDEMPOTENT_STORE,
    },
    step::{StepError, StepErrorKind},
    text::text,
};

/// A call with a key.
pub(crate) struct Call {
    orchestrator: Orchestrator,
    spec: &'static HandlerSpec,
    #[expect(clippy::struct_field_names, reason = "it is the call as its store knows it")]
    pub(super) call: IdempotentCall,
    request: Option<CanonicalRequest>,
}

/// What a call does.
pub(super) enum Decision<C> {
    /// Its body runs.
    Run(C),
    /// It gets the answer of an earlier call.
    Replay(Payload),
    Refuse(StepError),
}

/// A claimed call, whose lease is renewed.
pub(super) struct Claim {
    call: Box<Call>,
    store: Arc<dyn Idempotency>,
    pub(super) answering: Arc<Answering>,
    pub(super) lease: Lease,
}

impl Call {
    pub(super) fn new(
        orchestrator: &Orchestrator,
        spec: &'static HandlerSpec,
        names: &CallNames,
    ) -> Result<Self, StepError> {
        let call = names.call(orchestrator, spec)?;
        let request = names.known_request().cloned();
        Ok(Self { orchestrator: orchestrator.clone(), spec, call, request })
    }

    pub(super) fn handler(&self) -> &'static str {
        self.spec.handler()
    }

    pub(super) const fn orchestrator(&self) -> &Orchestrator {
        &self.orchestrator
    }

    pub(super) fn count(&self, result: CallResult) {
        count(self.spec.handler(), result);
    }

    /// What takes the answer of a call whose store is that of its flow, or is not.
    pub(super) fn answering(&self, with_flow: bool) -> Arc<Answering> {
        Arc::new(Answering::new(self.call.clone(), self.spec.window(), with_flow))
    }

    /// Claims the key. If the future is dropped, the key may be claimed until its lease expires.
    pub(super) async fn claim(self: Box<Self>) -> Decision<Claim> {
        let Some(store) = self.orchestrator.idempotent_store().cloned() else {
            let error = StepError::new(format_args!(
                "an idempotent handler does not run without a store, because it could run twice: {NO_IDEMPOTENT_STORE}"
            ));
            refused(self.spec.handler(), &error);
            return Decision::Refuse(error);
        };
        let (sent, lease) = (Instant::now(), self.orchestrator.idempotency_lease());
        match store.claim(self.call.clone(), lease).await {
            Ok(Claimed::New) => match self.orchestrator.keep_lease(&store, &self.call, sent) {
                Ok(lease) => {
                    let answering = self.answering(self.orchestrator.answers_with_flow());
                    Decision::Run(Claim { call: self, store, answering, lease })
                }
                Err(error) => self.release_unused(&*store, &error),
            },
            Ok(Claimed::Known(known)) => self.known(known),
            // The claim may exist although its reply was lost.
            Err(error) => self.release_unused(&*store, &error),
        }
    }

    /// Releases a claim whose body does not run. That is finished in the background; if it fails, the lease ends the claim.
    fn release_unused(&self, store: &dyn Idempotency, error: &StepError) -> Decision<Claim> {
        drop(store.release(self.call.clone()));
        Decision::Refuse(self.not_claimed(error))
    }

    /// The refusal of a call in the body of a handler whose transaction locks the store: it would wait for itself.
    pub(super) fn within_a_transaction(&self) -> StepError {
        let error = StepError::new(WITHIN_A_TRANSACTION);
        refused(self.handler(), &error);
        error
    }

    pub(super) fn not_claimed(&self, error: &StepError) -> StepError {
        refused(self.spec.handler(), error);
        let message = text!(
            "the body did not run, because the idempotency key could not be claimed: {}",
            error.message()
        );
        StepError::of_kind(StepErrorKind::Unavailable, message)
    }

    /// What a repetition does. Another request is refused whatever the first call has done.
    pub(super) fn known<C>(&self, known: KnownCall) -> Decision<C> {
        let is_other = |hash: RequestHash| self.request.as_ref().is_some_and(|request| !hash.is_of(request));
        if known.request.is_some_and(is_other) {
            self.count(CallResult::DifferentRequest);
            return Decision::Refuse(StepError::of_kind(StepErrorKind::DifferentRequest, DIFFERENT_REQUEST));
        }
        match known.state {
            CallState::Running(_) => self.running(),
            CallState::Answered(StoredAnswer::Value(value)) => Decision::Replay(value),
            CallState::Answered(StoredAnswer::NotStorable) => {
                self.count(CallResult::NotStorable);
                Decision::Refuse(StepError::new(NOT_STORABLE))
            }
        }
    }

    pub(super) fn running<C>(&self) -> Decision<C> {
        self.count(CallResult::Running);
        Decision::Refuse(StepError::aborted(RUNNING))
    }
}

impl Claim {
    /// Stores the answer of a body that has returned `Ok`, unless its flow was stored with it.
    ///
    /// # Errors
    /// The answer is not confirmed, or cannot be stored.
    pub(super) async fn store(self) -> Result<Payload, StepError> {
        let Self { call, store, answering, lease } = self;
        let stored = match answering.is_stored() {
            true => Ok(true),
            false => stored(&*store, &answering, &call.orchestrator, &lease).await,
        };
        drop(lease);
        let value = match stored {
            Ok(true) => answering.value().cloned().map_err(|error| not_storable(&error)),
            Ok(false) => Err(StepError::aborted(OVERTAKEN)),
            Err(error) => {
                let message =
                    text!("the body has run, but its answer could not be stored: {}", error.message());
                Err(StepError::of_kind(StepErrorKind::Unavailable, message))
            }
        };
        call.count(match &value {
            Ok(_) => CallResult::First,
            Err(error) if error.kind() == StepErrorKind::Failed => CallResult::NotStorable,
            Err(_) => CallResult::Unconfirmed,
        });
        value
    }

    /// Releases the key of a body that has returned `Err`.
    pub(super) async fn release(self) {
        let Self { call, store, lease, .. } = self;
        drop(lease);
        if let Err(error) = store.release(call.call.clone()).await {
            tracing::warn!(
                target: "graceful::idempotency",
                handler = call.spec.handler(), error = error.message(),
                "an idempotency key could not be released: repetitions are refused until its lease expires"
            );
        }
        call.count(CallResult::Released);
    }

    /// The error of a body that was dropped, because its lease may have expired.
    pub(super) fn expired(&self) -> StepError {
        self.call.count(CallResult::Expired);
        StepError::of_kind(StepErrorKind::Unavailable, EXPIRED)
    }
}

/// Stores an answer. A store that fails is asked again for a short time: without the answer the effect would be repeated.
async fn stored(
    store: &dyn Idempotency,
    answering: &Answering,
    orchestrator: &Orchestrator,
    lease: &Lease,
) -> Result<bool, StepError> {
    let mut pauses = STORED_AGAIN_AFTER.into_iter();
    loop {
        let error = match store.answer(answering.to_store()).await {
            Ok(is_stored) => return Ok(is_stored),
            Err(error) => error,
        };
        let pause = pauses.next().filter(|_| !lease.is_lost());
        match pause.and_then(|pause| orchestrator.sleep(pause)) {
            Some(pause) => pause.await,
            None => return Err(error),
        }
    }
}

/// The pauses after which an answer is stored again.
const STORED_AGAIN_AFTER: [Duration; 3] =
    [Duration::from_millis(50), Duration::from_millis(200), Duration::from_millis(800)];

/// The error of an answer that cannot be stored.
pub(super) fn not_storable(error: &StepError) -> StepError {
    StepError::new(format_args!("the answer of an idempotent handler cannot be stored: {}", error.message()))
}

const DIFFERENT_REQUEST: &str = "this idempotency key was used for another request";
const RUNNING: &str = "another call with this idempotency key is running";
const OVERTAKEN: &str = "the body has run, but its idempotency key was claimed by another call meanwhile";
const EXPIRED: &str =
    "the lease of the idempotency key has expired while the body ran, so the body was dropped";
const WITHIN_A_TRANSACTION: &str = "an idempotent handler was called while the transaction of its caller locks the store, so its key cannot be claimed: \
                                    declare `tx`, or call it after the transaction";
const NOT_STORABLE: &str =
    "the first call with this idempotency key has run, but its answer could not be stored";

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("call", &self.call).finish_non_exhaustive()
    }
}
