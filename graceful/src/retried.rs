//! The attempt of a subscriber in which a handler runs: an `Err` that is retried has no flow.

use std::sync::{
    Arc, Mutex, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use tokio::task_local;

use crate::{code::Code, locks::unpoisoned, text::Text};

task_local! {
    static ATTEMPT: Arc<Attempt>;
}

/// The error flow of its subscriber runs only in the last attempt.
pub(crate) struct Attempt {
    is_last: AtomicBool,
    is_out_of_time: AtomicBool,
    /// The id of the event's entity, once the event is parsed.
    entity: OnceLock<Text>,
    failure: Mutex<Option<(Code, Text)>>,
}

impl Attempt {
    pub(crate) fn new(is_last: bool) -> Arc<Self> {
        Arc::new(Self {
            is_last: is_last.into(),
            is_out_of_time: false.into(),
            entity: OnceLock::new(),
            failure: Mutex::default(),
        })
    }

    /// The event is about this entity.
    pub(crate) fn is_about(&self, entity: Text) {
        // An attempt has one event.
        let _ = self.entity.set(entity);
    }

    /// Runs the handler as this attempt.
    pub(crate) fn scope<F: Future>(self: &Arc<Self>, handler: F) -> impl Future<Output = F::Output> {
        ATTEMPT.scope(Arc::clone(self), handler)
    }

    /// It is stopped, so another one follows.
    pub(crate) fn stop(&self) {
        self.is_last.store(false, Ordering::Relaxed);
    }

    /// Its time budget is over, so its future is dropped.
    pub(crate) fn end_by_timeout(&self) {
        self.is_out_of_time.store(true, Ordering::Relaxed);
    }

    /// The failure that its handler has recorded.
    pub(crate) fn take_failure(&self) -> Option<(Code, Text)> {
        unpoisoned(self.failure.lock()).take()
    }
}

/// The id of the entity of the event that is handled.
pub(crate) fn entity() -> Option<Text> {
    ATTEMPT.try_with(|attempt| attempt.entity.get().cloned()).ok().flatten()
}

/// Whether the handler is dropped because its time budget is over.
pub(crate) fn is_out_of_time() -> bool {
    ATTEMPT.try_with(|attempt| attempt.is_out_of_time.load(Ordering::Relaxed)).unwrap_or(false)
}

/// Records the failure of a subscriber's handler. Returns whether another attempt follows.
pub(crate) fn failed(code: Code, message: &Text) -> bool {
    let failed = ATTEMPT.try_with(|attempt| {
        *unpoisoned(attempt.failure.lock()) = Some((code, message.clone()));
        !attempt.is_last.load(Ordering::Relaxed)
    });
    // A subscriber can also be called as a function.
    failed.unwrap_or(false)
}
