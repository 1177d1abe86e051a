//! The in-memory state of subscribers, for tests and for a service of one process.

mod subscriber;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use self::subscriber::{Subscriber, bit, partition_of};
use super::unpoisoned;
use crate::{
    backends::{
        self, Join, Joined, LogPage, NewEvent, NewSubscriber, PARTITIONS, ParkedEvent, Progress, ReaderId,
        Reply, Resubmitted, SubscriberState,
    },
    text::Text,
};

/// The in-memory state of subscribers. It is lost when the process ends, and has no transactions.
///
/// ```
/// use graceful::backends::{NewSubscriber, Subscriptions as _, memory};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let subscriptions = memory::Subscriptions::new();
/// subscriptions.register(NewSubscriber::new("shop::on_order", 0)).await?;
/// assert_eq!(subscriptions.subscribers().await?[0].subscriber, "shop::on_order");
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Default)]
pub struct Subscriptions(Arc<Mutex<BTreeMap<Text, Subscriber>>>);

impl Subscriptions {
    /// Creates a state without subscribers.
    pub fn new() -> Self {
        Self::default()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Text, Subscriber>> {
        unpoisoned(self.0.lock())
    }

    /// Runs on a registered subscriber; otherwise returns the default.
    fn with<R: Default>(&self, subscriber: &Text, run: impl FnOnce(&mut Subscriber) -> R) -> Reply<R> {
        Reply::ready(self.all().get_mut(subscriber).map(run).unwrap_or_default())
    }
}

impl backends::Subscriptions for Subscriptions {
    fn register(&self, new: NewSubscriber) -> Reply<bool> {
        let NewSubscriber { subscriber, was, start, source, reads_log } = new;
        let mut all = self.all();
        let known = std::iter::once(&subscriber).chain(&was).find(|known| all.contains_key(*known)).cloned();
        if known.as_ref().and_then(|known| all.get(known)).is_some_and(|known| known.reads_log != reads_log) {
            return Reply::failed(NewSubscriber::reads_elsewhere());
        }
        let registered = known.as_ref().and_then(|known| all.remove(known));
        let is_new = registered.is_none();
        let registered = registered.unwrap_or_else(|| Subscriber::new(reads_log, start));
        all.insert(subscriber, Subscriber { source, ..registered });
        Reply::ready(is_new)
    }

    fn join(&self, reader: ReaderId, join: Join) -> Reply<Joined> {
        self.with(&reader.subscriber, |subscriber| subscriber.join(reader.process, join))
    }

    fn advance(&self, reader: ReaderId, progress: Vec<Progress>, handled: Vec<(i64, u64)>) -> Reply<u32> {
        self.with(&reader.subscriber, |subscriber| subscriber.advance(reader.process, progress, handled))
    }

    fn release(&self, reader: ReaderId, partitions: u32) -> Reply<()> {
        self.with(&reader.subscriber, |subscriber| {
            for at in (0..PARTITIONS).filter(|at| partitions & bit(*at) != 0) {
                let partition = &mut subscriber.partitions[usize::from(at)];
                partition.holder = partition.holder.filter(|holder| *holder != reader.process);
            }
            if partitions == u32::MAX {
                subscriber.processes.remove(&reader.process);
                subscriber.copier = subscriber.copier.filter(|copier| *copier != reader.process);
            }
        })
    }

    fn attempted(&self, reader: ReaderId, entity: i64, position: u64) -> Reply<u32> {
        self.with(&reader.subscriber, |subscriber| {
            if !subscriber.holds(reader.process, entity) {
                return 0;
            }
            let (_, attempts) = subscriber.attempts.entry(position).or_insert((entity, 0));
            *attempts += 1;
            *attempts
        })
    }

    fn park(&self, reader: ReaderId, event: ParkedEvent) -> Reply<bool> {
        self.with(&reader.subscriber, |subscriber| subscriber.park(reader.process, event))
    }

    fn park_behind(&self, reader: ReaderId, event: ParkedEvent) -> Reply<bool> {
        self.with(&reader.subscriber, |subscriber| {
            subscriber.first_parked(event.entity).is_some() && subscriber.park(reader.process, event)
        })
    }

    fn released(&self, reader: ReaderId, partitions: u32, limit: usize) -> Reply<Vec<ParkedEvent>> {
        self.with(&reader.subscriber, |subscriber| {
            let released = subscriber
                .parked
                .values()
                .filter(|event| event.is_released && partitions & bit(partition_of(event.entity)) != 0);
            released.take(limit).cloned().collect()
        })
    }

    fn end_released(
        &self,
        reader: ReaderId,
        entity: i64,
        position: u64,
        failed: Option<(u32, Text)>,
    ) -> Reply<bool> {
        self.with(&reader.subscriber, |subscriber| {
            subscriber.end_released(reader.process, entity, position, failed)
        })
    }

    fn receive(&self, reader: ReaderId, events: Vec<NewEvent>) -> Reply<bool> {
        self.with(&reader.subscriber, |subscriber| subscriber.receive(reader.process, events))
    }

    fn received(&self, subscriber: Text, after: u64, partitions: u32, limit: usize) -> Reply<LogPage> {
        let all = self.all();
        let page = all.get(&subscriber).map(|subscriber| subscriber.received(after, partitions, limit));
        Reply::ready(page.unwrap_or(LogPage::new(Vec::new(), after)))
    }

    fn purge_received(&self, age: Duration) -> Reply<u64> {
        Reply::ready(self.all().values_mut().map(|subscriber| subscriber.purge(age)).sum())
    }

    fn subscribers(&self) -> Reply<Vec<SubscriberState>> {
        Reply::ready(self.all().iter().map(|(name, subscriber)| subscriber.shown(name)).collect())
    }

    fn parked(&self, subscriber: Text, after: u64, limit: usize) -> Reply<Vec<ParkedEvent>> {
        self.with(&subscriber, |subscriber| {
            subscriber.parked.range(after + 1..).take(limit).map(|(_, event)| event.clone()).collect()
        })
    }

    fn resubmit(&self, subscriber: Text, position: u64) -> Reply<Resubmitted> {
        let mut all = self.all();
        let Some(subscriber) = all.get_mut(&subscriber) else { return Reply::ready(Resubmitted::NotParked) };
        let Some(entity) = subscriber.parked.get(&position).map(|event| event.entity) else {
            return Reply::ready(Resubmitted::NotParked);
        };
        Reply::ready(match subscriber.first_parked(entity) {
            Some(first) if first < position => Resubmitted::WaitsBehind { first },
            _ => {
                subscriber.release_next(entity);
                Resubmitted::Released
            }
        })
    }

    fn discard(&self, subscriber: Text, position: u64) -> Reply<Option<ParkedEvent>> {
        self.with(&subscriber, |subscriber| {
            let entity = subscriber.parked.get(&position)?.entity;
            let was_first = subscriber.first_parked(entity) == Some(position);
            let discarded = subscriber.parked.remove(&position);
            if was_first {
                subscriber.release_next(entity);
            }
            discarded
        })
    }

    fn skip(&self, subscriber: Text, to: u64) -> Reply<()> {
        self.with(&subscriber, |subscriber| {
            for partition in &mut subscriber.partitions {
                partition.handled_to = partition.handled_to.max(to);
                partition.begun_to = partition.begun_to.max(to);
            }
        })
    }

    fn unregister(&self, subscriber: Text) -> Reply<bool> {
        let mut all = self.all();
        let Some(registered) = all.get_mut(&subscriber) else { return Reply::ready(false) };
        registered.expire();
        let is_free = registered.processes.is_empty();
        if is_free {
            all.remove(&subscriber);
        }
        Reply::ready(is_free)
    }
}

impl fmt::Debug for Subscriptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriptions").field("subscribers", &self.all().len()).finish_non_exhaustive()
    }
}
