//! The emitter.

use std::{
    fmt,
    future::{IntoFuture, poll_fn},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use async_nats::{
    HeaderMap,
    jetstream::{
        context::{PublishAckFuture, PublishError, PublishErrorKind},
        message::PublishMessage,
        publish::PublishAck,
    },
};
use graceful::{
    Event, StepError,
    backends::{
        Destination, EventEmitter, EventSource, Reply,
        client::{Breaker, ConnectError, in_real_time},
    },
};
use tokio::{runtime::Handle, time::timeout};

use super::{
    Filter, Source,
    client::Client,
    stream::{created_or_checked, with_causes},
    url::Url,
};

/// The default timeout of an acknowledgement.
const TIMEOUT: Duration = Duration::from_millis(800);

/// The time after which an unacknowledged event is first sent again.
const PATIENCE: Duration = Duration::from_millis(200);

type Sent = <PublishAckFuture as IntoFuture>::IntoFuture;

/// A longer subject could end the shared connection: the server accepts lines of up to 4 KiB.
const LONGEST_SUBJECT: usize = 1024;

/// Emits events to a stream of NATS JetStream; see [the module](super) for streams, subjects and addresses.
///
/// **Acknowledgements.** The step succeeds when the stream has acknowledged the event. Until then the event is sent again, after 200,
/// 400, … ms, with the same `Nats-Msg-Id`, so that the stream stores it once. This is the [delivery's id](graceful::Event::delivery_id): the
/// flow's id, or another one if the flow was resubmitted, so that the stream accepts the event again. After the
/// [timeout](Self::timeout) the step fails, although the event may have arrived. The server decides when an acknowledged event is
/// on disk; by default it syncs every two minutes.
///
/// **If the server is unavailable**, the client reconnects automatically within seconds. After three failures in a row a circuit breaker
/// opens: events fail at once, and each second one event probes the server. A successful probe closes the breaker.
///
/// **An event that is too large** for the server (`max_payload`, 1 MiB by default) fails at once, as does an event whose
/// subject is longer than 1024 bytes. A durable flow with such an event becomes a dead letter at once.
///
/// A call that has begun is finished by the runtime in which the emitter was connected, even if its reply is dropped.
///
/// ```no_run
/// use graceful::Orchestrator;
/// use graceful_nats::Events;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let events = Events::connect("nats://127.0.0.1").await?;
/// let orchestrator = Orchestrator::builder().service("users").events(events).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Events(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    client: Arc<Client>,
    stream: String,
    breaker: Arc<Breaker>,
    timeout: Duration,
    runtime: Handle,
}

impl Events {
    /// Connects, and creates or checks the stream.
    ///
    /// # Errors
    /// Fails if the URL is invalid, the server is unavailable, refuses the login or has no JetStream, or if the stream is missing,
    /// cannot be created, or is unsuitable.
    ///
    /// # Panics
    /// Panics outside of a Tokio runtime.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), graceful::backends::client::ConnectError> {
    /// use graceful_nats::Events;
    ///
    /// let events = Events::connect("nats://user:password@a.internal,b.internal?stream=orders").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        let url = Url::parse(url)?;
        let client = in_real_time(async {
            let client = Client::connect(&url).await?;
            created_or_checked(&client, &url).await?;
            Ok::<_, ConnectError>(Arc::new(client))
        });
        let client = client.await?;
        Ok(Self(Arc::new(Inner {
            client,
            stream: url.stream,
            breaker: Arc::new(Breaker::new("NATS")),
            timeout: TIMEOUT,
            runtime: Handle::current(),
        })))
    }

    /// Sets the timeout of an acknowledgement. Default: 800 ms.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), graceful::backends::client::ConnectError> {
    /// use std::time::Duration;
    ///
    /// use graceful_nats::Events;
    ///
    /// let events = Events::connect("nats://127.0.0.1").await?.timeout(Duration::from_secs(5));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self(Arc::new(Inner { timeout, ..Inner::clone(&self.0) }))
    }
}

impl EventEmitter for Events {
    fn emit(&self, event: Event) -> Reply<()> {
        let flow = event.flow();
        let subject = Filter::new()
            .service(flow.service())
            .tenant(flow.tenant())
            .pattern(flow.pattern())
            .event(event.name())
            .subject(&self.0.stream);
        if subject.len() > LONGEST_SUBJECT {
            return Reply::failed(StepError::refused(format!(
                "the event's service, tenant, pattern and name make a subject of {} bytes; at most {LONGEST_SUBJECT} are allowed",
                subject.len()
            )));
        }
        let json = match event.to_json() {
            Ok(json) => json,
            Err(error) => return Reply::failed(StepError::caused_by(error)),
        };
        let mut headers = HeaderMap::new();
        headers.insert("Content-Type", "application/cloudevents+json");
        let message = PublishMessage::build()
            .headers(headers)
            .message_id(event.delivery_id())
            .expected_stream(&self.0.stream)
            .payload(json.into());
        let inner = Arc::clone(&self.0);
        Reply::within(&self.0.runtime, async move { inner.publish(subject, message).await })
    }

    /// The stream: subjects contain the tenant.
    fn destination(&self) -> Option<Destination> {
        Some(Destination::new("nats", &*self.0.stream))
    }

    /// The stream, read by the same connection.
    fn source(&self) -> Option<Arc<dyn EventSource>> {
        Some(Arc::new(Source::of(Arc::clone(&self.0.client), self.0.stream.clone())))
    }
}

impl Inner {
    async fn publish(&self, subject: String, message: PublishMessage) -> Result<(), StepError> {
        let attempt = self.breaker.admit()?;
        match timeout(self.timeout, self.acknowledged(&subject, &message)).await {
            Ok(Ok(())) => {
                attempt.succeeded();
                Ok(())
            }
            Ok(Err(error)) => {
                // A server that refuses an event is available.
                attempt.succeeded();
                Err(self.refused(&error))
            }
            Err(_) => {
                attempt.failed();
                let Self { client, timeout, .. } = self;
                Err(StepError::new(format!("{}: no acknowledgement within {timeout:?}", client.place)))
            }
        }
    }

    /// Sends the event repeatedly until the stream acknowledges or refuses it.
    async fn acknowledged(&self, subject: &str, message: &PublishMessage) -> Result<(), PublishError> {
        let (mut sent, mut patience) = (Vec::new(), PATIENCE);
        loop {
            let one = self.client.jetstream.send_publish(subject.to_owned(), message.clone()).await?;
            sent.push(one.into_future());
            if let Ok(answer) = timeout(patience, first_answer(&mut sent)).await {
                return answer.map(drop);
            }
            patience *= 2;
        }
    }

    fn refused(&self, error: &PublishError) -> StepError {
        let Self { client, stream, .. } = self;
        StepError::new(match error.kind() {
            PublishErrorKind::MaxPayloadExceeded => {
                let why = with_causes(error);
                return StepError::refused(format!(
                    "the event is larger than {} accepts: {why}",
                    client.place
                ));
            }
            PublishErrorKind::StreamNotFound => {
                format!("the stream `{stream}` of {} does not exist, or has no leader", client.place)
            }
            _ => {
                format!("the stream `{stream}` of {} refuses the event: {}", client.place, with_causes(error))
            }
        })
    }
}

/// The first answer to any of the messages; a lost message has none.
async fn first_answer(sent: &mut Vec<Sent>) -> Result<PublishAck, PublishError> {
    poll_fn(|cx| {
        let mut index = 0;
        while let Some(one) = sent.get_mut(index) {
            match one.as_mut().poll(cx) {
                Poll::Pending => index += 1,
                Poll::Ready(Err(error)) if is_lost(&error) => drop(sent.swap_remove(index)),
                Poll::Ready(answer) => return Poll::Ready(answer),
            }
        }
        Poll::Pending
    })
    .await
}

fn is_lost(error: &PublishError) -> bool {
    matches!(error.kind(), PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe)
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("place", &self.0.client.place)
            .field("stream", &self.0.stream)
            .field("breaker", &self.0.breaker)
            .finish_non_exhaustive()
    }
}
