//! Users from a JSON file or the standard input: all of them are checked before the first one is used.

use std::{collections::HashSet, fs, io};

use serde_json::{Deserializer, value::RawValue};

use crate::service::User;

/// The same as `examples/users.json`.
const BUILT_IN: &str = include_str!("../users.json");

/// The users of a source: none is the built-in list, `-` the standard input, anything else a file.
pub fn users(source: Option<&str>) -> Result<Vec<User>, String> {
    let (name, text) = match source {
        None => ("the built-in list", Ok(BUILT_IN.to_owned())),
        Some("-") => ("the standard input", io::read_to_string(io::stdin())),
        Some(path) => (path, fs::read_to_string(path)),
    };
    let text = text.map_err(|error| format!("{name}: {error}"))?;
    parse(text.strip_prefix('\u{feff}').unwrap_or(&text)).map_err(|error| format!("{name}: {error}"))
}

/// A JSON array of users, or one object after the other.
fn parse(text: &str) -> Result<Vec<User>, String> {
    let items: Result<Vec<&RawValue>, _> = match text.trim_start().starts_with('[') {
        true => serde_json::from_str(text),
        false => Deserializer::from_str(text).into_iter().collect(),
    };
    let items = items.map_err(|error| at(error.line(), &error))?;
    if items.is_empty() {
        return Err("there are no users in it".to_owned());
    }
    let mut seen = HashSet::new();
    items.into_iter().map(|item| user(item, line_of(item, text), &mut seen)).collect()
}

fn user(item: &RawValue, line: usize, seen: &mut HashSet<u64>) -> Result<User, String> {
    let user: User = serde_json::from_str(item.get()).map_err(|error| at(line + error.line() - 1, &error))?;
    user.check().map_err(|error| format!("line {line}: {error}"))?;
    match seen.insert(user.id) {
        true => Ok(user),
        false => Err(format!("line {line}: the id {} is there twice", user.id)),
    }
}

/// The line of `text` that one of its values starts in.
fn line_of(item: &RawValue, text: &str) -> usize {
    let offset = item.get().as_ptr().addr() - text.as_ptr().addr();
    1 + text[..offset].matches('\n').count()
}

/// The error's text, with the line of the whole input instead of the item's own.
fn at(line: usize, error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    format!("line {line}: {what}")
}
