//! Times and numbers as the tables contain them.

use std::time::Duration;

use jiff::Timestamp;

/// A time, in microseconds since 1970.
pub fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// A time out of range, such as the rounded end of time, becomes the nearest valid time.
pub fn at(micros: i64) -> Timestamp {
    let end = if micros < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_microsecond(micros).unwrap_or(end)
}

/// A duration in microseconds, limited so that a server can add it to its time.
pub fn length(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX).min(i64::MAX / 2)
}

/// A number of rows.
pub fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A position of the event log, which both databases store with a sign.
pub fn position(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// The error of a row that does not contain what was written.
pub fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}

/// The number of a value is its place among all values, which may only grow at their end.
pub(crate) fn number_of<T: PartialEq>(all: &[T], wanted: &T) -> i16 {
    all.iter().position(|one| one == wanted).and_then(|place| i16::try_from(place).ok()).unwrap_or(i16::MAX)
}

/// The value with a number; none if a newer version has stored it.
pub(crate) fn numbered<T: Copy>(all: &[T], number: i16) -> Option<T> {
    all.get(usize::try_from(number).ok()?).copied()
}
