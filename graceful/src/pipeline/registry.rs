//! The handlers of the program, which their expansions register at link time, and the missing backends that were found at their calls.

use std::{collections::BTreeSet, sync::Mutex};

use super::{Durable, Orchestrator, Registered};
use crate::{
    flow::Flow,
    locks::unpoisoned,
    step::{Step, StepError},
    text::Text,
};

#[cfg(feature = "macros")]
inventory::collect!(Registered);

#[cfg(feature = "macros")]
pub(crate) fn handlers() -> impl Iterator<Item = &'static Registered> {
    inventory::iter::<Registered>.into_iter()
}

/// Without the macros no handler is registered.
#[cfg(not(feature = "macros"))]
pub(crate) fn handlers() -> impl Iterator<Item = &'static Registered> {
    std::iter::empty()
}

pub(crate) const NO_STORE: &str = "no durable store is configured: call `.store(…)` on the builder, or set `GRACEFUL_STORE` and use \
                        `Orchestrator::from_env`";

pub(crate) const NO_IDEMPOTENT_STORE: &str =
    "no store for idempotency keys is configured: call `.store(…)` or `.idempotency(…)` on the builder";

pub(crate) fn no_store() -> String {
    format!("is durable, but {NO_STORE}")
}

pub(crate) fn no_backend(step: Step) -> String {
    let backend = if step == Step::Fallback { Step::Cache } else { step };
    format!("requires step `{step}`, but no {backend} backend is configured")
}

/// Missing backends that were found at a call, because no check had found them before. Each is logged once.
#[derive(Debug, Default)]
pub(crate) struct Missed(Mutex<BTreeSet<(Text, Option<Step>)>>);

impl Missed {
    pub(super) fn is_new(&self, handler: &str, step: Option<Step>) -> bool {
        let mut missed = unpoisoned(self.0.lock());
        missed.insert((handler.into(), step))
    }
}

impl Orchestrator {
    /// The error of a required step without a backend; it is also logged.
    #[cold]
    pub(crate) fn no_backend(&self, step: Step, flow: &Flow) -> StepError {
        self.missed(Some(step), &no_backend(step), flow);
        StepError::new("the step is required, but has no backend")
    }

    /// The error of a durable flow without a store; it is also logged.
    #[cold]
    pub(crate) fn no_store(&self, flow: &Flow) -> StepError {
        self.missed(None, &no_store(), flow);
        StepError::new(NO_STORE)
    }

    fn missed(&self, step: Option<Step>, why: &str, flow: &Flow) {
        if !self.0.missed.is_new(flow.handler(), step) {
            return;
        }
        // A handler's name need not be unique; the flow of the manual path has none.
        let of_name = handlers().filter(|handler| handler.handler == flow.handler());
        let places: Vec<_> = of_name.map(place).collect();
        tracing::error!(
            target: "graceful::requirements",
            handler = flow.handler(),
            pattern = flow.pattern(),
            at = places.join(", "),
            "a handler {why}; this is logged once"
        );
    }
}

fn place(handler: &Registered) -> String {
    format!("{}:{}", handler.file(), handler.line())
}

/// Logs that a durable handler is called without an orchestrator, once per handler.
#[cold]
pub(crate) fn without_an_orchestrator(durable: &Durable) {
    static LOGGED: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    let identity = (durable.identity)();
    if !unpoisoned(LOGGED.lock()).insert(identity) {
        return;
    }
    let is_it =
        |handler: &&Registered| handler.durable.is_some_and(|durable| (durable.identity)() == identity);
    let handler = handlers().find(is_it);
    tracing::error!(
        target: "graceful::requirements",
        handler = handler.map_or(identity, |handler| handler.handler),
        at = handler.map(place),
        "a durable handler was called without an orchestrator, so none of its steps run, now or later: `install` an orchestrator at \
         start, or call the handler in the `scope` of one; this is logged once"
    );
}
