//! The caches whose readers and writers are called.

pub mod cached;
pub mod locked;
pub mod manual;
pub mod moka;
pub mod read_through;
pub mod transactional;

use crate::data::{Failure, Order, Orders, Profile, User, Write};

/// A cache, with readers and writers.
pub trait System: Send + Sync + 'static {
    fn user(&self, id: u64) -> impl Future<Output = Result<Option<User>, Failure>> + Send;

    fn order(&self, id: u64) -> impl Future<Output = Result<Option<Order>, Failure>> + Send;

    fn orders(&self, customer: u64) -> impl Future<Output = Result<Orders, Failure>> + Send;

    /// Its body calls the readers of the user and of the orders.
    fn profile(&self, id: u64) -> impl Future<Output = Result<Profile, Failure>> + Send;

    fn write(&self, operation: u64, write: Write) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Waits until nothing is done in the background.
    fn at_rest(&self) -> impl Future<Output = ()> + Send;
}
