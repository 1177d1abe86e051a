//! Errors: at the user's token, the rule and the fix.

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
    nearest(name, known).map(|near| format!("did you mean `{near}`?"))
}

/// The name that was meant: at most every third letter is wrong, or one of the two begins the other.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name = bare(name);
    let distance = |known: &str| {
        let begun = name.len() > 1 && known.starts_with(&name) || known.len() > 3 && name.starts_with(known);
        let distance = strsim::osa_distance(&name, known);
        let longest = name.len().max(known.len());
        let near = distance < longest && distance <= longest / 3;
        (begun || near).then_some(distance)
    };
    let near = known.iter().filter_map(|known| Some((distance(&bare(known))?, *known)));
    near.min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// How words are joined, and which of their letters are capitals, is easily mistaken.
fn bare(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
