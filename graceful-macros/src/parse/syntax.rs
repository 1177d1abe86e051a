//! The shape of arguments, before anybody knows their names: `name`, `name = value`, `name(…)`.

use crate::errors::wrong;
use darling::error::Accumulator;
use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::{
    Expr, Token,
    ext::IdentExt as _,
    parse::{Parse, ParseStream, Parser as _},
    token,
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

/// Input: `cache = user.id, event, alert(on = "all")`. One that cannot be parsed is reported and passed over, so that the
/// mistakes in the others are told in the same run.
pub(crate) fn arguments(tokens: TokenStream, errors: &mut Accumulator) -> Vec<Arg> {
    let parse = |input: ParseStream<'_>| {
        let mut arguments = Vec::new();
        while !input.is_empty() {
            let ahead = input.fork();
            match ahead.parse::<Arg>() {
                Ok(_) => arguments.push(input.parse()?),
                Err(error) => {
                    let last = skip_to_comma(input)?;
                    errors.push(match last.filter(|_| ahead.is_empty()) {
                        // At the end of the input there is no token to point at but the last one.
                        Some(last) => wrong(&last, format!("this argument is not complete: {error}")),
                        None => error.into(),
                    });
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(arguments)
    };
    let parsed = parse.parse2(tokens);
    errors.handle(parsed.map_err(darling::Error::from)).unwrap_or_default()
}

/// The last token of the argument.
fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<Option<TokenTree>> {
    let mut last = None;
    while !input.is_empty() && !input.peek(Token![,]) {
        last = Some(input.parse()?);
    }
    Ok(last)
}

impl Parse for Arg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(syn::Ident::peek_any) {
            return Err(input.error("expected the name of an argument, such as `cache` or `event`"));
        }
        let name = input.call(Ident::parse_any)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            ArgValue::Value(ungrouped(input.parse()?))
        } else if input.peek(token::Paren) {
            let content;
            syn::parenthesized!(content in input);
            ArgValue::List(content.parse()?)
        } else {
            ArgValue::Word
        };
        if !input.is_empty() && !input.peek(Token![,]) {
            return Err(input.error("expected `,` between two arguments"));
        }
        Ok(Self { name, value })
    }
}

/// What a `macro_rules!` passes on stands in an invisible group.
fn ungrouped(value: Expr) -> Expr {
    match value {
        Expr::Group(group) => ungrouped(*group.expr),
        value => value,
    }
}
