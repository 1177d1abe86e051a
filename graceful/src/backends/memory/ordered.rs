//! What is open: values by entity, in the order of a time.

use std::{
    collections::{BTreeSet, HashMap},
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

    /// Adds a value; the entity must have none.
    pub fn insert(&mut self, entity: Key, at: Timestamp, value: V) {
        debug_assert!(!self.contains(&entity), "at most one value per entity");
        if self.order.len() >= self.capacity
            && let Some((_, first)) = self.order.pop_first()
        {
            self.values.remove(&first);
            self.dropped += 1;
        }
        self.order.insert((at, entity.clone()));
        self.values.insert(entity, (at, value));
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

    #[test]
    fn the_first_makes_room_and_can_come_again() {
        let key = |id: &str| Key::new("users", None, "user", id);
        let mut ordered = Ordered::new(2);
        ordered.insert(key("a"), at(2), 'a');
        ordered.insert(key("b"), at(1), 'b');
        ordered.insert(key("c"), at(1), 'c');
        assert_eq!(ordered.iter().map(|(_, value)| value).collect::<String>(), "ca");
        assert_eq!((ordered.dropped(), ordered.contains(&key("b"))), (1, false));

        assert_eq!((ordered.remove(&key("b")), ordered.remove(&key("a"))), (None, Some('a')));
        ordered.insert(key("b"), at(1), 'b');
        assert_eq!(ordered.iter().map(|(_, value)| value).collect::<String>(), "bc");
        assert_eq!((ordered.len(), ordered.values.len(), ordered.dropped()), (2, 2, 1));
    }
}
