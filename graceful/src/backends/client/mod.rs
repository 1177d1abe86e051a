//! Tools for backends that are clients of a server: a circuit breaker, errors without secrets, and a limit on log lines.

mod breaker;
#[cfg(feature = "metrics")]
mod circuits;
mod connect;
pub mod url;

#[cfg(feature = "metrics")]
pub(crate) use self::circuits::circuits;

pub use self::{
    breaker::{Breaker, Call},
    connect::{ConnectError, in_real_time},
};
pub use crate::outage::Outage;
