//! A history checker for caches that handlers read through.
//!
//! Tasks call readers and writers at random, against a [`Database`](database::Database) whose rows have versions. The
//! [`Checker`](checker::Checker) records when each call began and ended. A write is *acknowledged* when its call has returned `Ok`. The rule:
//! a read sees each row that it shows at the last version that was acknowledged before the read began, or at a newer one. When all has come
//! to rest, every read sees the database as it is.
//!
//! A [`System`](system::System) is a cache with its readers and writers. The usual ways to cache must violate the rule here: `get_with`
//! and `invalidate` of `moka`, the attribute of the crate `cached`, and values that handlers put by hand. Otherwise a run without a violation
//! would say nothing about a cache that holds.
//!
//! All choices come from a seed. In a runtime with one thread and paused time a run is repeated exactly, unless several tasks wait for one
//! load: Tokio wakes them in an order that it chooses at random. Several processes share the database and the checker of one of them,
//! over TCP, so that one checker sees all calls.
#![allow(missing_docs, clippy::missing_panics_doc, reason = "for tests: a helper that panics fails the test")]

pub mod call;
pub mod checker;
pub mod data;
pub mod database;
pub mod history;
pub mod link;
pub mod process;
pub mod report;
pub mod run;
pub mod source;
pub mod system;
pub mod workload;
