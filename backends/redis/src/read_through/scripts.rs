//! The scripts, and the commands that call them.

use std::{sync::LazyLock, time::Duration};

use ::redis::Script;
use graceful::{
    Key,
    backends::{Incarnation, Mark},
};

use super::stored;
use crate::{
    cache::{FOR_EVER, millis},
    command::Command,
};

/// Defines a script of this folder, with what all of them share before it.
macro_rules! scripts {
    ($($name:ident = $file:literal;)*) => {
        $(pub(super) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(concat!(include_str!("common.lua"), include_str!($file))));)*
    };
}

scripts! {
    END = "end.lua";
    EXTEND = "extend.lua";
    FILL = "fill.lua";
    HOLD = "hold.lua";
    INVALIDATE = "invalidate.lua";
    LOOK_UP = "look_up.lua";
    RELEASE = "release.lua";
    RENEW = "renew.lua";
}

/// The arguments of a script, of which the first is the incarnation.
pub(super) struct Arguments(Vec<Vec<u8>>);

impl Arguments {
    pub(super) fn new(incarnation: Incarnation) -> Self {
        Self(vec![stored::short_hex(incarnation.0).as_bytes().to_vec()])
    }

    pub(super) fn bytes(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.push(bytes.into());
        self
    }

    /// Nothing is an empty argument.
    pub(super) fn mark(self, mark: Option<Mark>) -> Self {
        self.bytes(mark.map(stored::hex).unwrap_or_default())
    }

    pub(super) fn marks(self, marks: &[Mark]) -> Self {
        marks.iter().fold(self, |arguments, mark| arguments.mark(Some(*mark)))
    }

    /// A time, in milliseconds. The server refuses one that is over at once, or longer than it can count.
    pub(super) fn time(self, time: Duration) -> Self {
        self.bytes(millis(time).clamp(1, FOR_EVER).to_string())
    }

    pub(super) fn count(self, count: usize) -> Self {
        self.bytes(count.to_string())
    }

    pub(super) fn of(self, script: &'static Script, keys: Vec<String>) -> Command {
        Command::Script { script, keys, arguments: self.0 }
    }
}

/// A mark for each key.
///
/// They are made anew each time a command is sent: a command that arrives late, after it was sent again, must not bring back the marks
/// that its second sending has set, and which a put compares.
pub(super) fn fresh(keys: &[Key]) -> Vec<Mark> {
    keys.iter().map(|_| Mark::random()).collect()
}
