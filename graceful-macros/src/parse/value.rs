//! The values of arguments: expressions, templates, texts, durations, choices.

use std::str::CharIndices;

use darling::{Error, Result};
use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{Expr, ExprLit, Lit, LitStr, Path, parse::Parse as _, spanned::Spanned as _};

use crate::errors::wrong;

/// What a handler says of a value: `cache = user.id`, `cache = "user.id"`, `cache = "{tenant}/{user.id}"`.
#[derive(Clone)]
pub(crate) enum Value {
    Expr(Expr),
    /// An expression in a string, and the string.
    Quoted(Expr, LitStr),
    Template(Template),
}

impl Value {
    /// `()` in the place of a key: its text names a singleton.
    pub(super) fn or_singleton(self) -> Self {
        match self.expr() {
            Some(Expr::Tuple(unit)) if unit.elems.is_empty() => {
                let text = LitStr::new("()", unit.span());
                Self::Expr(Expr::Lit(ExprLit { attrs: Vec::new(), lit: Lit::Str(text) }))
            }
            _ => self,
        }
    }

    /// The expression of a name. A template of one hole and nothing else is the expression itself.
    pub(crate) fn expr(&self) -> Option<&Expr> {
        match self {
            Self::Expr(expr) | Self::Quoted(expr, _) => Some(expr),
            Self::Template(template) => match template.pieces.as_slice() {
                [Piece::Hole(only)] => Some(only),
                _ => None,
            },
        }
    }

    /// Everything in it that is evaluated.
    pub(crate) fn exprs(&self) -> Vec<&Expr> {
        match self {
            Self::Expr(expr) | Self::Quoted(expr, _) => vec![expr],
            Self::Template(template) => {
                let holes = template.pieces.iter().filter_map(|piece| match piece {
                    Piece::Hole(expr) => Some(expr),
                    Piece::Text(_) => None,
                });
                holes.collect()
            }
        }
    }

    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Expr(expr) => expr.span(),
            Self::Quoted(_, text) => text.span(),
            Self::Template(template) => template.span,
        }
    }
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
        _ => None,
    }
}

/// An expression, bare or in a string; a string with braces is a template.
pub(crate) fn value(expr: Expr) -> Result<Value> {
    let Some(text) = text(&expr) else { return Ok(Value::Expr(expr)) };
    if text.value().trim().is_empty() {
        return Err(wrong(
            text,
            "an empty text: write an expression, as in \"user.id\", or a template, as in \"{tenant}/{user.id}\"",
        ));
    }
    if text.value().contains(['{', '}']) {
        let template = template(text)?;
        if template.pieces.iter().any(|piece| matches!(piece, Piece::Hole(_))) {
            return Ok(Value::Template(template));
        }
        return Err(wrong(
            text,
            "a template without a hole is the same for every call: write `{user.id}` for a value, with one brace on each side; for a fixed text use a constant, as in `ALL_USERS`",
        ));
    }
    text.parse().map(|expr| Value::Quoted(expr, text.clone())).map_err(|error| {
        wrong(
            text,
            format!("this text is read as a Rust expression, but is not one: {error}; an expression looks like \"user.id\", a template like \"{{tenant}}/{{user.id}}\""),
        )
    })
}

/// A readable text: what is not in braces is text.
pub(crate) fn template(text: &LitStr) -> Result<Template> {
    let content = text.value();
    let mut errors = Error::accumulator();
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
        let end = match (brace, hole_end(after)) {
            ("{", Some(end)) => end,
            ("{", None) => {
                errors.push(wrong(text, "a `{` without its `}`: write `{{` for a brace of the text"));
                break;
            }
            _ => {
                errors.push(wrong(text, "a `}` without its `{`: write `}}` for a brace of the text"));
                break;
            }
        };
        if !plain.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
        }
        pieces.extend(errors.handle(hole(text, &after[..end])).map(Piece::Hole));
        rest = &after[end + 1..];
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    errors.finish_with(Template { pieces, span: text.span() })
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
    let parsed = |source: &str| LitStr::new(source, text.span()).parse_with(Expr::parse);
    let rule = match parsed(source) {
        Ok(Expr::Lit(_)) => {
            "a hole needs an expression, as in `{user.id}`; write fixed text without braces".to_owned()
        }
        Ok(hole) => return Ok(hole),
        Err(error) => match source.split_once(':') {
            Some((shown, _)) if parsed(shown).is_ok() => {
                format!(
                    "a hole takes no format, because its value is shown by its `Display`: write `{{{shown}}}`"
                )
            }
            _ => format!("it is not an expression: {error}; a hole needs one, as in `{{user.id}}`"),
        },
    };
    Err(wrong(text, format!("`{{{source}}}`: {rule}")))
}

pub(crate) fn string(value: &Expr, example: &str) -> Result<LitStr> {
    text(value).cloned().ok_or_else(|| wrong(value, format!("expected a text in quotes, as in `{example}`")))
}

/// A name that is known without a call.
#[derive(Clone)]
pub(crate) enum Name {
    Text(LitStr),
    /// `names::USER_UPDATED`
    Constant(Path),
}

impl Name {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(LitStr::new(text, Span::call_site()))
    }
}

impl ToTokens for Name {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Text(text) => text.to_tokens(tokens),
            Self::Constant(path) => path.to_tokens(tokens),
        }
    }
}

pub(crate) fn name(value: &Expr, example: &str) -> Result<Name> {
    if let (Expr::Path(path), true) = (value, is_constant(value)) {
        return Ok(Name::Constant(path.path.clone()));
    }
    let name = string(value, example)?;
    check_name(&name, example)?;
    Ok(Name::Text(name))
}

/// The rules of names that are written as texts.
pub(super) fn check_name(name: &LitStr, example: &str) -> Result<()> {
    let text = name.value();
    let rule = if text.trim().is_empty() {
        format!("the name is empty: write one, as in `{example}`")
    } else if text.contains(char::is_control) {
        format!("a name must not contain control characters, such as `\\n`: write it as in `{example}`")
    } else if text.contains(['{', '}']) {
        let varies = match example.split(' ').next() {
            Some("pattern") => "`id`",
            Some("relation" | "to_pattern") => "`to`",
            Some("event" | "name" | "failed") => "the payload",
            Some(pattern) if pattern.starts_with('"') => "its id",
            _ => "`metadata`",
        };
        format!(
            "a name is the same for every call, so it contains no placeholders in `{{}}`: write it as in `{example}`, and put variable parts into {varies}"
        )
    } else {
        return Ok(());
    };
    Err(wrong(name, rule))
}

pub(crate) fn names(value: &Expr, example: &str) -> Result<Vec<Name>> {
    let Expr::Array(array) = value else {
        return Err(wrong(value, format!("expected a list of texts, as in `{example}`")));
    };
    let mut errors = Error::accumulator();
    let names = array.elems.iter().filter_map(|element| errors.handle(name(element, example))).collect();
    errors.finish_with(names)
}

/// `Severity::Critical`: the last name of a path that was written instead of a text.
pub(super) fn last_name(value: &Expr) -> Option<String> {
    match value {
        Expr::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
        _ => None,
    }
}

/// `USER_UPDATED`: no function is called like that.
pub(crate) fn is_constant(value: &Expr) -> bool {
    let bare = matches!(value, Expr::Path(path) if path.qself.is_none());
    bare && last_name(value).is_some_and(|name| !name.contains(char::is_lowercase))
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
