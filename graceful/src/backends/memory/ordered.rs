//! What is open: values by entity, in the order of a time.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use quick_cache::DefaultHashBuilder;

use crate::Key;

/// At most one value per entity, in order; of two with the same time, the lower entity is first. When it is full, the
/// first makes room.
///
/// Two indexes: by entity, since every success asks whether its entity is in it, and by time.
pub(super) struct Ordered<V> {
    times: HashMap<Key, Timestamp, DefaultHashBuilder>,
    values: BTreeMap<(Timestamp, Key), V>,
    capacity: usize,
    dropped: u64,
}

impl<V> Ordered<V> {
    pub fn new(capacity: usize) -> Self {
        let times = HashMap::with_hasher(DefaultHashBuilder::default());
        Self { times, values: BTreeMap::new(), capacity: capacity.max(1), dropped: 0 }
    }

    pub fn contains(&self, entity: &Key) -> bool {
        self.times.contains_key(entity)
    }

    pub fn get(&self, entity: &Key) -> Option<&V> {
        let (entity, at) = self.times.get_key_value(entity)?;
        self.values.get(&(*at, entity.clone()))
    }

    /// Adds a value; the entity must have none.
    pub fn insert(&mut self, entity: Key, at: Timestamp, value: V) {
        debug_assert!(!self.contains(&entity), "at most one value per entity");
        if self.values.len() >= self.capacity
            && let Some(((_, first), _)) = self.values.pop_first()
        {
            self.times.remove(&first);
            self.dropped += 1;
        }
        self.times.insert(entity.clone(), at);
        self.values.insert((at, entity), value);
    }

    pub fn remove(&mut self, entity: &Key) -> Option<V> {
        let (entity, at) = self.times.remove_entry(entity)?;
        self.values.remove(&(at, entity))
    }

    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.values.values()
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.values.values_mut()
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// How many values were dropped for room.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing::at, *};

    #[test]
    fn the_first_makes_room_and_can_come_again() {
        let key = |id: &str| Key::new("users", None, "user", id);
        let mut ordered = Ordered::new(2);
        ordered.insert(key("a"), at(2), 'a');
        ordered.insert(key("b"), at(1), 'b');
        ordered.insert(key("c"), at(1), 'c');
        assert_eq!(ordered.values().collect::<String>(), "ca");
        assert_eq!((ordered.dropped(), ordered.contains(&key("b"))), (1, false));

        assert_eq!((ordered.remove(&key("b")), ordered.remove(&key("a"))), (None, Some('a')));
        ordered.insert(key("b"), at(1), 'b');
        assert_eq!(ordered.values().collect::<String>(), "bc");
        assert_eq!((ordered.len(), ordered.times.len(), ordered.dropped()), (2, 2, 1));
    }
}
