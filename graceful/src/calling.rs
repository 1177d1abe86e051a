//! Which step of which flow calls a backend on this thread: for the recorder of `graceful-testing`.

use std::cell::Cell;

use uuid::Uuid;

use crate::{flow::Flow, step::Step};

thread_local! {
    static CALLING: Cell<Option<(Step, Uuid)>> = const { Cell::new(None) };
}

/// The step that calls, and the id of its flow.
pub fn current() -> Option<(Step, Uuid)> {
    CALLING.get()
}

/// While the guard lives, backends are called on this thread by this step of this flow.
pub(crate) fn enter(step: Step, flow: &Flow) -> impl Drop {
    struct Calling(Option<(Step, Uuid)>);

    impl Drop for Calling {
        fn drop(&mut self) {
            CALLING.set(self.0);
        }
    }

    Calling(CALLING.replace(Some((step, flow.id()))))
}
