//! The names of entries, marks, holds and leases on the server.
//!
//! ```text
//! graceful:users:acme:user:42/mark        the mark of an entity or of a pattern
//! graceful:users:acme:user:42/holds       the writes that hold an entity
//! graceful:users:acme:user:42/entry:2     an entry of an entity, with its variant
//! graceful:users:acme:user:42/lease:2     the lease on the load of that entry
//! ```
//!
//! The name of a key contains no `/`, so none of these is another's, or that of an entry of [`Cache::put`](graceful::backends::Cache::put).

use graceful::{
    Key,
    backends::{EntryName, encoded},
};

pub(super) fn mark(key: &Key) -> String {
    format!("graceful:{key}/mark")
}

pub(super) fn holds(key: &Key) -> String {
    format!("graceful:{key}/holds")
}

pub(super) fn entry(name: &EntryName) -> String {
    format!("graceful:{}/entry:{}", name.entity, encoded(&name.variant))
}

pub(super) fn lease(name: &EntryName) -> String {
    format!("graceful:{}/lease:{}", name.entity, encoded(&name.variant))
}

/// The mark and the holds of each key, one after the other.
pub(super) fn marks_and_holds<'a>(keys: impl IntoIterator<Item = &'a Key>) -> Vec<String> {
    keys.into_iter().flat_map(|key| [mark(key), holds(key)]).collect()
}
