//! A value as JSON, serialised once and shared by every step.

use std::{cell::Cell, fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::readable::Readable;
use crate::sha256::Sha256;

/// A value as JSON, serialised once and shared by every step; cloning it shares the bytes.
///
/// What is written can be read back: see the errors of [`of`](Self::of).
///
/// ```
/// use graceful::Payload;
///
/// let payload = Payload::of(&[1, 2, 3])?;
/// assert_eq!(payload.as_json(), "[1,2,3]");
/// assert_eq!(payload.decode::<Vec<u8>>()?, [1, 2, 3]);
/// assert!(Payload::of(&())?.is_null());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Payload(Option<Arc<[u8]>>);

/// A buffer larger than this is not kept for the next value.
const KEPT_BUFFER: usize = 256 * 1024;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Payload {
    /// No value: `null`.
    ///
    /// ```
    /// assert_eq!(graceful::Payload::NULL.as_json(), "null");
    /// ```
    pub const NULL: Self = Self(None);

    /// Serialises a value.
    ///
    /// # Errors
    /// What the value's `Serialize` says, or that JSON cannot hold it: a map with keys that are not texts; `NaN` or an infinite
    /// number, anywhere in the value; arrays and objects nested deeper than 100 levels, since a reader of JSON stops at 128,
    /// and the record that the value becomes a part of needs some.
    ///
    /// ```
    /// # use graceful::Payload;
    /// assert_eq!(Payload::of("text")?.as_json(), "\"text\"");
    /// assert_eq!(Payload::of(&f64::NAN).unwrap_err().to_string(), "JSON cannot express the number NaN");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        // The buffer is taken, not borrowed: the value's own `Serialize` may come here again.
        let mut buffer = BUFFER.take();
        let written = serde_json::to_writer(&mut buffer, &Readable::new(value));
        let payload = written.map(|()| Self::from_bytes(&buffer));
        if buffer.capacity() <= KEPT_BUFFER {
            buffer.clear();
            BUFFER.set(buffer);
        }
        payload
    }

    /// What its copies share.
    #[cfg(all(test, feature = "memory"))]
    pub(crate) const fn shared(&self) -> Option<&Arc<[u8]>> {
        self.0.as_ref()
    }

    fn from_bytes(json: &[u8]) -> Self {
        match json {
            b"null" => Self::NULL,
            json => Self(Some(json.into())),
        }
    }

    /// Whether there is no value.
    ///
    /// ```
    /// assert!(graceful::Payload::NULL.is_null());
    /// ```
    pub const fn is_null(&self) -> bool {
        self.0.is_none()
    }

    /// The value as JSON text.
    ///
    /// ```
    /// # use graceful::Payload;
    /// assert_eq!(Payload::of(&true)?.as_json(), "true");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn as_json(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or("null")
    }

    /// The same as bytes.
    ///
    /// ```
    /// # use graceful::Payload;
    /// assert_eq!(Payload::of(&true)?.as_bytes(), b"true");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_deref().unwrap_or(b"null")
    }

    /// SHA-256 of the value's canonical form, which is [`as_bytes`](Self::as_bytes): JSON in UTF-8 without blanks, fields in the
    /// order in which the type serialises them. A map without an order (`HashMap`) has no canonical form.
    ///
    /// ```
    /// # use graceful::Payload;
    /// // printf '{"a":1}' | sha256sum
    /// let hash = Payload::of(&serde_json::json!({"a": 1}))?.sha256();
    /// assert!(hash.to_string().starts_with("015abd7f5cc57a2d"));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn sha256(&self) -> Sha256 {
        Sha256::of(self.as_bytes())
    }

    /// The value, read back.
    ///
    /// # Errors
    /// The JSON is not that of a `T`.
    ///
    /// ```
    /// # use graceful::Payload;
    /// assert_eq!(Payload::of(&7)?.decode::<u8>()?, 7);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(self.as_bytes())
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self::NULL
    }
}

/// Only the length: a payload may hold what no log should.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.as_bytes().len())
    }
}

/// The JSON itself, in place.
impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(self.as_json()).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self::from_bytes(raw.get().as_bytes()))
    }
}
