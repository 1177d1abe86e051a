//! What is stored under a name, as bytes that can be checked.
//!
//! ```text
//! g1 v 09223372036854775815 6b0f3c1d2e4a5968 {"key":{…},"stored_at":"…","value":…}
//! |  | |                    |                |
//! |  | |                    |                the whole key, and the value
//! |  | |                    checksum of all the rest
//! |  | the highest version seen, as 20 digits in the order of the numbers; 20 dashes where there is none
//! |  v: a value of that version, u: one without a version, t: the tombstone of an invalidation, with no more than its version
//! the format
//! ```
//!
//! (Without the blanks.) The server's script reads the first 23 bytes and nothing else. It makes a `v` without a version into a
//! `u`, where a version was seen, and each `t`. So the checksum of a `u` is that of the `v` that it was made of.

use graceful::{Key, Payload, backends::CacheEntry};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3Default;

const FORMAT: &[u8; 2] = b"g1";
const VALUE: u8 = b'v';
const UNVERSIONED: u8 = b'u';
const NO_VERSION: &str = "--------------------";
const CHECKSUM: std::ops::Range<usize> = 23..39;

#[derive(Serialize, Deserialize)]
struct Body<K, V> {
    key: K,
    stored_at: Timestamp,
    value: V,
}

/// 20 digits in the order of the versions, or as many dashes.
pub(super) fn digits(version: Option<i64>) -> String {
    version.map_or(NO_VERSION.to_owned(), |version| format!("{:020}", version.cast_unsigned() ^ (1 << 63)))
}

pub(super) fn value(key: &Key, entry: &CacheEntry) -> Result<Vec<u8>, serde_json::Error> {
    let body = Body { key, stored_at: entry.stored_at, value: &entry.value };
    let mut bytes = Vec::with_capacity(256);
    let digits = digits(entry.version);
    bytes.extend_from_slice(FORMAT);
    bytes.push(VALUE);
    bytes.extend_from_slice(digits.as_bytes());
    bytes.extend_from_slice(&[0; CHECKSUM.end - CHECKSUM.start]);
    serde_json::to_writer(&mut bytes, &body)?;
    let sum = checksum(&digits, &bytes);
    bytes[CHECKSUM].copy_from_slice(sum.as_bytes());
    Ok(bytes)
}

/// Of a value of that version.
fn checksum(digits: &str, bytes: &[u8]) -> String {
    let mut hasher = Xxh3Default::new();
    hasher.update(FORMAT);
    hasher.update(&[VALUE]);
    hasher.update(digits.as_bytes());
    hasher.update(&bytes[CHECKSUM.end..]);
    format!("{:016x}", hasher.digest())
}

/// The entry, if these bytes are whole, and are a value of this very key.
pub(super) fn read(key: &Key, bytes: &[u8]) -> Option<CacheEntry> {
    let digits = match *bytes.get(2)? {
        VALUE => str::from_utf8(bytes.get(3..CHECKSUM.start)?).ok()?,
        UNVERSIONED => NO_VERSION,
        _ => return None,
    };
    if bytes.get(..2)? != FORMAT || bytes.get(CHECKSUM)? != checksum(digits, bytes).as_bytes() {
        return None;
    }
    let body: Body<Key, Payload> = serde_json::from_slice(&bytes[CHECKSUM.end..]).ok()?;
    let version = digits.parse().ok().map(|shifted: u64| (shifted ^ (1 << 63)).cast_signed());
    (body.key == *key).then(|| CacheEntry::new(body.value, body.stored_at, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::new("users", Some("acme"), "user", "4:2")
    }

    fn entry(version: Option<i64>) -> CacheEntry {
        let stored_at = "2026-11-25T12:00:00.123456789Z".parse().unwrap();
        CacheEntry::new(Payload::of("ada").unwrap(), stored_at, version)
    }

    #[test]
    fn written_entry_is_read_back_equal() {
        for version in [None, Some(i64::MIN), Some(-1), Some(0), Some(1), Some(i64::MAX)] {
            let bytes = value(&key(), &entry(version)).unwrap();
            assert_eq!(read(&key(), &bytes), Some(entry(version)));
        }
        let null = CacheEntry::new(Payload::NULL, entry(None).stored_at, None);
        assert_eq!(read(&key(), &value(&key(), &null).unwrap()), Some(null));
    }

    #[test]
    fn digits_are_in_the_order_of_the_versions() {
        let versions = [i64::MIN, -(1 << 53) - 1, -1, 0, 1, 1 << 53, (1 << 53) + 1, i64::MAX - 1, i64::MAX];
        let digits = versions.map(|version| digits(Some(version)));
        assert!(digits.is_sorted() && digits.iter().all(|digits| digits.len() == NO_VERSION.len()));
    }

    #[test]
    fn value_of_another_key_is_not_read() {
        let bytes = value(&key(), &entry(None)).unwrap();
        for other in [
            Key::new("users", Some("initech"), "user", "4:2"),
            Key::new("users", None, "user", "4:2"),
            Key::new("users", Some("acme"), "account", "4:2"),
            Key::new("users", Some("acme"), "user", "42"),
            Key::new("orders", Some("acme"), "user", "4:2"),
            key().in_space(graceful::backends::KeySpace::LastGood),
        ] {
            assert_eq!(read(&other, &bytes), None);
        }
    }

    #[test]
    fn tombstone_read_is_no_value() {
        assert_eq!(read(&key(), format!("g1t{}", digits(Some(7))).as_bytes()), None);
    }

    /// The script on the server writes such values.
    #[test]
    fn unversioned_value_above_a_version_is_read_without_one() {
        let mut bytes = value(&key(), &entry(None)).unwrap();
        bytes[2] = UNVERSIONED;
        bytes[3..CHECKSUM.start].copy_from_slice(digits(Some(7)).as_bytes());
        assert_eq!(read(&key(), &bytes), Some(entry(None)));
        *bytes.last_mut().unwrap() ^= 1;
        assert_eq!(read(&key(), &bytes), None);
    }

    #[test]
    fn damaged_bytes_are_read_as_nothing() {
        let whole = value(&key(), &entry(Some(7))).unwrap();
        for length in 0..whole.len() {
            assert_eq!(read(&key(), &whole[..length]), None, "cut at {length}");
        }
        for index in 0..whole.len() * 8 {
            let mut broken = whole.clone();
            broken[index / 8] ^= 1 << (index % 8);
            assert_eq!(read(&key(), &broken), None, "bit {index} turned over");
        }
        assert_eq!(read(&key(), &[whole, b" ".to_vec()].concat()), None, "something follows");
    }
}
