//! One call of a reader or of a writer.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::data::{Seen, Subject, Write};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call {
    ReadUser(u64),
    ReadOrder(u64),
    ReadOrders(u64),
    /// Reads a user and the orders, within another reader.
    ReadProfile(u64),
    Write(Write),
}

impl Call {
    /// What it shows, or what it changes.
    pub fn subjects(self) -> Vec<Subject> {
        match self {
            Self::ReadUser(id) => vec![Subject::User(id)],
            Self::ReadOrder(id) => vec![Subject::Order(id)],
            Self::ReadOrders(customer) => vec![Subject::Orders(customer)],
            Self::ReadProfile(id) => vec![Subject::User(id), Subject::Orders(id)],
            Self::Write(write) => write.change.subjects(),
        }
    }
}

/// Who calls: a task of a process.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    pub process: u64,
    pub task: u64,
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}t{}", self.process, self.task)
    }
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// A read returned.
    Saw(Vec<Seen>),
    /// A read failed.
    Failed,
    /// A write returned `Ok`.
    Acknowledged,
    /// A write returned an `Err` that says that nothing was changed.
    Refused,
    /// A write returned another `Err`.
    Unknown,
    /// The call's future was dropped.
    Cancelled,
}
