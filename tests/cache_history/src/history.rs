//! What happened to one subject, in the order in which the checker was told.

use std::{collections::VecDeque, fmt};

use crate::{
    call::{Call, Caller, Ending},
    data::Version,
};

/// How many events are remembered of each subject.
const EVENTS: usize = 48;

#[derive(Clone, Debug)]
pub enum What {
    Began(Call),
    Committed(Version),
    Ended(Ending),
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Began(call) => write!(f, "begins {call:?}"),
            Self::Committed(version) => write!(f, "commits version {version}"),
            Self::Ended(Ending::Saw(seen)) => {
                for seen in seen {
                    match seen.version {
                        Some(version) => write!(f, "returns version {version}")?,
                        None => write!(f, "returns that it does not exist")?,
                    }
                }
                Ok(())
            }
            Self::Ended(ending) => write!(f, "ends: {ending:?}"),
        }
    }
}

/// The last events of one subject.
#[derive(Debug, Default)]
pub struct History(VecDeque<(u64, Caller, What)>);

impl History {
    pub fn push(&mut self, operation: u64, caller: Caller, what: What) {
        if self.0.len() == EVENTS {
            self.0.pop_front();
        }
        self.0.push_back((operation, caller, what));
    }
}

/// One event a line.
impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (operation, caller, what) in &self.0 {
            writeln!(f, "  {operation:>8} {caller:?} {what}")?;
        }
        Ok(())
    }
}
