//! What the steps drive: eight traits, and the engines behind them.
//!
//! A backend of your own implements one of them; the types of other crates that they speak in are here, too:
//! [`Timestamp`] of `jiff`, [`Uuid`] of `uuid`.
//!
//! A backend is given to the [builder](crate::OrchestratorBuilder); a step without one is skipped. All of them answer with a
//! [`Reply`], at once or later, and may be called from many tasks at once. What a backend does after its reply was dropped
//! is its own affair: the engine drops a reply only when the step's time budget is over.

pub mod client;
#[cfg(feature = "memory")]
pub mod memory;

pub mod fair;
mod inbox;
mod reply;
mod set;
mod traits;
mod transaction;

pub use jiff::Timestamp;
pub use uuid::Uuid;

pub use self::{
    inbox::{Inbox, InboxEntry, ReceivedEvent},
    reply::{BoxFuture, Reply},
    set::Backends,
    traits::*,
    transaction::{AnotherDatabase, Inserting, Transaction},
};
#[doc(hidden)]
pub use crate::failpoints::point as failpoint;
pub use crate::{
    escape::escaped,
    key::{KeySpace, encoded},
};
