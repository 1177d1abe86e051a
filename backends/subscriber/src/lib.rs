//! `graceful-subscriber` is a crate for writers of subscribers: what reading from any message broker has in common.
//!
//! A broker's crate implements [`Source`] and [`Reading`]; [`Reader`] calls the handler, counts attempts, waits for an unavailable
//! inbox, and stops while an operator has paused the subscriber. [`Filter`] and [`Rejected`] are part of the API of each broker's crate.
//!
//! That is for subscribers with a closure. For handlers with `#[subscribe]`, which are the default, a broker's crate implements
//! [`EventSource`](graceful::backends::EventSource), and order, attempts and pauses are those of `graceful` and the store.

mod filter;
mod handling;
mod pauses;
mod reader;
mod rejected;
mod source;

pub use self::{
    filter::Filter,
    reader::Reader,
    rejected::Rejected,
    source::{Answer, Broken, Delivery, Poisoned, Reading, Source},
};
