//! The locks of this crate.

use std::sync::PoisonError;

/// A lock's guard, even if a thread panicked while it held it: no change under our locks can stop half-way.
#[inline]
pub(crate) fn unpoisoned<G>(locked: Result<G, PoisonError<G>>) -> G {
    locked.unwrap_or_else(PoisonError::into_inner)
}
