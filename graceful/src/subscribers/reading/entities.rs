//! The events in memory, in the order of each entity.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap, VecDeque},
    time::{Duration, Instant},
};

use super::super::job::{Done, End, Item, Job, partition_of};

/// So many waiting events of one entity count as open; the others of it do not keep further entities from being read.
const COUNTED: usize = 64;

/// What the first event of an entity does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Turn {
    /// There is none.
    #[default]
    Idle,
    /// It can run.
    Ready,
    Running,
    /// It runs, and its handler does not return from `poll`.
    Stuck,
    /// It is retried at this time.
    Retried(Instant),
}

#[derive(Debug, Default)]
struct Entity {
    waiting: VecDeque<Item>,
    turn: Turn,
    /// How many events its job had when it began.
    in_job: usize,
    /// Events of it are parked.
    is_parked: bool,
}

impl Entity {
    /// How many of its events count as open.
    fn weight(&self) -> usize {
        match self.turn {
            Turn::Stuck | Turn::Retried(_) => 0,
            _ => self.in_job + self.waiting.len().min(COUNTED),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Entities {
    all: HashMap<i64, Entity>,
    /// The entities whose turn is `Ready`, and some whose was.
    ready: VecDeque<i64>,
    /// The entities whose turn is `Retried`, and some whose was.
    retries: BinaryHeap<Reverse<(Instant, i64)>>,
    /// The events in which the process before may have died, and their entities.
    interrupted: BTreeMap<u64, i64>,
    running: usize,
    stuck: usize,
    waiting: usize,
    open: usize,
}

impl Entities {
    /// How many events wait.
    pub(super) const fn waiting(&self) -> usize {
        self.waiting
    }

    /// How many events wait or run, not counting those that cannot run soon.
    pub(super) const fn open(&self) -> usize {
        self.open
    }

    /// How many jobs run, apart from those whose handlers do not return.
    pub(super) const fn running(&self) -> usize {
        self.running
    }

    /// How many handlers do not return from `poll`.
    pub(super) const fn stuck(&self) -> usize {
        self.stuck
    }

    pub(super) fn next_retry(&self) -> Option<Instant> {
        self.retries.peek().map(|Reverse((at, _))| *at)
    }

    fn change<R>(&mut self, entity: i64, change: impl FnOnce(&mut Entity) -> R) -> R {
        let state = self.all.entry(entity).or_default();
        let before = (state.weight(), state.waiting.len(), state.turn);
        let result = change(state);
        if state.turn == Turn::Idle && !state.waiting.is_empty() {
            state.turn = Turn::Ready;
        }
        self.open = self.open + state.weight() - before.0;
        self.waiting = self.waiting + state.waiting.len() - before.1;
        self.running =
            self.running + usize::from(state.turn == Turn::Running) - usize::from(before.2 == Turn::Running);
        self.stuck =
            self.stuck + usize::from(state.turn == Turn::Stuck) - usize::from(before.2 == Turn::Stuck);
        match state.turn {
            turn if turn == before.2 => {}
            Turn::Ready => self.ready.push_back(entity),
            Turn::Retried(at) => self.retries.push(Reverse((at, entity))),
            _ => {}
        }
        if state.turn == Turn::Idle && !state.is_parked {
            self.all.remove(&entity);
        }
        result
    }

    pub(super) fn add(&mut self, entity: i64, item: Item) {
        if item.is_interrupted() {
            self.interrupted.insert(item.position, entity);
        }
        self.change(entity, |state| state.waiting.push_back(item));
    }

    /// Adds a resubmitted event, before those that wait behind it. It is ignored if its entity is running, or has one already.
    pub(super) fn add_released(&mut self, entity: i64, item: Item) {
        self.change(entity, |state| {
            let is_running = matches!(state.turn, Turn::Running | Turn::Stuck);
            if !is_running && !state.waiting.iter().any(Item::is_released) {
                state.waiting.push_front(item);
            }
        });
    }

    pub(super) fn park(&mut self, entity: i64) {
        self.change(entity, |state| state.is_parked = true);
    }

    /// Marks an entity whose handler does not return.
    pub(super) fn mark_stuck(&mut self, entity: i64) {
        self.change(entity, |state| {
            // Its job may have ended meanwhile.
            if state.turn == Turn::Running {
                state.turn = Turn::Stuck;
            }
        });
    }

    /// Lets the entities go on whose pauses are over.
    pub(super) fn retry(&mut self, now: Instant) {
        while let Some(Reverse((at, entity))) = self.retries.peek().copied()
            && at <= now
        {
            self.retries.pop();
            self.change(entity, |state| {
                if state.turn == Turn::Retried(at) {
                    state.turn = Turn::Idle;
                }
            });
        }
    }

    /// Takes what can run now. While there are interrupted events, they run one at a time and nothing else, so that one that ends its
    /// process condemns no other. At most so many jobs run: the others wait here, where they can be forgotten.
    pub(super) fn take_jobs(&mut self, most: usize, tenure_of: impl Fn(usize) -> Option<u32>) -> Vec<Job> {
        let suspect = self.interrupted.values().copied().find(|entity| {
            self.all.get(entity).is_some_and(|state| matches!(state.turn, Turn::Ready | Turn::Running))
        });
        let mut jobs = Vec::new();
        match suspect {
            Some(entity) if self.running == 0 => jobs.extend(self.job(entity, 1, &tenure_of)),
            Some(_) => {}
            None => {
                while self.running < most
                    && let Some(entity) = self.ready.pop_front()
                {
                    jobs.extend(self.job(entity, COUNTED, &tenure_of));
                }
            }
        }
        jobs
    }

    fn job(&mut self, entity: i64, most: usize, tenure_of: &impl Fn(usize) -> Option<u32>) -> Option<Job> {
        let tenure = tenure_of(partition_of(entity))?;
        if self.all.get(&entity)?.turn != Turn::Ready {
            return None;
        }
        let job = self.change(entity, |state| {
            state.turn = Turn::Running;
            let items = match state.waiting.len() > most {
                true => state.waiting.drain(..most).collect(),
                false => std::mem::take(&mut state.waiting),
            };
            state.in_job = items.len();
            Job { entity, items, is_parked: state.is_parked, tenure }
        });
        Some(job)
    }

    /// Ends a job. What is left of it waits again, unless its partition was lost or is given back.
    pub(super) fn end(&mut self, done: Done, goes_on: bool) {
        let Done { job: Job { entity, items, is_parked, .. }, handled, end } = done;
        for position in handled {
            self.interrupted.remove(&position);
        }
        if let Some(item) = items.front().filter(|item| !item.is_interrupted()) {
            self.interrupted.remove(&item.position);
        }
        self.change(entity, |state| {
            (state.turn, state.in_job) = (Turn::Idle, 0);
            // Otherwise the partition may be held again, with what is parked in it.
            if goes_on {
                if let End::Again(pause) = end {
                    state.turn = Turn::Retried(Instant::now() + pause);
                }
                state.is_parked = is_parked;
                for item in items.into_iter().rev() {
                    state.waiting.push_front(item);
                }
            }
        });
    }

    /// Forgets what waits in a partition.
    pub(super) fn forget(&mut self, partition: usize) {
        let here: Vec<_> =
            self.all.keys().copied().filter(|entity| partition_of(*entity) == partition).collect();
        for entity in here {
            self.change(entity, |state| {
                state.waiting.clear();
                state.is_parked = false;
                if !matches!(state.turn, Turn::Running | Turn::Stuck) {
                    state.turn = Turn::Idle;
                }
            });
        }
        self.interrupted.retain(|_, entity| partition_of(*entity) != partition);
    }

    /// Whether a handler of this partition is running, whether it returns or not.
    pub(super) fn runs_in(&self, partition: usize) -> bool {
        self.running + self.stuck > 0
            && self.has(partition, |turn| matches!(turn, Turn::Running | Turn::Stuck))
    }

    /// Whether a handler of this partition does not return.
    pub(super) fn is_stuck_in(&self, partition: usize) -> bool {
        self.stuck > 0 && self.has(partition, |turn| turn == Turn::Stuck)
    }

    fn has(&self, partition: usize, is: impl Fn(Turn) -> bool) -> bool {
        self.all.iter().any(|(entity, state)| partition_of(*entity) == partition && is(state.turn))
    }
}

/// The time until then.
pub(super) fn until(at: Instant) -> Duration {
    at.saturating_duration_since(Instant::now())
}

#[cfg(test)]
mod tests;
