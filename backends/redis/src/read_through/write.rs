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
    /// What it changes, nothing twice.
    pub(super) changes: Vec<Key>,
    /// The place in `changes` of each of [`Write::changes`].
    pub(super) places: Vec<usize>,
    /// [`Write::marked`].
    pub(super) others: Vec<Key>,
}

impl Entities {
    pub(super) fn of(write: &Write) -> Self {
        let (mut changes, mut known) = (Vec::new(), HashMap::new());
        let place = |key| {
            *known.entry(key).or_insert_with(|| {
                changes.push(Key::clone(key));
                changes.len() - 1
            })
        };
        let places = write.changes.iter().map(place).collect();
        Self { token: write.token, changes, places, others: write.marked() }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Key> {
        self.changes.iter().chain(&self.others)
    }

    /// The command that ends the write. What has to be as it was at the hold is put or restored only by the process that has set the hold,
    /// and only by the first sending.
    pub(super) fn end(&self, held: Option<&Held>, end: &End, process: &Process, sending: Sending) -> Command {
        let fresh = scripts::fresh(&self.changes);
        let is_comparable =
            |held: &&Held| held.clean && held.incarnation == process.incarnation && sending == Sending::First;
        let held = held.filter(is_comparable).and_then(|held| self.at_hold(held));
        match (end, held) {
            (End::Restore, Some(held)) => self.restoring(&held, &fresh, process),
            (End::Put { .. }, Some(held)) => self
                .putting(&held, &fresh, end, process)
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

    fn restoring(&self, held: &AtHold<'_>, fresh: &[Mark], process: &Process) -> Command {
        let arguments = self.arguments("restore", process).bytes("0").bytes("");
        held.compared(arguments, fresh).of(&scripts::END, names::marks_and_holds(self.all()))
    }

    /// `None` if the entry needs a mark that the write does not know.
    fn putting(&self, held: &AtHold<'_>, fresh: &[Mark], end: &End, process: &Process) -> Option<Command> {
        let End::Put { name, entry, ttl } = end else { return None };
        let known: HashMap<_, _> = self.all().zip(fresh.iter().chain(held.others)).collect();
        let marked = name.marked();
        let marks: Option<Vec<_>> = marked.iter().map(|key| known.get(key).map(|mark| **mark)).collect();
        let bytes = stored::entry(name, entry, &marks?, process.incarnation).ok()?;
        let arguments = self.arguments("put", process).time(*ttl).bytes(bytes);
        let mut keys = names::marks_and_holds(self.all());
        keys.push(names::entry(name));
        keys.extend(marked.iter().map(names::mark));
        Some(held.compared(arguments, fresh).of(&scripts::END, keys))
    }

    /// `None` if this is the hold of another write.
    fn at_hold<'a>(&self, held: &'a Held) -> Option<AtHold<'a>> {
        let is_ours = [held.new.len(), held.old.len()] == [self.places.len(); 2]
            && held.others.len() == self.others.len();
        if !is_ours {
            return None;
        }
        let mut marks = vec![(None, None); self.changes.len()];
        for (&place, (new, old)) in self.places.iter().zip(held.new.iter().zip(&held.old)) {
            marks[place] = (Some(*new), *old);
        }
        Some(AtHold { marks, others: &held.others })
    }
}

/// The marks at the hold of a write.
struct AtHold<'a> {
    /// Of each changed entity the mark since then, and the one before.
    marks: Vec<(Option<Mark>, Option<Mark>)>,
    others: &'a [Mark],
}

impl AtHold<'_> {
    fn compared(&self, arguments: Arguments, fresh: &[Mark]) -> Arguments {
        let each = fresh.iter().zip(&self.marks);
        let compared = each.fold(arguments, |arguments, (fresh, &(new, old))| {
            arguments.mark(Some(*fresh)).mark(new).mark(old)
        });
        compared.marks(self.others)
    }
}
