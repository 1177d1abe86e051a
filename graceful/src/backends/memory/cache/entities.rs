//! The marks and holds of the entities that handlers read through the cache.
//!
//! They are not entries of the cache, which may evict what it stores: a hold must not be lost.

use std::{
    hash::RandomState,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hashbrown::HashMap;
use tokio::time::Instant;

use crate::{
    key::Key,
    marks::{Held, Incarnation, Lease, Mark, Seen, Write},
};

/// An entity and its current mark. The entries that depend on it point to it, so that a hit needs no search.
#[derive(Debug)]
pub(super) struct Entity {
    pub(super) key: Key,
    mark: AtomicU64,
}

impl Entity {
    pub(super) fn mark(&self) -> u64 {
        self.mark.load(Ordering::Acquire)
    }

    /// The bytes of an entity: it, its state, and its key in both.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of::<(Key, State)>() + 2 * self.key.heap_bytes()
    }
}

/// The current marks on which an entry depends.
pub(super) type Marks = Box<[(Arc<Entity>, u64)]>;

#[derive(Debug)]
struct State {
    entity: Arc<Entity>,
    changed_at: Instant,
    /// The writes in progress: the token of each, and when its hold expires.
    holds: Vec<(Mark, Instant)>,
    /// No sooner than then may it be forgotten.
    needed_until: Instant,
}

impl State {
    fn set(&mut self, mark: u64, now: Instant) {
        self.entity.mark.store(mark, Ordering::Release);
        self.changed_at = now;
    }

    fn prune(&mut self, now: Instant) {
        self.holds.retain(|(_, expires)| *expires > now);
    }

    fn is_held(&self, now: Instant) -> bool {
        self.holds.iter().any(|(_, expires)| *expires > now)
    }

    /// An entry depends on it, or a write holds it.
    fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.entity) > 1 || !self.holds.is_empty()
    }

    fn is_held_by_another(&self, token: Mark, now: Instant) -> bool {
        self.holds.iter().any(|(held, expires)| *held != token && *expires > now)
    }
}

/// All entities that have a mark.
#[derive(Debug, Default)]
pub(super) struct Entities {
    states: HashMap<Key, State, RandomState>,
    /// The last mark; none is used twice.
    last: u64,
    /// The number of entities at which those that nothing needs are forgotten.
    sweep_at: usize,
}

const FIRST_SWEEP: usize = 1024;

/// How many entities without an entry and without a hold a sweep leaves.
const MAX_UNUSED: usize = 65_536;

/// Rounds up to the end of time.
fn after(now: Instant, time: Duration) -> Instant {
    now.checked_add(time).unwrap_or_else(|| now + Duration::from_secs(60 * 60 * 24 * 365 * 30))
}

fn token(mark: u64) -> Mark {
    Mark::new(mark.into())
}

impl Entities {
    fn fresh(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// The state of an entity; it gets a mark if it has none.
    fn state(&mut self, key: &Key, now: Instant, keep: Duration) -> &mut State {
        if self.states.len() >= self.sweep_at.max(FIRST_SWEEP) {
            self.sweep(now);
        }
        let last = &mut self.last;
        let state = self.states.entry_ref(key).or_insert_with(|| {
            *last += 1;
            let entity = Arc::new(Entity { key: key.clone(), mark: AtomicU64::new(*last) });
            State { entity, changed_at: now, holds: Vec::new(), needed_until: now }
        });
        state.needed_until = state.needed_until.max(after(now, keep));
        state
    }

    /// Forgets the entities on which no entry depends, and that no call needs. Of those that only running calls may need, it forgets the
    /// older half if there are too many: the loads of these calls are not stored, and their writes invalidate.
    fn sweep(&mut self, now: Instant) {
        let mut unused = Vec::new();
        self.states.retain(|_, state| {
            state.prune(now);
            let is_needed = state.is_in_use() || state.needed_until > now;
            if is_needed && !state.is_in_use() {
                unused.push(state.needed_until);
            }
            is_needed
        });
        if unused.len() > MAX_UNUSED {
            let middle = unused.len() / 2;
            let (_, oldest_kept, _) = unused.select_nth_unstable(middle);
            let mut left = middle;
            self.states.retain(|_, state| {
                let is_forgotten = left > 0 && !state.is_in_use() && state.needed_until <= *oldest_kept;
                left -= usize::from(is_forgotten);
                !is_forgotten
            });
        }
        self.sweep_at = 2 * self.states.len();
    }

    pub(super) fn look_up(&mut self, marked: &[Key], now: Instant, keep: Duration) -> Seen {
        let (mut held, mut youngest) = (false, Duration::MAX);
        let mark = |key| {
            let state = self.state(key, now, keep);
            held |= state.is_held(now);
            youngest = youngest.min(now.duration_since(state.changed_at));
            token(state.entity.mark())
        };
        let marks = marked.iter().map(mark).collect();
        Seen::new(marks, held, Incarnation::default(), youngest, Lease::None)
    }

    /// The marks for an entry, if they are still those that its reader saw.
    pub(super) fn unchanged(&mut self, marked: &[Key], seen: &Seen, now: Instant) -> Option<Marks> {
        let mut marks = Vec::with_capacity(marked.len());
        for (key, seen) in marked.iter().zip(&seen.marks) {
            let state = self.states.get(key)?;
            let mark = state.entity.mark();
            if token(mark) != *seen || state.is_held(now) {
                return None;
            }
            marks.push((Arc::clone(&state.entity), mark));
        }
        (marks.len() == marked.len()).then(|| marks.into())
    }

    pub(super) fn hold(&mut self, write: &Write, now: Instant, expiry: Duration) -> Held {
        let mut clean = !write.depends_on.iter().any(|key| self.is_held(key, now));
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for key in write.changes() {
            old.push(self.states.get(key).map(|state| token(state.entity.mark())));
            let mark = self.fresh();
            let state = self.state(key, now, expiry);
            state.prune(now);
            // A hold that is repeated is one hold.
            clean &= !state.is_held_by_another(write.token, now);
            state.set(mark, now);
            state.holds.retain(|(held, _)| *held != write.token);
            state.holds.push((write.token, after(now, expiry)));
            new.push(token(mark));
        }
        let mark = |key: &Key| token(self.state(key, now, expiry).entity.mark());
        let others = write.marked().iter().map(mark).collect();
        Held::new(old, new, others, clean, Incarnation::default())
    }

    fn is_held(&self, key: &Key, now: Instant) -> bool {
        self.states.get(key).is_some_and(|state| state.is_held(now))
    }

    pub(super) fn renew(&mut self, write: &Write, now: Instant, expiry: Duration) -> bool {
        let mut all = true;
        for key in write.changes() {
            let held = self.states.get_mut(key).and_then(|state| {
                state.prune(now);
                state.holds.iter_mut().find(|(held, _)| *held == write.token)
            });
            match held {
                Some((_, expires)) => *expires = after(now, expiry),
                None => all = false,
            }
        }
        all
    }

    /// Whether nothing has changed since the hold, and no other write holds any of the entities.
    pub(super) fn permits(&self, write: &Write, held: &Held, now: Instant) -> bool {
        let is = |key: &Key, mark: &Mark| {
            self.states.get(key).is_some_and(|state| {
                token(state.entity.mark()) == *mark && !state.is_held_by_another(write.token, now)
            })
        };
        let holds_it = |key: &Key| {
            self.states.get(key).is_some_and(|state| state.holds.iter().any(|(held, _)| *held == write.token))
        };
        held.clean
            && held.new.len() == write.changes().len()
            && write.changes().iter().zip(&held.new).all(|(key, mark)| is(key, mark) && holds_it(key))
            && write.marked().iter().zip(&held.others).all(|(key, mark)| is(key, mark))
    }

    /// Sets fresh marks; removes the holds of the write, unless its outcome is unknown.
    pub(super) fn end(&mut self, write: &Write, is_unknown: bool, now: Instant) {
        for key in write.changes() {
            let mark = self.fresh();
            let state = self.state(key, now, Duration::ZERO);
            state.set(mark, now);
            if !is_unknown {
                state.holds.retain(|(held, _)| *held != write.token);
            }
        }
    }

    /// Puts the old marks back.
    pub(super) fn restore(&mut self, write: &Write, held: &Held, now: Instant) {
        self.end(write, false, now);
        for (key, old) in write.changes().iter().zip(&held.old) {
            if let (Some(old), Some(state)) = (old, self.states.get_mut(key))
                && let Ok(old) = u64::try_from(old.get())
            {
                state.set(old, now);
            }
        }
    }

    /// The current marks for an entry that its writer puts.
    pub(super) fn current(&mut self, marked: &[Key], now: Instant, keep: Duration) -> Marks {
        let mark = |key| {
            let state = self.state(key, now, keep);
            (Arc::clone(&state.entity), state.entity.mark())
        };
        marked.iter().map(mark).collect()
    }

    pub(super) fn change(&mut self, key: &Key, now: Instant) {
        let mark = self.fresh();
        self.state(key, now, Duration::ZERO).set(mark, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: Duration = Duration::from_secs(30);

    fn key(id: usize) -> [Key; 1] {
        [Key::new("users", None, "user", id.to_string())]
    }

    #[test]
    fn entities_of_misses_are_bounded_and_those_in_use_stay() {
        let (mut entities, now) = (Entities::default(), Instant::now());
        let marks = entities.current(&key(0), now, KEEP);
        let write = Write::new(key(1).to_vec(), Vec::new());
        entities.hold(&write, now, KEEP);
        let first = entities.look_up(&key(2), now, KEEP);
        for id in 3..300_000 {
            entities.look_up(&key(id), now + Duration::from_micros(id as u64), KEEP);
        }
        let later = now + Duration::from_secs(1);
        assert!(entities.states.len() <= 2 * MAX_UNUSED + 4, "{}", entities.states.len());
        assert!(entities.is_held(&key(1)[0], later));
        assert!(
            entities.unchanged(&key(2), &first, later).is_none(),
            "it was forgotten, so its load is not stored"
        );
        let last = entities.look_up(&key(299_999), later, KEEP);
        assert!(entities.unchanged(&key(299_999), &last, later).is_some());
        entities.end(&Write::new(key(0).to_vec(), Vec::new()), false, later);
        let (entity, mark) = &marks[0];
        assert_ne!(entity.mark(), *mark, "a write still reaches the entry that depends on it");
    }
}
