//! The hold of a write: it is set before the body, renewed while the body runs, and ended by the step `cache`.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

use tokio::time::{Instant, Sleep};

use crate::{
    backends::Reply,
    flow::{Argument, Flow, NamedEntity, Own, Progress, Writing},
    key::Key,
    marks::{HOLD_EXPIRY, HOLD_RENEWAL, Held, Write},
    pipeline::{
        Budget, Ended, Orchestrator,
        read_through::{
            body::{Body, BodyKind, InBody},
            log::HOLD,
        },
    },
    step::{Step, StepError},
};

/// The hold of one call.
pub(super) struct Hold {
    orchestrator: Orchestrator,
    stage: Stage,
    /// The body, for look-ups inside of it.
    body: Arc<Body>,
}

enum Stage {
    /// The cache was asked for the hold.
    Asked { reply: Reply<Held>, budget: Budget, began: Instant },
    /// The body may run. If the hold was confirmed, it is renewed.
    Ready { renewal: Option<Pin<Box<Sleep>>>, is_held: bool },
}

/// What a declaration says of its holds.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    /// The hold is set after the body, before the commit.
    pub in_transaction: bool,
    /// No step runs; the write is only held and ended.
    pub alone: bool,
}

/// The keys of the entities whose pattern is held.
fn keys(flow: &Flow, orchestrator: &Orchestrator, entities: &[NamedEntity]) -> Vec<Key> {
    let held = entities.iter().filter(|(pattern, _)| orchestrator.held(pattern).is_some());
    held.map(|(pattern, id)| flow.key_of(pattern, id)).collect()
}

/// Describes the write of a call, if one of its patterns is held.
pub(crate) fn writing(flow: &Flow, orchestrator: &Orchestrator, terms: Terms) -> Option<Writing> {
    let options = &flow.declaration.options;
    let own = orchestrator.held(&flow.declaration.pattern);
    // What the body reads in its open transaction may be rolled back, or be as old as the transaction, so it is not cached.
    let is_needed = own.is_some() || terms.in_transaction;
    if !is_needed && flow.values.cached.is_unused() {
        return None;
    }
    if options.off.contains(Step::Cache) {
        return None;
    }
    let mut changes = Vec::new();
    changes.extend(flow.cache_key().filter(|_| own.is_some()));
    let is_own_first = !changes.is_empty();
    if own.is_some() && flow.values.faults.has(Argument::Key) {
        changes.push(flow.key_of_pattern(&flow.declaration.pattern));
    }
    let mut depends_on = Vec::new();
    if let Some(others) = flow.values.cached.others() {
        changes.extend(keys(flow, orchestrator, &others.touches));
        let any_of = others.touches_any_of.iter().filter(|pattern| orchestrator.held(pattern).is_some());
        changes.extend(any_of.map(|pattern| flow.key_of_pattern(pattern)));
        depends_on = keys(flow, orchestrator, &others.depends_on);
    }
    if changes.is_empty() && !is_needed {
        return None;
    }
    Some(Writing {
        write: Write::new(changes, depends_on),
        own: match (own.is_some(), is_own_first) {
            (false, _) => Own::Unheld,
            (true, true) => Own::First,
            (true, false) => Own::AfterTheBody,
        },
        in_transaction: terms.in_transaction,
        variant: own.and_then(|(held, _)| (!held.per_actor).then(|| held.variant())),
        held: None,
        alone: terms.alone,
        progress: Progress::NotBegun,
        touched: Vec::new(),
    })
}

impl Hold {
    /// Asks the cache for the hold, or only prepares the body if nothing is known to hold yet.
    pub(super) fn begin(writing: &Writing, orchestrator: &Orchestrator) -> Option<Self> {
        let protocol = orchestrator.protocol()?;
        let body = Body::within(BodyKind::Writes {
            holds: writing.write.changes().to_vec(),
            tx: writing.in_transaction,
        });
        let stage = match writing.in_transaction || writing.write.changes().is_empty() {
            true => Stage::Ready { renewal: None, is_held: false },
            false => Stage::Asked {
                reply: protocol.hold(&writing.write, HOLD_EXPIRY),
                budget: Budget::default(),
                began: Instant::now(),
            },
        };
        Some(Self { orchestrator: orchestrator.clone(), stage, body })
    }

    /// Ready when the body may run.
    ///
    /// # Errors
    /// The hold was not confirmed.
    pub(super) fn poll(&mut self, flow: &mut Flow, cx: &mut Context<'_>) -> Poll<Result<(), StepError>> {
        let Stage::Asked { reply, budget, began } = &mut self.stage else { return Poll::Ready(Ok(())) };
        let began = *began;
        let allowed = flow.declaration.options.budget(Step::Cache, true);
        let held = ready!(budget.poll_reply(reply, allowed, &self.orchestrator, cx));
        Poll::Ready(self.asked(flow, held, began))
    }

    /// For a caller that cannot wait: a hold that is not confirmed at once is not confirmed.
    pub(super) fn poll_now(&mut self, flow: &mut Flow) -> Result<(), StepError> {
        match self.poll(flow, &mut Context::from_waker(Waker::noop())) {
            Poll::Ready(held) => held,
            Poll::Pending => {
                let error = StepError::new("a handler that is not `async` cannot wait for its hold");
                self.asked(flow, Err(error), Instant::now())
            }
        }
    }

    fn asked(
        &mut self,
        flow: &mut Flow,
        held: Result<Held, StepError>,
        began: Instant,
    ) -> Result<(), StepError> {
        // The hold expires by the clock of the cache, which may have begun when it was asked.
        let held = held.and_then(|held| match began.elapsed() < HOLD_EXPIRY {
            true => Ok(held),
            false => Err(StepError::new("the cache confirmed the hold after its expiry")),
        });
        self.stage = Stage::Ready { renewal: None, is_held: held.is_ok() };
        let writing = flow.values.cached.writing_mut().expect("the flow of a hold is that of a write");
        match held {
            Ok(held) => {
                writing.held = Some(held);
                Ok(())
            }
            Err(error) => {
                self.orchestrator.unconfirmed(HOLD, &writing.write, &error);
                Err(error)
            }
        }
    }

    /// As long as the guard lives, code of the body runs on this thread.
    pub(super) fn enter(&self, flow: &mut Flow) -> InBody {
        if let Some(writing) = flow.values.cached.writing_mut() {
            writing.progress = writing.progress.max(Progress::Begun);
        }
        self.body.enter()
    }

    /// Renews the hold of a body that takes long. It is polled with the body, so it ends with it.
    pub(super) fn poll_renewal(&mut self, flow: &Flow, cx: &mut Context<'_>) {
        let Stage::Ready { renewal, is_held: true } = &mut self.stage else { return };
        if renewal.is_none() {
            *renewal = self.orchestrator.sleep(HOLD_RENEWAL).map(Box::pin);
        }
        let Some(sleep) = renewal else { return };
        while sleep.as_mut().poll(cx).is_ready() {
            if let (Some(writing), Some(protocol)) =
                (flow.values.cached.writing(), self.orchestrator.protocol())
            {
                // It is finished in the background. One that is late is as good as one that is lost.
                drop(protocol.renew(&writing.write, HOLD_EXPIRY));
            }
            sleep.as_mut().reset(Instant::now() + HOLD_RENEWAL);
        }
    }
}

/// Sets the hold of a write in a transaction, before the commit. From then on nothing old is cached until the relay ends it, or it expires.
///
/// # Errors
/// The hold was not confirmed.
pub(super) async fn hold_before_commit(ended: &mut Ended) -> Result<(), StepError> {
    let Ended { orchestrator, flow, .. } = ended;
    let (Some(writing), Some(protocol)) = (flow.values.cached.writing(), orchestrator.protocol()) else {
        return Ok(());
    };
    let write = writing.changed(flow);
    if write.changes().is_empty() {
        return Ok(());
    }
    let mut reply = protocol.hold(&write, HOLD_EXPIRY);
    let (mut budget, allowed) = (Budget::default(), flow.declaration.options.budget(Step::Cache, true));
    match poll_fn(|cx| budget.poll_reply(&mut reply, allowed, orchestrator, cx)).await {
        Ok(held) => {
            if let Some(writing) = Arc::make_mut(flow).values.cached.writing_mut() {
                writing.held = Some(held);
            }
            Ok(())
        }
        Err(error) => {
            orchestrator.unconfirmed(HOLD, &write, &error);
            Err(error.not_held())
        }
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").field("body", &self.body).finish_non_exhaustive()
    }
}
