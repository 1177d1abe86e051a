//! The messages of panics, which are shown only if the test fails: many tests make a handler panic.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    cell::RefCell,
    fmt::Write as _,
    panic,
    sync::{Arc, Mutex},
    thread,
};

thread_local! {
    static COLLECTED: RefCell<Option<Panics>> = const { RefCell::new(None) };
}

/// Collects what the panics of one test say, in the test's thread and in those of its runtime.
#[derive(Clone, Debug, Default)]
pub struct Panics(Arc<Mutex<String>>);

impl Panics {
    /// Those of this thread, from now on.
    pub fn collect(&self) {
        COLLECTED.set(Some(self.clone()));
    }

    pub fn of_this_thread() -> Self {
        COLLECTED.with_borrow(Clone::clone).unwrap_or_default()
    }

    pub fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

/// From now on. A panic in any other thread is printed at once, as without this.
pub fn capture() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        // A thread at its end has none.
        let Ok(Some(panics)) = COLLECTED.try_with(|collected| collected.borrow().clone()) else {
            return print(panic);
        };
        let thread = thread::current();
        let mut text = panics.0.lock().unwrap();
        let _ = writeln!(text, "thread '{}' {panic}", thread.name().unwrap_or("without a name"));
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            let _ = writeln!(text, "{backtrace}");
        }
    }));
}
