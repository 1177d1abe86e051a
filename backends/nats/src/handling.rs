//! Handles one event, from its delivery to the acknowledgement.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use async_nats::jetstream::{AckKind, Message};
use graceful::{
    StepError,
    backends::{Inbox, InboxEntry, ReceivedEvent, escaped},
};
use tokio::time::{sleep, timeout};

use super::{PoisonEvent, Rejected, Subscriber};

/// The first pause before an event is redelivered; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The longest pause before an unavailable inbox is tried again.
const LONGEST_INBOX_PAUSE: Duration = Duration::from_secs(1);

/// The outcome of a delivery.
enum Outcome {
    Handled,
    /// Reading ended before the inbox could record the event: no attempt was made.
    Unbegun,
    Rejected {
        attempt: u32,
        rejected: Rejected,
    },
}

impl Subscriber {
    /// Handles an event. Returns whether to continue reading, because the shutdown may begin while the inbox is unavailable.
    pub(super) async fn take<I: Inbox, H>(
        &self,
        end: &mut Pin<&mut impl Future<Output = ()>>,
        message: &Message,
        inbox: &I,
        handler: &impl Fn(Arc<ReceivedEvent>, I::Transaction) -> H,
    ) -> bool
    where
        H: Future<Output = Result<I::Transaction, Rejected>>,
    {
        let (sequence, deliveries) = match message.info() {
            Ok(info) => (info.stream_sequence, u32::try_from(info.delivered).unwrap_or(u32::MAX)),
            Err(error) => {
                // The message comes from no stream, so it cannot be acknowledged.
                let error = error.to_string();
                tracing::error!(target: "graceful::subscriber", consumer = self.name, error = %escaped(&error), "message without JetStream metadata ignored");
                return true;
            }
        };
        let event = serde_json::from_slice::<ReceivedEvent>(&message.payload).map(Arc::new);
        let outcome = match &event {
            Ok(event) => self.kept_alive(message, self.attempt(end, event, deliveries, inbox, handler)).await,
            Err(error) => {
                let rejected = Rejected::poison(format!("not a CloudEvent: {error}"));
                Outcome::Rejected { attempt: 1, rejected }
            }
        };
        let answer = match outcome {
            Outcome::Handled => {
                if let Some(failures) = self.outages.handling.succeeded() {
                    tracing::info!(target: "graceful::subscriber", consumer = self.name, failures, "handling events works again");
                }
                AckKind::Ack
            }
            Outcome::Unbegun => {
                self.answer(message, AckKind::Nak(None)).await;
                return false;
            }
            Outcome::Rejected { attempt, rejected: Rejected { error, poison: false } }
                if attempt < self.attempts =>
            {
                if let Some(failures) = self.outages.handling.failed() {
                    tracing::warn!(
                        target: "graceful::subscriber",
                        consumer = self.name, sequence, attempts = attempt, %error, failures,
                        "handling an event failed; it will be redelivered"
                    );
                }
                AckKind::Nak(Some(pause(attempt)))
            }
            Outcome::Rejected { attempt, rejected: Rejected { error, .. } } => {
                self.give_up(&PoisonEvent {
                    sequence,
                    subject: message.subject.to_string(),
                    event: event.ok(),
                    attempts: attempt,
                    error,
                });
                AckKind::Term
            }
        };
        self.answer(message, answer).await;
        true
    }

    /// Only a run of the handler is an attempt, however often the event was delivered.
    async fn attempt<I: Inbox, H>(
        &self,
        end: &mut Pin<&mut impl Future<Output = ()>>,
        event: &Arc<ReceivedEvent>,
        deliveries: u32,
        inbox: &I,
        handler: &impl Fn(Arc<ReceivedEvent>, I::Transaction) -> H,
    ) -> Outcome
    where
        H: Future<Output = Result<I::Transaction, Rejected>>,
    {
        let Some((attempt, entry)) = self.begun(end, event, deliveries, inbox).await else {
            return Outcome::Unbegun;
        };
        let InboxEntry::First(transaction) = entry else { return Outcome::Handled };
        if attempt > self.attempts {
            // The process died in each attempt, so the handler never returned an error.
            let rejected = Rejected::poison("all attempts were interrupted");
            return Outcome::Rejected { attempt, rejected };
        }
        let Err(rejected) = self.run_once(event, transaction, inbox, handler).await else {
            return Outcome::Handled;
        };
        if deliveries == 1 && !rejected.poison {
            // Counted only now: most first attempts succeed, and are spared a commit of their own.
            let counted = timeout(self.timeout, inbox.attempted(&self.name, event)).await;
            if let Err(error) = counted.unwrap_or_else(|_| Err(self.timed_out("the inbox")))
                && let Some(failures) = self.outages.inbox.failed()
            {
                tracing::warn!(
                    target: "graceful::subscriber",
                    consumer = self.name, %error, failures,
                    "the inbox is unavailable, so this attempt is not counted; the event gets one attempt more"
                );
            }
        }
        Outcome::Rejected { attempt, rejected }
    }

    /// The event in the inbox, and which attempt it is. Asks again and again while the inbox is unavailable: other events would fare
    /// no better, and this one keeps its turn. `None` where the end came first.
    async fn begun<I: Inbox>(
        &self,
        end: &mut Pin<&mut impl Future<Output = ()>>,
        event: &ReceivedEvent,
        deliveries: u32,
        inbox: &I,
    ) -> Option<(u32, InboxEntry<I::Transaction>)> {
        let (mut attempt, mut failures) = ((deliveries == 1).then_some(1), 0);
        loop {
            let begun = async {
                let attempt = match attempt {
                    Some(attempt) => attempt,
                    // In the attempt before, the process may have died.
                    None => *attempt.insert(inbox.attempted(&self.name, event).await?.unwrap_or(deliveries)),
                };
                Ok((attempt, inbox.begin(&self.name, event).await?))
            };
            match timeout(self.timeout, begun).await.unwrap_or_else(|_| Err(self.timed_out("the inbox"))) {
                Ok(begun) => {
                    if let Some(failures) = self.outages.inbox.succeeded() {
                        tracing::info!(target: "graceful::subscriber", consumer = self.name, failures, "the inbox works again");
                    }
                    return Some(begun);
                }
                Err(error) => {
                    if let Some(failures) = self.outages.inbox.failed() {
                        tracing::warn!(
                            target: "graceful::subscriber",
                            consumer = self.name, %error, failures,
                            "the inbox is unavailable; the event waits, and no attempt is counted"
                        );
                    }
                    failures += 1;
                    within(end, sleep(pause(failures).min(LONGEST_INBOX_PAUSE))).await?;
                }
            }
        }
    }

    async fn run_once<I: Inbox, H>(
        &self,
        event: &Arc<ReceivedEvent>,
        transaction: I::Transaction,
        inbox: &I,
        handler: &impl Fn(Arc<ReceivedEvent>, I::Transaction) -> H,
    ) -> Result<(), Rejected>
    where
        H: Future<Output = Result<I::Transaction, Rejected>>,
    {
        let context = event.context.clone();
        let begin = || context.clone().sync_scope(|| handler(Arc::clone(event), transaction));
        let handling = StepError::catch_panic(begin)?;
        // On timeout the future is dropped, and with it the transaction.
        let done = timeout(self.timeout, context.scope(contained(handling))).await;
        let transaction = done.map_err(|_| self.timed_out("the handler"))??;
        let committed = timeout(self.timeout, inbox.commit(transaction)).await;
        Ok(committed.map_err(|_| self.timed_out("the inbox"))??)
    }

    fn timed_out(&self, what: &str) -> StepError {
        let text = format!("{what} did not finish within {:?}", self.timeout);
        StepError::timed_out(text)
    }

    /// Extends the time to acknowledge the event while the handler is running.
    async fn kept_alive<T>(&self, message: &Message, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            let tick = sleep(self.ack_wait / 3);
            if let Some(done) = within(&mut pin!(tick), work.as_mut()).await {
                return done;
            }
            self.answer(message, AckKind::Progress).await;
        }
    }

    /// Acknowledges the event. If the acknowledgement is lost, the event is redelivered.
    async fn answer(&self, message: &Message, answer: AckKind) {
        if let Err(error) = message.ack_with(answer).await {
            let error = error.to_string();
            tracing::warn!(target: "graceful::subscriber", consumer = self.name, error = %escaped(&error), "acknowledging an event failed; it will be redelivered");
        }
    }

    fn give_up(&self, poison: &PoisonEvent) {
        let PoisonEvent { sequence, attempts, error, .. } = poison;
        tracing::error!(
            target: "graceful::subscriber",
            consumer = self.name, sequence, attempts, %error, "event is poison: it will not be tried again"
        );
        if let Some(tell) = &self.on_poison
            && let Err(error) = StepError::catch_panic(|| tell(poison))
        {
            tracing::error!(target: "graceful::subscriber", consumer = self.name, %error, "`on_poison` panicked");
        }
    }
}

/// Turns a panic of the handler into a failed attempt, so that reading continues.
async fn contained<T>(work: impl Future<Output = Result<T, Rejected>>) -> Result<T, Rejected> {
    let mut work = pin!(work);
    poll_fn(|cx| match StepError::catch_panic(|| work.as_mut().poll(cx)) {
        Ok(polled) => polled,
        Err(panicked) => Poll::Ready(Err(panicked.into())),
    })
    .await
}

fn pause(attempts: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << (attempts.max(1) - 1).min(10)).min(LONGEST_PAUSE)
}

/// `None` where the end came first.
pub(super) async fn within<T>(
    end: &mut Pin<&mut impl Future<Output = ()>>,
    work: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        biased;
        () = end => None,
        done = work => Some(done),
    }
}
