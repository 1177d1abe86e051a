//! The arguments of a handler that reads through the cache.

/// How a handler reads through the cache.
#[derive(Clone, Copy, Debug)]
pub struct Reads {
    /// From this age on, one caller refreshes the entry; 0 means never.
    pub(in crate::handler) refresh_ms: u64,
    /// How long a caller waits for the load of another.
    pub(in crate::handler) wait_ms: u64,
    /// How old what the body reads may be.
    pub(in crate::handler) lag_ms: u64,
    /// The form of the value.
    pub(in crate::handler) rev: u32,
    /// Each actor has an entry of its own.
    pub(in crate::handler) per_actor: bool,
}

impl Reads {
    pub(crate) const DEFAULT: Self =
        Self { refresh_ms: 0, wait_ms: 2_000, lag_ms: 0, rev: 0, per_actor: false };
}
