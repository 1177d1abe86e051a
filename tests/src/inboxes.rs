//! A subscriber whose effects are in its inbox's database.

use std::{
    fmt::Debug,
    future::Future,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use graceful::{
    Code, Failure, OrchestrationConfig, Orchestrator, StepError, Success,
    backends::{Inbox, InboxEntry, ReceivedEvent},
};
use graceful_nats::{Events, Filter, Rejected, Subscriber};
use tokio::sync::oneshot;

use crate::{gate::until, servers::unique};

/// Five flows, of an `Ok` and of an `Err` in turn, whose events come twice each. After the first two effects the handler fails, and
/// panics. Answers how often it was called.
pub async fn read_twice<I: Inbox, W>(
    nats: SocketAddr,
    inbox: &I,
    write: impl Fn(I::Transaction, i64) -> W,
) -> usize
where
    W: Future<Output = Result<I::Transaction, sqlx::Error>>,
{
    let url = format!("nats://{nats}?stream={}", unique("test"));
    let events = Events::connect(&url).await.unwrap();
    let orchestrator = Orchestrator::builder().service("users").events(events).build().unwrap();
    let subscriber = Subscriber::connect(&url, "greeter", &Filter::new()).await.unwrap();
    for number in 0..5_i64 {
        let config = OrchestrationConfig::new("user").id(number).event("said").on(&orchestrator);
        if number % 2 == 0 {
            Success::wrap(Code::Ok, "said", &number).orchestrate(&config).await;
        } else {
            Failure::wrap(Code::Internal, "not said", &number).orchestrate(&config).await;
        }
    }
    // Once more, as if the stream did not know them any more.
    let jetstream = async_nats::jetstream::new(async_nats::connect(format!("nats://{nats}")).await.unwrap());
    let stream = jetstream.get_stream(url.split_once("stream=").unwrap().1).await.unwrap();
    for sequence in 1..=5 {
        let message = stream.get_raw_message(sequence).await.unwrap();
        jetstream.publish(message.subject, message.payload).await.unwrap().await.unwrap();
    }

    let (calls, write) = (AtomicUsize::new(0), &write);
    let handler = |event: Arc<ReceivedEvent>, transaction: I::Transaction| {
        let call = calls.fetch_add(1, Ordering::SeqCst);
        async move {
            let subject = event.subject.as_deref().unwrap_or_default();
            let number = subject.trim_start_matches("user/").parse().map_err(Rejected::poison)?;
            let transaction = write(transaction, number).await?;
            match call {
                0 => Err("after its effect".into()),
                1 => panic!("after its effect"),
                _ => Ok(transaction),
            }
        }
    };
    let all_answered = until(|| async {
        let consumer = stream.consumer_info("greeter").await.unwrap();
        consumer.num_pending == 0 && consumer.num_ack_pending == 0
    });
    subscriber.run_until(all_answered, inbox, handler).await.unwrap();
    let name = stream.cached_info().config.name.clone();
    jetstream.delete_stream(name).await.unwrap();
    calls.into_inner()
}

/// An inbox whose first calls fail, and that counts those that have failed.
#[derive(Debug)]
pub struct Failing<I> {
    inbox: I,
    fails: usize,
    failures: AtomicUsize,
    tell: Mutex<Option<oneshot::Sender<()>>>,
}

impl<I> Failing<I> {
    pub fn new(inbox: I, fails: usize) -> Self {
        Self { inbox, fails, failures: AtomicUsize::new(0), tell: Mutex::new(None) }
    }

    /// Tells of the first failure.
    #[must_use]
    pub fn tell(self, tell: oneshot::Sender<()>) -> Self {
        Self { tell: Mutex::new(Some(tell)), ..self }
    }

    /// Its own, and those of the inbox behind it.
    pub fn failures(&self) -> usize {
        self.failures.load(Ordering::SeqCst)
    }

    fn check(&self) -> Result<(), StepError> {
        if self.failures() < self.fails {
            self.has_failed();
            return Err(StepError::new("not now"));
        }
        Ok(())
    }

    fn has_failed(&self) {
        self.failures.fetch_add(1, Ordering::SeqCst);
        if let Some(tell) = self.tell.lock().unwrap().take() {
            tell.send(()).unwrap();
        }
    }
}

impl<I: Inbox> Inbox for Failing<I> {
    type Transaction = I::Transaction;

    async fn begin(
        &self,
        consumer: &str,
        event: &ReceivedEvent,
    ) -> Result<InboxEntry<I::Transaction>, StepError> {
        self.check()?;
        self.inbox.begin(consumer, event).await.inspect_err(|_| self.has_failed())
    }

    async fn attempted(&self, consumer: &str, event: &ReceivedEvent) -> Result<Option<u32>, StepError> {
        self.check()?;
        self.inbox.attempted(consumer, event).await.inspect_err(|_| self.has_failed())
    }

    async fn commit(&self, transaction: I::Transaction) -> Result<(), StepError> {
        self.inbox.commit(transaction).await
    }
}
