//! An idempotent call: its names, and the answer that its flow carries to the store.

mod answer;
mod request;

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use uuid::Uuid;

pub(crate) use self::request::CanonicalRequest;
pub use self::{
    answer::{IdempotentAnswer, StoredAnswer},
    request::RequestHash,
};
use super::Payload;
use crate::step::StepError;

/// A call of an idempotent handler, as its store knows it.
///
/// ```
/// use graceful::backends::{IdempotentCall, Uuid};
///
/// let call = IdempotentCall::new(["shop::pay:b".to_owned(), "shop::pay:a".to_owned()], Uuid::nil(), None);
/// assert_eq!(*call.names, ["shop::pay:a", "shop::pay:b"]);
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdempotentCall {
    /// The key under the handler's identity and under each of its former identities; sorted, without duplicates.
    pub names: Arc<[String]>,
    /// Tells the claim of this call from every other.
    pub token: Uuid,
    /// The hash of the request, if the declaration names it.
    pub request: Option<RequestHash>,
}

impl IdempotentCall {
    /// Creates a call.
    pub fn new(names: impl IntoIterator<Item = String>, token: Uuid, request: Option<RequestHash>) -> Self {
        let mut names: Vec<_> = names.into_iter().collect();
        names.sort_unstable();
        names.dedup();
        Self { names: names.into(), token, request }
    }
}

// The names tell who has called, so they are not shown.
impl fmt::Debug for IdempotentCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotentCall")
            .field("names", &self.names.len())
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}

/// The answer of a running call. It is shared by the call and its flow, because the flow may be stored together with it.
pub(crate) struct Answering {
    call: IdempotentCall,
    window: Duration,
    /// The flow, if it is stored, is stored in the same transaction.
    with_flow: bool,
    value: OnceLock<Result<Payload, StepError>>,
    stored: AtomicBool,
}

impl Answering {
    pub(crate) const fn new(call: IdempotentCall, window: Duration, with_flow: bool) -> Self {
        Self { call, window, with_flow, value: OnceLock::new(), stored: AtomicBool::new(false) }
    }

    /// Sets what the handler has answered, or why it cannot be stored.
    pub(crate) fn set(&self, value: Result<Payload, StepError>) {
        // The expressions around it may be run again; the value is the same.
        drop(self.value.set(value));
    }

    /// The value that every caller gets.
    ///
    /// # Errors
    /// It cannot be stored.
    pub(crate) fn value(&self) -> Result<&Payload, StepError> {
        match self.value.get() {
            Some(value) => value.as_ref().map_err(Clone::clone),
            None => Err(StepError::new("the answer was not read")),
        }
    }

    /// What is to be stored.
    pub(crate) fn to_store(&self) -> IdempotentAnswer {
        let answer =
            self.value().map_or(StoredAnswer::NotStorable, |value| StoredAnswer::Value(value.clone()));
        IdempotentAnswer::new(self.call.clone(), answer, self.window)
    }

    /// The same, for the transaction in which the flow is stored.
    pub(crate) fn to_store_with_flow(&self) -> Option<IdempotentAnswer> {
        self.with_flow.then(|| self.to_store())
    }

    /// Records that the flow and the answer are on disk.
    pub(crate) fn flow_is_stored(&self) {
        if self.with_flow {
            self.stored.store(true, Ordering::Release);
        }
    }

    pub(crate) fn is_stored(&self) -> bool {
        self.stored.load(Ordering::Acquire)
    }
}

impl fmt::Debug for Answering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answering").field("call", &self.call).finish_non_exhaustive()
    }
}
