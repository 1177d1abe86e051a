//! Copies the events of a broker to the store of the subscriber's state, in one process at a time.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::sleep};

use super::registered::Subscriber;
use crate::{
    backends::{
        EventReading, EventSource, NewEvent, ReaderId, ReceivedEvent, Selection, Subscriptions, entity_hash,
    },
    outage::Outage,
    sha256::Sha256,
    step::StepError,
    text::{Text, text},
};

/// The pause before a connection that failed is opened again.
const AGAIN: Duration = Duration::from_millis(500);

pub(super) struct Copying {
    pub(super) subscriber: &'static Subscriber,
    pub(super) source: Arc<dyn EventSource>,
    pub(super) subscriptions: Arc<dyn Subscriptions>,
    pub(super) reader: ReaderId,
    /// Whether this process copies.
    pub(super) copies: watch::Receiver<bool>,
    /// Counts the batches that were stored.
    pub(super) received: watch::Sender<u64>,
    pub(super) outage: Outage,
}

impl Copying {
    /// Copies while this process may, until the sender of `copies` is dropped.
    pub(super) async fn run(mut self) {
        while self.copies.wait_for(|copies| *copies).await.is_ok() {
            let mut may_copy = self.copies.clone();
            let ended = tokio::select! {
                biased;
                paused = may_copy.wait_for(|copies| !*copies) => match paused {
                    Ok(_) => continue,
                    // The last value is still `true`.
                    Err(_) => return,
                },
                ended = self.copy() => ended,
            };
            if let Err(error) = ended
                && let Some(failures) = self.outage.failed()
            {
                tracing::warn!(
                    target: "graceful::subscriber",
                    subscriber = self.subscriber.identity, source = &*self.source.place(), error = error.message(), failures,
                    "copying events from the broker failed; it is tried again"
                );
            }
            sleep(AGAIN).await;
        }
    }

    /// Copies until the connection fails, or another process copies.
    async fn copy(&self) -> Result<(), StepError> {
        let Subscriber { identity, was, event, pattern, service, from_start, .. } = *self.subscriber;
        let mut selection = Selection::new(identity, event, pattern);
        selection.service = (!service.is_empty()).then(|| Text::new_static(service));
        selection.was = was.iter().map(|was| Text::new_static(was)).collect();
        selection.from_start = from_start;
        let mut reading: Box<dyn EventReading> = self.source.open(selection).await?;
        loop {
            let events = reading.next().await?.into_iter().map(received).collect();
            if !self.subscriptions.receive(self.reader.clone(), events).await? {
                return Ok(());
            }
            if let Some(failures) = self.outage.succeeded() {
                tracing::info!(target: "graceful::subscriber", subscriber = identity, failures, "copying events works again");
            }
            self.received.send_modify(|batches| *batches += 1);
            reading.acknowledge().await?;
        }
    }
}

/// A message that is not an event is stored, too: it is parked when its turn comes.
fn received(body: Vec<u8>) -> NewEvent {
    match serde_json::from_slice::<ReceivedEvent>(&body) {
        Ok(event) => NewEvent::new(entity_hash(&event), event.source, event.id, body),
        Err(_) => {
            let hash = Sha256::of(&body);
            NewEvent::new(i64::from_be_bytes(hash.prefix()), "", text!("{hash}"), body)
        }
    }
}
