//! The keys of idempotent calls, as clients send them, and the refusals that they get.
//!
//! A handler becomes idempotent by its argument `idempotent`: see the [guide](crate::guide::idempotent).

use std::{error::Error, fmt};

pub use crate::classify::Refusal;
use crate::{classify::Classify, code::Code, text::Text};

/// The key of the header `Idempotency-Key`: 1 to 255 printable ASCII characters, in quotes (as the draft of the IETF says) or without.
///
/// With the feature `axum` it is an extractor; `Option<IdempotencyKey>` is one, too, for operations whose key is optional. With the feature
/// `tonic` see `graceful::tonic::idempotency_key`. Its `Display` is the key, for the argument `idempotent = key`.
///
/// ```
/// use graceful::idempotency::IdempotencyKey;
///
/// let key: IdempotencyKey = "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"".parse()?;
/// assert_eq!(key.as_str(), "8e03978e-40d5-43dd-bc93-6894a57f9324");
/// assert_eq!("8e03978e-40d5-43dd-bc93-6894a57f9324".parse(), Ok(key));
/// assert!("".parse::<IdempotencyKey>().is_err());
/// # Ok::<(), graceful::idempotency::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(Text);

/// The maximum length of a key.
const MAX_KEY: usize = 255;

impl IdempotencyKey {
    /// The name of the header, and of the metadata of gRPC.
    pub const HEADER: &'static str = "idempotency-key";

    /// The key, without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The only value of the header; `None` if there is none.
    #[cfg(any(feature = "axum", feature = "tonic"))]
    pub(crate) fn of_values<'a>(
        values: impl IntoIterator<Item = Option<&'a str>>,
    ) -> Result<Option<Self>, KeyError> {
        let mut values = values.into_iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(KeyError::Invalid("it is given more than once"));
        }
        value.ok_or(KeyError::Invalid(CHARACTERS))?.parse().map(Some)
    }
}

const CHARACTERS: &str = "it has other characters than printable ASCII";

impl std::str::FromStr for IdempotencyKey {
    type Err = KeyError;

    fn from_str(value: &str) -> Result<Self, KeyError> {
        let value = value.trim_matches([' ', '\t']);
        let key = match value.strip_prefix('"') {
            Some(quoted) => Text::from(unquoted(quoted)?),
            // A proxy has joined two headers.
            None if value.contains(',') => return Err(KeyError::Invalid("it has a comma, and no quotes")),
            None => Text::from(value),
        };
        match key.len() {
            0 => Err(KeyError::Invalid("it is empty")),
            1..=MAX_KEY if key.bytes().all(|byte| matches!(byte, b' '..=b'~')) => Ok(Self(key)),
            1..=MAX_KEY => Err(KeyError::Invalid(CHARACTERS)),
            _ => Err(KeyError::Invalid("it is longer than 255 characters")),
        }
    }
}

/// A string of RFC 9651, after its first quote.
fn unquoted(rest: &str) -> Result<String, KeyError> {
    const UNQUOTED: KeyError = KeyError::Invalid("its quotes do not match");
    let mut key = String::new();
    let mut rest = rest.chars();
    loop {
        match rest.next() {
            Some('"') => break,
            Some('\\') => match rest.next() {
                Some(escaped @ ('"' | '\\')) => key.push(escaped),
                _ => return Err(UNQUOTED),
            },
            Some(plain) => key.push(plain),
            None => return Err(UNQUOTED),
        }
    }
    if rest.next().is_some() { Err(UNQUOTED) } else { Ok(key) }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Why a request has no usable key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The header is missing.
    Missing,
    /// The key is invalid, for this reason.
    Invalid(&'static str),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("this operation needs the header Idempotency-Key"),
            Self::Invalid(why) => write!(f, "the header Idempotency-Key is invalid: {why}"),
        }
    }
}

impl Error for KeyError {}

#[diagnostic::do_not_recommend]
impl Classify for KeyError {
    fn code(&self) -> Code {
        Code::InvalidArgument
    }

    fn message(&self) -> std::borrow::Cow<'_, str> {
        self.to_string().into()
    }

    fn refusal(&self) -> Option<Refusal> {
        Some(match self {
            Self::Missing => Refusal::KeyMissing,
            Self::Invalid(_) => Refusal::KeyInvalid,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_is_read_with_and_without_quotes() {
        for (header, key) in [
            ("a-b_c", "a-b_c"),
            ("\"a-b_c\"", "a-b_c"),
            (" \"a b\"\t", "a b"),
            (r#""a\"b\\""#, r#"a"b\"#),
            ("a\"b", "a\"b"),
        ] {
            assert_eq!(header.parse::<IdempotencyKey>().unwrap().as_str(), key, "{header}");
        }
    }

    #[test]
    fn invalid_key_is_refused() {
        let long = "x".repeat(256);
        for header in
            ["a, b", "a,b", "", " ", "\"\"", "\"a", "\"a\"b", "\"a\\x\"", "ä", "a\u{7f}", "\"a\tb\"", &long]
        {
            assert!(header.parse::<IdempotencyKey>().is_err(), "{header}");
        }
        assert!("x".repeat(255).parse::<IdempotencyKey>().is_ok());
    }
}
