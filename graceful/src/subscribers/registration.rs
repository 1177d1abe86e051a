//! Registers a subscriber in the store.

use std::{convert::Infallible, pin::Pin, time::Duration};

use tokio::sync::mpsc;

use super::{job::Handling, start_check::Source};
use crate::{
    backends::NewSubscriber,
    step::StepError,
    text::{Text, text},
};

/// The pause before it is tried again.
const AGAIN: Duration = Duration::from_millis(500);

/// Registers a subscriber, as soon as that is possible. Drops `tried` after the first attempt. Returns false if the end came first.
pub(super) async fn registered(
    handling: &Handling,
    source: &Source,
    tried: mpsc::Sender<Infallible>,
    mut end: Pin<&mut impl Future<Output = ()>>,
) -> bool {
    let identity = handling.subscriber.identity;
    let faults = &handling.orchestrator.0.subscriber_faults;
    let mut tried = Some(tried);
    loop {
        let registered = register(handling, source).await;
        drop(tried.take());
        let Err(error) = registered else {
            faults.set(identity, None);
            tracing::info!(target: "graceful::subscriber", subscriber = identity, %source, "the subscriber reads events");
            return true;
        };
        faults.set(identity, Some(text!("it cannot be registered: {}", error.message())));
        if let Some(failures) = handling.store.failed() {
            tracing::warn!(
                target: "graceful::subscriber",
                subscriber = identity, error = error.message(), failures,
                "the subscriber could not be registered; it is tried again"
            );
        }
        tokio::select! {
            biased;
            () = &mut end => return false,
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

async fn register(handling: &Handling, source: &Source) -> Result<(), StepError> {
    let Handling { subscriber, subscriptions, .. } = handling;
    let identity = Text::new_static(subscriber.identity);
    let start = match source {
        Source::Log(log) if subscriber.from_start => log.span().await?.purged_to,
        Source::Log(log) => log.span().await?.newest,
        Source::Broker(_) => 0,
    };
    let mut new = NewSubscriber::new(identity.clone(), start);
    if let Source::Broker(broker) = source {
        (new.source, new.reads_log) = (broker.place(), false);
    }
    new.was = subscriber.was.iter().map(|was| Text::new_static(was)).collect();
    let is_new = subscriptions.register(new).await?;
    let Source::Log(log) = source else { return Ok(()) };
    if is_new {
        // Those that were purged meanwhile were not promised.
        let purged_to = log.span().await?.purged_to;
        if start < purged_to {
            subscriptions.skip(identity, purged_to).await?;
        }
        return Ok(());
    }
    let known = subscriptions.subscribers().await?;
    let handled_to = known.iter().find(|state| state.subscriber == identity).map(|state| state.handled_to);
    let newest = log.span().await?.newest;
    match handled_to {
        Some(handled_to) if handled_to > newest => Err(StepError::new(text!(
            "it has read another event log up to position {handled_to}, and this one ends with {newest}: unregister it, and it begins anew"
        ))),
        _ => Ok(()),
    }
}
