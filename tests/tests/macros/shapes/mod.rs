//! Every shape of function: the right value on `Ok` and on `Err`, and both flows seen by a recorder.
//!
//! Compiled in both editions: `edition-2021/` has these files, too.
#![allow(missing_docs, reason = "tests")]
#![forbid(unsafe_code)]
#![deny(warnings, clippy::all, clippy::pedantic, clippy::nursery)]
#![allow(
    clippy::collection_is_never_read,
    clippy::copy_iterator,
    clippy::diverging_sub_expression,
    clippy::future_not_send,
    clippy::iter_on_single_items,
    clippy::many_single_char_names,
    clippy::missing_const_for_fn,
    clippy::needless_arbitrary_self_type,
    clippy::needless_question_mark,
    clippy::similar_names,
    clippy::redundant_pub_crate,
    clippy::trivially_copy_pass_by_ref,
    clippy::unnecessary_wraps,
    clippy::unused_async,
    clippy::unused_self,
    reason = "a shape does no more than it must; the plain function raises these as well"
)]

mod async_trait;
mod attributes;
mod axum;
mod blanket_traits;
mod bodies;
mod corners;
mod futures;
mod generics;
mod groups;
mod local;
mod macros;
mod names;
mod no_prelude;
mod parameters;
mod places;
mod readers;
mod receivers;
mod results;
mod sends;
mod subscribers;
mod sync;
mod tonic;
mod traits;
mod warnings;

pub use graceful as reexport;
use graceful_tests::shapes::{Odd, both, both_sync, even, flows, flows_of};
