//! The syntax of arguments, independently of their names: `name`, `name = value`, `name(…)`.
//!
//! `darling` parses a list with `darling::ast::NestedMeta`, which stops at the first argument that is wrong, with the error of `syn`.
//! Here every argument is parsed by itself, so that all mistakes are reported in one run, each with its fix. The errors are collected,
//! and reported, by `darling`.

use std::fmt;

use darling::{Result, error::Accumulator};
use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use syn::{
    Expr, Token,
    ext::IdentExt as _,
    parse::{ParseStream, Parser as _, discouraged::Speculative as _},
    token,
    visit_mut::VisitMut as _,
};

use crate::{
    errors::{at, wrong},
    groups::Ungrouped,
};

pub(crate) struct Arg {
    pub(crate) name: Ident,
    pub(crate) value: ArgValue,
}

pub(crate) enum ArgValue {
    /// `event`
    Word,
    /// `event = "user_updated"`
    Value(Expr),
    /// `event(name = "user_updated")`
    List(TokenStream),
}

/// Examples for the errors of arguments with wrong syntax.
pub(crate) struct Examples<'a> {
    /// `cache = user.id`
    pub(crate) argument: &'a str,
    /// Of an argument that takes a list: `cache(key = user.id)`
    pub(crate) list: fn(&Ident) -> Option<String>,
}

/// Input: `cache = user.id, event, alert(on = "all")`. An argument that cannot be parsed is reported and skipped, so that mistakes in the
/// others are reported in the same run.
pub(crate) fn arguments(tokens: TokenStream, examples: &Examples<'_>, errors: &mut Accumulator) -> Vec<Arg> {
    separated(tokens, errors, |input| Arg::parse(input, examples))
}

/// The same of arguments whose names are not those of options.
pub(crate) fn separated<T>(
    tokens: TokenStream,
    errors: &mut Accumulator,
    argument: impl Fn(ParseStream<'_>) -> Result<T>,
) -> Vec<T> {
    let parse = |input: ParseStream<'_>| {
        let mut arguments = Vec::new();
        while !input.is_empty() {
            // What is left over in a group of a wrong argument is no mistake of the others.
            let ahead = input.fork();
            match argument(&ahead) {
                Ok(argument) => {
                    input.advance_to(&ahead);
                    arguments.push(argument);
                }
                Err(error) => {
                    errors.push(error);
                    skip_to_separator(input)?;
                }
            }
            separator(input, errors)?;
        }
        Ok(arguments)
    };
    let parsed = parse.parse2(tokens);
    errors.handle(parsed.map_err(darling::Error::from)).unwrap_or_default()
}

fn separator(input: ParseStream<'_>, errors: &mut Accumulator) -> syn::Result<()> {
    if input.is_empty() || input.parse::<Option<Token![,]>>()?.is_some() {
        return Ok(());
    }
    if let Some(semicolon) = input.parse::<Option<Token![;]>>()? {
        errors.push(wrong(&semicolon, "arguments are separated by `,`: write it in the place of this `;`"));
        return Ok(());
    }
    errors.push(at(input.span(), "expected `,` between two arguments"));
    let another = input.peek(Ident::peek_any) && (input.peek2(Token![=]) || input.peek2(token::Paren));
    if !another {
        skip_to_separator(input)?;
        input.parse::<Option<Token![,]>>()?;
    }
    Ok(())
}

fn skip_to_separator(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) && !input.peek(Token![;]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

impl Arg {
    fn parse(input: ParseStream<'_>, examples: &Examples<'_>) -> Result<Self> {
        let nameless = format!("an argument begins with its name, as in `{}`", examples.argument);
        if input.peek(Token![,]) {
            return Err(at(input.span(), "there is no argument before this `,`: remove it"));
        }
        if !input.peek(Ident::peek_any) {
            return Err(at(input.span(), nameless));
        }
        let name = input.call(Ident::parse_any)?;
        let list = (examples.list)(&name);
        if input.peek(Token![.]) || input.peek(Token![::]) {
            let in_parentheses = list.map(|list| format!("its options go in parentheses, as in `{list}`"));
            return Err(wrong(&name, in_parentheses.unwrap_or(nameless)));
        }
        if list.is_some() && (input.peek(token::Brace) || input.peek(token::Bracket)) {
            return Err(at(input.span(), format!("options go in parentheses: `{name}(…)`")));
        }
        let value = ArgValue::parse(&name, input)?;
        Ok(Self { name, value })
    }
}

impl ArgValue {
    /// What follows a name.
    pub(crate) fn parse(name: &impl fmt::Display, input: ParseStream<'_>) -> Result<Self> {
        if input.peek(token::Paren) {
            Ok(Self::List(input.parse::<Group>()?.stream()))
        } else if input.peek(Token![=]) && !input.peek(Token![==]) && !input.peek(Token![=>]) {
            Ok(Self::Value(value_of(name, input)?))
        } else if input.is_empty()
            || input.peek(Token![,])
            || input.peek(Token![;])
            || input.peek(Ident::peek_any)
        {
            Ok(Self::Word)
        } else {
            Err(at(input.span(), format!("expected `=` between a name and its value: `{name} = …`")))
        }
    }
}

/// `= user.id`
fn value_of(name: &impl fmt::Display, input: ParseStream<'_>) -> Result<Expr> {
    let equals: Token![=] = input.parse()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(wrong(&equals, format!("`{name}` has no value yet: write one after the `=`")));
    }
    let rest = input.fork();
    let mut value = input.parse().map_err(|error| {
        let reason = error.to_string();
        let reason = reason.trim_start_matches("unexpected end of input, ");
        // At the end of the input there is no token to point at but the last one.
        let last = rest.parse::<TokenStream>().ok().and_then(|rest| rest.into_iter().last());
        let last = last.filter(|_| input.is_empty());
        let span = last.map_or_else(|| error.span(), |last| last.span());
        at(span, format!("the value of `{name}` is not a complete expression: {reason}"))
    })?;
    Ungrouped.visit_expr_mut(&mut value);
    match value {
        Expr::Assign(assignment) => Err(wrong(
            &assignment.eq_token,
            format!("one `=` too many: `{name}` takes one value, as in `{name} = …`"),
        )),
        value => Ok(value),
    }
}
