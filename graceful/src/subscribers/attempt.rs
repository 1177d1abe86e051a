//! One attempt: the handler is called with an event, within its time budget.

use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll, time::Instant};

use tokio::time::timeout;

use super::{
    incoming::{About, Incoming},
    job::{Handling, Item, Running},
    registered::{Delivery, HandlerFuture, Subscriber},
};
use crate::{
    pipeline::Orchestrator,
    retried::Attempt,
    step::{StepError, StepErrorKind, contain},
    text::{Text, text},
};

/// The result of one attempt.
pub(super) enum Attempted {
    Handled,
    /// Another process has handled it.
    WasHandled,
    Failed {
        error: Text,
        /// No attempt can succeed.
        is_poison: bool,
    },
    Unavailable(StepError),
    Stopped,
}

impl Handling {
    pub(super) async fn attempt(
        &self,
        entity: i64,
        item: &Item,
        is_last: bool,
        running: &mut Running<'_>,
    ) -> Attempted {
        let event = Incoming::of_json(&item.body, &self.provided);
        let mut transaction = None;
        if self.subscriber.transaction.is_some() {
            // What is no event opens no transaction, whose lock would delay its parking.
            if let Err(error) = event.whole() {
                return Attempted::failed(&error);
            }
            let begun =
                self.subscriptions.begin(self.reader.clone(), entity, item.position, item.is_released());
            match begun.await {
                Ok(Some(begun)) => transaction = Some(begun),
                Ok(None) => return Attempted::WasHandled,
                Err(error) => return Attempted::Unavailable(error),
            }
        }
        // The sender lives as long as this.
        if running.stopped.has_changed().unwrap_or(true) {
            return Attempted::Stopped;
        }
        let attempt = Attempt::new(is_last);
        let stop = async {
            let _ = running.stopped.changed().await;
            attempt.stop();
        };
        let delivery =
            Delivery { event: &event, transaction: transaction.as_mut().map(|open| open.transaction()) };
        let began = running.slot.begin(entity, item.position);
        let failed = tokio::select! {
            biased;
            // First, because most handlers do not wait.
            done = handled(self.subscriber, &self.orchestrator, delivery, &attempt, began) => done.err(),
            () = stop => return Attempted::Stopped,
        };
        running.slot.returned();
        match (failed, transaction) {
            (Some(failed), _) => failed,
            (None, None) => Attempted::Handled,
            (None, Some(transaction)) => match transaction.commit().await {
                Ok(()) => Attempted::Handled,
                Err(error) => Attempted::failed(&error),
            },
        }
    }
}

/// Runs the handler within its time budget, from then on. When it is over the future is dropped.
pub(super) async fn handled(
    subscriber: &Subscriber,
    orchestrator: &Orchestrator,
    delivery: Delivery<'_>,
    attempt: &Arc<Attempt>,
    began: Instant,
) -> Result<(), Attempted> {
    let event = delivery.event;
    let handling = contain(|| (subscriber.call)(delivery)).and_then(|called| called);
    let mut handling = Contained(Some(handling.map_err(|error| Attempted::failed(&error))?));
    let About { context, entity } = event.about().map_err(|error| Attempted::failed(&error))?;
    if let Some(entity) = entity {
        attempt.is_about(entity);
    }
    // Its future is dropped in the scopes, too.
    let called = async move {
        match handling.returned().await {
            Ok(true) => Ok(()),
            Err(panicked) => Err(Attempted::failed(&panicked)),
            Ok(false) => {
                let error = attempt.take_failure().map_or_else(
                    || "the handler failed".into(),
                    |(code, message)| text!("{code}: {message}"),
                );
                Err(Attempted::Failed { error, is_poison: false })
            }
        }
    };
    let called = orchestrator.scope(context.scope(attempt.scope(called)));
    let mut called = pin!(called);
    // Without a timer, because most handlers do not wait.
    let first = poll_fn(|cx| Poll::Ready(called.as_mut().poll(cx))).await;
    if let Poll::Ready(done) = first {
        return done;
    }
    timeout(subscriber.timeout.saturating_sub(began.elapsed()), called).await.unwrap_or_else(|_| {
        attempt.end_by_timeout();
        let error = text!("the handler did not finish within {:?}", subscriber.timeout);
        Err(Attempted::Failed { error, is_poison: false })
    })
}

impl Attempted {
    fn failed(error: &StepError) -> Self {
        Self::Failed { error: error.message().into(), is_poison: error.kind() == StepErrorKind::Refused }
    }
}

/// The future of a handler, whose panics stay here, also when it is dropped.
struct Contained<'a>(Option<HandlerFuture<'a>>);

impl Contained<'_> {
    /// Whether it has returned `Ok`.
    async fn returned(&mut self) -> Result<bool, StepError> {
        poll_fn(|cx| {
            let Some(handling) = &mut self.0 else { return Poll::Ready(Ok(false)) };
            match contain(|| handling.as_mut().poll(cx)) {
                Ok(polled) => polled.map(Ok),
                Err(panicked) => Poll::Ready(Err(panicked)),
            }
        })
        .await
    }
}

impl Drop for Contained<'_> {
    fn drop(&mut self) {
        let handling = self.0.take();
        // The attempt has failed already, or another follows.
        let _ = contain(|| drop(handling));
    }
}
