//! A value as JSON, serialised once and shared by every step.

use std::{cell::Cell, fmt, sync::Arc};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, ser::SerializeStruct as _,
};
use serde_json::value::RawValue;

use super::json;
use crate::sha256::Sha256;

/// A value as JSON, serialised once and shared by every step; cloning it shares the bytes.
///
/// Every payload can be decoded again; values that cannot are refused, see the errors of [`of`](Self::of).
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
pub struct Payload(Option<Arc<str>>);

/// A buffer larger than this is not kept for the next value.
const KEPT_BUFFER: usize = 256 * 1024;

thread_local! {
    static BUFFER: Cell<String> = const { Cell::new(String::new()) };
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
    /// Fails if the value's `Serialize` fails, or if JSON cannot express the value: a map with keys that are not texts; `NaN` or
    /// an infinite number; arrays and objects nested deeper than 100 levels, because JSON readers stop at 128, and the records that
    /// contain the value need some levels.
    ///
    /// ```
    /// # use graceful::Payload;
    /// assert_eq!(Payload::of("text")?.as_json(), "\"text\"");
    /// assert_eq!(Payload::of(&f64::NAN).unwrap_err().to_string(), "JSON cannot express the number NaN");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        // The buffer is taken, not borrowed, because the value's own `Serialize` may call this function again.
        let mut buffer = BUFFER.take();
        let written = json::write(&mut buffer, value);
        let payload = written.map(|()| Self::from_json(&buffer));
        if buffer.capacity() <= KEPT_BUFFER {
            buffer.clear();
            BUFFER.set(buffer);
        }
        payload
    }

    /// The bytes that its clones share.
    #[cfg(test)]
    pub(crate) const fn shared(&self) -> Option<&Arc<str>> {
        self.0.as_ref()
    }

    pub(crate) fn from_json(json: &str) -> Self {
        match json {
            "null" => Self::NULL,
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
        self.0.as_deref().unwrap_or("null")
    }

    /// The value as JSON bytes.
    ///
    /// ```
    /// # use graceful::Payload;
    /// assert_eq!(Payload::of(&true)?.as_bytes(), b"true");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn as_bytes(&self) -> &[u8] {
        self.as_json().as_bytes()
    }

    /// The SHA-256 of [`as_bytes`](Self::as_bytes), the value's canonical form: JSON in UTF-8 without whitespace, with fields in the
    /// order in which the type serialises them. An unordered map (`HashMap`) has no canonical form.
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

    /// Decodes the value.
    ///
    /// # Errors
    /// Fails if the JSON is not a `T`.
    ///
    /// ```
    /// # use graceful::Payload;
    /// assert_eq!(Payload::of(&7)?.decode::<u8>()?, 7);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.as_json())
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self::NULL
    }
}

// Shows only the length, because a payload may contain data that must not be logged.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.as_bytes().len())
    }
}

/// The JSON itself, in place.
impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // As a `RawValue` serialises itself, which could be made of a text only by parsing it.
        let mut raw = serializer.serialize_struct(json::RAW, 1)?;
        raw.serialize_field(json::RAW, self.as_json())?;
        raw.end()
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self::from_json(raw.get()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payload_is_raw_json_to_every_serializer_of_serde_json() {
        let payload = Payload::of(&serde_json::json!({"a": ["\"", 1.5]})).unwrap();
        let json = "[{\"a\":[\"\\\"\",1.5]}]";
        assert_eq!(serde_json::to_string(&[&payload]).unwrap(), json);
        assert_eq!(Payload::of(&[&payload]).unwrap().as_json(), json);
        assert_eq!(serde_json::to_value([&payload]).unwrap().to_string(), json);
    }
}
