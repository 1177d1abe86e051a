//! The entities of a write, and the arguments of its end.

use std::collections::HashMap;

use graceful::{
    Key,
    backends::{End, Held, Mark, Write},
};

use super::{
    names,
    scripts::{self, Arguments},
    stored,
};
use crate::{
    command::{Command, Sending},
    process::Process,
};

/// The entities of a write.
pub(super) struct Entities {
    pub(super) token: Mark,
    /// [`Write::changes`].
    pub(super) changes: Vec<Key>,
    /// [`Write::marked`].
    pub(super) others: Vec<Key>,
}

impl Entities {
    pub(super) fn of(write: &Write) -> Self {
        Self { token: write.token, changes: write.changes().to_vec(), others: write.marked() }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Key> {
        self.changes.iter().chain(&self.others)
    }

    /// The command that ends the write. What has to be as it was at the hold is put or restored only by the process that has set the hold,
    /// and only by the first sending.
    pub(super) fn end(&self, held: Option<&Held>, end: &End, process: &Process, sending: Sending) -> Command {
        let fresh = scripts::fresh(&self.changes);
        let is_comparable = |held: &&Held| {
            held.clean
                && held.incarnation == process.incarnation
                && sending == Sending::First
                && self.is_held_by(held)
        };
        match (end, held.filter(is_comparable)) {
            (End::Restore, Some(held)) => self.restoring(held, &fresh, process),
            (End::Put { .. }, Some(held)) => self
                .putting(held, &fresh, end, process)
                .unwrap_or_else(|| self.invalidating("invalidate", &fresh, process)),
            (End::Unknown, _) => self.invalidating("unknown", &fresh, process),
            _ => self.invalidating("invalidate", &fresh, process),
        }
    }

    fn arguments(&self, kind: &str, process: &Process) -> Arguments {
        Arguments::new(process.incarnation).mark(Some(self.token)).bytes(kind).count(self.changes.len())
    }

    fn invalidating(&self, kind: &str, fresh: &[Mark], process: &Process) -> Command {
        let arguments = self.arguments(kind, process).bytes("0").bytes("");
        let arguments =
            fresh.iter().fold(arguments, |arguments, fresh| arguments.marks(&[*fresh]).mark(None).mark(None));
        arguments.of(&scripts::END, names::marks_and_holds(&self.changes))
    }

    fn restoring(&self, held: &Held, fresh: &[Mark], process: &Process) -> Command {
        let arguments = self.arguments("restore", process).bytes("0").bytes("");
        compared(arguments, held, fresh).of(&scripts::END, names::marks_and_holds(self.all()))
    }

    /// `None` if the entry needs a mark that the write does not know.
    fn putting(&self, held: &Held, fresh: &[Mark], end: &End, process: &Process) -> Option<Command> {
        let End::Put { name, entry, ttl } = end else { return None };
        let known: HashMap<_, _> = self.all().zip(fresh.iter().chain(&held.others)).collect();
        let marked = name.marked();
        let marks: Option<Vec<_>> = marked.iter().map(|key| known.get(key).map(|mark| **mark)).collect();
        let bytes = stored::entry(name, entry, &marks?, process.incarnation).ok()?;
        let arguments = self.arguments("put", process).time(*ttl).bytes(bytes);
        let mut keys = names::marks_and_holds(self.all());
        keys.push(names::entry(name));
        keys.extend(marked.iter().map(names::mark));
        Some(compared(arguments, held, fresh).of(&scripts::END, keys))
    }

    /// False if this is the hold of another write.
    fn is_held_by(&self, held: &Held) -> bool {
        [held.new.len(), held.old.len()] == [self.changes.len(); 2] && held.others.len() == self.others.len()
    }
}

/// Adds the fresh mark of each changed entity, the one since the hold and the one before, and those of the others.
fn compared(arguments: Arguments, held: &Held, fresh: &[Mark]) -> Arguments {
    let each = fresh.iter().zip(held.new.iter().zip(&held.old));
    let compared = each.fold(arguments, |arguments, (fresh, (new, old))| {
        arguments.mark(Some(*fresh)).mark(Some(*new)).mark(*old)
    });
    compared.marks(&held.others)
}
