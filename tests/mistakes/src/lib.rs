//! Mistakes of which the compiler, or clippy, tells. A comment `-lint`, on a line or below it, marks where the annotated
//! function is not told of it, `+lint` where only it is: those are limits of the attribute, and explained in `docs/LIMITS.md`.
#![cfg(mistakes)]
#![warn(
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    unused_qualifications,
    unreachable_pub,
    single_use_lifetimes
)]
#![allow(clippy::unused_async, clippy::missing_errors_doc, clippy::unnecessary_wraps, missing_docs)]

// They are public, so that `pub` handlers in them are reachable.
pub mod levels;
pub mod methods;
pub mod signatures;
pub mod style;
pub mod unused;

#[cfg(not(annotated))]
use graceful as _;

type Answer = Result<u64, Odd>;

pub struct Odd;

fn odd(n: u64) -> Answer {
    if n.is_multiple_of(2) { Ok(n) } else { Err(Odd) }
}

#[must_use]
fn important() -> u64 {
    1
}
