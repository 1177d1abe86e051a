//! The part of a call that concerns a write whose entities are read through the cache: its hold, and what its body touches.

use std::task::{Context, Poll, ready};

use super::{
    Active,
    active::owned,
    hold::{self, Hold, Terms},
};
use crate::{
    flow::{Cached, Flow, Writing},
    key::Key,
    marks::Write,
    pipeline::read_through::body::{InBody, TouchedName},
    step::{Step, StepError},
};

impl Active {
    pub(super) fn begin_hold(&mut self, terms: Terms) {
        let (Some(orchestrator), Some(flow)) = (&self.orchestrator, &mut self.flow) else { return };
        let Some(writing) = hold::writing(flow, orchestrator, terms) else { return };
        self.hold = Hold::begin(&writing, orchestrator).map(Box::new);
        owned(flow).values.cached = Cached::writes(writing);
    }

    /// The hold and the flow of a write.
    #[inline]
    pub(super) fn hold(&mut self) -> Option<(&mut Hold, &mut Flow)> {
        let hold = self.hold.as_mut()?;
        Some((hold, owned(self.flow.as_mut()?)))
    }

    /// Whether the call has a hold.
    #[inline]
    pub(super) const fn is_held(&self) -> bool {
        self.hold.is_some()
    }

    /// Whether a flow follows the call: with its steps, or to end what it holds.
    pub(super) const fn stores(&self) -> bool {
        !self.skipped || self.is_held()
    }

    /// Whether the body does not run.
    pub(super) const fn is_refused(&self) -> bool {
        self.refused
    }

    /// Ready when the body may run.
    ///
    /// # Errors
    /// The declaration requires a hold, and it was not confirmed.
    pub(super) fn poll_hold(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StepError>> {
        let Some((hold, flow)) = self.hold() else { return Poll::Ready(Ok(())) };
        let confirmed = ready!(hold.poll(flow, cx));
        Poll::Ready(self.permitted(confirmed))
    }

    /// The same for a caller that cannot wait.
    pub(super) fn hold_now(&mut self) -> Result<(), StepError> {
        let Some((hold, flow)) = self.hold() else { return Ok(()) };
        let confirmed = hold.poll_now(flow);
        self.permitted(confirmed)
    }

    /// Without `required` the body runs all the same.
    fn permitted(&mut self, confirmed: Result<(), StepError>) -> Result<(), StepError> {
        match confirmed {
            Err(error) if self.flow().declaration.options.required.contains(Step::Cache) => {
                self.refused = true;
                Err(error.unavailable())
            }
            _ => Ok(()),
        }
    }

    /// Enters the body: until it is [left](Self::leave_body), its code runs on this thread.
    #[inline]
    pub(super) fn enter_body(&mut self) -> Option<InBody> {
        match self.writes_unheld {
            true => Some(InBody::unheld(self.in_transaction)),
            false => self.hold().map(|(hold, flow)| hold.enter(flow)),
        }
    }

    /// Leaves the body, and adds what it has touched meanwhile.
    #[inline]
    pub(super) fn leave_body(&mut self, entered: Option<InBody>) {
        let Some(entered) = entered else { return };
        let touched = entered.leave();
        if !touched.is_empty() {
            self.touched(touched);
        }
    }

    /// Adds the entities that the body has touched to those that the end of the call invalidates.
    #[cold]
    fn touched(&mut self, names: Vec<TouchedName>) {
        let (Some(orchestrator), Some(flow)) = (&self.orchestrator, &mut self.flow) else { return };
        let flow = owned(flow);
        let keys: Vec<Key> = orchestrator.touched_keys(names).collect();
        if keys.is_empty() {
            return;
        }
        match flow.values.cached.writing_mut() {
            Some(writing) => writing.touched.extend(keys),
            // No step ends the call's write.
            None if flow.declaration.options.off.contains(Step::Cache) => {
                orchestrator.hold_for_a_while(&Write::new(keys, Vec::new()));
            }
            None => flow.values.cached = Cached::writes(Writing::touched(keys, self.skipped)),
        }
    }

    /// Renews the hold while the body is not ready.
    #[inline]
    pub(super) fn poll_renewal(&mut self, cx: &mut Context<'_>) {
        if let Some((hold, flow)) = self.hold() {
            hold.poll_renewal(flow, cx);
        }
    }
}
