//! Short texts that are cheap to clone.

use std::{
    borrow::{Borrow, Cow},
    cell::Cell,
    fmt,
    ops::Deref,
};

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// A text that cannot be changed, and is cheap to clone. Up to 23 bytes are stored inline, longer texts are shared; a `&'static str` can
/// be used without a copy.
///
/// ```
/// use graceful::Text;
///
/// let name = Text::from("update_user");
/// assert_eq!((&*name, name.len()), ("update_user", 11));
/// assert_eq!(Text::from(format_args!("{name}.failed")), "update_user.failed");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(SmolStr);

/// A text from a format string.
macro_rules! text {
    ($($part:tt)*) => { $crate::text::Text::from(format_args!($($part)*)) };
}
pub(crate) use text;

impl Text {
    /// Uses a static text without a copy.
    pub const fn new_static(text: &'static str) -> Self {
        Self(SmolStr::new_static(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Joins parts. A text that is short enough never touches the heap.
    #[inline]
    pub(crate) fn joined<const N: usize>(parts: [&str; N]) -> Self {
        written(|buffer| parts.into_iter().for_each(|part| buffer.push_str(part)))
    }

    /// The bytes that the text uses on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        if self.0.is_heap_allocated() { self.0.len() } else { 0 }
    }
}

thread_local! {
    /// Where texts are written, so that each needs one allocation at most, of its own length.
    static BUFFER: Cell<String> = const { Cell::new(String::new()) };
}

/// A buffer larger than this is not kept for the next text.
const KEPT_BUFFER: usize = 4096;

/// Makes a text of what is written to the buffer, which is taken: a `Display` that is written may make texts itself.
#[inline]
fn written(write: impl FnOnce(&mut String)) -> Text {
    // A value that is dropped with its thread may make texts when there is no buffer any more.
    let mut buffer = BUFFER.try_with(Cell::take).unwrap_or_default();
    write(&mut buffer);
    let text = Text(SmolStr::new(&buffer));
    if buffer.capacity() <= KEPT_BUFFER {
        buffer.clear();
        let _ = BUFFER.try_with(|kept| kept.set(buffer));
    }
    text
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Hash and order are those of the `str`.
impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl From<fmt::Arguments<'_>> for Text {
    fn from(text: fmt::Arguments<'_>) -> Self {
        if let Some(text) = text.as_str() {
            return Self::new_static(text);
        }
        written(|buffer| {
            fmt::write(buffer, text).expect("a `Display` does not fail, because memory does not");
        })
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0.into()
    }
}

macro_rules! from {
    ($($text:ty),*) => {$(
        impl From<$text> for Text {
            fn from(text: $text) -> Self {
                Self(text.into())
            }
        }
    )*};
}
from!(&str, &String, String, Box<str>, Cow<'_, str>);

macro_rules! compared_with {
    ($($text:ty),*) => {$(
        impl PartialEq<$text> for Text {
            fn eq(&self, other: &$text) -> bool {
                self.0 == *other
            }
        }

        impl PartialEq<Text> for $text {
            fn eq(&self, other: &Text) -> bool {
                *self == other.0
            }
        }
    )*};
}
compared_with!(str, &str, String);

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a text of its own while it is shown in another.
    struct Nested<'a>(&'a str);

    impl fmt::Display for Nested<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(&text!("{}{}", self.0, self.0))
        }
    }

    #[test]
    fn text_of_any_length_is_written_whole() {
        for length in 0..100 {
            let part = "é".repeat(length);
            let whole = format!("a{part}b{part}");
            assert_eq!(Text::joined(["a", &part, "b", &part]), whole);
            assert_eq!(text!("a{part}b{part}"), whole);
            assert_eq!(text!("{part}{}", Nested(&part)), part.repeat(3));
        }
    }

    #[test]
    fn long_buffer_is_not_kept() {
        assert_eq!(text!("{:5000}", 1).len(), 5000);
        assert!(BUFFER.take().capacity() <= KEPT_BUFFER);
    }
}
