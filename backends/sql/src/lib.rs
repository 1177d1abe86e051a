//! `graceful-sql` is a crate for writers of SQL stores: the audit chain, and texts of limited length for indexes.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod audit_chain;

use std::borrow::Cow;

use graceful::Sha256;

pub use self::audit_chain::{AuditHead, Tampered};

/// A part of a key is stored as it is up to this many bytes; PostgreSQL's indexes take rows of up to 2,700.
const MAX_PART: usize = 512;

/// A text as it can stand in an index, whoever made it: itself, or `~` and its SHA-256 where it is longer than 512 bytes, or could
/// be taken for one that is.
pub fn indexed(text: &str) -> Cow<'_, str> {
    match text.len() > MAX_PART || text.starts_with('~') {
        true => format!("~{}", Sha256::of(text.as_bytes())).into(),
        false => text.into(),
    }
}
