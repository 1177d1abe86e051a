//! Errors in one voice: at the user's token, the rule and the fix.

use std::fmt;

use darling::{Error, Result};
use proc_macro2::{Ident, Span};
use syn::spanned::Spanned;

pub(crate) fn wrong(token: &impl Spanned, rule: impl fmt::Display) -> Error {
    Error::custom(rule).with_span(token)
}

pub(crate) fn at(span: Span, rule: impl fmt::Display) -> Error {
    Error::custom(rule).with_span(&span)
}

pub(crate) fn twice(name: &Ident) -> Error {
    wrong(name, format!("`{name}` is given twice: keep one"))
}

pub(crate) fn put<T>(place: &mut Option<T>, name: &Ident, value: T) -> Result<()> {
    if place.is_some() {
        return Err(twice(name));
    }
    *place = Some(value);
    Ok(())
}

/// `did you mean …?`, where one of the known names is near.
pub(crate) fn suggestion(name: &str, known: &[&str]) -> Option<String> {
    let bare = name.replace('_', "");
    if let Some(same) = known.iter().find(|known| known.replace('_', "").eq_ignore_ascii_case(&bare)) {
        return Some(format!("did you mean `{same}`?"));
    }
    // darling compares the names, and says what it found nowhere but in its text.
    let text = Error::unknown_value_with_alts(name, known).to_string();
    Some(format!("did you mean {}", text.split_once("Did you mean ")?.1))
}
