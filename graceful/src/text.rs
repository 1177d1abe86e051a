//! Short texts that are cheap to clone.

use std::{
    borrow::{Borrow, Cow},
    fmt,
    ops::Deref,
};

use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, SmolStrBuilder};

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
        let mut text = SmolStrBuilder::new();
        for part in parts {
            // Most keys have no tenant.
            if !part.is_empty() {
                text.push_str(part);
            }
        }
        Self(text.finish())
    }

    /// The bytes that the text uses on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        if self.0.is_heap_allocated() { self.0.len() } else { 0 }
    }
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
        // As `format_smolstr!("{text}")` does, which would format through a second level of arguments.
        let mut builder = SmolStrBuilder::new();
        fmt::write(&mut builder, text).expect("a `Display` does not fail, because memory does not");
        Self(builder.finish())
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
