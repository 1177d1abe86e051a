//! What `depends_on(…)` and `touches(…)` take.

use std::fmt;

use darling::{Error, Result};
use proc_macro2::{Ident, Punct, TokenStream};
use quote::ToTokens;
use syn::{Expr, LitStr, Token, ext::IdentExt as _, parse::ParseStream};

use super::{
    cache::key,
    options::value_of,
    value::{self, Value},
};
use crate::{
    errors::{at, twice, wrong},
    syntax::{ArgValue, separated},
};

/// Other entities of one pattern: `customer = [order.customer, old_customer]`.
pub(crate) struct Related {
    pub(crate) pattern: PatternName,
    /// Each is one id, or something that can be iterated.
    pub(crate) ids: Vec<Value>,
}

/// The name of a pattern: a word, or a text in quotes, such as one that is no identifier.
pub(crate) enum PatternName {
    Word(Ident),
    Text(LitStr),
}

impl PatternName {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(LitStr) {
            let text: LitStr = input.parse()?;
            value::check_name(&text, "\"order-page\" = id")?;
            return Ok(Self::Text(text));
        }
        if !input.peek(Ident::peek_any) {
            return Err(at(input.span(), NAMELESS));
        }
        let word = input.call(Ident::parse_any)?;
        let name = word.unraw().to_string();
        if input.peek(Token![::]) {
            return Err(wrong(&word, no_literal("a path", &last_of_path(input)?.unwrap_or(name))));
        }
        let joined = joined(&name, input)?;
        if joined != name {
            let quoted = || {
                format!(
                    "the name of this pattern is no identifier: write it in quotes, as in `\"{joined}\" = …`"
                )
            };
            return Err(wrong(&word, if input.peek(Token![=]) { quoted() } else { NAMELESS.to_owned() }));
        }
        if name.contains(char::is_uppercase) && !name.contains(char::is_lowercase) {
            return Err(wrong(&word, no_literal("a constant", &name)));
        }
        Ok(Self::Word(word))
    }

    /// One that is a keyword is written as `r#type`.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Word(word) => word.unraw().to_string(),
            Self::Text(text) => text.value(),
        }
    }
}

fn no_literal(what: &str, name: &str) -> String {
    let name = name.to_lowercase();
    format!(
        "a pattern is named by a literal here, not by {what}: write its name in quotes, as in `\"{name}\" = …`"
    )
}

/// `::names::CUSTOMER` → `CUSTOMER`
fn last_of_path(input: ParseStream<'_>) -> Result<Option<String>> {
    let mut last = None;
    while input.peek(Token![::]) && input.peek3(Ident::peek_any) {
        input.parse::<Token![::]>()?;
        last = Some(input.call(Ident::parse_any)?.unraw().to_string());
    }
    Ok(last)
}

/// The name that begins with a word, with the words that are joined to it: `order-page`.
fn joined(word: &str, input: ParseStream<'_>) -> Result<String> {
    let mut name = word.to_owned();
    loop {
        let joint = match () {
            () if input.peek(Token![-]) => '-',
            () if input.peek(Token![.]) => '.',
            () if input.peek(Token![/]) => '/',
            () if input.peek(Token![:]) => ':',
            () => return Ok(name),
        };
        if !input.peek2(Ident::peek_any) {
            return Ok(name);
        }
        input.parse::<Punct>()?;
        let next = input.call(Ident::parse_any)?;
        name.push(joint);
        name.push_str(&next.unraw().to_string());
    }
}

/// As it is written.
impl fmt::Display for PatternName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => word.fmt(f),
            Self::Text(text) => text.token().fmt(f),
        }
    }
}

impl ToTokens for PatternName {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Word(word) => word.to_tokens(tokens),
            Self::Text(text) => text.to_tokens(tokens),
        }
    }
}

/// What follows `touches` and `depends_on`, in errors.
const EXAMPLE: &str = "customer = order.customer";
const NAMELESS: &str = "expected a pattern and its ids, as in `customer = order.customer`, or `\"order-page\" = id` with a name in quotes";

/// Input: `customer = [order.customer, old_customer], "order-page" = "{customer}/{page}"`
pub(super) fn related(option: &Ident, given: &ArgValue, found: &mut Vec<Related>) -> Result<()> {
    let ArgValue::List(list) = given else {
        return Err(wrong(
            option,
            format!("`{option}` takes patterns and the ids of their entities: `{option}({EXAMPLE})`"),
        ));
    };
    if !found.is_empty() {
        return Err(twice(option));
    }
    let mut errors = Error::accumulator();
    let given = separated(list.clone(), &mut errors, |input| {
        let name = PatternName::parse(input)?;
        let value = ArgValue::parse(&name, input)?;
        Ok((name, value))
    });
    if list.is_empty() {
        errors
            .push(wrong(option, format!("`{option}` names no entity: add one, as in `{option}({EXAMPLE})`")));
    }
    for (name, value) in given {
        if found.iter().any(|known| known.pattern.name() == name.name()) {
            let list = match &name {
                PatternName::Word(name) => format!("{name} = [{name}, old_{name}]"),
                PatternName::Text(_) => format!("{name} = [id, old_id]"),
            };
            errors.push(wrong(
                &name,
                format!("`{name}` is given twice: write its ids in one list, as in `{list}`"),
            ));
        } else if let Some(ids) = errors.handle(value_of(&name, &value).and_then(ids)) {
            found.push(Related { pattern: name, ids });
        }
    }
    errors.finish()
}

/// A list is taken apart, because its elements need not have one type, and are only borrowed.
fn ids(given: &Expr) -> Result<Vec<Value>> {
    let Expr::Array(list) = given else { return Ok(vec![key(given.clone())?]) };
    if list.elems.is_empty() {
        return Err(wrong(
            list,
            "an empty list names no entity: write an id in it, or remove it with its pattern",
        ));
    }
    let mut errors = Error::accumulator();
    let ids = list.elems.iter().filter_map(|id| errors.handle(key(id.clone()))).collect();
    errors.finish_with(ids)
}
