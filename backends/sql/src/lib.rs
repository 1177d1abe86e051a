//! `graceful-sql` is a crate for writers of SQL stores: the audit chain, and texts of limited length for indexes.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod audit_chain;

use std::borrow::Cow;

use graceful::Sha256;

pub use self::audit_chain::{AuditHead, Tampered};

/// The longest part of a key that is stored unchanged, in bytes; index entries of PostgreSQL are limited to 2,700 bytes.
const MAX_PART: usize = 512;

/// The form of a text in an index: the text itself, or `~` and its SHA-256 if it is longer than 512 bytes, or begins with `~` and so could
/// be mistaken for a hash.
pub fn indexed(text: &str) -> Cow<'_, str> {
    match text.len() > MAX_PART || text.starts_with('~') {
        true => format!("~{}", Sha256::of(text.as_bytes())).into(),
        false => text.into(),
    }
}
