//! Texts as PostgreSQL takes them: without the one character that it does not take.

/// A NUL becomes `\0`, and a backslash two.
pub(super) fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\0', "\\0")
}

pub(super) fn unescaped(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text.chars());
    while let Some(character) = rest.next() {
        plain.push(match character {
            '\\' if rest.next() == Some('0') => '\0',
            character => character,
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back() {
        for text in ["", "a", "\0", "\\", "\\0", "\\\0", "\0\\0\\\\", "é\0\\é", "\\\\0"] {
            assert_eq!(unescaped(&escaped(text)), text);
            assert!(!escaped(text).contains('\0'));
        }
    }
}
