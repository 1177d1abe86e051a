//! Which calls are made: chosen at random, by a seed.

use fastrand::Rng;
use serde::{Deserialize, Serialize};

use crate::{
    call::Call,
    data::{Change, Fate, Manner, Write},
};

/// How many calls are made, by how many tasks, on how many entities.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    pub seed: u64,
    pub process: u64,
    /// Of all processes together.
    pub operations: u64,
    /// Of this process.
    pub tasks: u64,
    /// How many users, orders and customers are in use at a time.
    pub entities: u64,
    /// After this many calls other entities are used: a call of unknown outcome holds its entities until its hold expires.
    pub epoch: u64,
    /// How many calls of a hundred are cancelled.
    pub cancelled: u32,
    /// How many writes of a hundred end with an `Err` of unknown outcome.
    pub lost: u32,
    /// Whether some writes do not hold what they change.
    pub without_hold: bool,
}

impl Plan {
    pub fn new(seed: u64, operations: u64) -> Self {
        Self {
            seed,
            process: 0,
            operations,
            tasks: 8,
            entities: 4,
            epoch: 200,
            cancelled: 1,
            lost: 2,
            without_hold: true,
        }
    }

    /// The choices of one task.
    pub fn choices(&self, task: u64) -> Choices {
        let mix = |seed: u64, part| seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(part);
        let seed = [self.process, task].into_iter().fold(self.seed, mix);
        Choices { random: Rng::with_seed(seed), plan: self.clone() }
    }

    /// The first of the entities that are in use after so many calls.
    fn first_entity(&self, operations: u64) -> u64 {
        operations / self.epoch * self.entities
    }

    /// All entities that were in use.
    pub fn all_entities(&self, operations: u64) -> impl Iterator<Item = u64> + use<> {
        0..self.first_entity(operations) + self.entities
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
}

impl Choices {
    /// The next call, when so many calls of all processes have begun.
    pub fn next(&mut self, operations: u64) -> Choice {
        let first = self.plan.first_entity(operations);
        let id = first + self.random.u64(..self.plan.entities);
        let call = match self.random.u32(..100) {
            0..30 => Call::ReadUser(id),
            30..45 => Call::ReadOrders(id),
            45..55 => Call::ReadOrder(id),
            55..70 => Call::ReadProfile(id),
            _ => Call::Write(self.write(first, id)),
        };
        let is_cancelled = self.random.u32(..100) < self.plan.cancelled;
        let polls = is_cancelled.then(|| self.random.u32(1..8));
        Choice { call, polls }
    }

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
            0..20 => Manner::ReadsFirst,
            20..30 => Manner::WithoutHandler,
            30..45 if self.plan.without_hold => Manner::OverResult,
            45..55 if self.plan.without_hold => Manner::Touches,
            55..60 if self.plan.without_hold => Manner::Invalidates,
            _ => Manner::Plain,
        };
        let is_deleted = matches!(change, Change::DeleteUser(_) | Change::DeleteOrder { .. });
        // Without a result there is no key.
        let manner = if is_deleted && manner == Manner::OverResult { Manner::Plain } else { manner };
        let fate = match self.random.u32(..100) {
            lost if lost < self.plan.lost => match self.random.bool() {
                true => Fate::LostBefore,
                false => Fate::LostAfter,
            },
            90.. => Fate::Refused,
            _ => Fate::Succeeds,
        };
        Write { change, manner, fate }
    }
}
