//! What may happen next: the steps of the clients, the arrival of messages, and faults.

use std::fmt;

use crate::{
    rule::Rule,
    scenario::{Delivery, Kind, Scenario},
    state::{A, D, Message, Reader, ReaderPhase, State, Writer, WriterPhase},
};

/// A step of one client or of the server. Numbers are the indices of writers and readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A message arrives at the server.
    Deliver(Message),
    /// A writer asks for its hold.
    Hold(usize),
    /// A writer no longer waits for its hold.
    GiveUpHold(usize),
    /// A writer runs its body.
    RunBody(usize),
    /// A writer commits, or fails.
    Commit(usize),
    /// A writer is dropped while its commit is in flight.
    Drop(usize),
    /// The commit of a dropped writer reaches the database.
    CommitArrives(usize),
    /// The commit of a dropped writer is lost.
    CommitIsLost(usize),
    /// A writer ends its write.
    End(usize),
    /// A writer no longer waits for its end.
    GiveUpEnd(usize),
    /// The caller of a writer has the answer.
    Acknowledge(usize),
    /// The relay ends a write.
    RelayEnds(usize),
    /// The process of a writer dies.
    Crash(usize),
    /// The hold of a writer on an entity expires.
    Expire {
        /// The writer.
        writer: usize,
        /// The entity.
        entity: usize,
    },
    /// A reader looks up.
    LookUp(usize),
    /// A reader no longer waits for its look-up.
    GiveUpLookUp(usize),
    /// A reader takes what another has loaded.
    Share {
        /// The reader that takes it.
        reader: usize,
        /// The reader that has loaded it.
        from: usize,
    },
    /// A reader loads [`A`].
    LoadA(usize),
    /// A reader loads [`D`].
    LoadD(usize),
    /// A reader stores what it has loaded.
    Fill(usize),
    /// A reader returns without waiting for its fill.
    Return(usize),
    /// The server evicts the entry.
    EvictEntry,
    /// The server evicts the mark of an entity, and its holds with it.
    EvictMark(usize),
    /// The server saves a snapshot.
    SaveSnapshot,
    /// The server restarts from its snapshot.
    Restart,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 2] = ["A", "D"];
        match *self {
            Self::Deliver(Message::Hold { writer }) => write!(f, "server: hold of writer {writer}"),
            Self::Deliver(Message::End { writer, .. }) => write!(f, "server: end of writer {writer}"),
            Self::Deliver(Message::LookUp { reader }) => write!(f, "server: look-up of reader {reader}"),
            Self::Deliver(Message::Fill { reader, .. }) => write!(f, "server: fill of reader {reader}"),
            Self::Hold(writer) => write!(f, "writer {writer} asks for its hold"),
            Self::GiveUpHold(writer) => write!(f, "writer {writer} gives up on its hold"),
            Self::RunBody(writer) => write!(f, "writer {writer} runs its body"),
            Self::Commit(writer) => write!(f, "writer {writer} commits or fails"),
            Self::Drop(writer) => write!(f, "writer {writer} is dropped, its commit in flight"),
            Self::CommitArrives(writer) => write!(f, "the commit of writer {writer} arrives"),
            Self::CommitIsLost(writer) => write!(f, "the commit of writer {writer} is lost"),
            Self::End(writer) => write!(f, "writer {writer} ends its write"),
            Self::GiveUpEnd(writer) => write!(f, "writer {writer} gives up on its end"),
            Self::Acknowledge(writer) => write!(f, "writer {writer} is acknowledged"),
            Self::RelayEnds(writer) => write!(f, "the relay ends the write of writer {writer}"),
            Self::Crash(writer) => write!(f, "writer {writer} dies"),
            Self::Expire { writer, entity } => {
                write!(f, "the hold of writer {writer} on {} expires", NAMES[entity])
            }
            Self::LookUp(reader) => write!(f, "reader {reader} looks up"),
            Self::GiveUpLookUp(reader) => write!(f, "reader {reader} gives up on its look-up"),
            Self::Share { reader, from } => write!(f, "reader {reader} takes the load of reader {from}"),
            Self::LoadA(reader) => write!(f, "reader {reader} loads A"),
            Self::LoadD(reader) => write!(f, "reader {reader} loads D"),
            Self::Fill(reader) => write!(f, "reader {reader} fills"),
            Self::Return(reader) => write!(f, "reader {reader} returns"),
            Self::EvictEntry => write!(f, "the entry is evicted"),
            Self::EvictMark(entity) => write!(f, "the mark of {} is evicted", NAMES[entity]),
            Self::SaveSnapshot => write!(f, "the server saves a snapshot"),
            Self::Restart => write!(f, "the server restarts from its snapshot"),
        }
    }
}

impl Scenario {
    /// Adds all actions that are possible in a state.
    pub(crate) fn possible_actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.extend(state.messages.iter().copied().map(Action::Deliver));
        for writer in 0..self.writes.len() {
            self.actions_of_writer(state, writer, actions);
        }
        for reader in 0..self.readers {
            self.actions_of_reader(state, reader, actions);
        }
        self.actions_of_server(state, actions);
    }

    fn actions_of_writer(&self, state: &State, writer: usize, actions: &mut Vec<Action>) {
        let phase = state.writers[writer].phase;
        let may_give_up = state.faults.cuts > 0;
        match (phase, self.delivery) {
            (WriterPhase::Start, Delivery::Inline | Delivery::Durable)
                if self.follows(Rule::Hold) && !self.key_of_result =>
            {
                actions.push(Action::Hold(writer));
            }
            (WriterPhase::Start, _) | (WriterPhase::Held, Delivery::Inline | Delivery::Durable) => {
                actions.push(Action::RunBody(writer));
            }
            (WriterPhase::Body, Delivery::Tx) => actions.push(Action::Hold(writer)),
            (WriterPhase::Body, _) | (WriterPhase::Held, Delivery::Tx) => {
                actions.push(Action::Commit(writer));
                if self.writes[writer].kind == Kind::Drop {
                    actions.push(Action::Drop(writer));
                }
            }
            (WriterPhase::InFlight, _) => {
                actions.extend([Action::CommitArrives(writer), Action::CommitIsLost(writer)]);
            }
            (WriterPhase::Holding, _) if may_give_up => actions.push(Action::GiveUpHold(writer)),
            (WriterPhase::Committed, Delivery::Tx) | (WriterPhase::Ended, Delivery::Durable) => {
                actions.extend([Action::Acknowledge(writer), Action::RelayEnds(writer)]);
            }
            (WriterPhase::Committed, _) => actions.push(Action::End(writer)),
            (WriterPhase::Ending, _) if may_give_up => actions.push(Action::GiveUpEnd(writer)),
            (WriterPhase::Ended, _) => actions.push(Action::Acknowledge(writer)),
            (WriterPhase::Acknowledged, Delivery::Durable | Delivery::Tx) => {
                actions.push(Action::RelayEnds(writer));
            }
            _ => {}
        }
        if state.faults.crashes > 0 && self.may_crash(state, writer) {
            actions.push(Action::Crash(writer));
        }
        for entity in [A, D] {
            if state.cache.holds[entity].contains(writer) && !self.renew(phase) {
                actions.push(Action::Expire { writer, entity });
            }
        }
    }

    /// Whether it makes a difference that the process dies. With `tx` it does not after the commit: the relay ends the write.
    fn may_crash(&self, state: &State, writer: usize) -> bool {
        let Writer { phase, written, .. } = state.writers[writer];
        matches!(
            phase,
            WriterPhase::Holding
                | WriterPhase::Held
                | WriterPhase::Body
                | WriterPhase::Committed
                | WriterPhase::Ending
                | WriterPhase::Ended
        ) && !(self.is_tx() && written.is_some())
    }

    /// Whether the hold of a writer is extended again and again, so that it does not expire.
    fn renew(&self, phase: WriterPhase) -> bool {
        self.follows(Rule::Renew)
            && matches!(
                phase,
                WriterPhase::Holding | WriterPhase::Held | WriterPhase::Body | WriterPhase::InFlight
            )
    }

    fn actions_of_reader(&self, state: &State, reader: usize, actions: &mut Vec<Action>) {
        let Reader { phase, storable, .. } = state.readers[reader];
        let may_give_up = state.faults.cuts > 0;
        match phase {
            ReaderPhase::Start => actions.push(Action::LookUp(reader)),
            ReaderPhase::LookingUp if may_give_up => actions.push(Action::GiveUpLookUp(reader)),
            ReaderPhase::Missed => {
                actions.push(Action::LoadA(reader));
                let others = (0..self.readers).filter(|&from| from != reader);
                let shared = others.filter(|&from| self.may_share(state, reader, from));
                actions.extend(shared.map(|from| Action::Share { reader, from }));
            }
            ReaderPhase::HalfLoaded => actions.push(Action::LoadD(reader)),
            ReaderPhase::Loaded if storable => actions.push(Action::Fill(reader)),
            ReaderPhase::Loaded => actions.push(Action::Return(reader)),
            ReaderPhase::Filling if may_give_up => actions.push(Action::Return(reader)),
            ReaderPhase::LookingUp | ReaderPhase::Filling | ReaderPhase::Done => {}
        }
    }

    /// Whether a reader may take the load of another.
    fn may_share(&self, state: &State, reader: usize, from: usize) -> bool {
        let (own, other) = (&state.readers[reader], &state.readers[from]);
        let has_loaded =
            matches!(other.phase, ReaderPhase::Loaded | ReaderPhase::Filling | ReaderPhase::Done);
        let saw_the_same = own.storable
            && other.storable
            && own.marks == other.marks
            && own.incarnation == other.incarnation;
        // What was taken from the cache or from another reader has no marks, and is not passed on.
        has_loaded
            && other.marks.is_some()
            && (saw_the_same || other.earlier.contains(reader) || !self.follows(Rule::ShareMarks))
    }

    fn actions_of_server(&self, state: &State, actions: &mut Vec<Action>) {
        let cache = &state.cache;
        if state.faults.evictions > 0 {
            if cache.entry.is_some() {
                actions.push(Action::EvictEntry);
            }
            for entity in [A, D] {
                if cache.marks[entity].is_some() && (cache.holds[entity].is_empty() || self.evicts_holds) {
                    actions.push(Action::EvictMark(entity));
                }
            }
        }
        if state.faults.restarts > 0 {
            actions.push(if state.snapshot.is_none() { Action::SaveSnapshot } else { Action::Restart });
        }
    }
}
