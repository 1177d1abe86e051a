//! Which calls are made: chosen at random, by a seed.

use fastrand::Rng;

use crate::{
    call::Call,
    data::{Change, Fate, Manner, Write},
};

/// How many calls of how many tasks, on how many entities.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub process: u64,
    /// Of all tasks of the process together.
    pub operations: u64,
    pub tasks: u64,
    /// How many users, orders and customers are in use at a time.
    pub entities: u64,
    /// After this many calls of a task, other entities are used: what was held by a call of unknown outcome would be held for the rest of a
    /// short run.
    pub epoch: u64,
    /// One call of this many is cancelled.
    pub cancelled_one_in: u32,
}

impl Plan {
    pub fn new(seed: u64, operations: u64) -> Self {
        Self { seed, process: 0, operations, tasks: 8, entities: 4, epoch: 100, cancelled_one_in: 40 }
    }

    /// How many calls each task makes.
    pub fn calls(&self) -> u64 {
        self.operations.div_ceil(self.tasks)
    }

    /// The choices of one task.
    pub fn choices(&self, task: u64) -> Choices {
        let seed = [self.process, task]
            .into_iter()
            .fold(self.seed, |seed, part| seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(part));
        Choices { random: Rng::with_seed(seed), plan: self.clone(), call: 0 }
    }

    /// All entities that were in use.
    pub fn all_entities(&self) -> impl Iterator<Item = u64> {
        0..self.calls().div_ceil(self.epoch) * self.entities
    }
}

/// A call, and after how many polls its future is dropped.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    pub call: Call,
    pub polls: Option<u32>,
}

#[derive(Debug)]
pub struct Choices {
    random: Rng,
    plan: Plan,
    call: u64,
}

impl Iterator for Choices {
    type Item = Choice;

    fn next(&mut self) -> Option<Choice> {
        if self.call == self.plan.calls() {
            return None;
        }
        let first = self.call / self.plan.epoch * self.plan.entities;
        self.call += 1;
        let id = first + self.random.u64(..self.plan.entities);
        let call = match self.random.u32(..100) {
            0..30 => Call::ReadUser(id),
            30..45 => Call::ReadOrders(id),
            45..55 => Call::ReadOrder(id),
            55..70 => Call::ReadProfile(id),
            _ => Call::Write(self.write(first, id)),
        };
        let is_cancelled = self.random.u32(..self.plan.cancelled_one_in) == 0;
        let polls = is_cancelled.then(|| self.random.u32(1..8));
        Some(Choice { call, polls })
    }
}

impl Choices {
    fn write(&mut self, first: u64, id: u64) -> Write {
        // An order is always one of two customers, so that a writer knows whose lists change.
        let customers = [id, first + (id - first + 1) % self.plan.entities];
        let change = match self.random.u32(..100) {
            0..45 => Change::SaveUser(id),
            45..55 => Change::DeleteUser(id),
            55..90 => Change::SaveOrder { id, customer: customers[self.random.usize(..2)], customers },
            _ => Change::DeleteOrder { id, customers },
        };
        let manner = match self.random.u32(..100) {
            0..60 => Manner::Plain,
            60..80 => Manner::OverResult,
            _ => Manner::ReadsFirst,
        };
        let fate = match self.random.u32(..100) {
            0..88 => Fate::Succeeds,
            88..96 => Fate::Refused,
            96..98 => Fate::LostBefore,
            _ => Fate::LostAfter,
        };
        // Without a result there is no key.
        let is_deleted = matches!(change, Change::DeleteUser(_) | Change::DeleteOrder { .. });
        let manner = if is_deleted { Manner::Plain } else { manner };
        Write { change, manner, fate }
    }
}
