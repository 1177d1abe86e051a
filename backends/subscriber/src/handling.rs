//! Handles one event, from its delivery to the acknowledgement.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use graceful::{
    StepError,
    backends::{Inbox, InboxEntry, ReceivedEvent, client::ConnectError, escaped},
};
use tokio::time::{sleep, timeout};

use crate::{Answer, Delivery, Poisoned, Reader, Reading, Rejected, reader::within};

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

impl Reader {
    /// Handles an event. Returns whether to continue reading, because the shutdown may begin while the inbox is unavailable.
    pub(crate) async fn take<R: Reading, I: Inbox, H>(
        &self,
        end: &mut Pin<&mut impl Future<Output = ()>>,
        reading: &mut R,
        message: R::Message,
        inbox: &I,
        handler: &impl Fn(Arc<ReceivedEvent>, I::Transaction) -> H,
    ) -> bool
    where
        H: Future<Output = Result<I::Transaction, Rejected>>,
    {
        let Delivery { body, deliveries } = R::delivery(&message);
        let event = serde_json::from_slice::<ReceivedEvent>(body).map(Arc::new);
        let outcome = match &event {
            Ok(event) => {
                let work = self.attempt(end, event, deliveries, inbox, handler);
                self.extended::<R, _>(reading.extends_every(), &message, work).await
            }
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
                Answer::Handled
            }
            Outcome::Unbegun => Answer::Return,
            Outcome::Rejected { attempt, rejected: Rejected { error, poison: false } }
                if attempt < self.attempts =>
            {
                if let Some(failures) = self.outages.handling.failed() {
                    let event = event.as_ref().map_or("", |event| &*event.id);
                    tracing::warn!(
                        target: "graceful::subscriber",
                        consumer = self.name, event = %escaped(event), attempts = attempt, %error, failures,
                        "handling an event failed; it will be redelivered"
                    );
                }
                Answer::Again(pause(attempt))
            }
            Outcome::Rejected { attempt, rejected: Rejected { error, .. } } => {
                Answer::Poison(Poisoned::new(event.ok(), attempt, error))
            }
        };
        let goes_on = !matches!(answer, Answer::Return);
        if let Err(error) = reading.answer(message, answer).await {
            self.unanswered(&error);
        }
        goes_on
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

    /// Extends the time to answer the message while the handler is running.
    async fn extended<R: Reading, T>(
        &self,
        every: Option<Duration>,
        message: &R::Message,
        work: impl Future<Output = T>,
    ) -> T {
        let Some(every) = every else { return work.await };
        let mut work = pin!(work);
        loop {
            let tick = sleep(every);
            if let Some(done) = within(&mut pin!(tick), work.as_mut()).await {
                return done;
            }
            if let Err(error) = R::extend(message).await {
                self.unanswered(&error);
            }
        }
    }

    fn unanswered(&self, error: &ConnectError) {
        tracing::warn!(target: "graceful::subscriber", consumer = self.name, %error, "acknowledging an event failed; it will be redelivered");
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
