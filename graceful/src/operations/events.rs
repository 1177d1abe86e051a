//! What operators do with parked events and with subscribers.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Operator, record::Recorder};
use crate::{
    backends::{Resubmitted, Subscriptions},
    pipeline::Orchestrator,
    step::StepError,
    text::{Text, text},
};

/// Lets a parked event run again, and after it the later ones of its entity. The position is that of the event.
///
/// ```
/// use graceful::{Orchestrator, backends::Resubmitted, operations};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let orchestrator = Orchestrator::in_memory();
/// let resubmitted = operations::resubmit_event(&orchestrator, "shop::on_order", 7, "ada").await?;
/// assert_eq!(resubmitted, Resubmitted::NotParked);
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
///
/// # Errors
/// Fails if the orchestrator has no state of subscribers, or if it fails, or if the audit record could not be appended; in the last case the event
/// runs again.
pub async fn resubmit_event<'a>(
    orchestrator: &Orchestrator,
    subscriber: impl Into<Text>,
    position: u64,
    operator: impl Into<Operator<'a>>,
) -> Result<Resubmitted, StepError> {
    let subscriber = subscriber.into();
    let resubmitted = subscriptions(orchestrator)?.resubmit(subscriber.clone(), position).await?;
    if resubmitted == Resubmitted::Released {
        let message = text!("resubmitted event {position} of subscriber {subscriber}");
        record(orchestrator, "resubmit_event", &message, operator.into(), &subscriber, position).await?;
    }
    Ok(resubmitted)
}

/// Deletes a parked event; if it was the first of its entity, the later ones run. Returns false if it is not parked.
///
/// # Errors
/// As [`resubmit_event`]: if the audit record could not be appended, the event is deleted.
pub async fn discard_event<'a>(
    orchestrator: &Orchestrator,
    subscriber: impl Into<Text>,
    position: u64,
    operator: impl Into<Operator<'a>>,
) -> Result<bool, StepError> {
    let subscriber = subscriber.into();
    let discarded = subscriptions(orchestrator)?.discard(subscriber.clone(), position).await?.is_some();
    if discarded {
        let message = text!("discarded event {position} of subscriber {subscriber}");
        record(orchestrator, "discard_event", &message, operator.into(), &subscriber, position).await?;
    }
    Ok(discarded)
}

/// Lets a subscriber go on after this position. It does not get the events up to there that it has not read.
///
/// # Errors
/// As [`resubmit_event`]: if the audit record could not be appended, the subscriber goes on after the position.
pub async fn skip_events<'a>(
    orchestrator: &Orchestrator,
    subscriber: impl Into<Text>,
    position: u64,
    operator: impl Into<Operator<'a>>,
) -> Result<(), StepError> {
    let subscriber = subscriber.into();
    subscriptions(orchestrator)?.skip(subscriber.clone(), position).await?;
    let message = text!("subscriber {subscriber} goes on after event {position}");
    record(orchestrator, "skip_events", &message, operator.into(), &subscriber, position).await
}

/// Deletes a subscriber that is not used any more, with its position and its parked events. Returns false if it is not registered, or if a process reads
/// it.
///
/// # Errors
/// As [`resubmit_event`]: if the audit record could not be appended, the subscriber is deleted.
pub async fn unregister_subscriber<'a>(
    orchestrator: &Orchestrator,
    subscriber: impl Into<Text>,
    operator: impl Into<Operator<'a>>,
) -> Result<bool, StepError> {
    let subscriber = subscriber.into();
    let is_deleted = subscriptions(orchestrator)?.unregister(subscriber.clone()).await?;
    if is_deleted {
        let message = text!("unregistered subscriber {subscriber}");
        record(orchestrator, "unregister_subscriber", &message, operator.into(), &subscriber, Value::Null)
            .await?;
    }
    Ok(is_deleted)
}

fn subscriptions(orchestrator: &Orchestrator) -> Result<Arc<dyn Subscriptions>, StepError> {
    orchestrator.subscriptions().ok_or_else(|| StepError::new("the orchestrator has no state of subscribers"))
}

async fn record(
    orchestrator: &Orchestrator,
    what: &'static str,
    message: &str,
    operator: Operator<'_>,
    subscriber: &str,
    position: impl Into<Value>,
) -> Result<(), StepError> {
    let details = json!({ "subscriber": subscriber, "position": position.into() });
    Recorder::of(orchestrator).act(what, message, operator, details).await
}
