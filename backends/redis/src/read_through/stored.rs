//! Marks and entries as bytes that can be checked.
//!
//! ```text
//! r1 0f1e2d3c4b5a6978 0001795874308744 6b0f3c1d2e4a5968 9c5d… 1b77…⏎{"key":{…},"variant":"","value":…}
//! |  |                |                |                |           |
//! |  |                |                |                |           what was stored, with its whole name
//! |  |                |                |                the marks that the value depends on
//! |  |                |                checksum of all the rest, but for the time
//! |  |                when it was stored, in milliseconds, by the clock of the server: its script adds it
//! |  the incarnation of the server
//! the format
//! ```
//!
//! A mark belongs to one entity and is never used again, since it is random. So an entry need not say which mark is whose.
//!
//! The format differs from that of [`Cache::put`](graceful::backends::Cache::put), and so do the names: a put without marks must neither
//! be a hit, nor replace an entry, and an entry has no version.

use graceful::{
    Key, Payload, Text,
    backends::{CacheEntry, EntryName, Hit, Incarnation, Mark, Timestamp},
};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3Default;

use crate::process::Process;

#[derive(Serialize, Deserialize)]
struct Body<K, T, V> {
    key: K,
    variant: T,
    stored_at: Timestamp,
    version: Option<i64>,
    value: V,
}

/// A number of the size of an incarnation or of a checksum.
pub(super) fn short_hex(number: u64) -> Text {
    Text::from(format_args!("{number:016x}"))
}

pub(super) fn hex(mark: Mark) -> String {
    format!("{:032x}", mark.get())
}

pub(super) fn mark(hex: &str) -> Option<Mark> {
    u128::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 32).map(Mark::new)
}

/// The mark in the bytes under its name, if it was made in this incarnation: `mark incarnation time`.
pub(super) fn mark_of(bytes: &[u8], incarnation: Incarnation) -> Option<Mark> {
    let mut parts = str::from_utf8(bytes).ok()?.split(' ');
    let mark = mark(parts.next()?)?;
    (short_hex(incarnation.0) == parts.next()?).then_some(mark)
}

/// The part of an entry after its time.
pub(super) fn entry(
    name: &EntryName,
    entry: &CacheEntry,
    marks: &[Mark],
    incarnation: Incarnation,
) -> Result<Vec<u8>, serde_json::Error> {
    let CacheEntry { value, stored_at, version, .. } = entry;
    let body =
        Body { key: &name.entity, variant: &*name.variant, stored_at: *stored_at, version: *version, value };
    let body = serde_json::to_vec(&body)?;
    let marks = marks.iter().copied().map(hex).collect::<Vec<_>>().join(" ");
    let incarnation = short_hex(incarnation.0);
    let sum = checksum(&incarnation, &marks, &body);
    Ok([sum.as_bytes(), b" ", marks.as_bytes(), b"\n", &body].concat())
}

fn checksum(incarnation: &str, marks: &str, body: &[u8]) -> Text {
    let mut hasher = Xxh3Default::new();
    for part in [incarnation.as_bytes(), b"\n", marks.as_bytes(), b"\n", body] {
        hasher.update(part);
    }
    short_hex(hasher.digest())
}

/// The hit, if these bytes are whole, are an entry of this name that the process has stored, and contain each of these marks.
pub(super) fn read(name: &EntryName, bytes: &[u8], current: &[Mark], process: &Process) -> Option<Hit> {
    let end = bytes.iter().position(|&byte| byte == b'\n')?;
    let (head, body) = (str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]);
    let mut parts = head.splitn(5, ' ');
    let [format, incarnation, time, sum, marks] = std::array::from_fn(|_| parts.next().unwrap_or_default());
    let is_ours = format == "r1" && incarnation == short_hex(process.incarnation.0);
    if !is_ours || sum != checksum(incarnation, marks, body) {
        return None;
    }
    let stored_with: Vec<_> = marks.split(' ').map(mark).collect();
    let has = |&current: &Mark| stored_with.contains(&Some(current));
    let Body { key, variant, stored_at, version, value }: Body<Key, Text, Payload> =
        serde_json::from_slice(body).ok()?;
    let is_whole = current.iter().all(has) && key == name.entity && variant == name.variant;
    let (age, more) = (process.age(time.parse().ok()?), stored_with.len() > current.len());
    is_whole.then_some(Hit::new(CacheEntry::new(value, stored_at, version), age, more))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKS: [Mark; 2] = [Mark::new(1), Mark::new(u128::MAX)];

    fn name() -> EntryName {
        EntryName::new(Key::new("users", Some("acme"), "user", "4:2"), "2".into(), Vec::new())
    }

    fn sample(version: Option<i64>) -> CacheEntry {
        CacheEntry::new(Payload::of("ada\n").unwrap(), Timestamp::UNIX_EPOCH, version)
    }

    /// As the server's script does it.
    fn stored(process: &Process, version: Option<i64>) -> Vec<u8> {
        let tail = entry(&name(), &sample(version), &MARKS, process.incarnation).unwrap();
        let head = format!("r1 {} {:016} ", short_hex(process.incarnation.0), 0);
        [head.as_bytes(), &tail].concat()
    }

    fn read_entry(bytes: &[u8], process: &Process) -> Option<CacheEntry> {
        read(&name(), bytes, &MARKS, process).map(|hit| hit.entry)
    }

    #[test]
    fn stored_entry_is_read_back_equal() {
        let process = Process::sample(Incarnation(7));
        for version in [None, Some(i64::MIN), Some(i64::MAX)] {
            assert_eq!(read_entry(&stored(&process, version), &process), Some(sample(version)));
        }
    }

    #[test]
    fn entry_of_other_marks_name_or_incarnation_is_not_read() {
        let process = Process::sample(Incarnation(7));
        let bytes = stored(&process, None);
        assert!(read(&name(), &bytes, &MARKS[..1], &process).is_some(), "a reader may need fewer");
        assert_eq!(read(&name(), &bytes, &[MARKS[0], Mark::new(2)], &process), None);
        assert_eq!(read_entry(&bytes, &Process::sample(Incarnation(8))), None);
        let mut others = [name(), name()];
        others[0].variant = "".into();
        others[1].entity = others[1].entity.of_pattern();
        for other in others {
            assert_eq!(read(&other, &bytes, &MARKS, &process), None, "{other:?}");
        }
    }

    /// The digits of the time are the server's, and no part of the checksum.
    #[test]
    fn damaged_entry_is_not_read() {
        let process = Process::sample(Incarnation(7));
        let whole = stored(&process, Some(7));
        for length in 0..whole.len() {
            assert_eq!(read_entry(&whole[..length], &process), None, "cut at {length}");
        }
        let time = 20..36;
        for index in (0..whole.len() * 8).filter(|index| !time.contains(&(index / 8))) {
            let mut broken = whole.clone();
            broken[index / 8] ^= 1 << (index % 8);
            assert_eq!(read_entry(&broken, &process), None, "bit {index} turned over");
        }
    }

    #[test]
    fn mark_of_another_incarnation_or_form_is_none() {
        let bytes = format!("{} {} 1795874308744", hex(MARKS[1]), short_hex(7));
        assert_eq!(mark_of(bytes.as_bytes(), Incarnation(7)), Some(MARKS[1]));
        assert_eq!(mark_of(bytes.as_bytes(), Incarnation(8)), None);
        for damaged in [&bytes[1..], &bytes[..32], &bytes[..40], ""] {
            assert_eq!(mark_of(damaged.as_bytes(), Incarnation(7)), None, "{damaged}");
        }
    }
}
