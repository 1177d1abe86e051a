//! What is open: values by entity, in the order of a time.

use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry},
    ops::ControlFlow,
};

use jiff::Timestamp;
use quick_cache::DefaultHashBuilder;

use crate::Key;

/// At most one value per entity, in order; of two with the same time, the lower entity is first. When it is full, the
/// first makes room.
///
/// Found by entity, since every success asks whether its entity is in it; the order is an index beside it.
pub(super) struct Ordered<V> {
    values: HashMap<Key, (Timestamp, V), DefaultHashBuilder>,
    order: BTreeSet<(Timestamp, Key)>,
    capacity: usize,
    dropped: u64,
}

impl<V> Ordered<V> {
    pub fn new(capacity: usize) -> Self {
        let values = HashMap::with_hasher(DefaultHashBuilder::default());
        Self { values, order: BTreeSet::new(), capacity: capacity.max(1), dropped: 0 }
    }

    pub fn contains(&self, entity: &Key) -> bool {
        self.values.contains_key(entity)
    }

    pub fn get(&self, entity: &Key) -> Option<&V> {
        self.values.get(entity).map(|(_, value)| value)
    }

    /// Puts what `change` makes of the entity's value, and of its time, in their place.
    pub fn put(&mut self, entity: Key, change: impl FnOnce(Option<&V>) -> (Timestamp, V)) {
        if self.order.len() >= self.capacity
            && !self.contains(&entity)
            && let Some((_, first)) = self.order.pop_first()
        {
            self.values.remove(&first);
            self.dropped += 1;
        }
        match self.values.entry(entity) {
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

    pub fn remove(&mut self, entity: &Key) -> Option<V> {
        let (entity, (at, value)) = self.values.remove_entry(entity)?;
        self.order.remove(&(at, entity));
        Some(value)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Key, &V)> {
        self.order.iter().filter_map(|(_, entity)| Some((entity, &self.values.get(entity)?.1)))
    }

    /// In order, until `change` has had enough.
    pub fn change_each(&mut self, mut change: impl FnMut(&Key, &mut V) -> ControlFlow<()>) {
        for (_, entity) in &self.order {
            if let Some((_, value)) = self.values.get_mut(entity)
                && change(entity, value).is_break()
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

    impl<V> Ordered<V> {
        fn add(&mut self, entity: Key, at: Timestamp, value: V) {
            self.put(entity, |before| {
                assert!(before.is_none(), "the entity has none");
                (at, value)
            });
        }
    }

    #[test]
    fn a_value_that_changes_its_time_changes_its_place() {
        let key = |id: &str| Key::new("users", None, "user", id);
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
    fn the_first_makes_room_and_can_come_again() {
        let key = |id: &str| Key::new("users", None, "user", id);
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
