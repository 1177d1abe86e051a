//! What the backends have answered.

use std::sync::Arc;

use graceful::{
    Metadata,
    backends::{AlertChange, CacheEntry, CacheWrite, JobChange},
};

/// The text of a result; empty if the call says it all.
pub(super) trait Answered {
    fn shown(&self) -> &'static str {
        ""
    }
}

impl Answered for () {}
impl Answered for Arc<Metadata> {}

impl Answered for Option<CacheEntry> {
    fn shown(&self) -> &'static str {
        if self.is_some() { "found" } else { "nothing" }
    }
}

impl Answered for CacheWrite {
    fn shown(&self) -> &'static str {
        match self {
            Self::Done => "",
            Self::Newer => "a newer version is cached",
        }
    }
}

impl Answered for JobChange {
    fn shown(&self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Bumped => "bumped",
            Self::Completed => "completed",
            Self::NotOpen => "no open job",
        }
    }
}

impl Answered for AlertChange {
    fn shown(&self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Repeated => "repeated",
            Self::Resolved => "resolved",
            Self::NotOpen => "no open alert",
        }
    }
}
