//! The audit chain: each record contains the hash of the previous one, so that an edited, deleted or moved record is detected.

use std::{fmt, str::FromStr};

use graceful::{Flow, Key, StepError, backends::AuditRecord};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The head of an audit chain. Stored elsewhere, it proves that the chain was neither truncated nor completely rewritten.
///
/// ```
/// use graceful_sql::AuditHead;
///
/// let head = AuditHead { sequence: 7, hash: [0xab; 32] };
/// assert_eq!(head.to_string(), format!("7:{}", "ab".repeat(32)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// The number of the last record, from 1; 0 for an empty log.
    pub sequence: i64,
    /// The SHA-256 of the last record.
    pub hash: [u8; 32],
}

impl AuditHead {
    /// The head of an empty log.
    pub const EMPTY: Self = Self { sequence: 0, hash: [0; 32] };

    /// The head after one more record. The parts are hashed with their lengths, so that bytes cannot be moved from one part to
    /// another.
    #[must_use]
    pub fn next(&self, flow: &[u8], entity: &str, record: &str) -> Self {
        let sequence = self.sequence + 1;
        let mut hash = Sha256::new();
        hash.update(self.hash);
        hash.update(sequence.to_be_bytes());
        for part in [flow, entity.as_bytes(), record.as_bytes()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self { sequence, hash: hash.finalize().into() }
    }
}

/// `sequence:hash` in hexadecimal digits.
impl fmt::Display for AuditHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.sequence)?;
        self.hash.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl AuditHead {
    /// Parses the head that the caller of `verify_chain` knows, if any.
    pub fn known(text: Option<&str>) -> Result<Option<Self>, StepError> {
        text.map(str::parse::<Self>).transpose().map_err(StepError::caused_by)
    }
}

/// The error of a text that is not an [`AuditHead`].
///
/// ```
/// use graceful_sql::AuditHead;
/// assert!("7".parse::<AuditHead>().unwrap_err().to_string().starts_with("not the head of an audit log"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseHeadError;

impl fmt::Display for ParseHeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the head of an audit log; expected its number, `:` and 64 hexadecimal digits")
    }
}

impl std::error::Error for ParseHeadError {}

/// Parses what `Display` writes.
///
/// ```
/// use graceful_sql::AuditHead;
/// let head = AuditHead { sequence: 7, hash: [0xab; 32] };
/// assert_eq!(head.to_string().parse(), Ok(head));
/// assert!("7:ab".parse::<AuditHead>().is_err());
/// ```
impl FromStr for AuditHead {
    type Err = ParseHeadError;

    fn from_str(text: &str) -> Result<Self, ParseHeadError> {
        let parse = || {
            let (sequence, digits) = text.split_once(':')?;
            let is_hash = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            let mut hash = [0; 32];
            for (byte, place) in hash.iter_mut().zip((0..64).step_by(2)) {
                *byte = u8::from_str_radix(digits.get(place..place + 2).filter(|_| is_hash)?, 16).ok()?;
            }
            Some(Self { sequence: sequence.parse().ok()?, hash })
        };
        parse().ok_or(ParseHeadError)
    }
}

/// The error of an audit log that was tampered with; see `verify` of the store.
///
/// ```
/// use graceful_sql::Tampered;
/// let tampered = Tampered { sequence: 7 };
/// assert_eq!(tampered.to_string(), "the audit log was tampered with at record 7");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tampered {
    /// The number of the first record that was changed or is missing.
    pub sequence: i64,
}

impl fmt::Display for Tampered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the audit log was tampered with at record {}", self.sequence)
    }
}

impl std::error::Error for Tampered {}

/// Verifies a chain from its beginning.
#[derive(Clone, Copy, Debug)]
pub struct Follow {
    last: AuditHead,
    known: Option<AuditHead>,
}

impl Follow {
    /// Starts at the beginning; `known` is a head that must be part of the chain.
    pub const fn new(known: Option<AuditHead>) -> Self {
        Self { last: AuditHead::EMPTY, known }
    }

    /// The number of the last record.
    pub const fn sequence(&self) -> i64 {
        self.last.sequence
    }

    /// Checks the next record against the head that is stored with it.
    pub fn take(
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

    /// Ends the verification after the last record.
    pub fn end(self) -> Result<AuditHead, Tampered> {
        match self.known {
            Some(known) if known.sequence > self.last.sequence => {
                Err(Tampered { sequence: self.last.sequence + 1 })
            }
            _ => Ok(self.last),
        }
    }
}

/// A record as it was stored, and whether that is still the whole flow, as it was once.
fn stored(text: &str) -> Result<(AuditRecord, bool), serde_json::Error> {
    serde_json::from_str(text).map(|record| (record, false)).or_else(|error| {
        let flow: Flow = serde_json::from_str(text).map_err(|_| error)?;
        Ok((AuditRecord::of(&flow), true))
    })
}

/// A record as it was stored, without what records held once.
pub fn record(text: &str) -> Result<AuditRecord, serde_json::Error> {
    stored(text).map(|(record, _)| record)
}

/// Rewrites a chain without the payloads that older records contain.
#[derive(Debug)]
pub struct Rewrite {
    last: AuditHead,
    removed: u64,
}

/// What is written in a record's place, where that differs.
#[derive(Debug)]
pub struct Rewritten {
    /// The head that is noted with the record.
    pub head: AuditHead,
    /// The text of the record, where it differs.
    pub text: Option<String>,
}

impl Default for Rewrite {
    fn default() -> Self {
        Self::new()
    }
}

impl Rewrite {
    /// At the beginning.
    pub const fn new() -> Self {
        Self { last: AuditHead::EMPTY, removed: 0 }
    }

    /// The number of the last record.
    pub const fn sequence(&self) -> i64 {
        self.last.sequence
    }

    /// The next record; nothing where it, and all before it, stay as they are.
    pub fn take(
        &mut self,
        flow: &[u8],
        entity: &str,
        text: &str,
    ) -> Result<Option<Rewritten>, serde_json::Error> {
        let (record, is_whole) = stored(text)?;
        let shorter = if is_whole { Some(serde_json::to_string(&record)?) } else { None };
        self.removed += u64::from(is_whole);
        self.last = self.last.next(flow, entity, shorter.as_deref().unwrap_or(text));
        Ok((self.removed > 0).then_some(Rewritten { head: self.last, text: shorter }))
    }

    /// The record that says so, and the new head: nothing where no record held a payload.
    pub fn end(self, before: AuditHead) -> Result<Option<Marker>, serde_json::Error> {
        if self.removed == 0 {
            return Ok(None);
        }
        let record = AuditRecord::new(
            Key::new("graceful", None, "audit_log", "payloads"),
            "remove_audit_payloads",
            format_args!(
                "removed the payloads of {} records of the chain that ended at {before}",
                self.removed
            ),
        );
        let (flow, entity, text) = (record.flow, record.entity.to_string(), serde_json::to_string(&record)?);
        let head = self.last.next(flow.as_bytes(), &entity, &text);
        Ok(Some(Marker { flow, entity, at: record.at, text, head }))
    }
}

/// The record of a chain that was written anew.
#[derive(Debug)]
pub struct Marker {
    /// The id of the record.
    pub flow: Uuid,
    /// The key of the log.
    pub entity: String,
    /// The time of the record.
    pub at: Timestamp,
    /// The text of the record.
    pub text: String,
    /// The head that is noted with it.
    pub head: AuditHead,
}
