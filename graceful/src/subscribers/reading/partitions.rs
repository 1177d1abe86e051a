//! The partitions that this process holds, and how far each is handled.

use std::collections::{HashMap, VecDeque};

use super::super::job::partition_of;
use crate::backends::{HeldPartition, PARTITIONS, Progress};

#[derive(Debug)]
pub(super) struct Partition {
    /// The events that were read: their positions, and whether they were handled.
    read: VecDeque<(u64, bool)>,
    read_to: u64,
    /// Events up to this position may begin, when that is recorded.
    begun_to: u64,
    interrupted_to: u64,
    /// The positions of events that were handled before, by entity.
    handled_before: HashMap<i64, u64>,
    attempts: HashMap<u64, u32>,
    recorded: Option<Progress>,
    tenure: u32,
    /// It is given back when its running handlers have ended.
    is_leaving: bool,
    /// Its running handlers have ended.
    is_over: bool,
}

impl Partition {
    /// All of its events up to this position were handled.
    fn handled_to(&self) -> u64 {
        self.read.front().map_or(self.read_to, |(position, _)| position - 1)
    }
}

#[derive(Debug, Default)]
pub(super) struct Partitions {
    held: [Option<Partition>; PARTITIONS as usize],
    tenures: u32,
    /// The last handled event of each entity that is not recorded.
    handled: HashMap<i64, u64>,
}

/// What is recorded of an event that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) attempts: u32,
    pub(super) is_interrupted: bool,
}

impl Partitions {
    /// The partitions that the process holds, as bits.
    pub(super) fn held(&self) -> u32 {
        self.bits(|_| true)
    }

    pub(super) fn leaving(&self) -> u32 {
        self.bits(|partition| partition.is_leaving)
    }

    fn bits(&self, is: impl Fn(&Partition) -> bool) -> u32 {
        bits((0..).zip(&self.held).filter(|(_, held)| held.as_ref().is_some_and(&is)).map(|(at, _)| at))
    }

    pub(super) fn hold(&mut self, state: HeldPartition) {
        let HeldPartition { partition, handled_to, begun_to, handled, attempts, .. } = state;
        self.tenures += 1;
        if let Some(place) = self.held.get_mut(usize::from(partition)) {
            *place = Some(Partition {
                read: VecDeque::new(),
                read_to: handled_to,
                begun_to,
                interrupted_to: begun_to,
                handled_before: handled.into_iter().collect(),
                attempts: attempts.into_iter().collect(),
                recorded: None,
                tenure: self.tenures,
                is_leaving: false,
                is_over: false,
            });
        }
    }

    pub(super) fn lose(&mut self, partition: usize) {
        self.held[partition] = None;
        self.handled.retain(|entity, _| partition_of(*entity) != partition);
    }

    pub(super) fn leave(&mut self, partition: usize) {
        if let Some(held) = &mut self.held[partition] {
            held.is_leaving = true;
        }
    }

    /// Records that no handler of these partitions is running any more.
    pub(super) fn finish(&mut self, partitions: u32) {
        for at in each(partitions) {
            if let Some(held) = &mut self.held[at] {
                held.is_over = true;
            }
        }
    }

    /// The number of the tenure of a partition whose events may run.
    pub(super) fn tenure(&self, partition: usize) -> Option<u32> {
        self.held[partition].as_ref().filter(|held| !held.is_leaving).map(|held| held.tenure)
    }

    /// Whether a job of this tenure was run for a partition that is still held.
    pub(super) fn is_of_tenure(&self, partition: usize, tenure: u32) -> bool {
        self.held[partition].as_ref().is_some_and(|held| held.tenure == tenure)
    }

    /// The partitions to read next, as bits, from which position, and up to which, where others go on together with them.
    pub(super) fn next_read(&self) -> Option<(u32, u64, Option<u64>)> {
        let reading = || self.held.iter().flatten().filter(|held| !held.is_leaving).map(|held| held.read_to);
        let from = reading().min()?;
        let others = reading().filter(|read_to| *read_to > from).min();
        Some((self.bits(|held| !held.is_leaving && held.read_to == from), from, others))
    }

    /// Records that these partitions were read up to a position. Returns whether that must be stored before the events begin; if so, the next `ahead`
    /// positions are stored with it.
    pub(super) fn read_to(&mut self, partitions: u32, position: u64, ahead: u64) -> bool {
        let mut must_be_stored = false;
        for at in each(partitions) {
            let Some(held) = &mut self.held[at] else { continue };
            held.read_to = held.read_to.max(position);
            must_be_stored |= held.read_to > held.begun_to;
            if held.read_to > held.begun_to || ahead == 0 {
                held.begun_to = held.read_to + ahead;
            }
        }
        must_be_stored
    }

    /// Records that an event was read. `None` if it was handled before.
    pub(super) fn read(&mut self, entity: i64, position: u64) -> Option<Known> {
        let held = self.held[partition_of(entity)].as_mut()?;
        if held.handled_before.get(&entity).is_some_and(|handled| *handled >= position) {
            return None;
        }
        held.read.push_back((position, false));
        let attempts = held.attempts.remove(&position).unwrap_or_default();
        Some(Known { attempts, is_interrupted: position <= held.interrupted_to })
    }

    /// Records that an event was handled.
    pub(super) fn handle(&mut self, entity: i64, position: u64) {
        let Some(held) = self.held[partition_of(entity)].as_mut() else { return };
        if let Ok(place) = held.read.binary_search_by_key(&position, |(position, _)| *position) {
            held.read[place].1 = true;
        }
        while held.read.front().is_some_and(|(_, handled)| *handled) {
            held.read.pop_front();
        }
        let last = self.handled.entry(entity).or_default();
        *last = (*last).max(position);
    }

    /// What has changed since it was last recorded.
    pub(super) fn progress(&self) -> impl Iterator<Item = Progress> {
        let all = (0..PARTITIONS).filter_map(|partition| self.current(partition));
        let recorded =
            |partition: u8| self.held[usize::from(partition)].as_ref().and_then(|held| held.recorded);
        all.filter(move |progress| recorded(progress.partition) != Some(*progress))
    }

    /// The progress of a partition.
    pub(super) fn current(&self, partition: u8) -> Option<Progress> {
        let held = self.held[usize::from(partition)].as_ref()?;
        let handled_to = held.handled_to();
        // Until its interrupted events have run, they stay interrupted. Nothing runs any more in a partition that is given back.
        let begun_to = if held.is_over { held.interrupted_to } else { held.begun_to }.max(handled_to);
        Some(Progress { partition, handled_to, begun_to })
    }

    /// Takes the handled events that are not recorded and lie behind the positions of their partitions.
    pub(super) fn take_handled(&mut self) -> Vec<(i64, u64)> {
        let held = &self.held;
        let lies_behind = |(entity, position): &(i64, u64)| {
            held[partition_of(*entity)].as_ref().is_some_and(|held| *position > held.handled_to())
        };
        self.handled.drain().filter(lies_behind).collect()
    }

    /// Gives back what could not be recorded.
    pub(super) fn untake_handled(&mut self, handled: Vec<(i64, u64)>) {
        for (entity, position) in handled {
            let last = self.handled.entry(entity).or_default();
            *last = (*last).max(position);
        }
    }

    pub(super) fn is_unrecorded(&self) -> bool {
        !self.handled.is_empty() || self.progress().next().is_some()
    }

    pub(super) fn record(&mut self, progress: &[Progress]) {
        for progress in progress {
            if let Some(Some(held)) = self.held.get_mut(usize::from(progress.partition)) {
                held.recorded = Some(*progress);
            }
        }
    }
}

/// The partitions that are among these bits.
pub(super) fn each(bits: u32) -> impl Iterator<Item = usize> {
    (0..usize::from(PARTITIONS)).filter(move |at| bits & 1 << at != 0)
}

/// These partitions, as bits.
pub(super) fn bits(partitions: impl Iterator<Item = usize>) -> u32 {
    partitions.fold(0, |bits, at| bits | 1 << at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(states: impl IntoIterator<Item = HeldPartition>) -> Partitions {
        let mut partitions = Partitions::default();
        states.into_iter().for_each(|state| partitions.hold(state));
        partitions
    }

    #[test]
    fn position_passes_only_events_that_were_handled_without_a_gap() {
        let mut partitions = holding([HeldPartition::new(5, 10, 10)]);
        let recorded =
            |partitions: &Partitions| partitions.progress().next().map(|progress| progress.handled_to);
        for position in [12, 15, 19] {
            assert!(partitions.read(5, position).is_some());
        }
        partitions.read_to(1 << 5, 30, 0);
        assert_eq!(recorded(&partitions), Some(11));
        partitions.handle(5, 15);
        assert_eq!(recorded(&partitions), Some(11));
        assert_eq!(partitions.take_handled(), [(5, 15)]);
        partitions.handle(5, 12);
        assert_eq!(recorded(&partitions), Some(18));
        partitions.handle(5, 19);
        assert_eq!(recorded(&partitions), Some(30));
        assert_eq!(partitions.take_handled(), [], "the position has passed them");
    }

    #[test]
    fn what_may_begin_is_stored_once_for_several_pages() {
        let mut partitions = holding([HeldPartition::new(5, 10, 10)]);
        assert!(partitions.read_to(1 << 5, 20, 15));
        let begun_to = |partitions: &Partitions| partitions.current(5).map(|progress| progress.begun_to);
        assert_eq!(begun_to(&partitions), Some(35));
        assert!(!partitions.read_to(1 << 5, 30, 15));
        assert_eq!(begun_to(&partitions), Some(35));
        assert!(!partitions.read_to(1 << 5, 32, 0));
        assert_eq!(begun_to(&partitions), Some(32), "no others may begin");
        assert!(partitions.read_to(1 << 5, 40, 0));
        assert_eq!(begun_to(&partitions), Some(40));
        partitions.leave(5);
        partitions.read_to(1 << 5, 50, 50);
        partitions.finish(1 << 5);
        assert_eq!(
            begun_to(&partitions),
            Some(50),
            "nothing runs, so what was not handled will not be interrupted"
        );
    }

    #[test]
    fn partitions_at_different_positions_are_read_until_they_meet() {
        let mut partitions = holding([HeldPartition::new(0, 10, 10), HeldPartition::new(3, 40, 40)]);
        assert_eq!(partitions.next_read(), Some((0b1, 10, Some(40))));
        partitions.read_to(0b1, 40, 0);
        assert_eq!(partitions.next_read(), Some((0b1001, 40, None)));
        partitions.leave(0);
        assert_eq!(partitions.next_read(), Some((0b1000, 40, None)));
        partitions.lose(3);
        assert_eq!(partitions.next_read(), None);
    }

    #[test]
    fn events_that_the_former_process_has_begun_are_interrupted_unless_it_handled_them() {
        let state = HeldPartition {
            handled: vec![(5, 14)],
            attempts: vec![(15, 3)],
            ..HeldPartition::new(5, 10, 15)
        };
        let mut partitions = holding([state]);
        assert_eq!(partitions.read(5, 12), None);
        assert_eq!(partitions.read(37, 13), Some(Known { attempts: 0, is_interrupted: true }));
        assert_eq!(partitions.read(5, 15), Some(Known { attempts: 3, is_interrupted: true }));
        assert_eq!(partitions.read(5, 16), Some(Known { attempts: 0, is_interrupted: false }));
    }
}
