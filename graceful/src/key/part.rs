//! The parts of a name, encoded.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::sha256::Sha256;

/// Everything except `[A-Za-z0-9_-]` is encoded, so that user input cannot contain a wildcard, a separator or a term.
const UNSAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-');

/// Encodes a text into `[A-Za-z0-9_-]` and `%`. Different texts have different encodings.
///
/// ```
/// use graceful::backends::encoded;
/// assert_eq!(encoded("a/b*").to_string(), "a%2Fb%2A");
/// ```
pub fn encoded(text: &str) -> impl fmt::Display + '_ {
    utf8_percent_encode(text, UNSAFE)
}

/// A part of a name that is longer than this, in bytes when it is encoded, is replaced by its hash. Five of them (a key, and the
/// owner of an incident), and what separates them, fit the row of an index in PostgreSQL, which has room for 2.7 kB.
pub(super) const MAX_PART: usize = 512;

/// A part of a name: encoded, or `~` and its SHA-256 if that would be too long. The two cannot be confused, because an encoded part
/// contains no `~`.
pub(crate) struct Part<'a>(pub(crate) &'a str);

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text) = self;
        // A byte becomes three at most.
        let is_long = text.len() > MAX_PART / 3
            && utf8_percent_encode(text, UNSAFE).map(str::len).sum::<usize>() > MAX_PART;
        match is_long {
            true => write!(f, "~{}", Sha256::of(text.as_bytes())),
            false => encoded(text).fmt(f),
        }
    }
}
