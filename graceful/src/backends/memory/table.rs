//! A bounded table: key → small state that is changed in place.

use std::{
    collections::VecDeque,
    fmt,
    hash::{BuildHasher, Hash},
    sync::{Mutex, MutexGuard},
};

use hashbrown::HashTable;
use quick_cache::DefaultHashBuilder;

use super::{Bytes, unpoisoned};

/// A power of two: enough that tasks on different entities seldom meet.
const SHARDS: usize = 16;

/// Below this, one shard: a bound so small should be exact.
const SHARDED_FROM: usize = 64 * SHARDS;

/// What is in it is dropped in about the order of its last use: each key moves through a queue, and one that was used
/// since it entered goes round once more (second chance). Not `quick_cache`: that one drops newcomers before old favourites,
/// which is right for values that can be made again and wrong for counters that cannot.
pub(super) struct Table<K, V> {
    shards: Box<[Mutex<Shard<K, V>>]>,
    hasher: DefaultHashBuilder,
    shard_capacity: usize,
    shard_bytes: usize,
}

/// A key is in `queue` exactly once for as long as it is in `slots`: nothing but [`make_room`](Self::make_room) removes.
/// Hashes are kept and passed on, since a key of four names is long to hash.
struct Shard<K, V> {
    slots: HashTable<Slot<K, V>>,
    queue: VecDeque<(u64, K)>,
    /// Of all slots.
    bytes: usize,
    dropped: u64,
}

struct Slot<K, V> {
    hash: u64,
    key: K,
    value: V,
    /// Of key and value.
    bytes: usize,
    used: bool,
}

impl<K: Hash + Eq + Clone + Bytes, V: Default + Bytes> Table<K, V> {
    /// Of at most so many keys, which come to at most so many bytes with their values.
    pub fn new(capacity: usize, bytes: usize) -> Self {
        let shards = if capacity < SHARDED_FROM { 1 } else { SHARDS };
        let shard =
            || Mutex::new(Shard { slots: HashTable::new(), queue: VecDeque::new(), bytes: 0, dropped: 0 });
        Self {
            shards: (0..shards).map(|_| shard()).collect(),
            hasher: DefaultHashBuilder::default(),
            shard_capacity: capacity.div_ceil(shards).max(1),
            shard_bytes: bytes.div_ceil(shards),
        }
    }

    /// Changes the value of a key, after making a default one where there is none. Atomic per key.
    pub fn upsert<R>(&self, key: K, change: impl FnOnce(&mut V) -> R) -> R {
        let mut dropped_after_unlocking = Vec::new();
        let hash = self.hasher.hash_one(&key);
        let mut guard = self.shard(hash);
        let shard = &mut *guard;
        let (result, before, after) = if let Some(slot) = shard.slots.find_mut(hash, |slot| slot.key == key) {
            slot.used = true;
            let result = change(&mut slot.value);
            let bytes = slot.key.bytes() + slot.value.bytes();
            (result, std::mem::replace(&mut slot.bytes, bytes), bytes)
        } else {
            if shard.slots.len() >= self.shard_capacity {
                dropped_after_unlocking.extend(shard.make_room());
            }
            let mut value = V::default();
            let result = change(&mut value);
            let bytes = key.bytes() + value.bytes();
            shard.queue.push_back((hash, key.clone()));
            let slot = Slot { hash, key, value, bytes, used: false };
            shard.slots.insert_unique(hash, slot, |slot| slot.hash);
            (result, 0, bytes)
        };
        shard.bytes = shard.bytes + after - before;
        while shard.bytes > self.shard_bytes {
            let Some(dropped) = shard.make_room() else { break };
            dropped_after_unlocking.push(dropped);
        }
        drop(guard);
        result
    }

    /// Reads the value of a key, if there is one, or changes what does not count among its bytes.
    pub fn with<R>(&self, key: &K, change: impl FnOnce(&mut V) -> R) -> Option<R> {
        let hash = self.hasher.hash_one(key);
        let mut shard = self.shard(hash);
        let slot = shard.slots.find_mut(hash, |slot| slot.key == *key)?;
        slot.used = true;
        Some(change(&mut slot.value))
    }

    fn shard(&self, hash: u64) -> MutexGuard<'_, Shard<K, V>> {
        // The upper half: the table inside the shard finds its buckets by the lower bits.
        let upper = usize::try_from(hash >> 32).unwrap_or_default();
        unpoisoned(self.shards[upper % self.shards.len()].lock())
    }
}

impl<K, V> Table<K, V> {
    /// Reads all, a shard at a time.
    pub fn for_each(&self, mut read: impl FnMut(&K, &V)) {
        for shard in &self.shards {
            unpoisoned(shard.lock()).slots.iter().for_each(|slot| read(&slot.key, &slot.value));
        }
    }

    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| unpoisoned(shard.lock()).slots.len()).sum()
    }

    /// What all keys and values come to.
    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| unpoisoned(shard.lock()).bytes).sum()
    }

    /// How many keys were dropped for room.
    pub fn dropped(&self) -> u64 {
        self.shards.iter().map(|shard| unpoisoned(shard.lock()).dropped).sum()
    }
}

impl<K: Eq, V> Shard<K, V> {
    fn make_room(&mut self) -> Option<Slot<K, V>> {
        loop {
            let (hash, key) = self.queue.pop_front()?;
            let mut slot = self.slots.find_entry(hash, |slot| slot.key == key).ok()?;
            if !std::mem::take(&mut slot.get_mut().used) {
                let slot = slot.remove().0;
                self.dropped += 1;
                self.bytes -= slot.bytes;
                return Some(slot);
            }
            self.queue.push_back((hash, key));
        }
    }
}

// Shows only the size, because the contents may be long or confidential.
impl<K, V> fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let capacity = self.shard_capacity * self.shards.len();
        f.debug_struct("Table").field("len", &self.len()).field("capacity", &capacity).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(table: &Table<u32, u32>) -> Vec<u32> {
        let mut keys = Vec::new();
        table.for_each(|key, _| keys.push(*key));
        keys.sort_unstable();
        keys
    }

    #[test]
    fn least_recently_used_entry_is_evicted_first() {
        let table = Table::new(3, usize::MAX);
        for key in [1, 2, 3] {
            table.upsert(key, |value| *value = key);
        }
        assert_eq!(table.with(&1, |value| *value), Some(1));
        table.upsert(4, |_| ());
        table.upsert(5, |_| ());
        assert_eq!(keys(&table), [1, 4, 5]);
        assert_eq!(table.dropped(), 2);
    }

    #[test]
    fn full_table_whose_keys_are_all_in_use_evicts_one() {
        let table = Table::new(2, usize::MAX);
        for key in [1, 2, 1, 2, 3] {
            table.upsert(key, |value| *value += 1);
        }
        assert_eq!(keys(&table), [2, 3]);
    }

    #[test]
    fn table_holds_no_more_than_its_capacity() {
        for capacity in [0, 1, 7, 5000] {
            let table = Table::new(capacity, usize::MAX);
            for key in 0..20_000 {
                table.upsert(key, |value| *value = key);
                table.with(&(key / 2), |_| ());
            }
            let bound = capacity.max(1).next_multiple_of(if capacity < SHARDED_FROM { 1 } else { SHARDS });
            assert!(table.len() <= bound, "{} of {capacity}", table.len());
            assert!(table.len() * 10 >= bound * 9, "{} of {capacity}: not all of it is used", table.len());
            assert_eq!(table.dropped() + table.len() as u64, 20_000);
        }
    }

    impl Bytes for u32 {
        fn bytes(&self) -> usize {
            *self as usize
        }
    }

    #[test]
    fn table_over_its_bytes_drops_what_was_not_used() {
        let table = Table::new(100, 40);
        for key in [10, 9, 8] {
            table.upsert(key, |value| *value = 1);
        }
        assert_eq!((keys(&table), table.bytes()), (vec![8, 9, 10], 30));
        table.with(&10, |_| ());
        table.upsert(8, |value| *value = 12);
        assert_eq!((keys(&table), table.bytes(), table.dropped()), (vec![8, 10], 31, 1));
        table.upsert(41, |_| ());
        assert_eq!((keys(&table), table.bytes()), (vec![8], 20), "what is larger than the table is not kept");
    }

    #[test]
    fn keys_are_spread_over_the_shards() {
        let table = Table::<u32, u32>::new(SHARDED_FROM, usize::MAX);
        (0..512).for_each(|key| table.upsert(key, |_| ()));
        assert!(table.shards.iter().all(|shard| !shard.lock().unwrap().slots.is_empty()));
    }

    #[test]
    fn concurrent_changes_of_one_key_are_all_kept() {
        let table = Table::<u32, u32>::new(10, usize::MAX);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|_| table.upsert(7, |value| *value += 1)));
            }
        });
        assert_eq!(table.with(&7, |value| *value), Some(4000));
    }

    #[test]
    fn panic_in_a_change_does_not_lock_the_table() {
        let table = Table::<u32, u32>::new(10, usize::MAX);
        let change = || table.upsert(7, |_| panic!("inside"));
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(change)).unwrap_err();
        assert_eq!(table.upsert(7, |value| *value), 0);
    }
}
