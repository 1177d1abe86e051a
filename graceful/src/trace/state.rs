//! `tracestate`: the data that tracing systems pass along a trace.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::text::Text;

/// The data that tracing systems pass along a trace: pairs of a key and a value, each opaque to all other systems.
///
/// It is parsed from and displayed as a [`tracestate`](https://www.w3.org/TR/trace-context-2/#tracestate-header); events contain it, and it is
/// serialised, in the same form. It belongs to a [`TraceParent`](crate::trace::TraceParent), and has no meaning without one.
///
/// An invalid list is dropped as a whole. A list of more than 512 bytes is shortened by the rules of the specification: pairs of more than
/// 128 bytes are removed first, then those at its end.
///
/// ```
/// use graceful::trace::TraceState;
///
/// let state: TraceState = "rojo=00f067aa0ba902b7, congo=t61rcWkgMzE".parse()?;
/// assert_eq!(state.as_str(), "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
/// # Ok::<(), graceful::trace::ParseTraceStateError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TraceState(Text);

const MAX_MEMBERS: usize = 32;
const MAX_KEY: usize = 256;
const MAX_VALUE: usize = 256;

/// The length that every system must pass on. It is also the maximum here, so that a client's header cannot make an event too large.
const MAX_LENGTH: usize = 512;
/// Pairs that are longer are removed first.
const LONG_MEMBER: usize = 128;

impl TraceState {
    /// The text without optional spaces and empty pairs: `rojo=00f067aa0ba902b7,congo=t61rcWkgMzE`.
    ///
    /// ```
    /// let state: graceful::trace::TraceState = "a=1 ,, b=2".parse()?;
    /// assert_eq!(state.as_str(), "a=1,b=2");
    /// # Ok::<(), graceful::trace::ParseTraceStateError>(())
    /// ```
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Joins several headers, in their order, to one list.
    pub(crate) fn of<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut members: Vec<&str> = Vec::new();
        for member in headers.into_iter().flat_map(|header| header.split(',')) {
            let member = member.trim_matches([' ', '\t']);
            if member.is_empty() {
                continue;
            }
            let key = key_of(member)?;
            let known = |member: &&str| key_of(member) == Some(key);
            if members.len() == MAX_MEMBERS || members.iter().any(known) {
                return None;
            }
            members.push(member);
        }
        shorten(&mut members);
        (!members.is_empty()).then(|| Self(members.join(",").into()))
    }
}

/// The key of `key=value`, if both are valid.
fn key_of(member: &str) -> Option<&str> {
    let (key, value) = member.split_once('=')?;
    let first = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let further = |byte: u8| first(byte) || b"_-*/@".contains(&byte);
    let printable = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'=';
    let key_is_one =
        key.len() <= MAX_KEY && key.bytes().next().is_some_and(first) && key.bytes().all(further);
    let value_is_one = (1..=MAX_VALUE).contains(&value.len()) && value.bytes().all(printable);
    (key_is_one && value_is_one).then_some(key)
}

fn shorten(members: &mut Vec<&str>) {
    let length = |members: &[&str]| members.iter().map(|member| member.len() + 1).sum::<usize>();
    let is_too_long = |members: &[&str]| length(members) > MAX_LENGTH + 1;
    if is_too_long(members) {
        members.retain(|member| member.len() <= LONG_MEMBER);
    }
    while is_too_long(members) {
        members.pop();
    }
}

impl FromStr for TraceState {
    type Err = ParseTraceStateError;

    fn from_str(header: &str) -> Result<Self, ParseTraceStateError> {
        Self::of([header]).ok_or(ParseTraceStateError(()))
    }
}

impl fmt::Display for TraceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TraceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceState({self})")
    }
}

impl Serialize for TraceState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TraceState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'_, str>>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A text is not a `tracestate`, or one that says nothing.
///
/// ```
/// let error = "no pair".parse::<graceful::trace::TraceState>().unwrap_err();
/// assert_eq!(error.to_string(), "not a `tracestate` of W3C Trace Context, or an empty one");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseTraceStateError(());

impl fmt::Display for ParseTraceStateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a `tracestate` of W3C Trace Context, or an empty one")
    }
}

impl std::error::Error for ParseTraceStateError {}

/// The cases of the specification's own test suite, `test/test.py` of w3c/trace-context; and what holds for any text.
#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::Index};

    use super::*;

    fn parsed(headers: &[&str]) -> Option<String> {
        TraceState::of(headers.iter().copied()).map(|state| state.to_string())
    }

    #[track_caller]
    fn read(headers: &[&str], expected: &str) {
        assert_eq!(parsed(headers).as_deref(), Some(expected), "{headers:?}");
    }

    #[track_caller]
    fn refused(headers: &[&str]) {
        for header in headers {
            assert_eq!(parsed(&[header]), None, "{header}");
        }
    }

    #[test]
    fn several_headers_are_joined_in_order() {
        read(&["foo=1,bar=2"], "foo=1,bar=2");
        read(&["foo=1,bar=2", "rojo=1,congo=2", "baz=3"], "foo=1,bar=2,rojo=1,congo=2,baz=3");
        read(&["foo=1", ""], "foo=1");
        read(&["", "foo=1"], "foo=1");
        assert_eq!(parsed(&["foo=1", "bar"]), None);
    }

    #[test]
    fn space_around_members_and_empty_members_are_ignored() {
        for header in
            ["foo=1 \t , \t bar=2, \t baz=3", "\tfoo=1,bar=2\t \t,,\t \tbaz=3 ", ",foo=1,bar=2,baz=3,"]
        {
            read(&[header], "foo=1,bar=2,baz=3");
        }
        read(&["foo=  1 2"], "foo=  1 2");
        refused(&["", " ", ",", "\t,\t"]);
    }

    #[test]
    fn every_allowed_character_is_read() {
        let key = "abcdefghijklmnopqrstuvwxyz0123456789_-*/";
        let value: String = (' '..='~').filter(|char| !",=".contains(*char)).collect();
        for key in [key, &format!("{key}@a-z0-9_-*/"), "0"] {
            let header = format!("{key}={value}");
            read(&[&header], &header);
        }
    }

    #[test]
    fn malformed_list_is_dropped_as_a_whole() {
        refused(&[
            "foo",
            "=1",
            "foo=",
            "foo= ",
            "foo =1",
            "FOO=1",
            "foo.bar=1",
            "@foo=1",
            "_foo=1",
            "foo=1=2",
        ]);
        refused(&[
            "foo=\u{e9}",
            "f\u{e9}=1",
            "foo=1\t2",
            "foo=1\u{7f}",
            "foo=1;\r\n",
            "foo=1,foo=1",
            "foo=1,foo=2",
        ]);
        refused(&["foo=1,bar", "foo=1,BAR=2", "foo=1,bar=2=3"]);
        assert_eq!(parsed(&["foo=1", "foo=2"]), None);
    }

    #[test]
    fn list_at_the_limits_is_read_and_beyond_them_is_dropped() {
        let key = format!("{}=1", "k".repeat(256));
        read(&[&key], &key);
        let value = format!("k={}", "v".repeat(256));
        read(&[&value], &value);
        refused(&[&format!("k{key}"), &format!("{value}v")]);

        let members: Vec<_> = (0..33).map(|key| format!("{key}=1")).collect();
        read(&[&members[..32].join(",")], &members[..32].join(","));
        refused(&[&members.join(",")]);
    }

    #[test]
    fn list_that_is_too_long_loses_whole_members() {
        let member = |key: &str, length: usize| format!("{key}={}", "v".repeat(length - key.len() - 1));
        // Four of them, with their commas, are 512.
        let [a, b, c] = ["a", "b", "c"].map(|key| member(key, 128));
        let fits = [a.clone(), b.clone(), c.clone(), member("d", 125)].join(",");
        assert_eq!(fits.len(), 512);
        read(&[&fits], &fits);
        let over = [a.clone(), b.clone(), c.clone(), member("d", 126)].join(",");
        read(&[&over], &[a.clone(), b.clone(), c.clone()].join(","));

        // The long ones first, wherever they are.
        let long = [member("long", 129), a.clone(), b.clone(), member("longer", 200), c.clone()].join(",");
        read(&[&long], &[a, b, c].join(","));
        refused(&[&[member("a", 257), member("b", 257)].join(",")]);
    }

    #[test]
    fn serialised_as_its_text() {
        let state: TraceState = "foo=1,bar=2".parse().unwrap();
        let json = serde_json::to_string(&state).unwrap();
        assert_eq!(json, "\"foo=1,bar=2\"");
        assert_eq!(serde_json::from_str::<TraceState>(&json).unwrap(), state);
        assert!(serde_json::from_str::<TraceState>("\"foo\"").is_err());
    }

    /// A member's key, told apart by a number, and its value.
    fn member() -> impl Strategy<Value = (String, String)> {
        ("[a-z0-9_*/@-]{0,20}", "[ -+\\--<>-~]{0,20}[!-+\\--<>-~]")
    }

    proptest! {
        /// The list may be cut into any headers and have any optional space around its members.
        #[test]
        fn list_that_follows_the_grammar_is_read(
            members in vec((member(), "[ \t,]{0,3}"), 1..12),
            cuts in vec(any::<Index>(), 0..4),
        ) {
            let pairs: Vec<_> = members.iter().enumerate()
                .map(|(number, ((key, value), _))| format!("{number}{key}={value}"))
                .collect();
            let padded: Vec<_> = pairs.iter().zip(&members)
                .map(|(pair, (_, around))| format!("{around}{pair}{around}"))
                .collect();
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(padded.len())).collect();
            cuts.sort_unstable();
            cuts.push(padded.len());
            let mut from = 0;
            let headers: Vec<_> = cuts.into_iter()
                .map(|to| padded[std::mem::replace(&mut from, to)..to].join(","))
                .collect();
            let headers: Vec<_> = headers.iter().map(String::as_str).collect();
            prop_assume!(pairs.join(",").len() <= MAX_LENGTH);
            prop_assert_eq!(parsed(&headers), Some(pairs.join(",")));
        }

        /// One invalid character drops the whole list.
        #[test]
        fn list_with_one_invalid_character_is_dropped(
            before in "[a-z]{1,9}=[!-+]{1,9},", after in ",[0-9]{1,9}=[>-~]{1,9}",
            bad in prop::sample::select(vec!["\u{7f}", "\u{0}", "\u{e9}", "\t", "=", "\u{1f600}"]),
        ) {
            prop_assert_eq!(parsed(&[&format!("{before}x=a{bad}b{after}")]), None);
        }

        /// A parsed list is parsed again to the same list, and is not longer than may be sent.
        #[test]
        fn parsed_list_is_well_formed(
            headers in vec("([a-c0-1A@=, \t_.é]{0,12}|[ab]=[ -~]{0,300},?){0,40}", 0..4),
        ) {
            let headers: Vec<_> = headers.iter().map(String::as_str).collect();
            if let Some(text) = parsed(&headers) {
                prop_assert!(text.len() <= MAX_LENGTH && text.split(',').count() <= MAX_MEMBERS);
                prop_assert_eq!(parsed(&[&text]), Some(text));
            }
        }
    }
}
