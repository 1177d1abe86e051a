//! The state of one subscriber.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    backends::{
        HeldPartition, Join, Joined, LogPage, LoggedEvent, NewEvent, PARTITIONS, ParkedEvent, Progress,
        SubscriberState,
    },
    text::Text,
};

/// How many received events a purge deletes at most.
const PURGED: usize = 1_000;

#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) source: Text,
    pub(super) reads_log: bool,
    pub(super) partitions: [Partition; PARTITIONS as usize],
    pub(super) processes: HashMap<Uuid, Instant>,
    pub(super) copier: Option<Uuid>,
    pub(super) handled: HashMap<i64, u64>,
    pub(super) attempts: HashMap<u64, (i64, u32)>,
    pub(super) parked: BTreeMap<u64, ParkedEvent>,
    pub(super) received: BTreeMap<u64, Received>,
    pub(super) names: HashSet<(Text, Text)>,
    pub(super) newest: u64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Partition {
    pub(super) holder: Option<Uuid>,
    pub(super) handled_to: u64,
    pub(super) begun_to: u64,
}

#[derive(Debug)]
pub(super) struct Received {
    event: LoggedEvent,
    name: (Text, Text),
    at: Instant,
}

pub(super) fn partition_of(entity: i64) -> u8 {
    u8::try_from(entity & i64::from(PARTITIONS - 1)).unwrap_or_default()
}

pub(super) const fn bit(partition: u8) -> u32 {
    1 << partition
}

impl Subscriber {
    pub(super) fn new(reads_log: bool, start: u64) -> Self {
        Self {
            source: Text::default(),
            reads_log,
            partitions: [Partition { holder: None, handled_to: start, begun_to: start }; PARTITIONS as usize],
            processes: HashMap::new(),
            copier: None,
            handled: HashMap::new(),
            attempts: HashMap::new(),
            parked: BTreeMap::new(),
            received: BTreeMap::new(),
            names: HashSet::new(),
            newest: 0,
        }
    }

    pub(super) fn held_by(&self, process: Uuid) -> u32 {
        let held = (0..PARTITIONS).filter(|at| self.partitions[usize::from(*at)].holder == Some(process));
        held.fold(0, |bits, at| bits | bit(at))
    }

    pub(super) fn holds(&self, process: Uuid, entity: i64) -> bool {
        self.partitions[usize::from(partition_of(entity))].holder == Some(process)
    }

    pub(super) fn expire(&mut self) {
        let now = Instant::now();
        self.processes.retain(|_, expires| *expires > now);
        for partition in &mut self.partitions {
            partition.holder = partition.holder.filter(|holder| self.processes.contains_key(holder));
        }
        self.copier = self.copier.filter(|copier| self.processes.contains_key(copier));
    }

    pub(super) fn join(&mut self, process: Uuid, Join { lease, known, copies }: Join) -> Joined {
        self.expire();
        let handled_to = |entity: i64| self.partitions[usize::from(partition_of(entity))].handled_to;
        self.handled.retain(|entity, position| *position > handled_to(*entity));
        let parked = &self.parked;
        self.attempts
            .retain(|position, (entity, _)| *position > handled_to(*entity) || parked.contains_key(position));
        self.processes.insert(process, Instant::now() + lease);
        let processes = u32::try_from(self.processes.len()).unwrap_or(u32::MAX);
        let share = u32::from(PARTITIONS).div_ceil(processes);
        let mut missing = share.saturating_sub(self.held_by(process).count_ones());
        let mut claimed = 0;
        for (at, partition) in (0..).zip(&mut self.partitions) {
            if missing > 0 && partition.holder.is_none() {
                partition.holder = Some(process);
                claimed |= bit(at);
                missing -= 1;
            }
        }
        if copies && self.copier.is_none() {
            self.copier = Some(process);
        }
        let held = self.held_by(process);
        let new = (0..PARTITIONS)
            .filter(|at| held & (!known | claimed) & bit(*at) != 0)
            .map(|at| self.state(at))
            .collect();
        Joined { held, new, share, copies: self.copier == Some(process) }
    }

    pub(super) fn state(&self, partition: u8) -> HeldPartition {
        let Partition { handled_to, begun_to, .. } = self.partitions[usize::from(partition)];
        let is_here = |entity: i64| partition_of(entity) == partition;
        let mut state = HeldPartition::new(partition, handled_to, begun_to);
        let handled = self.handled.iter().map(|(entity, position)| (*entity, *position));
        state.handled =
            handled.filter(|(entity, position)| is_here(*entity) && *position > handled_to).collect();
        let attempts = self
            .attempts
            .iter()
            .filter(|(position, (entity, _))| is_here(*entity) && **position > handled_to);
        state.attempts = attempts.map(|(position, (_, attempts))| (*position, *attempts)).collect();
        let parked: HashSet<_> = self.parked.values().map(|event| event.entity).collect();
        state.parked = parked.into_iter().filter(|entity| is_here(*entity)).collect();
        state
    }

    pub(super) fn advance(
        &mut self,
        process: Uuid,
        progress: Vec<Progress>,
        handled: Vec<(i64, u64)>,
    ) -> u32 {
        let mut recorded = 0;
        for Progress { partition, handled_to, begun_to } in progress {
            let Some(state) = self.partitions.get_mut(usize::from(partition)) else { continue };
            if state.holder == Some(process) {
                state.handled_to = state.handled_to.max(handled_to);
                state.begun_to = begun_to.max(state.handled_to);
                recorded |= bit(partition);
            }
        }
        for (entity, position) in handled {
            if recorded & bit(partition_of(entity)) != 0 {
                self.handle(entity, position);
            }
        }
        recorded
    }

    /// Records that an event is handled. Returns whether it was not.
    pub(super) fn handle(&mut self, entity: i64, position: u64) -> bool {
        let last = self.handled.entry(entity).or_default();
        std::mem::replace(last, position.max(*last)) < position
    }

    pub(super) fn first_parked(&self, entity: i64) -> Option<u64> {
        self.parked.values().find(|event| event.entity == entity).map(|event| event.position)
    }

    pub(super) fn park(&mut self, process: Uuid, event: ParkedEvent) -> bool {
        let holds = self.holds(process, event.entity);
        if holds && self.handle(event.entity, event.position) {
            self.parked.insert(event.position, event);
        }
        holds
    }

    /// Releases the first parked event of an entity.
    pub(super) fn release_next(&mut self, entity: i64) {
        if let Some(next) = self.first_parked(entity).and_then(|first| self.parked.get_mut(&first)) {
            next.is_released = true;
        }
    }

    pub(super) fn end_released(
        &mut self,
        process: Uuid,
        entity: i64,
        position: u64,
        failed: Option<(u32, Text)>,
    ) -> bool {
        if !self.holds(process, entity) || self.parked.get(&position).is_none_or(|event| !event.is_released) {
            return false;
        }
        match (failed, self.parked.get_mut(&position)) {
            (Some((attempts, error)), Some(event)) => {
                (event.attempts, event.error, event.is_released) = (attempts, error, false);
            }
            _ => {
                self.parked.remove(&position);
                self.release_next(entity);
            }
        }
        true
    }

    pub(super) fn receive(&mut self, process: Uuid, events: Vec<NewEvent>) -> bool {
        self.expire();
        if self.copier != Some(process) {
            return false;
        }
        for NewEvent { entity, source, id, body } in events {
            let name = (source, id);
            if self.names.insert(name.clone()) {
                self.newest += 1;
                let event = LoggedEvent { position: self.newest, entity, body };
                self.received.insert(self.newest, Received { event, name, at: Instant::now() });
            }
        }
        true
    }

    pub(super) fn received(&self, after: u64, partitions: u32, limit: usize) -> LogPage {
        let mut page = LogPage::new(Vec::new(), after);
        for (position, received) in self.received.range(after + 1..).take(limit) {
            page.read_to = *position;
            if partitions & bit(partition_of(received.event.entity)) != 0 {
                page.events.push(received.event.clone());
            }
        }
        page
    }

    pub(super) fn purge(&mut self, age: Duration) -> u64 {
        let now = Instant::now();
        let old = self.received.iter().filter(|(position, received)| {
            let partition = self.partitions[usize::from(partition_of(received.event.entity))];
            **position <= partition.handled_to && now.duration_since(received.at) >= age
        });
        let old: Vec<_> = old.take(PURGED).map(|(position, _)| *position).collect();
        for position in &old {
            if let Some(received) = self.received.remove(position) {
                self.names.remove(&received.name);
            }
        }
        old.len() as u64
    }

    pub(super) fn shown(&self, subscriber: &Text) -> SubscriberState {
        let now = Instant::now();
        SubscriberState {
            subscriber: subscriber.clone(),
            source: self.source.clone(),
            handled_to: self
                .partitions
                .iter()
                .map(|partition| partition.handled_to)
                .min()
                .unwrap_or_default(),
            processes: u32::try_from(self.processes.values().filter(|expires| **expires > now).count())
                .unwrap_or(u32::MAX),
            parked: self.parked.len() as u64,
        }
    }
}
