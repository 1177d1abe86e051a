//! Changes with which somebody fails.

mod enums;
mod events;
mod fields;
mod handlers;
mod stored;
mod subscribers;
mod types;

use crate::Change;

/// The changes by their subject.
pub(crate) const CHANGES: [&[Change]; 7] = [
    enums::CHANGES,
    events::CHANGES,
    fields::CHANGES,
    handlers::CHANGES,
    stored::CHANGES,
    subscribers::CHANGES,
    types::CHANGES,
];
