//! Compares what a read saw with what was acknowledged before it began.

use std::collections::HashMap;

use crate::{
    call::{Call, Caller, Ending},
    data::{Seen, Subject, Version, Write},
    database::Database,
    history::{History, What},
    report::{Report, Violation},
};

/// How many violations are shown.
const SHOWN: usize = 3;

/// A version, and the write that committed it.
#[derive(Clone, Copy, Debug, Default)]
struct Floor {
    version: Version,
    writer: u64,
}

impl Floor {
    fn raise(&mut self, other: Self) {
        if other.version > self.version {
            *self = other;
        }
    }
}

/// A call that has not ended.
#[derive(Debug)]
struct Running {
    caller: Caller,
    call: Call,
    at_rest: bool,
    /// Of a read: what each subject must be shown at, in the order of [`Call::subjects`].
    floors: Vec<Floor>,
    /// Of a write: what it has committed.
    committed: Vec<Version>,
    /// Its body has asked the database.
    has_loaded: bool,
}

/// What is known of one subject.
#[derive(Debug, Default)]
struct Known {
    /// The newest version of an acknowledged write.
    acknowledged: Floor,
    /// The newest version that every read must see when all has come to rest.
    settled: Floor,
    /// The last commit after which the subject did not exist.
    absent: Version,
    history: History,
}

#[derive(Debug, Default)]
pub struct Checker {
    running: HashMap<u64, Running>,
    known: HashMap<Subject, Known>,
    report: Report,
}

impl Checker {
    pub fn new(seed: u64) -> Self {
        Self { report: Report { seed, ..Report::default() }, ..Self::default() }
    }

    pub fn report(&self) -> &Report {
        &self.report
    }

    /// A body asks the database, within this call.
    pub fn load(&mut self, call: Option<u64>) {
        self.report.loads += 1;
        if let Some(running) = call.and_then(|operation| self.running.get_mut(&operation)) {
            running.has_loaded = true;
        }
    }

    /// A call begins; returns its number. Whatever was acknowledged before, a read must see.
    pub fn begin(&mut self, caller: Caller, call: Call, at_rest: bool) -> u64 {
        self.report.operations += 1;
        let operation = self.report.operations;
        let mut floors = Vec::new();
        for subject in call.subjects() {
            let known = self.known.entry(subject).or_default();
            known.history.push(operation, caller, What::Began(call));
            floors.push(if at_rest { known.settled } else { known.acknowledged });
        }
        let running = Running { caller, call, at_rest, floors, committed: Vec::new(), has_loaded: false };
        self.running.insert(operation, running);
        operation
    }

    /// A write has changed the database.
    ///
    /// A write that does not hold what it changes, and whose end nobody saw, may leave an old entry: that is a documented limit. So such
    /// a commit is not settled before it is acknowledged.
    pub fn commit(&mut self, operation: u64, write: Write, version: Version, database: &Database) {
        self.report.commits += 1;
        // A commit may come after the end of its call, which was cancelled.
        let running = self.running.get_mut(&operation);
        let caller = running.as_ref().map(|running| running.caller).unwrap_or_default();
        if let Some(running) = running {
            running.committed.push(version);
        }
        for subject in write.change.subjects() {
            let known = self.known.entry(subject).or_default();
            known.history.push(operation, caller, What::Committed(version));
            if !database.exists(subject) {
                known.absent = version;
            }
            if write.manner.holds() {
                known.settled.raise(Floor { version, writer: operation });
            }
        }
    }

    /// A call has ended.
    pub fn end(&mut self, operation: u64, ending: &Ending) {
        let Some(running) = self.running.remove(&operation) else { return };
        let subjects = running.call.subjects();
        match ending {
            Ending::Saw(seen) => {
                self.report.reads += 1;
                self.report.hits += u64::from(!running.has_loaded);
                self.report.shown += seen.len() as u64;
                let shown: Vec<Subject> = seen.iter().map(|seen| seen.subject).collect();
                assert_eq!(shown, subjects, "a read shows what it was asked for");
                for (seen, floor) in seen.iter().zip(&running.floors) {
                    self.check(operation, &running, *seen, *floor);
                }
                return;
            }
            Ending::Failed => self.report.failed_reads += 1,
            Ending::Acknowledged => self.report.acknowledged += 1,
            Ending::Refused => self.report.refused += 1,
            Ending::Unknown => self.report.unknown += 1,
            Ending::Cancelled => self.report.cancelled += 1,
        }
        for subject in subjects {
            let known = self.known.entry(subject).or_default();
            if *ending == Ending::Acknowledged {
                for &version in &running.committed {
                    let floor = Floor { version, writer: operation };
                    known.acknowledged.raise(floor);
                    known.settled.raise(floor);
                }
            }
            known.history.push(operation, running.caller, What::Ended(ending.clone()));
        }
    }

    fn check(&mut self, operation: u64, running: &Running, seen: Seen, floor: Floor) {
        let known = self.known.entry(seen.subject).or_default();
        known.history.push(operation, running.caller, What::Ended(Ending::Saw(vec![seen])));
        // What does not exist has no version: it is as new as the last commit that left it so.
        if seen.version.unwrap_or(known.absent) >= floor.version {
            return;
        }
        match running.at_rest {
            true => self.report.stale_at_rest += 1,
            false => self.report.stale += 1,
        }
        if self.report.violations.len() < SHOWN {
            self.report.violations.push(Violation {
                operation,
                subject: seen.subject,
                saw: seen.version,
                floor: floor.version,
                writer: floor.writer,
                at_rest: running.at_rest,
                history: known.history.to_string(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Change, Fate, Manner};

    const USER: Subject = Subject::User(1);

    /// A checker and a database, with calls that each are one step.
    #[derive(Default)]
    struct World {
        database: Database,
        checker: Checker,
    }

    impl World {
        fn begin(&mut self, call: Call) -> u64 {
            self.checker.begin(Caller::default(), call, false)
        }

        fn commit(&mut self, operation: u64, write: Write) {
            let version = self.database.commit(write.change);
            self.checker.commit(operation, write, version, &self.database);
        }

        fn write(&mut self, change: Change, manner: Manner, ending: &Ending) {
            let write = Write { change, manner, fate: Fate::Succeeds };
            let operation = self.begin(Call::Write(write));
            self.commit(operation, write);
            self.checker.end(operation, ending);
        }

        fn saw(&mut self, operation: u64, version: Option<Version>) {
            self.checker.end(operation, &Ending::Saw(vec![Seen { subject: USER, version }]));
        }

        fn read(&mut self, version: Option<Version>) {
            let operation = self.begin(Call::ReadUser(1));
            self.saw(operation, version);
        }

        fn read_at_rest(&mut self, version: Option<Version>) {
            let operation = self.checker.begin(Caller::default(), Call::ReadUser(1), true);
            self.saw(operation, version);
        }

        /// Stale reads, and those at rest.
        fn stale(&self) -> (u64, u64) {
            (self.checker.report().stale, self.checker.report().stale_at_rest)
        }
    }

    #[test]
    fn read_that_began_after_an_acknowledged_write_must_see_it() {
        let mut world = World::default();
        world.write(Change::SaveUser(1), Manner::Plain, &Ending::Acknowledged);
        world.read(Some(1));
        world.write(Change::SaveUser(1), Manner::Plain, &Ending::Acknowledged);
        world.read(Some(2));
        assert_eq!(world.stale(), (0, 0));
        world.read(Some(1));
        world.read(None);
        assert_eq!(world.stale(), (2, 0));
        let violation = &world.checker.report().violations[0];
        assert_eq!((violation.saw, violation.floor, violation.writer), (Some(1), 2, 3));
    }

    #[test]
    fn read_that_began_before_the_acknowledgement_may_see_the_old_version() {
        let mut world = World::default();
        world.write(Change::SaveUser(1), Manner::Plain, &Ending::Acknowledged);
        let reads = world.begin(Call::ReadUser(1));
        world.write(Change::SaveUser(1), Manner::Plain, &Ending::Acknowledged);
        world.saw(reads, Some(1));
        assert_eq!(world.stale(), (0, 0));
    }

    #[test]
    fn deleted_subject_may_not_be_seen_after_the_acknowledgement() {
        let mut world = World::default();
        world.write(Change::SaveUser(1), Manner::Plain, &Ending::Acknowledged);
        world.write(Change::DeleteUser(1), Manner::Plain, &Ending::Acknowledged);
        world.read(None);
        assert_eq!(world.stale(), (0, 0));
        world.read(Some(1));
        assert_eq!(world.stale(), (1, 0));
    }

    #[test]
    fn read_without_a_load_of_its_own_is_a_hit() {
        let mut world = World::default();
        world.read(None);
        let operation = world.begin(Call::ReadUser(1));
        world.checker.load(Some(operation));
        world.saw(operation, None);
        let report = world.checker.report();
        assert_eq!((report.reads, report.hits, report.loads), (2, 1, 1));
    }

    #[test]
    fn write_that_is_not_acknowledged_must_be_seen_at_rest_only() {
        for ending in [Ending::Unknown, Ending::Cancelled] {
            let mut world = World::default();
            world.write(Change::SaveUser(1), Manner::Plain, &ending);
            world.read(None);
            assert_eq!(world.stale(), (0, 0));
            world.read_at_rest(Some(1));
            assert_eq!(world.stale(), (0, 0));
            world.read_at_rest(None);
            assert_eq!(world.stale(), (0, 1));
        }
    }

    #[test]
    fn lost_write_without_a_hold_may_be_missed_at_rest() {
        let mut world = World::default();
        world.write(Change::SaveUser(1), Manner::OverResult, &Ending::Unknown);
        world.read_at_rest(None);
        assert_eq!(world.stale(), (0, 0));
        world.write(Change::SaveUser(1), Manner::OverResult, &Ending::Acknowledged);
        world.read_at_rest(None);
        assert_eq!(world.stale(), (0, 1));
    }

    #[test]
    fn commit_after_the_end_of_its_call_must_be_seen_at_rest() {
        let mut world = World::default();
        let write = Write { change: Change::SaveUser(1), manner: Manner::Plain, fate: Fate::Succeeds };
        let operation = world.begin(Call::Write(write));
        world.checker.end(operation, &Ending::Cancelled);
        world.commit(operation, write);
        world.read_at_rest(None);
        assert_eq!(world.stale(), (0, 1));
    }
}
