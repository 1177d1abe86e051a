//! The answer of an idempotent call.

use std::time::Duration;

use super::IdempotentCall;
use crate::flow::Payload;

/// What a handler has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredAnswer {
    /// The `Ok` value, which repetitions get.
    Value(Payload),
    /// The body has run, but its answer cannot be stored: repetitions fail, and run nothing.
    NotStorable,
}

impl StoredAnswer {
    /// The bytes of the value; `None` if it cannot be stored.
    ///
    /// ```
    /// use graceful::{Payload, backends::StoredAnswer};
    /// assert_eq!(StoredAnswer::Value(Payload::of(&7)?).as_bytes(), Some(b"7".as_slice()));
    /// assert_eq!(StoredAnswer::NotStorable.as_bytes(), None);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Value(value) => Some(value.as_bytes()),
            Self::NotStorable => None,
        }
    }

    /// The answer from stored bytes.
    ///
    /// ```
    /// use graceful::backends::StoredAnswer;
    /// assert_eq!(StoredAnswer::from_bytes(None), StoredAnswer::NotStorable);
    /// ```
    pub fn from_bytes(bytes: Option<&[u8]>) -> Self {
        // Bytes that are no text cannot be decoded, like an empty text.
        let value = |bytes| Payload::from_json(str::from_utf8(bytes).unwrap_or_default());
        bytes.map_or(Self::NotStorable, |bytes| Self::Value(value(bytes)))
    }
}

/// The answer of a call, to be stored for the time of its window.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdempotentAnswer {
    /// The call.
    pub call: IdempotentCall,
    /// What it has answered.
    pub answer: StoredAnswer,
    /// How long repetitions get the answer.
    pub window: Duration,
}

impl IdempotentAnswer {
    /// Creates an answer.
    pub const fn new(call: IdempotentCall, answer: StoredAnswer, window: Duration) -> Self {
        Self { call, answer, window }
    }
}
