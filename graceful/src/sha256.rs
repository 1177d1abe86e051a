//! Hashes of values.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use crate::step::StepError;

/// A SHA-256 hash. Its `Display` and its serialised form are 64 hexadecimal digits.
///
/// ```
/// use graceful::{Payload, Sha256};
///
/// let hash: Sha256 = Payload::of(&42)?.sha256();
/// assert!(hash.to_string().starts_with("73475cb4"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Sha256(pub [u8; 32]);

impl Sha256 {
    /// Computes the hash of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// The first eight bytes.
    pub(crate) fn prefix(&self) -> [u8; 8] {
        self.0.first_chunk().copied().unwrap_or_default()
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Sha256> for String {
    fn from(hash: Sha256) -> Self {
        hash.to_string()
    }
}

impl TryFrom<String> for Sha256 {
    type Error = StepError;

    fn try_from(digits: String) -> Result<Self, StepError> {
        let byte = |index: usize| u8::from_str_radix(digits.get(2 * index..2 * index + 2)?, 16).ok();
        let mut hash = [0; 32];
        for (index, place) in hash.iter_mut().enumerate() {
            *place = byte(index).ok_or_else(|| StepError::new("a SHA-256 has 64 hexadecimal digits"))?;
        }
        Ok(Self(hash))
    }
}
