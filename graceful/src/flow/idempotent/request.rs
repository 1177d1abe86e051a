//! The hash of a request, by which a repetition is told from another request under the same key.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{sha256::Sha256, step::StepError};

const SALT: usize = 16;
const LEN: usize = SALT + 32;

/// The hash of a request with a random salt of its own, so that nobody who reads a store can guess requests by their hashes. It is opaque to a store.
///
/// ```
/// use graceful::backends::RequestHash;
///
/// let hash = RequestHash::from_bytes(&[7; 48]).unwrap();
/// assert_eq!(hash.as_bytes(), [7; 48]);
/// assert_eq!(RequestHash::from_bytes(b"too short"), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestHash([u8; LEN]);

impl RequestHash {
    /// The bytes: salt and hash.
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The hash from stored bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Hashes a request with a fresh salt.
    pub(crate) fn of(request: &CanonicalRequest) -> Result<Self, StepError> {
        let mut salt = [0; SALT];
        getrandom::fill(&mut salt).map_err(StepError::caused_by)?;
        Ok(Self::salted(salt, request))
    }

    /// Whether it is the hash of this request.
    pub(crate) fn is_of(&self, request: &CanonicalRequest) -> bool {
        self.0.first_chunk().is_some_and(|salt| *self == Self::salted(*salt, request))
    }

    fn salted(salt: [u8; SALT], request: &CanonicalRequest) -> Self {
        let mut hash = [0; LEN];
        let (head, tail) = hash.split_at_mut(SALT);
        head.copy_from_slice(&salt);
        tail.copy_from_slice(&Sha256::of(&[&salt, request.0.as_bytes()].concat()).0);
        Self(hash)
    }
}

impl fmt::Debug for RequestHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHash").finish_non_exhaustive()
    }
}

/// A request as JSON, with the fields of each object in the order of their names.
#[derive(Clone, Debug)]
pub(crate) struct CanonicalRequest(String);

impl CanonicalRequest {
    pub(crate) fn of<T: Serialize + ?Sized>(request: &T) -> Result<Self, serde_json::Error> {
        let json = serde_json::to_string(request)?;
        let mut canonical = String::with_capacity(json.len());
        write(&json, &mut canonical)?;
        Ok(Self(canonical))
    }
}

/// Numbers and texts stay as they were written, so that integers of 128 bits keep their digits.
fn write(json: &str, canonical: &mut String) -> Result<(), serde_json::Error> {
    match json.as_bytes().first() {
        Some(b'{') => {
            let fields: BTreeMap<String, &RawValue> = serde_json::from_str(json)?;
            canonical.push('{');
            for (index, (name, field)) in fields.into_iter().enumerate() {
                canonical.push_str(if index == 0 { "" } else { "," });
                canonical.push_str(&serde_json::to_string(&name)?);
                canonical.push(':');
                write(field.get(), canonical)?;
            }
            canonical.push('}');
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(json)?;
            canonical.push('[');
            for (index, item) in items.into_iter().enumerate() {
                canonical.push_str(if index == 0 { "" } else { "," });
                write(item.get(), canonical)?;
            }
            canonical.push(']');
        }
        _ => canonical.push_str(json),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::Value;

    use super::*;

    #[test]
    fn request_has_one_form_whatever_the_order_of_its_fields() {
        #[derive(Serialize)]
        struct Request<'a> {
            b: [Option<u8>; 2],
            a: &'a str,
        }

        let of_struct = CanonicalRequest::of(&Request { b: [Some(1), None], a: "\"x\"" }).unwrap();
        assert_eq!(of_struct.0, r#"{"a":"\"x\"","b":[1,null]}"#);
        let map = HashMap::from([("b", Value::from(vec![Some(1), None])), ("a", Value::from("\"x\""))]);
        assert_eq!(CanonicalRequest::of(&map).unwrap().0, of_struct.0);
    }

    #[test]
    fn integers_of_128_bits_keep_their_digits() {
        assert_eq!(CanonicalRequest::of(&[u128::MAX]).unwrap().0, format!("[{}]", u128::MAX));
        assert_eq!(CanonicalRequest::of(&i128::MIN).unwrap().0, i128::MIN.to_string());
    }

    #[test]
    fn hash_is_of_its_own_request_only_and_never_the_same_twice() {
        let (first, other) = (CanonicalRequest::of(&1).unwrap(), CanonicalRequest::of(&2).unwrap());
        let (hash, again) = (RequestHash::of(&first).unwrap(), RequestHash::of(&first).unwrap());
        assert!(hash.is_of(&first) && again.is_of(&first) && !hash.is_of(&other));
        assert_ne!(hash, again);
    }
}
