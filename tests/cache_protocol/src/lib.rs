//! A model of the read-through cache's protocol, which a model checker explores exhaustively.
//!
//! A handler that reads is answered from the cache, and must never get a value that is older than the last acknowledged write. Writers,
//! readers and the cache server only exchange messages, which arrive late, in any order, or never. So each entity has a *mark*, a token that
//! changes with every write, and while a write is in progress the server keeps a *hold* on the entity. An *entry* is a value together
//! with the marks under which it was read; it is a hit only while these marks are current.
//!
//! The model has two entities: [`A`](state::A) is cached, and [`D`](state::D) may be shown in the value of `A`, so that its readers
//! depend on it. Versions are counted instead of values. A [`Scenario`] says which writes and how many readers there are, which faults may
//! occur (a client that stops waiting, a process that dies, an eviction, a server that restarts from a snapshot), and which
//! [rules](Rule) of the protocol are followed. From the one initial state the checker takes every possible [`Action`] in every order.
//!
//! In each state that it reaches, two things are checked:
//!
//! - no read returns a version that is older than one that was acknowledged before the read began;
//! - when everything has come to rest, an entry that would be a hit is as new as the database, also after a write that nobody acknowledged.
//!
//! The tests show three things. With all rules every scenario holds. With one rule left out, a scenario is violated, so the rule is
//! needed. And each documented limit of the protocol is real: a scenario with the faults of that limit is violated.
//!
//! What the server does is in [`server`], in functions with the names of the implementation: `hold`, `end` (with `put` and
//! `restore`), `look_up` (with `hit`) and `fill`; `renew` is in [`action`]. Leases, refreshes, lags, pattern marks, versions given by
//! the user and reads inside of writes are not in the model.

pub mod action;
pub mod check;
mod model;
pub mod rule;
pub mod scenario;
pub mod server;
pub mod state;

pub use action::Action;
pub use check::Violation;
pub use rule::{Rule, Rules};
pub use scenario::{Delivery, Scenario, Write};
pub use state::State;
