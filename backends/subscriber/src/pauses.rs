//! Pauses of a subscriber by operators.

use std::{future::pending, sync::Arc, time::Duration};

use graceful::backends::{FlowStore, PauseTarget, client::Outage};
use tokio::{sync::watch, task::JoinSet, time::sleep};

/// How often the store is asked.
const EVERY: Duration = Duration::from_millis(500);

/// Whether a subscriber is paused.
pub(crate) struct Pauses {
    /// `None` until the store has answered once.
    is_paused: Option<watch::Receiver<Option<bool>>>,
    /// The task that asks, which ends with this value.
    _asking: JoinSet<()>,
}

impl Pauses {
    pub(crate) fn of(store: Option<&Arc<dyn FlowStore>>, subscriber: &str) -> Self {
        let mut asking = JoinSet::new();
        let is_paused = store.filter(|store| store.operations().is_some()).map(|store| {
            let (answers, is_paused) = watch::channel(None);
            asking.spawn(ask(Arc::clone(store), subscriber.to_owned(), answers));
            is_paused
        });
        Self { is_paused, _asking: asking }
    }

    /// Waits until the subscriber is paused.
    pub(crate) async fn begun(&self) {
        match self.is_paused.clone() {
            // The sender lives as long as this value.
            Some(mut is_paused) => drop(is_paused.wait_for(|is_paused| *is_paused == Some(true)).await),
            None => pending().await,
        }
    }

    /// Waits until the subscriber is not paused.
    pub(crate) async fn ended(&self) {
        if let Some(mut is_paused) = self.is_paused.clone() {
            // The sender lives as long as this value.
            drop(is_paused.wait_for(|is_paused| *is_paused == Some(false)).await);
        }
    }
}

async fn ask(store: Arc<dyn FlowStore>, subscriber: String, answers: watch::Sender<Option<bool>>) {
    let (outage, target) = (Outage::new(), PauseTarget::Subscriber(subscriber));
    loop {
        let Some(operations) = store.operations() else { return };
        match operations.pauses().await {
            Ok(pauses) => {
                if let Some(failures) = outage.succeeded() {
                    tracing::info!(target: "graceful::subscriber", subscriber = %target, failures, "asking for pauses works again");
                }
                let is_paused = Some(pauses.iter().any(|pause| pause.target == target));
                if answers.send_replace(is_paused) != is_paused {
                    let now = if is_paused == Some(true) { "paused" } else { "running" };
                    tracing::info!(target: "graceful::subscriber", subscriber = %target, now, "an operator has paused or resumed the subscriber");
                }
            }
            Err(error) => {
                if let Some(failures) = outage.failed() {
                    tracing::warn!(
                        target: "graceful::subscriber",
                        subscriber = %target, error = error.message(), failures, "asking for pauses failed"
                    );
                }
            }
        }
        sleep(EVERY).await;
    }
}
