//! Escapes external texts for logs, reports and errors.

use std::{borrow::Cow, fmt::Write as _};

use crate::text::Text;

/// Escapes control characters, line separators and bidirectional characters, which could forge or hide a part of a line.
///
/// `"a\nb"` becomes `a\nb` with a backslash and an `n`, U+202E becomes `\u{202e}`.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let mut whole = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_escaped(character) {
            // To write into a string does not fail.
            let _ = write!(whole, "{}", character.escape_default());
        } else {
            whole.push(character);
        }
    }
    Cow::Owned(whole)
}

/// The same for an owned text.
pub(crate) fn escaped_text(text: Text) -> Text {
    match escaped(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(whole) => whole.into(),
    }
}

/// Whether nothing in it would be escaped.
pub(crate) fn is_plain(text: &str) -> bool {
    !text.chars().any(is_escaped)
}

fn is_escaped(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escaped_text_without_such_characters_is_borrowed() {
        assert!(matches!(escaped("Straße 7 – “ada” 日本 \\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn control_and_bidirectional_characters_are_escaped() {
        assert_eq!(escaped("a\nb\r\u{1b}[31m\0\u{85}"), "a\\nb\\r\\u{1b}[31m\\u{0}\\u{85}");
        assert_eq!(escaped("\u{202e}gpj\u{2066}\u{2028}"), "\\u{202e}gpj\\u{2066}\\u{2028}");
    }

    proptest! {
        #[test]
        fn escaped_text_is_one_line_of_printable_text(text in any::<String>()) {
            let whole = escaped(&text);
            prop_assert!(!whole.chars().any(is_escaped));
            prop_assert_eq!(escaped(&whole), &*whole);
        }
    }
}
