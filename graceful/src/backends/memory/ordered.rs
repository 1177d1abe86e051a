//! A table of open alerts or jobs by incident, ordered by time.

use std::{
    collections::{
        BTreeSet, HashMap,
        hash_map::{Entry, OccupiedEntry},
    },
    ops::ControlFlow,
};

use jiff::Timestamp;
use quick_cache::DefaultHashBuilder;

use crate::{
    backends::{IncidentCursor, IncidentFilter, Page, STORM_LIMIT},
    code::Code,
    flow::Incident,
};

type Map<V> = HashMap<Incident, V, DefaultHashBuilder>;

/// At most one value per incident, in order; of two with the same time, the lower incident is first. When it is full, the
/// first makes room. In a storm there is one value more, the summary: that of [`Incident::storm`].
///
/// Found by incident, since every success asks whether its incident is in it; the order is an index beside it.
pub(super) struct Ordered<V> {
    values: Map<Slot<V>>,
    order: BTreeSet<(Timestamp, Incident)>,
    /// The number of single values of each storm, at least one.
    storms: Map<usize>,
    capacity: usize,
    dropped: u64,
}

struct Slot<V> {
    at: Timestamp,
    /// The code with which it was opened: that of its storm.
    code: Code,
    value: V,
}

impl<V> Ordered<V> {
    pub fn new(capacity: usize) -> Self {
        let (values, storms) = (Map::default(), Map::default());
        Self { values, order: BTreeSet::new(), storms, capacity: capacity.max(1), dropped: 0 }
    }

    pub fn contains(&self, incident: &Incident) -> bool {
        self.values.contains_key(incident)
    }

    pub fn get(&self, incident: &Incident) -> Option<&V> {
        self.values.get(incident).map(|slot| &slot.value)
    }

    /// Puts what `change` makes of the incident's value, and of its time, in their place. Beyond the limit of its storm it opens
    /// no value for the incident, but changes that of the summary, which `change` gets as the incident.
    pub fn put(
        &mut self,
        incident: Incident,
        code: Code,
        change: impl FnOnce(&Incident, Option<&V>) -> (Timestamp, V),
    ) {
        if self.order.len() >= self.capacity && self.needs_place(&incident, code) {
            self.evict_first();
        }
        let mut place = match self.values.entry(incident) {
            Entry::Occupied(open) => {
                return replace(&mut self.order, open, |incident, value| change(incident, Some(value)));
            }
            Entry::Vacant(place) => place,
        };
        let storm = place.key().storm(code);
        match self.storms.get_mut(&storm) {
            Some(singles) if *singles >= STORM_LIMIT => {
                drop(place);
                place = match self.values.entry(storm) {
                    Entry::Occupied(summary) => {
                        return replace(&mut self.order, summary, |storm, value| change(storm, Some(value)));
                    }
                    Entry::Vacant(place) => place,
                };
            }
            Some(singles) => *singles += 1,
            None => {
                self.storms.insert(storm, 1);
            }
        }
        let (at, value) = change(place.key(), None);
        self.order.insert((at, place.key().clone()));
        place.insert(Slot { at, code, value });
    }

    /// Whether [`put`](Self::put) would open a value.
    fn needs_place(&self, incident: &Incident, code: Code) -> bool {
        let is_counted = || {
            let storm = incident.storm(code);
            self.contains(&storm) && self.storms.get(&storm).is_some_and(|singles| *singles >= STORM_LIMIT)
        };
        !self.contains(incident) && !is_counted()
    }

    /// Changes the value of an incident, and its time. Returns false if there is none.
    pub fn change(&mut self, incident: Incident, change: impl FnOnce(&V) -> (Timestamp, V)) -> bool {
        let Entry::Occupied(open) = self.values.entry(incident) else { return false };
        replace(&mut self.order, open, |_, value| change(value));
        true
    }

    /// Removes the value of an incident.
    pub fn remove(&mut self, incident: &Incident) -> Option<V> {
        let (value, _) = self.take(incident)?;
        Some(value)
    }

    /// Removes the value of an incident, and with the last single one of a storm the summary.
    pub fn close(&mut self, incident: &Incident) -> Option<(V, Option<V>)> {
        let (value, ended) = self.take(incident)?;
        Some((value, ended.and_then(|storm| self.remove(&storm))))
    }

    /// Removes the value of an incident. Returns the storm if it was the last single value of it.
    fn take(&mut self, incident: &Incident) -> Option<(V, Option<Incident>)> {
        let (incident, Slot { at, code, value }) = self.values.remove_entry(incident)?;
        let storm = (!incident.is_storm()).then(|| incident.storm(code));
        self.order.remove(&(at, incident));
        let ended = storm.filter(|storm| match self.storms.get_mut(storm) {
            Some(singles) if *singles > 1 => {
                *singles -= 1;
                false
            }
            _ => self.storms.remove(storm).is_some(),
        });
        Some((value, ended))
    }

    fn evict_first(&mut self) {
        let Some((_, first)) = self.order.first().cloned() else { return };
        let before = self.order.len();
        self.close(&first);
        self.dropped += u64::try_from(before - self.order.len()).unwrap_or(0);
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Incident, &V)> {
        self.order.iter().filter_map(|(_, incident)| Some((incident, &self.values.get(incident)?.value)))
    }

    /// A page of what a filter selects, behind a cursor, in the order of cursors.
    pub fn page<T>(
        &self,
        filter: &IncidentFilter,
        after: Option<&IncidentCursor>,
        limit: usize,
        read: impl Fn(&Incident, &V) -> T,
        opened_at: impl Fn(&V) -> Timestamp,
    ) -> Page<T, IncidentCursor> {
        let is_later = |at: i64, incident: &Incident| {
            after.is_none_or(|after| match at == after.micros() {
                true => *incident.to_string() > *after.incident(),
                false => at > after.micros(),
            })
        };
        let mut found: Vec<_> = self
            .iter()
            .filter(|(incident, _)| filter.selects(incident))
            .map(|(incident, value)| (opened_at(value).as_microsecond(), incident, value))
            .filter(|(at, incident, _)| is_later(*at, incident))
            .collect();
        // Names are made of the few that have the same time.
        found.sort_by(|(at, incident, _), (other_at, other, _)| {
            at.cmp(other_at).then_with(|| incident.to_string().cmp(&other.to_string()))
        });
        let Page { items, next } =
            Page::cut(found, limit, |(_, incident, value)| IncidentCursor::new(opened_at(value), incident));
        Page { items: items.into_iter().map(|(_, incident, value)| read(incident, value)).collect(), next }
    }

    /// In order, until `change` has had enough.
    pub fn change_each(&mut self, mut change: impl FnMut(&Incident, &mut V) -> ControlFlow<()>) {
        for (_, incident) in &self.order {
            if let Some(slot) = self.values.get_mut(incident)
                && change(incident, &mut slot.value).is_break()
            {
                return;
            }
        }
    }

    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// How many values were dropped for room.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// Puts what `change` makes of an open value, and of its time, in their place.
fn replace<V>(
    order: &mut BTreeSet<(Timestamp, Incident)>,
    mut open: OccupiedEntry<'_, Incident, Slot<V>>,
    change: impl FnOnce(&Incident, &V) -> (Timestamp, V),
) {
    let (at, value) = change(open.key(), &open.get().value);
    let before = std::mem::replace(&mut open.get_mut().at, at);
    open.get_mut().value = value;
    if at != before {
        order.remove(&(before, open.key().clone()));
        order.insert((at, open.key().clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing::at, *};
    use crate::key::Key;

    impl<V> Ordered<V> {
        fn add(&mut self, incident: Incident, at: Timestamp, value: V) {
            self.put(incident, Code::Internal, |_, before| {
                assert!(before.is_none(), "the incident has none");
                (at, value)
            });
        }
    }

    #[test]
    fn value_that_changes_its_time_changes_its_place() {
        let key = |id: &str| Incident::new(Key::new("users", None, "user", id), "");
        let mut ordered = Ordered::new(2);
        ordered.add(key("a"), at(1), 1);
        ordered.add(key("b"), at(2), 10);
        // It is full, and nothing has to make room for what is in it.
        ordered.put(key("b"), Code::Internal, |_, before| (at(0), before.unwrap() + 1));
        ordered.put(key("a"), Code::DataLoss, |_, before| (at(1), before.unwrap() + 1));
        assert_eq!(ordered.iter().map(|(_, value)| *value).collect::<Vec<_>>(), [11, 2]);
        assert_eq!((ordered.len(), ordered.dropped()), (2, 0));
    }

    #[test]
    fn first_value_is_evicted_and_can_be_inserted_again() {
        let key = |id: &str| Incident::new(Key::new("users", None, "user", id), "");
        let mut ordered = Ordered::new(2);
        ordered.add(key("a"), at(2), 'a');
        ordered.add(key("b"), at(1), 'b');
        ordered.add(key("c"), at(1), 'c');
        assert_eq!(ordered.iter().map(|(_, value)| value).collect::<String>(), "ca");
        assert_eq!((ordered.dropped(), ordered.contains(&key("b"))), (1, false));

        assert_eq!((ordered.remove(&key("b")), ordered.remove(&key("a"))), (None, Some('a')));
        ordered.add(key("b"), at(1), 'b');
        assert_eq!(ordered.iter().map(|(_, value)| value).collect::<String>(), "bc");
        assert_eq!((ordered.len(), ordered.values.len(), ordered.dropped()), (2, 2, 1));
    }

    #[test]
    fn evicted_last_single_value_of_a_storm_takes_the_summary_with_it() {
        let key = |id: usize| Incident::new(Key::new("users", None, "user", id.to_string()), "");
        let other = |id: usize| Incident::new(Key::new("users", None, "team", id.to_string()), "");
        let mut ordered = Ordered::new(STORM_LIMIT + 1);
        for id in 0..STORM_LIMIT + 5 {
            ordered.put(key(id), Code::Internal, |_, before| (at(1), before.map_or(1, |count| count + 1)));
        }
        let summary = key(0).storm(Code::Internal);
        assert_eq!((ordered.len(), ordered.get(&summary), ordered.dropped()), (STORM_LIMIT + 1, Some(&5), 0));
        for id in 0..STORM_LIMIT - 1 {
            ordered.add(other(id), at(2), 1);
        }
        assert!(ordered.contains(&summary));
        ordered.add(other(STORM_LIMIT - 1), at(2), 1);
        assert_eq!((ordered.get(&summary), ordered.dropped()), (None, STORM_LIMIT as u64 + 1));
        assert_eq!(ordered.storms.len(), 1, "that of the others");
    }
}
