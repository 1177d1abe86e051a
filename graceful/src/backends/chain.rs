//! An audit log as a chain: each record holds the hash of the one before, so that what is edited, deleted or moved shows.

use std::fmt;

use hmac_sha256::Hash;
use serde::{Deserialize, Serialize};

/// Where the chain of an audit log ends. Kept elsewhere, it shows that the end was not cut off, and that the whole was not
/// written anew.
///
/// ```
/// use graceful::backends::AuditHead;
///
/// let head = AuditHead { sequence: 7, hash: [0xab; 32] };
/// assert_eq!(head.to_string(), format!("7:{}", "ab".repeat(32)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// The number of the last record, the first being 1; 0 where there is none.
    pub sequence: i64,
    /// Its hash, SHA-256.
    pub hash: [u8; 32],
}

impl AuditHead {
    /// Of an empty log.
    pub(super) const EMPTY: Self = Self { sequence: 0, hash: [0; 32] };

    /// The head when one more record is there. What has several parts is hashed with their lengths, so that nothing can move
    /// from one to another.
    pub(super) fn next(&self, flow: &[u8], entity: &str, record: &str) -> Self {
        let sequence = self.sequence + 1;
        let mut hash = Hash::new();
        hash.update(self.hash);
        hash.update(sequence.to_be_bytes());
        for part in [flow, entity.as_bytes(), record.as_bytes()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self { sequence, hash: hash.finalize() }
    }
}

/// `sequence:hash` in hexadecimal digits.
impl fmt::Display for AuditHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.sequence)?;
        self.hash.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The audit log is not what was written; see `verify` of the store.
///
/// ```
/// use graceful::backends::Tampered;
/// let tampered = Tampered { sequence: 7 };
/// assert_eq!(tampered.to_string(), "the audit log was tampered with at record 7");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tampered {
    /// The first record that is not what was written there, or is missing.
    pub sequence: i64,
}

impl fmt::Display for Tampered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the audit log was tampered with at record {}", self.sequence)
    }
}

impl std::error::Error for Tampered {}

/// Follows a chain from its beginning.
#[derive(Clone, Copy)]
pub(super) struct Follow {
    last: AuditHead,
    known: Option<AuditHead>,
}

impl Follow {
    pub(super) const fn new(known: Option<AuditHead>) -> Self {
        Self { last: AuditHead::EMPTY, known }
    }

    /// Of the last record.
    pub(super) const fn sequence(&self) -> i64 {
        self.last.sequence
    }

    /// The next record, and the head that is noted with it.
    pub(super) fn take(
        &mut self,
        flow: &[u8],
        entity: &str,
        record: &str,
        noted: Option<AuditHead>,
    ) -> Result<(), Tampered> {
        let next = self.last.next(flow, entity, record);
        let contradicted =
            self.known.is_some_and(|known| known.sequence == next.sequence && known.hash != next.hash);
        if noted != Some(next) || contradicted {
            return Err(Tampered { sequence: next.sequence });
        }
        self.last = next;
        Ok(())
    }

    /// There is no further record.
    pub(super) fn end(self) -> Result<AuditHead, Tampered> {
        match self.known {
            Some(known) if known.sequence > self.last.sequence => {
                Err(Tampered { sequence: self.last.sequence + 1 })
            }
            _ => Ok(self.last),
        }
    }
}
