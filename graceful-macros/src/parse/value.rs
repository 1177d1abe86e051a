//! The values of arguments: expressions, templates, texts, durations, choices.

use std::{str::CharIndices, time::Duration};

use darling::Result;
use proc_macro2::Span;
use syn::{Expr, ExprLit, Lit, LitStr, Path, parse::Parse as _};

use crate::errors::{suggestion, wrong};

/// What a handler says of a value: `cache = user.id`, `cache = "user.id"`, `cache = "{tenant}/{user.id}"`.
#[derive(Clone)]
pub(crate) enum Value {
    Expr(Expr),
    /// An expression in a string, and where the string stands.
    Quoted(Expr, Span),
    Template(Template),
}

/// A text with holes.
#[derive(Clone)]
pub(crate) struct Template {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) span: Span,
}

#[derive(Clone)]
pub(crate) enum Piece {
    Text(String),
    Hole(Expr),
}

/// A value and where it stands.
#[derive(Clone)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

pub(crate) fn text(value: &Expr) -> Option<&LitStr> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text),
        // What a `macro_rules!` passes on stands in an invisible group.
        Expr::Group(group) => text(&group.expr),
        _ => None,
    }
}

/// An expression, bare or in a string; a string with braces is a template.
pub(crate) fn value(expr: Expr) -> Result<Value> {
    let Some(text) = text(&expr) else { return Ok(Value::Expr(expr)) };
    if text.value().contains(['{', '}']) {
        return template(text).map(Value::Template);
    }
    text.parse().map(|expr| Value::Quoted(expr, text.span())).map_err(|error| {
        wrong(
            text,
            format!("this text is read as a Rust expression, and it is none: {error}; an expression looks like \"user.id\", a template like \"{{tenant}}/{{user.id}}\""),
        )
    })
}

/// A text for people: what is not in braces is text.
pub(crate) fn template(text: &LitStr) -> Result<Template> {
    let content = text.value();
    let mut pieces = Vec::new();
    let mut rest = content.as_str();
    let mut plain = String::new();
    while let Some(at) = rest.find(['{', '}']) {
        plain.push_str(&rest[..at]);
        let (brace, after) = (&rest[at..=at], &rest[at + 1..]);
        if let Some(after) = after.strip_prefix(brace) {
            plain.push_str(brace);
            rest = after;
            continue;
        }
        if brace == "}" {
            return Err(wrong(text, "a `}` without its `{`: write `}}` for a brace of the text"));
        }
        let end = hole_end(after)
            .ok_or_else(|| wrong(text, "a `{` without its `}`: write `{{` for a brace of the text"))?;
        if !plain.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
        }
        pieces.push(Piece::Hole(hole(text, &after[..end])?));
        rest = &after[end + 1..];
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(Template { pieces, span: text.span() })
}

/// A hole may hold braces of its own, as in `{map.get({ key })}`, and those of literals, which pair with nothing.
fn hole_end(after: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut rest = after.char_indices();
    while let Some((at, character)) = rest.next() {
        match character {
            '"' => skip_string(&mut rest),
            '\'' => skip_character(&mut rest),
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn skip_string(rest: &mut CharIndices<'_>) {
    while let Some((_, character)) = rest.next() {
        match character {
            '\\' => drop(rest.next()),
            '"' => return,
            _ => {}
        }
    }
}

/// `'}'`, `'\n'`; a lifetime has no second quote and is left as it is.
fn skip_character(rest: &mut CharIndices<'_>) {
    let mut ahead = rest.clone();
    if let Some((_, '\\')) = ahead.next() {
        ahead.next();
    }
    if let Some((_, '\'')) = ahead.next() {
        *rest = ahead;
    }
}

fn hole(text: &LitStr, source: &str) -> Result<Expr> {
    if source.trim().is_empty() {
        return Err(wrong(text, "`{}` is an empty hole: name an expression, as in `{user.id}`"));
    }
    // Parsed by way of a literal, so that every token stands where the text stands.
    LitStr::new(source, text.span()).parse_with(Expr::parse).map_err(|error| {
        wrong(
            text,
            format!("`{{{source}}}` is not an expression: {error}; a hole holds one, as in `{{user.id}}`"),
        )
    })
}

pub(crate) fn string(value: &Expr, example: &str) -> Result<LitStr> {
    text(value).cloned().ok_or_else(|| wrong(value, format!("expected a text, as in `{example}`")))
}

pub(crate) fn name(value: &Expr, example: &str) -> Result<LitStr> {
    let name = string(value, example)?;
    if name.value().trim().is_empty() {
        return Err(wrong(&name, format!("an empty name: write one, as in `{example}`")));
    }
    Ok(name)
}

pub(crate) fn strings(value: &Expr, example: &str) -> Result<Vec<LitStr>> {
    let Expr::Array(array) = value else {
        return Err(wrong(value, format!("expected a list of texts, as in `{example}`")));
    };
    array.elems.iter().map(|element| string(element, example)).collect()
}

/// A span of time in milliseconds, at least one.
pub(crate) fn millis(value: &Expr, example: &str) -> Result<At<u64>> {
    let help = format!("write a number and a unit, as in `{example}`");
    let text = text(value).ok_or_else(|| wrong(value, format!("expected a duration: {help}")))?;
    let duration = humantime::parse_duration(&text.value())
        .map_err(|_| wrong(text, format!("`{}` is not a duration: {help}", text.value())))?;
    if duration < Duration::from_millis(1) {
        return Err(wrong(text, format!("a duration is at least one millisecond: {help}")));
    }
    let value = u64::try_from(duration.as_millis())
        .map_err(|_| wrong(text, format!("`{}` is too long a duration: {help}", text.value())))?;
    Ok(At { value, span: text.span() })
}

/// One of a few words; the answer is the name of the variant that it means.
pub(crate) fn choice(value: &Expr, words: &[(&str, &'static str)]) -> Result<At<&'static str>> {
    let all: Vec<_> = words.iter().map(|(word, _)| *word).collect();
    let list = format!("\"{}\"", all.join("\", \""));
    let text = text(value).ok_or_else(|| wrong(value, format!("expected one of {list}")))?;
    let given = text.value();
    match words.iter().find(|(word, _)| *word == given) {
        Some((_, variant)) => Ok(At { value: variant, span: text.span() }),
        None => {
            let fix = suggestion(&given, &all).unwrap_or_else(|| format!("it is one of {list}"));
            Err(wrong(text, format!("unknown value \"{given}\": {fix}")))
        }
    }
}

/// The path of a function, bare or in a string.
pub(crate) fn path(value: &Expr, what: &str) -> Result<Path> {
    let parsed = match text(value) {
        Some(text) => text.parse_with(Path::parse_mod_style).ok(),
        None => match value {
            Expr::Path(path) if path.qself.is_none() => Some(path.path.clone()),
            _ => None,
        },
    };
    parsed.ok_or_else(|| wrong(value, format!("expected the path of {what}")))
}

pub(crate) fn is_word(value: &Expr, word: &str) -> bool {
    matches!(value, Expr::Path(path) if path.path.is_ident(word))
        || text(value).is_some_and(|text| text.value() == word)
}
