//! The retained flows.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};

use graceful::{Key, backends::Activity};
use jiff::Timestamp;
use uuid::Uuid;

use crate::Retention;

type When = (Timestamp, Uuid);

/// The retained flows, by time and by entity.
#[derive(Debug)]
pub struct Retained {
    retention: Retention,
    capacity: usize,
    by_time: BTreeMap<When, Arc<Activity>>,
    by_entity: HashMap<Key, BTreeSet<When>>,
    /// How many flows are about an entity, or say something of it.
    mentions: HashMap<Key, usize>,
}

/// What one flow more came to.
#[derive(Debug, Default)]
pub struct Change {
    /// It was not there before.
    pub is_new: bool,
    /// It is there now, and not displaced at once.
    pub is_kept: bool,
    pub forgotten: Vec<Arc<Activity>>,
}

impl Retained {
    pub fn new(capacity: usize, retention: Retention) -> Self {
        Self {
            retention,
            capacity: capacity.max(1),
            by_time: BTreeMap::new(),
            by_entity: HashMap::new(),
            mentions: HashMap::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.by_time.len()
    }

    pub fn add(&mut self, activity: &Arc<Activity>, now: Timestamp) -> Change {
        let when = (activity.at, activity.flow);
        if self.by_time.contains_key(&when) {
            return Change { is_kept: true, ..Change::default() };
        }
        self.by_time.insert(when, Arc::clone(activity));
        for entity in mentioned(activity) {
            *self.mentions.entry(entity.clone()).or_default() += 1;
        }
        let of_entity = self.by_entity.entry(activity.entity.clone()).or_default();
        of_entity.insert(when);
        let displaced =
            of_entity.first().copied().filter(|_| of_entity.len() > self.retention.max_flows_per_entity());

        let mut forgotten: Vec<_> = displaced.into_iter().filter_map(|oldest| self.forget(oldest)).collect();
        let since = self.retention.since(now);
        while let Some((&oldest, _)) = self.by_time.first_key_value()
            && (self.by_time.len() > self.capacity || oldest.0 < since)
        {
            forgotten.extend(self.forget(oldest));
        }
        let is_kept = self.by_time.contains_key(&when);
        forgotten.retain(|forgotten| forgotten.flow != activity.flow);
        Change { is_new: true, is_kept, forgotten }
    }

    fn forget(&mut self, when: When) -> Option<Arc<Activity>> {
        let activity = self.by_time.remove(&when)?;
        if let Some(of_entity) = self.by_entity.get_mut(&activity.entity) {
            of_entity.remove(&when);
            if of_entity.is_empty() {
                self.by_entity.remove(&activity.entity);
            }
        }
        for entity in mentioned(&activity) {
            if let Some(count) = self.mentions.get_mut(entity) {
                *count -= 1;
                if *count == 0 {
                    self.mentions.remove(entity);
                }
            }
        }
        Some(activity)
    }

    /// Whether a flow that is kept is about an entity, or says something of it.
    pub fn mentions(&self, entity: &Key) -> bool {
        self.mentions.contains_key(entity)
    }

    /// Whether a flow that is kept relates the same entities in the same way.
    pub fn says(&self, activity: &Activity) -> bool {
        let same = |other: &Activity| (&other.relation, &other.to) == (&activity.relation, &activity.to);
        let of_entity = self.by_entity.get(&activity.entity).into_iter().flatten();
        of_entity.filter_map(|when| self.by_time.get(when)).any(|other| same(other))
    }

    /// The flows before one, newest first; all of them before none.
    pub fn before(&self, when: Option<When>) -> impl Iterator<Item = &Arc<Activity>> {
        let end = when.map_or(Unbounded, Excluded);
        self.by_time.range((Unbounded, end)).rev().map(|(_, activity)| activity)
    }
}

fn mentioned(activity: &Activity) -> impl Iterator<Item = &Key> {
    std::iter::once(&activity.entity).chain(&activity.to)
}
