//! What must hold in each state, and the search through all of them.

use stateright::{Checker as _, Model as _};

use crate::{
    action::Action,
    scenario::Scenario,
    state::{ReaderPhase, State, WriterPhase},
};

/// What must never happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A read returned a version that is older than one that was acknowledged before the read began.
    StaleRead,
    /// Everything has come to rest, and an entry that would be a hit is older than the database.
    StaleEntry,
}

impl Scenario {
    /// Asserts that no state is a violation, and returns how many states can be reached.
    ///
    /// # Panics
    ///
    /// If there is a violation, with the shortest path to one.
    #[track_caller]
    pub fn assert_holds(self) -> usize {
        let (states, violation) = self.check();
        if let Some((violation, path)) = violation {
            panic!("{violation:?} after {} actions:\n{}", path.len(), lines(&path));
        }
        states
    }

    /// Asserts that there is a violation, which one comes first, and after how many actions.
    ///
    /// # Panics
    ///
    /// If there is none, or another one comes first.
    #[track_caller]
    pub fn assert_violated(self, expected: Violation, actions: usize) {
        let (states, violation) = self.check();
        let Some((violation, path)) = violation else {
            panic!("none of {states} states is a violation; expected {expected:?} after {actions} actions");
        };
        println!("{violation:?} after {} actions:\n{}", path.len(), lines(&path));
        assert_eq!((violation, path.len()), (expected, actions));
    }

    /// Searches through all states, breadth first: how many there are, and the shortest path to a violation.
    fn check(self) -> (usize, Option<(Violation, Vec<Action>)>) {
        // A second thread would lengthen the path; the tests are run side by side instead.
        let checker = self.checker().threads(1).spawn_bfs().join();
        let violation = checker.discoveries().into_values().next().map(|path| {
            let violation = checker.model().violation(path.last_state());
            (violation.expect("the last state is the violation"), path.into_actions())
        });
        (checker.unique_state_count(), violation)
    }

    /// What is wrong with a state.
    pub(crate) fn violation(&self, state: &State) -> Option<Violation> {
        let is_stale = state.readers.iter().any(|reader| {
            reader.phase == ReaderPhase::Done
                && self.reads.iter().any(|&entity| reader.value[entity] < reader.needed[entity])
        });
        if is_stale {
            return Some(Violation::StaleRead);
        }
        if !self.settles || !is_at_rest(state) {
            return None;
        }
        let value = self.hit(&state.cache)?;
        let is_old = self.reads.iter().any(|&entity| value[entity] < state.database[entity]);
        is_old.then_some(Violation::StaleEntry)
    }
}

/// Whether no message is under way, no entity is held, and no write is in progress. The relay may not have ended the writes yet: an
/// entry must be current without that.
fn is_at_rest(state: &State) -> bool {
    let is_done = |phase| {
        matches!(
            phase,
            WriterPhase::Start | WriterPhase::Acknowledged | WriterPhase::Over | WriterPhase::Dead
        )
    };
    state.messages.is_empty()
        && state.cache.holds.iter().all(|holds| holds.is_empty())
        && state.writers.iter().all(|writer| is_done(writer.phase))
}

fn lines(path: &[Action]) -> String {
    path.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
