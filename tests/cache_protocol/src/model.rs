//! The model as the checker sees it, and what each action changes.

use stateright::{Model, Property};

use crate::{
    action::Action,
    rule::Rule,
    scenario::{Kind, Scenario},
    state::{D, Entry, Indices, Message, ReaderPhase, State, WriterPhase},
};

impl Model for Scenario {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.initial_state()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.possible_actions(state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut state = state.clone();
        self.act(&mut state, action);
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        // With a second property the search would go on after the first violation, whose path would then not be the shortest.
        vec![Property::always("nothing is stale", |scenario, state| scenario.violation(state).is_none())]
    }
}

impl Scenario {
    fn act(&self, state: &mut State, action: Action) {
        match action {
            Action::Deliver(message) => self.deliver(state, message),
            Action::Hold(writer) => {
                state.messages.insert(Message::Hold { writer });
                state.writers[writer].phase = WriterPhase::Holding;
            }
            Action::GiveUpHold(writer) => {
                state.faults.cuts -= 1;
                run_body(state, writer);
                // Then it is refused instead.
                if self.follows(Rule::Strict) {
                    state.writers[writer].phase = WriterPhase::Dead;
                }
            }
            Action::RunBody(writer) => run_body(state, writer),
            Action::Commit(writer) => {
                self.commit(state, writer);
                state.writers[writer].phase = WriterPhase::Committed;
            }
            Action::Drop(writer) => {
                send_end(state, writer, false);
                state.writers[writer].phase = WriterPhase::InFlight;
            }
            Action::CommitArrives(writer) => {
                self.commit(state, writer);
                state.writers[writer].phase = WriterPhase::Dead;
            }
            Action::CommitIsLost(writer) => state.writers[writer].phase = WriterPhase::Dead,
            Action::End(writer) => {
                send_end(state, writer, true);
                state.writers[writer].phase = WriterPhase::Ending;
            }
            Action::GiveUpEnd(writer) => {
                state.faults.cuts -= 1;
                state.writers[writer].phase = WriterPhase::Ended;
            }
            Action::Acknowledge(writer) => {
                acknowledge(state, writer);
                let is_over = self.is_tx() && state.writers[writer].phase == WriterPhase::Ended;
                state.writers[writer].phase =
                    if is_over { WriterPhase::Over } else { WriterPhase::Acknowledged };
            }
            Action::RelayEnds(writer) => self.relay_ends(state, writer),
            Action::Crash(writer) => {
                state.faults.crashes -= 1;
                state.writers[writer].phase = WriterPhase::Dead;
            }
            Action::Expire { writer, entity } => state.cache.holds[entity].remove(writer),
            Action::LookUp(reader) => {
                state.messages.insert(Message::LookUp { reader });
                state.readers[reader].phase = ReaderPhase::LookingUp;
                state.readers[reader].needed = state.acknowledged;
            }
            Action::GiveUpLookUp(reader) => {
                state.faults.cuts -= 1;
                state.readers[reader].phase = ReaderPhase::Missed;
            }
            Action::Share { reader, from } => {
                state.readers[reader].value = state.readers[from].value;
                state.readers[reader].marks = None;
                state.readers[reader].phase = ReaderPhase::Done;
            }
            Action::LoadA(reader) => {
                state.readers[reader].value = state.database;
                state.readers[reader].phase = ReaderPhase::HalfLoaded;
            }
            Action::LoadD(reader) => {
                // `D` may have changed since `A` was loaded.
                state.readers[reader].value[D] = state.database[D];
                state.readers[reader].phase = ReaderPhase::Loaded;
            }
            Action::Fill(reader) => {
                let loaded = &mut state.readers[reader];
                loaded.phase = ReaderPhase::Filling;
                let marks = loaded.marks.unwrap_or_default();
                let entry = Entry { value: loaded.value, marks, incarnation: loaded.incarnation };
                state.messages.insert(Message::Fill { reader, entry });
            }
            Action::Return(reader) => {
                if state.readers[reader].phase == ReaderPhase::Filling {
                    state.faults.cuts -= 1;
                }
                state.readers[reader].phase = ReaderPhase::Done;
            }
            Action::EvictEntry => {
                state.faults.evictions -= 1;
                state.cache.entry = None;
            }
            Action::EvictMark(entity) => {
                state.faults.evictions -= 1;
                state.cache.marks[entity] = None;
                state.cache.holds[entity] = Indices::default();
            }
            Action::SaveSnapshot => state.snapshot = Some(state.cache),
            Action::Restart => {
                state.faults.restarts -= 1;
                let incarnation = state.cache.incarnation + 1;
                state.cache = state.snapshot.unwrap_or(state.cache);
                state.cache.incarnation = incarnation;
            }
        }
    }

    /// Raises the version of what a write changes.
    fn commit(&self, state: &mut State, writer: usize) {
        let mut written = [None; 2];
        if self.writes[writer].kind != Kind::Fail {
            for &entity in self.writes[writer].changes {
                state.database[entity] += 1;
                written[entity] = Some(state.database[entity]);
            }
        }
        state.writers[writer].written = Some(written);
    }

    fn relay_ends(&self, state: &mut State, writer: usize) {
        send_end(state, writer, false);
        let phase = state.writers[writer].phase;
        // The caller of a durable flow has its answer when the flow is stored.
        if !self.is_tx() && phase == WriterPhase::Ended {
            acknowledge(state, writer);
        }
        // With `tx` the relay may be faster than the answer.
        state.writers[writer].phase =
            if phase == WriterPhase::Committed { WriterPhase::Ended } else { WriterPhase::Over };
    }
}

fn run_body(state: &mut State, writer: usize) {
    state.writers[writer].seen = state.database[D];
    state.writers[writer].phase = WriterPhase::Body;
}

fn send_end(state: &mut State, writer: usize, awaited: bool) {
    state.messages.insert(Message::End { writer, sent: state.writers[writer], awaited });
}

fn acknowledge(state: &mut State, writer: usize) {
    let written = state.writers[writer].written.unwrap_or_default();
    for (newest, version) in state.acknowledged.iter_mut().zip(written) {
        *newest = (*newest).max(version.unwrap_or_default());
    }
}
