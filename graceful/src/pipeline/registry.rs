//! The handlers of the program, as their expansions register them at link time, and what they require.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use smol_str::SmolStr;

use super::{Durable, Orchestrator};
use crate::{
    flow::Flow,
    step::{Step, StepError},
};

#[cfg(feature = "macros")]
inventory::collect!(&'static Requirement);

#[cfg(feature = "macros")]
pub(crate) fn requirements() -> impl Iterator<Item = &'static Requirement> {
    inventory::iter::<&'static Requirement>.into_iter().copied()
}

/// Without the macros there are none.
#[cfg(not(feature = "macros"))]
pub(crate) fn requirements() -> impl Iterator<Item = &'static Requirement> {
    std::iter::empty()
}

/// What one handler requires; submitted by its expansion, and only where there is something to check.
#[doc(hidden)]
#[derive(Debug)]
pub struct Requirement {
    pub handler: &'static str,
    pub module: &'static str,
    pub file: &'static str,
    pub line: u32,
    /// How a relay finds it, where its delivery is durable.
    pub durable: Option<&'static Durable>,
    /// Steps that are `required`, or that an argument relies on, and that no hook overrides.
    pub steps: &'static [Step],
}

impl Requirement {
    /// Whether `path` names it, its module, or a module around it.
    pub(crate) fn is_in(&self, path: &str) -> bool {
        let within = |module: &str| {
            module.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        within(self.module)
            || path.strip_prefix(self.module).and_then(|rest| rest.strip_prefix("::")) == Some(self.handler)
    }
}

pub(crate) const fn no_store() -> &'static str {
    "is durable, but no durable store is configured"
}

pub(crate) fn no_backend(step: Step) -> String {
    let backend = if step == Step::Fallback { Step::Cache } else { step };
    format!("requires step `{step}`, but no {backend} backend is configured")
}

/// What was found missing at a call, where nobody had checked: each is logged once.
#[derive(Debug, Default)]
pub(crate) struct Missed(Mutex<BTreeSet<(SmolStr, Option<Step>)>>);

impl Missed {
    fn is_new(&self, handler: &str, step: Option<Step>) -> bool {
        let mut missed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        missed.insert((handler.into(), step))
    }
}

impl Orchestrator {
    /// A step that the flow cannot do without has no backend.
    #[cold]
    pub(crate) fn no_backend(&self, step: Step, flow: &Flow) -> StepError {
        self.missed(Some(step), &no_backend(step), flow);
        StepError::new("the step is required, and has no backend")
    }

    /// The flow's delivery is durable, and there is no durable store.
    #[cold]
    pub(crate) fn no_store(&self, flow: &Flow) -> StepError {
        self.missed(None, no_store(), flow);
        StepError::new("there is no durable store")
    }

    fn missed(&self, step: Option<Step>, why: &str, flow: &Flow) {
        if !self.0.missed.is_new(flow.handler(), step) {
            return;
        }
        // A handler's name need not be unique; the flow of the manual path has none.
        let of_name = requirements().filter(|requirement| requirement.handler == flow.handler());
        let places: Vec<_> = of_name.map(|found| format!("{}:{}", found.file, found.line)).collect();
        tracing::error!(
            target: "graceful::requirements",
            handler = flow.handler(),
            pattern = flow.pattern(),
            at = places.join(", "),
            "a handler {why}; this is logged once"
        );
    }
}
