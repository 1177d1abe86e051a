//! Poison events.

use std::sync::Arc;

use graceful::{StepError, backends::ReceivedEvent};

/// An event that a subscriber does not try again.
///
/// ```no_run
/// # use graceful_rabbitmq::{Filter, Subscriber};
/// # async fn example() -> Result<(), graceful::backends::client::ConnectError> {
/// let subscriber = Subscriber::connect("amqp://127.0.0.1", "greeter", &Filter::new()).await?;
/// let subscriber = subscriber.on_poison(|poison| println!("{poison:?}"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PoisonEvent {
    /// The queue in which the event stays.
    pub queue: String,
    /// The id of the message, if it has one.
    pub message_id: Option<String>,
    /// The routing key of the event.
    pub routing_key: String,
    /// The event; `None` if the message is not a CloudEvent.
    pub event: Option<Arc<ReceivedEvent>>,
    /// The number of attempts: how often the handler was run, or one more if each run was interrupted.
    pub attempts: u32,
    /// The error of the last attempt.
    pub error: StepError,
}

pub(super) type OnPoison = dyn Fn(&PoisonEvent) + Send + Sync;

impl PoisonEvent {
    /// Logs it, and passes it to the subscriber's function.
    pub(super) fn tell(&self, consumer: &str, on_poison: Option<&OnPoison>) {
        let Self { queue, message_id, attempts, error, .. } = self;
        tracing::error!(
            target: "graceful::subscriber",
            consumer, queue, message_id, attempts, %error, "event is poison: it will not be tried again"
        );
        if let Some(tell) = on_poison
            && let Err(error) = StepError::catch_panic(|| tell(self))
        {
            tracing::error!(target: "graceful::subscriber", consumer, %error, "`on_poison` panicked");
        }
    }
}
