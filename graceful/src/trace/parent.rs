//! `traceparent`: the ids of a trace and of the span that caused a call.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The place of a call in a distributed trace: the ids of its trace and of the span that caused it, and the trace's flags.
///
/// It is parsed from and displayed as a [`traceparent`](https://www.w3.org/TR/trace-context/#traceparent-header); events contain it, and it
/// is serialised, in the same form.
///
/// ```
/// use graceful::trace::TraceParent;
///
/// let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let parent: TraceParent = header.parse()?;
/// assert_eq!(format!("{:032x}", parent.trace_id()), "4bf92f3577b34da6a3ce929d0e0e4736");
/// assert_eq!((parent.span_id(), parent.is_sampled()), (0x00f0_67aa_0ba9_02b7, true));
/// assert_eq!(parent.to_string(), header);
/// # Ok::<(), graceful::trace::ParseTraceParentError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceParent {
    // Bytes, so that the structs that contain it are not aligned for a `u128`.
    trace_id: [u8; 16],
    span_id: [u8; 8],
    flags: u8,
}

/// The flags of version 00 that have a meaning; the others are reserved, and sent as zero.
const SAMPLED: u8 = 0b01;
const RANDOM: u8 = 0b10;

/// The length of a `traceparent` of version 00, and the least of any later one.
const LENGTH: usize = 55;

impl TraceParent {
    /// Creates the position with these ids and flags; `None` if an id is zero, which is invalid. Only the flags of the specification are kept:
    /// 1 (sampled) and 2 (the trace id is random).
    ///
    /// ```
    /// # use graceful::trace::TraceParent;
    /// let parent = TraceParent::new(0x0af7, 0xb7ad, 1).unwrap();
    /// assert_eq!(parent.to_string(), "00-00000000000000000000000000000af7-000000000000b7ad-01");
    /// assert_eq!(TraceParent::new(0, 0xb7ad, 1), None);
    /// ```
    pub const fn new(trace_id: u128, span_id: u64, flags: u8) -> Option<Self> {
        if trace_id == 0 || span_id == 0 {
            return None;
        }
        let (trace_id, span_id) = (trace_id.to_be_bytes(), span_id.to_be_bytes());
        Some(Self { trace_id, span_id, flags: flags & (SAMPLED | RANDOM) })
    }

    /// The trace.
    ///
    /// ```
    /// assert_eq!(graceful::trace::TraceParent::new(10, 11, 0).unwrap().trace_id(), 10);
    /// ```
    pub const fn trace_id(self) -> u128 {
        u128::from_be_bytes(self.trace_id)
    }

    /// The span that caused the call.
    ///
    /// ```
    /// assert_eq!(graceful::trace::TraceParent::new(10, 11, 0).unwrap().span_id(), 11);
    /// ```
    pub const fn span_id(self) -> u64 {
        u64::from_be_bytes(self.span_id)
    }

    /// Whether the caller may have recorded its part of the trace.
    ///
    /// ```
    /// assert!(graceful::trace::TraceParent::new(10, 11, 1).unwrap().is_sampled());
    /// ```
    pub const fn is_sampled(self) -> bool {
        self.flags & SAMPLED != 0
    }

    fn parse(header: &[u8]) -> Option<Self> {
        let (fields, rest) = header.split_at_checked(LENGTH)?;
        let [version, trace_id, span_id, flags] = fields_of(fields)?;
        let version = u8::try_from(hex(version)?).ok()?;
        let flags = u8::try_from(hex(flags)?).ok()?;
        let flags = match (version, rest) {
            (0, []) => flags,
            // A version that is not known yet has these fields and may have more; of its flags, only this one is known.
            (1..=0xfe, [] | [b'-', ..]) => flags & SAMPLED,
            _ => return None,
        };
        Self::new(hex(trace_id)?, u64::try_from(hex(span_id)?).ok()?, flags)
    }
}

/// The fields of `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`.
fn fields_of(header: &[u8]) -> Option<[&[u8]; 4]> {
    let dashes = [2, 35, 52].iter().all(|&dash| header[dash] == b'-');
    dashes.then(|| [&header[..2], &header[3..35], &header[36..52], &header[53..]])
}

/// Lower case only: the specification refuses upper case.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(digit))
    })
}

impl FromStr for TraceParent {
    type Err = ParseTraceParentError;

    fn from_str(header: &str) -> Result<Self, ParseTraceParentError> {
        Self::parse(header.as_bytes()).ok_or(ParseTraceParentError(()))
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id(), self.span_id(), self.flags)
    }
}

impl fmt::Debug for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceParent({self})")
    }
}

impl Serialize for TraceParent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TraceParent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'_, str>>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A text is not a `traceparent`.
///
/// ```
/// let error = "00-0-0-00".parse::<graceful::trace::TraceParent>().unwrap_err();
/// assert_eq!(error.to_string(), "not a `traceparent` of W3C Trace Context");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseTraceParentError(());

impl fmt::Display for ParseTraceParentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a `traceparent` of W3C Trace Context")
    }
}

impl std::error::Error for ParseTraceParentError {}

/// The cases of the specification's own test suite, `test/test.py` of w3c/trace-context, and its examples.
#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(header: &str) -> Option<String> {
        header.parse::<TraceParent>().ok().map(|parent| parent.to_string())
    }

    #[track_caller]
    fn refused(headers: &[&str]) {
        for header in headers {
            assert_eq!(parsed(header), None, "{header}");
        }
    }

    const IDS: &str = "12345678901234567890123456789012-1234567890123456";

    #[test]
    fn version_00() {
        for flags in ["00", "01", "02", "03"] {
            let header = format!("00-{IDS}-{flags}");
            assert_eq!(parsed(&header), Some(header));
        }
        // Reserved flags are sent as zero.
        assert_eq!(parsed(&format!("00-{IDS}-ff")), Some(format!("00-{IDS}-03")));
        refused(&[
            &format!("00-{IDS}-01."),
            &format!("00-{IDS}-01-"),
            &format!("00-{IDS}-01-what-the-future-will-be-like"),
        ]);
    }

    #[test]
    fn versions_of_the_future() {
        for version in ["cc", "01", "fe"] {
            let expected = Some(format!("00-{IDS}-01"));
            assert_eq!(parsed(&format!("{version}-{IDS}-01")), expected);
            assert_eq!(parsed(&format!("{version}-{IDS}-01-what-the-future-will-be-like")), expected);
            // Of its flags nothing but `sampled` is known.
            assert_eq!(parsed(&format!("{version}-{IDS}-0f")), expected);
            refused(&[
                &format!("{version}-{IDS}-01.what-the-future-will-not-be-like"),
                &format!("{version}-{IDS}-0"),
                &format!("{version}-{IDS}"),
            ]);
        }
    }

    #[test]
    fn versions_that_are_none() {
        for version in ["ff", ".0", "0.", "CC", "0", "000", "0000", "", "-"] {
            refused(&[&format!("{version}-{IDS}-01")]);
        }
    }

    #[test]
    fn trace_ids_that_are_none() {
        refused(&[
            "00-00000000000000000000000000000000-1234567890123456-01",
            "00-.2345678901234567890123456789012-1234567890123456-01",
            "00-1234567890123456789012345678901.-1234567890123456-01",
            "00-123456789012345678901234567890123-1234567890123456-01",
            "00-1234567890123456789012345678901-1234567890123456-01",
            "00-123456789012345678901234567890AB-1234567890123456-01",
        ]);
    }

    #[test]
    fn span_ids_that_are_none() {
        refused(&[
            "00-12345678901234567890123456789012-0000000000000000-01",
            "00-12345678901234567890123456789012-.234567890123456-01",
            "00-12345678901234567890123456789012-123456789012345.-01",
            "00-12345678901234567890123456789012-12345678901234567-01",
            "00-12345678901234567890123456789012-123456789012345-01",
            "00-12345678901234567890123456789012-12345678901234AB-01",
        ]);
    }

    #[test]
    fn flags_that_are_none() {
        for flags in [".0", "0.", "001", "1", "", "0A"] {
            refused(&[&format!("00-{IDS}-{flags}")]);
        }
    }

    #[test]
    fn text_that_is_no_traceparent_is_refused() {
        refused(&["", "00", "\u{e9}", &"\u{e9}".repeat(40), &"-".repeat(55), &"0".repeat(55)]);
        refused(&[&format!("00_{IDS}_01"), &format!(" 00-{IDS}-01"), &format!("00-{IDS}-01 ")]);
    }

    #[test]
    fn serialised_as_its_text() {
        let parent: TraceParent = format!("00-{IDS}-01").parse().unwrap();
        let json = serde_json::to_string(&parent).unwrap();
        assert_eq!(json, format!("\"00-{IDS}-01\""));
        assert_eq!(serde_json::from_str::<TraceParent>(&json).unwrap(), parent);
        assert!(serde_json::from_str::<TraceParent>("\"00\"").is_err());
    }
}
