//! A call that has an orchestrator: its flow from the entry to the end of the body.

use std::{any::Any, sync::Arc};

use tracing::Level;

use super::{
    FlowBuilder, HandlerSpec,
    builder::Fill,
    hold::{Hold, Terms},
};
use crate::{
    code::Code,
    context::Context,
    flights::Landing,
    flow::{Answering, Argument, Cached, CallOutcome, Flow, Loading, Origin},
    handler::Outcome,
    pipeline::{self, Ended, FlowRun, Orchestrator, current},
    retried,
    step::StepError,
    steps::cache::fill,
};

/// A call that has an orchestrator. If it is dropped before its body has ended, the call counts as cancelled.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts of one call that do not depend on each other")]
pub struct Active {
    spec: &'static HandlerSpec,
    /// `None` until the first poll, if the function is called before its future is polled.
    pub(super) orchestrator: Option<Orchestrator>,
    /// Taken when the call has ended.
    pub(super) flow: Option<Arc<Flow>>,
    polled: bool,
    /// `when` is false: no step runs.
    pub(super) skipped: bool,
    /// The declaration requires a hold, and it was not confirmed.
    pub(super) refused: bool,
    /// The body may write, and holds nothing, in a program that reads through the cache.
    pub(super) writes_unheld: bool,
    /// The body runs in an open transaction of its caller.
    pub(super) in_transaction: bool,
    /// The hold of a write whose entities are read through the cache.
    pub(super) hold: Option<Box<Hold>>,
}

impl Active {
    pub(super) fn new(
        spec: &'static HandlerSpec,
        orchestrator: Option<Orchestrator>,
        fill: Fill<'_>,
    ) -> Option<Self> {
        let origin = orchestrator
            .as_ref()
            .map_or_else(Origin::unknown, |orchestrator| Arc::clone(orchestrator.origin()));
        let mut flow = Arc::new(Flow::begin(spec.declared(), origin));
        let filling = owned(&mut flow);
        filling.message = spec.message();
        if orchestrator.is_some() {
            placed(filling);
        }
        let follows = FlowBuilder::new(filling, false, Argument::When).filled(fill);
        if spec.is_subscriber()
            && filling.values.entity().is_none()
            && let Some(entity) = retried::entity()
        {
            filling.values.set_id(&entity);
        }
        filling.values.named_at_entry = filling.values.entity().is_some();
        // A write to a held pattern is held and ended also without steps.
        let is_needed = follows || orchestrator.as_ref().is_none_or(Orchestrator::holds_any);
        is_needed.then(|| Self {
            spec,
            orchestrator,
            flow: Some(flow),
            polled: false,
            skipped: !follows,
            refused: false,
            writes_unheld: false,
            in_transaction: false,
            hold: None,
        })
    }

    /// Finds the orchestrator if it is not known yet, and the hold that the call needs. Returns false if nothing follows the call.
    #[inline]
    pub(super) fn resolve(&mut self) -> bool {
        match &self.orchestrator {
            Some(orchestrator) if self.polled || !(self.skipped || orchestrator.holds_any()) => {
                self.polled = true;
                true
            }
            _ => self.resolve_first(Terms { in_transaction: false, alone: self.skipped }),
        }
    }

    /// The same for a call whose hold is set before the commit.
    pub(super) fn resolve_in_transaction(&mut self) -> bool {
        self.resolve_first(Terms { in_transaction: true, alone: self.skipped })
    }

    pub(super) const fn requires_hold(&self) -> bool {
        self.spec.requires_hold()
    }

    #[inline(never)]
    fn resolve_first(&mut self, terms: Terms) -> bool {
        self.polled = true;
        if !self.find_orchestrator() {
            return false;
        }
        if self.orchestrator.as_ref().is_some_and(Orchestrator::holds_any) && !self.spec.reads_through() {
            self.begin_hold(terms);
            self.writes_unheld = self.hold.is_none();
        }
        self.in_transaction = terms.in_transaction;
        if self.skipped && self.hold.is_none() && !self.writes_unheld {
            self.flow = None;
            return false;
        }
        true
    }

    /// Gives a reader's call the load that the step `cache` stores, or the reason why nothing of it is stored.
    pub(super) fn loads(&mut self, loading: Result<Arc<Loading>, &'static str>) {
        self.flow().values.cached = Cached::loads(loading);
    }

    /// Gives the call of an idempotent handler what takes its answer.
    pub(super) fn answers(&mut self, answering: Arc<Answering>) {
        self.flow().answering = Some(answering);
    }

    /// Ends a call whose body does not run, without a flow.
    pub(super) fn forget(mut self) {
        self.flow = None;
    }

    fn find_orchestrator(&mut self) -> bool {
        if self.orchestrator.is_none() {
            let Some(orchestrator) = current::orchestrator() else {
                self.spec.without_an_orchestrator();
                return false;
            };
            let flow = self.flow();
            flow.origin = Arc::clone(orchestrator.origin());
            placed(flow);
            self.orchestrator = Some(orchestrator);
        }
        true
    }

    /// Records the result of a body that has returned; from here on no type of the handler is used. `None` if no step runs.
    pub(super) fn returned<R: Outcome>(
        self,
        result: &R,
        ok: &dyn Fn(&mut FlowBuilder<'_>, &R::Ok),
        err: &dyn Fn(&mut FlowBuilder<'_>, &R::Err),
    ) -> Option<Ended> {
        match result.as_result() {
            Ok(value) => self.read(CallOutcome::Ok, &mut |builder| ok(builder, value)),
            Err(error) => self.read(CallOutcome::Err, &mut |builder| err(builder, error)),
        }
    }

    pub(super) fn read(mut self, ending: CallOutcome, fill: Fill<'_>) -> Option<Ended> {
        let logs = ending == CallOutcome::Err && self.logs_errors();
        let flow = self.flow();
        let read = match ending {
            CallOutcome::Ok => Argument::Payload,
            _ => {
                unclassified(flow);
                Argument::Error
            }
        };
        match FlowBuilder::new(flow, logs, read).filled(fill) {
            true => self.ended(ending),
            false => self.ended_alone(ending),
        }
    }

    pub(super) fn panicked(mut self, payload: &(dyn Any + Send)) -> Option<Ended> {
        let logs = self.logs_errors();
        let flow = self.flow();
        unclassified(flow);
        flow.cause = logs.then(|| StepError::panicked(payload).message().into());
        self.ended(CallOutcome::Panicked)
    }

    /// Records that the body was not run.
    pub(super) fn refused(mut self) -> Option<Ended> {
        unclassified(self.flow());
        self.ended(CallOutcome::Err)
    }

    /// Records that the body was not run, because its hold was not confirmed.
    pub(super) fn unavailable(mut self) -> Option<Ended> {
        let flow = self.flow();
        flow.code = Code::Unavailable;
        flow.message = Code::Unavailable.text().into();
        self.ended(CallOutcome::Err)
    }

    fn cancelled(&mut self) -> Option<Ended> {
        let is_out_of_time = self.spec.is_subscriber() && retried::is_out_of_time();
        let flow = self.flow();
        if is_out_of_time {
            flow.code = Code::DeadlineExceeded;
            flow.message = Code::DeadlineExceeded.text().into();
            return self.ended(CallOutcome::Err);
        }
        flow.code = Code::Cancelled;
        flow.message = Code::Cancelled.text().into();
        self.ended(CallOutcome::Cancelled)
    }

    /// Ends a call whose steps do not run. The write of a held pattern is ended all the same.
    #[cold]
    fn ended_alone(&mut self, ending: CallOutcome) -> Option<Ended> {
        match self.flow().values.cached.writing_mut() {
            Some(writing) => {
                writing.alone = true;
                self.ended(ending)
            }
            None => {
                let flow = self.flow.take()?;
                if let (Some(Ok(loading)), Some(orchestrator)) =
                    (flow.values.cached.loading(), &self.orchestrator)
                    && let Some(protocol) = orchestrator.protocol()
                {
                    fill::fail(protocol, loading, Landing::Failed);
                }
                None
            }
        }
    }

    fn ended(&mut self, ending: CallOutcome) -> Option<Ended> {
        let is_retried = !ending.is_success() && self.spec.is_subscriber() && {
            let flow = self.flow();
            retried::failed(flow.code, &flow.message)
        };
        let skipped = self.skipped || is_retried;
        let flow = self.flow();
        match flow.values.cached.writing_mut() {
            Some(writing) => {
                writing.alone |= is_retried;
                writing.add_touched();
            }
            None if skipped => {
                self.flow = None;
                return None;
            }
            None => {}
        }
        let flow = self.flow();
        if !ending.is_success() {
            flow.values.drop_payloads();
        }
        flow.end(ending);
        Some(Ended {
            orchestrator: self.orchestrator.take()?,
            flow: self.flow.take()?,
            overrides: self.spec.overrides(),
        })
    }

    /// Whether the cause of a server fault is logged.
    #[cold]
    fn logs_errors(&self) -> bool {
        self.spec.logs_errors()
            && self.orchestrator.as_ref().is_some_and(Orchestrator::logs_errors)
            && tracing::enabled!(target: pipeline::CAUSE, Level::ERROR)
    }

    pub(super) fn flow(&mut self) -> &mut Flow {
        owned(self.flow.as_mut().expect("a call ends once"))
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        if self.polled
            && self.flow.is_some()
            && let Some(ended) = self.cancelled()
        {
            FlowRun::new(ended).detach();
        }
    }
}

/// Borrows the flow mutably; it is not shared before it has ended.
pub(super) fn owned(flow: &mut Arc<Flow>) -> &mut Flow {
    Arc::get_mut(flow).expect("a flow that has not ended is its call's own")
}

/// Sets the context of the call, and the parent: the flow whose hook made the call.
fn placed(flow: &mut Flow) {
    flow.context = Context::of_call();
    flow.caller = pipeline::caller();
    if let Some(parent) = current::parent() {
        flow.parent = Some(parent.id);
        flow.depth = parent.depth.saturating_add(1);
    }
}

/// Sets the code and the message of an error that is not classified.
fn unclassified(flow: &mut Flow) {
    flow.code = Code::Internal;
    flow.message = Code::Internal.text().into();
}
