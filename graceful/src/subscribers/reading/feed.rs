//! Where a subscriber reads its events: the event log, or what was received from a broker.

use std::{future::pending, sync::Arc};

use tokio::sync::watch;

use super::super::registered::Subscriber;
use crate::{
    backends::{EventLog, LogPage, LogQuery, Subscriptions},
    step::StepError,
    text::Text,
};

#[derive(Clone, Debug)]
pub(crate) enum Feed {
    Log(Arc<dyn EventLog>),
    /// What was received from a broker, and the count of batches that this process has stored.
    Received(Arc<dyn Subscriptions>, watch::Receiver<u64>),
}

impl Feed {
    pub(super) async fn read(
        &self,
        subscriber: &Subscriber,
        after: u64,
        partitions: u32,
        limit: usize,
    ) -> Result<LogPage, StepError> {
        match self {
            Self::Log(log) => {
                let named = |name: &'static str| (!name.is_empty()).then(|| Text::new_static(name));
                let mut query = LogQuery::new(after, limit);
                query.partitions = partitions;
                query.event = named(subscriber.event);
                query.pattern = named(subscriber.pattern);
                query.service = named(subscriber.service);
                log.read(query).await
            }
            Self::Received(subscriptions, _) => {
                let subscriber = Text::new_static(subscriber.identity);
                subscriptions.received(subscriber, after, partitions, limit).await
            }
        }
    }

    /// Whether events come from a broker, and are copied.
    pub(super) const fn is_copied(&self) -> bool {
        matches!(self, Self::Received(..))
    }

    /// Waits until there may be something after this position.
    pub(super) async fn changed(&mut self, after: u64) {
        let changed = async {
            match self {
                Self::Log(log) => log.appended(after).await.is_ok(),
                Self::Received(_, batches) => batches.changed().await.is_ok(),
            }
        };
        if !changed.await {
            pending::<()>().await;
        }
    }
}
