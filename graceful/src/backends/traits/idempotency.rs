//! The store of idempotent calls.

use std::{fmt::Debug, sync::Arc, time::Duration};

use crate::{
    backends::{BoxFuture, Reply},
    flow::{IdempotentAnswer, IdempotentCall, RequestHash, StoredAnswer},
    step::StepError,
    text::Text,
};

/// What a store knows of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownCall {
    /// The hash of the first call's request.
    pub request: Option<RequestHash>,
    /// How far the first call is.
    pub state: CallState,
}

impl KnownCall {
    /// Creates a known call.
    pub const fn new(request: Option<RequestHash>, state: CallState) -> Self {
        Self { request, state }
    }
}

/// How far the first call of a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallState {
    /// It has claimed the key; its lease expires after this time, by the clock of the store.
    Running(Duration),
    /// It has returned `Ok`.
    Answered(StoredAnswer),
}

/// The reply to [`Idempotency::claim`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The call has claimed its key: its body may run.
    New,
    /// The key is known.
    Known(KnownCall),
}

/// Stores which keys of idempotent handlers were used, and what was answered. The suite `graceful_testing::conformance::idempotency` checks a
/// store for these rules.
///
/// A call has one name, or several if its handler was renamed. A method acts on all of its names in one step: on all or on none. What has expired,
/// by the clock of the store, counts as missing, whether it was purged or not.
///
/// A store must not forget what it has acknowledged: a write is confirmed when it is on disk.
pub trait Idempotency: Debug + Send + Sync + 'static {
    /// Claims the names of a call for the time of a lease. If one of them is known, it claims none, and returns what is known: an answer before
    /// a running call.
    fn claim(&self, call: IdempotentCall, lease: Duration) -> Reply<Claimed>;

    /// Stores the answer of a claimed call for the time of its window. Returns false, and stores nothing, if the call has not all of its names any
    /// more. A repetition that finds its own answer returns true.
    fn answer(&self, answer: IdempotentAnswer) -> Reply<bool>;

    /// Releases the names that the call has claimed and not answered.
    fn release(&self, call: IdempotentCall) -> Reply<()>;

    /// Deletes at most 1,000 rows that have expired. Returns their number. The default implementation deletes none.
    fn purge(&self) -> Reply<u64> {
        Reply::ready(0)
    }

    /// Connects what renews leases. It is called in the runtime of the thread that renews them, which works also while the runtime of the
    /// handlers is blocked, so it must not use a connection of another runtime.
    fn renewal(&self) -> BoxFuture<Result<Arc<dyn LeaseRenewal>, StepError>>;

    /// Why the store may forget what it has acknowledged, and what to do about it; `None` if it does not. The check at start refuses it.
    fn unfit(&self) -> Option<Text> {
        None
    }
}

/// Renews the leases of idempotent calls; see [`Idempotency::renewal`].
pub trait LeaseRenewal: Debug + Send + Sync + 'static {
    /// Extends the lease of a claimed call to this time from now. Returns false if the call has not all of its names any more.
    fn renew(&self, call: IdempotentCall, lease: Duration) -> Reply<bool>;
}
