//! A key from its full name.

use std::{fmt, str::FromStr};

use percent_encoding::percent_decode_str;

use super::{Key, KeySpace};

/// The error of a text that is not the full name of a [`Key`], or from which the key cannot be known.
///
/// ```
/// use graceful::Key;
/// let error = "users:user:42".parse::<Key>().unwrap_err();
/// assert_eq!(error.to_string(), "not the full name of an entity, such as `users::user:42`");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseKeyError {
    is_hashed: bool,
}

impl ParseKeyError {
    /// Whether the text is a full name, but a part of it was so long that the name contains only its hash.
    ///
    /// ```
    /// use graceful::Key;
    /// let key = Key::new("users", None, "user", "x".repeat(10_000));
    /// assert!(key.to_string().parse::<Key>().unwrap_err().is_hashed());
    /// ```
    pub const fn is_hashed(&self) -> bool {
        self.is_hashed
    }
}

impl fmt::Display for ParseKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.is_hashed {
            true => "the full name contains the hash of a part that is too long, so the part is not known",
            false => "not the full name of an entity, such as `users::user:42`",
        })
    }
}

impl std::error::Error for ParseKeyError {}

/// Parses the full name that `Display` writes, and nothing else: for each key there is one name.
///
/// ```
/// use graceful::Key;
///
/// let key = Key::new("users", Some("acme"), "user", "a:b");
/// assert_eq!("users:acme:user:a%3Ab".parse(), Ok(key));
/// assert!("users:acme:user:a%3ab".parse::<Key>().is_err());
/// ```
impl FromStr for Key {
    type Err = ParseKeyError;

    fn from_str(name: &str) -> Result<Self, ParseKeyError> {
        let malformed = ParseKeyError { is_hashed: false };
        let mut parts = name.split(':');
        let mut four = [const { String::new() }; 4];
        let mut is_hashed = false;
        for part in &mut four {
            let encoded = parts.next().ok_or(malformed)?;
            let hash = encoded.strip_prefix('~');
            is_hashed |= hash.is_some_and(|hash| hash.len() == 64 && hash.bytes().all(is_digit));
            *part = percent_decode_str(encoded).decode_utf8().map_err(|_| malformed)?.into_owned();
        }
        let space = match (parts.next(), parts.next()) {
            (None, _) => KeySpace::Entity,
            (Some("last_good"), None) => KeySpace::LastGood,
            (Some("call"), None) => KeySpace::Call,
            (Some("pattern"), None) => KeySpace::Pattern,
            (Some("variant"), None) => KeySpace::Variant,
            (Some("storm"), None) => KeySpace::Storm,
            (Some("idempotent"), None) => KeySpace::Idempotent,
            _ => return Err(malformed),
        };
        if is_hashed {
            return Err(ParseKeyError { is_hashed });
        }
        let key = Self { space, ..Self::of_parts(four.each_ref().map(String::as_str)) };
        if key.to_string() == name { Ok(key) } else { Err(malformed) }
    }
}

const fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_is_parsed_from_its_name() {
        use KeySpace::{Call, Entity, Idempotent, LastGood, Pattern, Storm, Variant};
        for id in ["42", "", "a/b", "..", "%2F", "#", "x&y", "é 😀", "\n\0", "~", "a:b:call"] {
            for space in [Entity, LastGood, Call, Pattern, Variant, Storm, Idempotent] {
                for tenant in [None, Some("a:b")] {
                    let key = Key::new("users", tenant, "user", id).in_space(space);
                    assert_eq!(key.to_string().parse(), Ok(key));
                }
            }
        }
    }

    #[test]
    fn other_texts_are_no_keys() {
        for text in [
            "",
            "user",
            "a:b:c",
            "a:b:c:d:e",
            "a:b:c:d:call:call",
            "a::b:%zz",
            "a::b:%FF",
            "a::b:c d",
            "a::b:%61",
        ] {
            assert!(!text.parse::<Key>().unwrap_err().is_hashed(), "{text}");
        }
    }
}
