//! Whether every value of one shape can be read by a program that knows another.

use std::collections::BTreeSet;

use crate::shape::{Node, Presence, Shape, Type, is_in, parent};

/// A place in a value, and why a reader cannot take what is written there.
pub(crate) type Unreadable = (String, String);

/// The places at which a value of the writer is not valid for a reader who ignores unknown fields. Of a place and the places in it, only the
/// outer one is listed.
pub(crate) fn unreadable(writer: &Shape, reader: &Shape) -> Vec<Unreadable> {
    let mut found: Vec<Unreadable> = Vec::new();
    let paths: BTreeSet<&String> = writer.0.keys().chain(reader.0.keys()).collect();
    for path in paths {
        let is_listed = found.iter().any(|(listed, _)| is_in(path, listed));
        if let Some(why) = at(path, writer, reader).filter(|_| !is_listed) {
            found.push((path.clone(), why));
        }
    }
    found
}

/// The fields and items of the old shape that the new one has no more, although what is around them still exists.
pub(crate) fn gone(old: &Shape, new: &Shape) -> Vec<Unreadable> {
    let is_gone = |path: &&String| {
        new.get(path).is_none()
            && parent(path).is_some_and(|(around, separator)| separator == '.' && new.get(around).is_some())
    };
    old.0.keys().filter(is_gone).map(|path| (path.clone(), "the field is gone".to_owned())).collect()
}

fn at(path: &str, writer: &Shape, reader: &Shape) -> Option<String> {
    let (around, separator) = parent(path).unwrap_or((path, ' '));
    match (writer.get(path), reader.get(path)) {
        (Some(written), Some(read)) => node(written, read).or_else(|| unlisted(path, writer, reader)),
        (None, Some(read)) => {
            let is_written = writer.get(around).is_some();
            match separator {
                '.' if is_written && read.presence == Presence::Required => {
                    Some("a required field is missing".to_owned())
                }
                '[' | '{' if writer.get(around).is_some_and(|of| of.types.contains(&items_of(separator))) => {
                    Some("its items can be anything".to_owned())
                }
                _ => None,
            }
        }
        (Some(written), None) => {
            let known = reader.get(around)?;
            match separator {
                '.' if known.is_closed && !known.types.is_empty() => {
                    Some("unknown fields are refused".to_owned())
                }
                '=' if reader.has(around, '=') => Some("readers do not know the value".to_owned()),
                '|' if !known.types.is_empty() => match written.types.is_subset(&known.types)
                    && !reader.has(around, '|')
                    && written.types.iter().all(|of| is_scalar(*of))
                {
                    true => None,
                    false => Some("readers do not know the alternative".to_owned()),
                },
                _ => None,
            }
        }
        (None, None) => None,
    }
}

/// The reader lists values or alternatives of a type, such as the variants of an enum, and the writer's own value of that type, such as a
/// struct, is none of them.
fn unlisted(path: &str, writer: &Shape, reader: &Shape) -> Option<String> {
    let lists = |shape: &Shape, separator, of: Type| {
        shape.parts(path, separator).any(|(_, part)| part.types.contains(&of))
    };
    let types = writer.get(path)?.types.iter().copied().filter(|of| *of != Type::Null);
    // What the writer lists itself is compared one by one.
    let mut types = types.filter(|of| !lists(writer, '=', *of) && !lists(writer, '|', *of));
    types.find_map(|of| {
        let has_values = lists(reader, '=', of);
        let takes = |part: &Node| {
            part.types.is_empty()
                || part.types.contains(&of)
                || of == Type::Integer && part.types.contains(&Type::Number)
        };
        let alternatives: Vec<&str> = reader
            .parts(path, '|')
            .filter(|(_, part)| takes(part))
            .map(|(alternative, _)| alternative)
            .collect();
        if !has_values && alternatives.is_empty() {
            return None;
        }
        let value = writer.value(path, of);
        let fits = |alternative: &&str| unreadable(&value, &reader.moved(alternative, path)).is_empty();
        match alternatives.iter().any(fits) {
            true => None,
            false if has_values => Some("it is no longer one of the listed values".to_owned()),
            false => Some("it is no longer one of the alternatives".to_owned()),
        }
    })
}

fn items_of(separator: char) -> Type {
    if separator == '[' { Type::Array } else { Type::Object }
}

fn is_scalar(of: Type) -> bool {
    !matches!(of, Type::Array | Type::Object)
}

/// Why the reader's node does not take what the writer's says.
fn node(written: &Node, read: &Node) -> Option<String> {
    if read.presence == Presence::Required && written.presence == Presence::Optional {
        return Some("it can be missing".to_owned());
    }
    match (&written.same_as, &read.same_as) {
        (None, None) => {}
        (Some(own), Some(other)) if own == other => {}
        _ => return Some(format!("its type changed from `{}` to `{}`", written.types(), read.types())),
    }
    let is_unknown = |node: &Node| node.types.iter().any(|of| matches!(of, Type::Opaque | Type::Unchecked));
    match (is_unknown(written), is_unknown(read)) {
        (_, true) => return None,
        (true, false) => {
            let how = if written.types.contains(&Type::Opaque) {
                "the attribute cannot name it"
            } else {
                "it has no schema"
            };
            return Some(format!("its type is not known any more: {how}"));
        }
        (false, false) => {}
    }
    if read.types.is_empty() {
        return None;
    }
    if written.types.is_empty() && written.same_as.is_none() {
        return Some("it can be anything".to_owned());
    }
    let takes =
        |of: Type| read.types.contains(&of) || of == Type::Integer && read.types.contains(&Type::Number);
    let refused: Vec<_> = written.types.iter().copied().filter(|of| !takes(*of)).collect();
    match refused[..] {
        [] => {}
        [Type::Null] => return Some("it can be null".to_owned()),
        _ => return Some(format!("it can be {} where {} is expected", written.types(), read.types())),
    }
    let both_integers = written.types.contains(&Type::Integer) && read.types.contains(&Type::Integer);
    if both_integers && !written.bounds.are_within(read.bounds) {
        return Some(format!("its range is {}, and {} is expected", written.bounds, read.bounds));
    }
    // The width of a floating-point number says nothing of integers.
    let has_floats = written.types.contains(&Type::Number);
    let is_width = |name: &str, limit: &str| name == "format" && matches!(limit, "float" | "double");
    let refused = read.constraints.iter().find(|(name, limit)| {
        (has_floats || !is_width(name, limit))
            && written.constraints.get(*name).is_none_or(|own| !is_within(name, own, limit))
    });
    refused.map(|(name, limit)| match written.constraints.get(name) {
        Some(own) => format!("its `{name}` is {own}, and {limit} is expected"),
        None => format!("it has no `{name}`, and {limit} is expected"),
    })
}

/// Whether a constraint is at least as narrow as another.
fn is_within(name: &str, own: &str, limit: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    match (number(own), number(limit)) {
        (Some(own), Some(limit)) if name.starts_with("min") || name == "exclusiveMinimum" => own >= limit,
        (Some(own), Some(limit)) if name.starts_with("max") || name == "exclusiveMaximum" => own <= limit,
        _ => own == limit || name == "format" && (own, limit) == ("float", "double"),
    }
}
