//! What is counted of idempotent calls.

use crate::{
    outage,
    step::{StepError, StepErrorKind},
};

macro_rules! results {
    ($($(#[$doc:meta])* $variant:ident $name:literal)*) => {
        /// What happened to a call of an idempotent handler.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum CallResult {
            $($(#[$doc])* $variant,)*
        }

        impl CallResult {
            #[cfg(feature = "metrics")]
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),*];

            pub(crate) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

results! {
    /// The body has returned `Ok`, and its answer was stored.
    First "first"
    /// The call got the answer of an earlier one.
    Replayed "replayed"
    /// The body has returned `Err`, and the key was released.
    Released "released"
    /// The first call was still running.
    Running "running"
    /// The first call had another request.
    DifferentRequest "different_request"
    /// The handler refused to run: its orchestrator, store, key or scope is missing, or the store failed.
    Refused "refused"
    /// The lease expired while the body ran.
    Expired "expired"
    /// The body has returned `Ok`, but its answer was not confirmed.
    Unconfirmed "unconfirmed"
    /// The answer, of this call or of the first one, cannot be stored or decoded.
    NotStorable "not_storable"
}

/// Counts the result of a call, and tells it in the current span.
pub(crate) fn count(handler: &'static str, result: CallResult) {
    tracing::debug!(target: "graceful::idempotency", handler, result = result.as_str(), "idempotent call");
    #[cfg(feature = "metrics")]
    metrics::counter!(
        super::super::metrics::names::IDEMPOTENT,
        "handler" => handler, "result" => result.as_str()
    )
    .increment(1);
}

/// Counts and logs a call that did not run because of its own service, not because of an earlier call.
pub(crate) fn refused(handler: &'static str, error: &StepError) {
    count(handler, CallResult::Refused);
    // What a client has sent is no fault of the service.
    if error.kind() == StepErrorKind::InvalidKey {
        return;
    }
    // Each handler has lines of its own.
    if let Some(failures) = outage::failed(handler) {
        tracing::error!(target: "graceful::idempotency", handler, error = error.message(), failures, "the service could not run an idempotent call");
    }
}
