//! The traits of the backends, and the backends in memory.
//!
//! To write a backend, implement one of the traits. The module also exports the types of other crates in their signatures:
//! [`Timestamp`] of `jiff` and [`Uuid`] of `uuid`.
//!
//! Pass a backend to the [builder](crate::OrchestratorBuilder). A step without a backend is skipped. All backends return a
//! [`Reply`], which is ready or pending, and may be called from many tasks concurrently. The pipeline drops a reply only when the
//! time budget of the step is over; a backend decides itself whether it then continues.

pub mod client;
pub mod memory;

pub mod fair;
mod inbox;
mod received_event;
mod reply;
mod role;
mod secret;
mod set;
mod traits;
mod transaction;

pub use jiff::Timestamp;
pub use uuid::Uuid;

pub(crate) use self::received_event::Envelope;
pub use self::{
    inbox::{Inbox, InboxEntry},
    received_event::ReceivedEvent,
    reply::{BoxFuture, Reply},
    role::ProcessRole,
    secret::random_secret,
    set::Backends,
    traits::*,
    transaction::{AnotherDatabase, InTransaction, Inserting, NoOpenTransaction, Transaction},
};
#[doc(hidden)]
pub use crate::failpoints::point as failpoint;
pub use crate::{
    escape::escaped,
    flow::{IdempotentAnswer, IdempotentCall, RequestHash, StoredAnswer},
    key::{KeySpace, encoded},
    marks::{EntryName, Held, Incarnation, Lease, Mark, Seen, Write},
};
