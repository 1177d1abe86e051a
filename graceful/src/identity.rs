//! Handlers' identities without generic arguments, so that the name of a type parameter is no part of them.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{LazyLock, Mutex},
};

use crate::locks::unpoisoned;

/// The path of an item without generic arguments. Each path is changed once per process.
#[inline]
pub(crate) fn without_generics(path: &'static str) -> &'static str {
    match path.contains('<') {
        true => changed(path),
        false => path,
    }
}

#[cold]
fn changed(path: &'static str) -> &'static str {
    static CHANGED: LazyLock<Mutex<HashMap<&str, &str>>> = LazyLock::new(Mutex::default);
    let mut changed = unpoisoned(CHANGED.lock());
    changed.entry(path).or_insert_with(|| match stripped(path) {
        Cow::Borrowed(_) => path,
        Cow::Owned(stripped) => stripped.leak(),
    })
}

/// ```text
/// Input:  <a::Rows<T, fn(u8) -> u8> as b::Store<u8>>::save
/// Output: <a::Rows as b::Store>::save
/// ```
pub(crate) fn stripped(path: &str) -> Cow<'_, str> {
    let mut kept = String::with_capacity(path.len());
    // How many brackets of arguments are open.
    let mut depth = 0_usize;
    let mut before = ' ';
    for character in path.chars() {
        match character {
            // What follows a name are its arguments; otherwise the bracket begins `<T as Trait>` or `<impl T>`.
            '<' if depth > 0 || before.is_alphanumeric() || before == '_' => depth += 1,
            '>' if depth > 0 && before != '-' => depth -= 1,
            _ if depth == 0 => kept.push(character),
            _ => {}
        }
        before = character;
    }
    if kept.len() == path.len() { Cow::Borrowed(path) } else { Cow::Owned(kept) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_loses_its_generic_arguments_and_nothing_else() {
        for (path, expected) in [
            ("shop::pay", "shop::pay"),
            ("shop::Rows<T>::save", "shop::Rows::save"),
            ("shop::Rows<alloc::vec::Vec<T>, 3>::save", "shop::Rows::save"),
            ("<shop::Rows<T> as shop::Store<u8>>::save", "<shop::Rows as shop::Store>::save"),
            ("shop::<impl other::Rows<K>>::save", "shop::<impl other::Rows>::save"),
            ("shop::Hooks<fn(u8) -> u8>::save", "shop::Hooks::save"),
        ] {
            assert_eq!(stripped(path), expected, "{path}");
        }
    }

    #[test]
    fn stripped_identity_is_made_once() {
        let path = "shop::Rows<T>::save";
        assert!(std::ptr::eq(without_generics(path), without_generics(path)));
        assert_eq!(without_generics("shop::pay"), "shop::pay");
    }
}
