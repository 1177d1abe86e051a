//! `graceful-contract` is a crate for what a service promises to others: which events its handlers emit, on success and on failure, what they
//! carry, under which keys it caches, and which stored data it reads back.
//!
//! It renders the [catalogue](graceful::catalogue::Catalogue) of a program without a server, as [JSON](to_json), [Mermaid](to_mermaid), a
//! [text](to_snapshot) and [AsyncAPI 3.1](AsyncApi), and [checks](check) it against a committed file, `graceful.lock`.
//!
//! ```
//! use graceful::{catalogue::Catalogue, orchestrate};
//! use schemars::JsonSchema;
//! use serde::Serialize;
//!
//! #[derive(Serialize, JsonSchema)]
//! struct User {
//!     id: u32,
//!     email: String,
//! }
//!
//! #[orchestrate(pattern = "user", cache = user.id, event = "user_updated")]
//! async fn update_user(user: User) -> Result<User, graceful::Code> {
//!     Ok(user)
//! }
//!
//! let lock = graceful_contract::lock(&Catalogue::of_program());
//! # let users = Catalogue::of_program().filtered(|handler| handler.name == "update_user");
//! # let lock = graceful_contract::lock(&users);
//! assert!(lock.contains("event user_updated data.email: string required\n"));
//! assert!(lock.contains("event user_updated data.id: integer required 0..4294967295\n"));
//! ```
//!
//! # What is compatible
//!
//! A change is compatible if every event that the new program can emit is valid for a reader of the old document who ignores unknown fields,
//! and if what the program has stored can still be read. The following changes are errors:
//!
//! - an event, or a field of it, is gone or renamed;
//! - a field has another type, is optional or null where it was not, or an integer has a wider range;
//! - a value of an enumeration or an alternative of an enum is added; for stored data: is gone;
//! - for stored data: a required field is added;
//! - no own variant of an error declares a code any more;
//! - the type of a payload is not known any more;
//! - the form of a cache key has changed;
//! - a durable or idempotent handler is gone, or renamed without `was`.
//!
//! The order of items, titles, descriptions, the names of Rust types and of parameters, and line numbers are no part of the contract.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod asyncapi;
mod check;
mod compare;
mod facts;
mod json;
mod lock;
mod mermaid;
mod report;
mod schemas;
mod shape;
mod snapshot;

pub use self::{
    asyncapi::AsyncApi,
    check::{LOCK, LockError, accept, check, lock},
    json::to_json,
    mermaid::to_mermaid,
    report::{Difference, Report},
    snapshot::to_snapshot,
};
