//! A table of open alerts or jobs by incident, ordered by time.

use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry},
    ops::ControlFlow,
};

use jiff::Timestamp;
use quick_cache::DefaultHashBuilder;

use crate::flow::Incident;

/// At most one value per incident, in order; of two with the same time, the lower incident is first. When it is full, the
/// first makes room.
///
/// Found by incident, since every success asks whether its incident is in it; the order is an index beside it.
pub(super) struct Ordered<V> {
    values: HashMap<Incident, (Timestamp, V), DefaultHashBuilder>,
    order: BTreeSet<(Timestamp, Incident)>,
    capacity: usize,
    dropped: u64,
}

impl<V> Ordered<V> {
    pub fn new(capacity: usize) -> Self {
        let values = HashMap::with_hasher(DefaultHashBuilder::default());
        Self { values, order: BTreeSet::new(), capacity: capacity.max(1), dropped: 0 }
    }

    pub fn contains(&self, incident: &Incident) -> bool {
        self.values.contains_key(incident)
    }

    pub fn get(&self, incident: &Incident) -> Option<&V> {
        self.values.get(incident).map(|(_, value)| value)
    }

    /// Puts what `change` makes of the incident's value, and of its time, in their place.
    pub fn put(&mut self, incident: Incident, change: impl FnOnce(Option<&V>) -> (Timestamp, V)) {
        if self.order.len() >= self.capacity
            && !self.contains(&incident)
            && let Some((_, first)) = self.order.pop_first()
        {
            self.values.remove(&first);
            self.dropped += 1;
        }
        match self.values.entry(incident) {
            Entry::Vacant(place) => {
                let (at, value) = change(None);
                self.order.insert((at, place.key().clone()));
                place.insert((at, value));
            }
            Entry::Occupied(mut held) => {
                let before = held.get().0;
                let (at, value) = change(Some(&held.get().1));
                if at != before {
                    self.order.remove(&(before, held.key().clone()));
                    self.order.insert((at, held.key().clone()));
                }
                held.insert((at, value));
            }
        }
    }

    pub fn remove(&mut self, incident: &Incident) -> Option<V> {
        let (incident, (at, value)) = self.values.remove_entry(incident)?;
        self.order.remove(&(at, incident));
        Some(value)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Incident, &V)> {
        self.order.iter().filter_map(|(_, incident)| Some((incident, &self.values.get(incident)?.1)))
    }

    /// In order, until `change` has had enough.
    pub fn change_each(&mut self, mut change: impl FnMut(&Incident, &mut V) -> ControlFlow<()>) {
        for (_, incident) in &self.order {
            if let Some((_, value)) = self.values.get_mut(incident)
                && change(incident, value).is_break()
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

#[cfg(test)]
mod tests {
    use super::{super::testing::at, *};
    use crate::key::Key;

    impl<V> Ordered<V> {
        fn add(&mut self, incident: Incident, at: Timestamp, value: V) {
            self.put(incident, |before| {
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
        ordered.put(key("b"), |before| (at(0), before.unwrap() + 1));
        ordered.put(key("a"), |before| (at(1), before.unwrap() + 1));
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
}
