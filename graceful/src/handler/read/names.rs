//! The names that a reader looks up, before the flow of its call exists.

use super::super::{FlowBuilder, Named, Reads};
use crate::{
    context::Context,
    flow::{Argument, NamedEntity},
    handler::Each,
    key::Key,
    marks::EntryName,
    pipeline::{Orchestrator, read_through::variant},
    step::contain,
    text::{Text, text},
};

/// The key, the dependencies and the actor of one read.
#[derive(Debug, Default)]
pub struct ReadNames {
    /// Empty: there is none.
    key: Text,
    depends_on: Vec<NamedEntity>,
    actor: Option<Text>,
    pub(super) skipped: bool,
    /// An expression panicked: the reason.
    fault: Option<Text>,
}

impl ReadNames {
    /// Evaluates the expressions. If one panics, the cache is not asked.
    pub(super) fn filled(fill: super::Names<'_>) -> Self {
        let mut names = Self::default();
        if let Err(error) = contain(|| fill(&mut names)) {
            names.fault = Some(text!("{} {}", Argument::Key.name(), error.message()));
        }
        names
    }

    pub fn when(&mut self, when: bool) {
        self.skipped = !when;
    }

    pub fn key<T: Named + ?Sized>(&mut self, key: &T) {
        self.key = text!("{key}");
    }

    pub fn actor<T: Named + ?Sized>(&mut self, actor: &T) {
        self.actor = Some(text!("{actor}")).filter(|actor| !actor.is_empty());
    }

    /// Adds entities that the value shows.
    pub fn depends_on(&mut self, pattern: &'static str, ids: impl FnOnce(Each<'_>)) {
        let depends_on = &mut self.depends_on;
        ids(&mut |id| depends_on.push((pattern, text!("{id}"))));
    }

    /// Passes the key on to the flow of a call that has missed.
    pub(super) fn give(&self, builder: &mut FlowBuilder<'_>) {
        builder.read_key(&self.key, self.fault.as_ref());
    }

    /// The name of the entry.
    ///
    /// # Errors
    /// The reason why the cache cannot be asked.
    pub(super) fn entry(
        &self,
        orchestrator: &Orchestrator,
        pattern: &str,
        reads: Reads,
    ) -> Result<EntryName, &'static str> {
        if self.skipped {
            return Err("`when` is false");
        }
        if self.key.is_empty() || self.fault.is_some() {
            return Err("no key");
        }
        let context = Context::try_current();
        let tenant = context.as_ref().and_then(|context| context.tenant.as_deref()).unwrap_or_default();
        let actor = match reads.per_actor {
            false => None,
            true => {
                let of_context = || {
                    let context = context.as_ref()?;
                    context.actor.clone().or_else(|| context.user.clone())
                };
                Some(self.actor.clone().or_else(of_context).ok_or("no actor")?)
            }
        };
        let service = &orchestrator.origin().service;
        let of = |pattern: &str, id: &str| Key::of_parts([service, tenant, pattern, id]);
        let depends_on = self.depends_on.iter().map(|(pattern, id)| of(pattern, id)).collect();
        Ok(EntryName::new(of(pattern, &self.key), variant(reads.rev, actor.as_deref()), depends_on))
    }
}
