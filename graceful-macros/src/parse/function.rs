//! What the attribute stands on: a function, whose body stays as it was written, or an `impl` block.

use darling::{Error, Result};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    AttrStyle, Attribute, GenericParam, Generics, Signature, Token, Visibility,
    parse::{Parse, ParseStream, Parser as _},
    visit_mut::VisitMut as _,
};

use super::{DEFAULTS, PARAMETERS};
use crate::{
    errors::wrong,
    groups::{Ungrouped, parenthesised},
};

pub(crate) enum Item {
    Function(Box<Function>),
    /// An `impl` block: the tokens before its braces, and the braces.
    Block(TokenStream, Group),
}

/// A function with its body as raw tokens, so that a half-typed one survives.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) defaultness: Option<Token![default]>,
    pub(crate) signature: Signature,
    pub(crate) body: Group,
}

impl Item {
    pub(crate) fn parse(tokens: TokenStream) -> Result<Self> {
        let tokens = ungrouped(tokens);
        if let Some(another) = another(&tokens) {
            return Err(wrong(&another, "`#[orchestrate]` is given twice: write all arguments in one"));
        }
        if let Some(subscribe) = subscribe(&tokens) {
            return Err(wrong(&subscribe, BOTH));
        }
        match kind(&tokens) {
            Some(word) if word == "fn" => {
                syn::parse2(tokens).map(|function| Self::Function(Box::new(function))).map_err(Error::from)
            }
            Some(word) if word == "impl" => {
                let mut tokens: Vec<_> = tokens.into_iter().collect();
                match tokens.pop() {
                    Some(TokenTree::Group(braces)) if braces.delimiter() == Delimiter::Brace => {
                        Ok(Self::Block(tokens.into_iter().collect(), braces))
                    }
                    _ => Err(wrong(&word, "an `impl` block without its braces")),
                }
            }
            Some(word) => Err(wrong(
                &word,
                "`#[orchestrate]` goes on a function that returns a `Result`, or on an `impl` block of such functions",
            )),
            None => Err(Error::custom(
                "`#[orchestrate]` goes on a function that returns a `Result`, or on an `impl` block of such functions",
            )
            .with_span(&tokens)),
        }
    }
}

/// Whether an attribute of that name is this one. After `use graceful::orchestrate as o` its name is what its call says.
fn is_ours(name: &Ident) -> bool {
    name == "orchestrate" || own_name().is_some_and(|own| *name == own)
}

/// Input: the text of the call, `#[graceful::orchestrate(pattern = "user")]`
/// Output: `orchestrate`
fn own_name() -> Option<Ident> {
    let text = Span::call_site().source_text()?;
    let mut call: TokenStream = text.parse().ok()?;
    for tree in call.clone() {
        if let TokenTree::Group(brackets) = tree
            && brackets.delimiter() == Delimiter::Bracket
        {
            call = brackets.stream();
            break;
        }
    }
    last_name(call)
}

/// `graceful::orchestrate(…)` → `orchestrate`
fn last_name(attribute: TokenStream) -> Option<Ident> {
    match attribute.into_iter().take_while(|tree| !matches!(tree, TokenTree::Group(_))).last() {
        Some(TokenTree::Ident(name)) => Some(name),
        _ => None,
    }
}

/// Another `#[orchestrate]` on the same item.
pub(super) fn another(item: &TokenStream) -> Option<Ident> {
    attributes(item).into_iter().filter_map(last_name).find(is_ours)
}

/// `#[subscribe]` or `#[graceful::subscribe]` on the item; one of another crate is none of ours.
pub(super) fn subscribe(item: &TokenStream) -> Option<Ident> {
    let is_ours = |attribute: &TokenStream| {
        let mut names = attribute.clone().into_iter().filter_map(|tree| match tree {
            TokenTree::Ident(name) => Some(name),
            _ => None,
        });
        names.next().is_some_and(|first| first == "graceful" || first == "subscribe")
    };
    let mut ours = attributes(item).into_iter().filter(is_ours).filter_map(last_name);
    ours.find(|name| name == "subscribe")
}

/// The content of the attributes on the item: `graceful::orchestrate(…)`.
fn attributes(item: &TokenStream) -> Vec<TokenStream> {
    let mut after_hash = false;
    let mut found = Vec::new();
    for tree in item.clone() {
        let is_attribute = after_hash;
        after_hash = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '#');
        if let (true, TokenTree::Group(group)) = (is_attribute, tree) {
            found.push(group.stream());
        }
    }
    found
}

pub(super) const BOTH: &str =
    "`#[subscribe]` orchestrates the function, too: write all arguments in it, and remove `#[orchestrate]`";

/// An item that a `macro_rules!` passes on stands in an invisible group.
pub(super) fn ungrouped(tokens: TokenStream) -> TokenStream {
    let mut trees = tokens.clone().into_iter();
    match (trees.next(), trees.next()) {
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::None => {
            ungrouped(group.stream())
        }
        _ => tokens,
    }
}

/// The word that says what kind of item it is: what stands before it are attributes and qualifiers.
pub(super) fn kind(tokens: &TokenStream) -> Option<Ident> {
    const KINDS: [&str; 12] = [
        "fn",
        "impl",
        "trait",
        "struct",
        "enum",
        "union",
        "mod",
        "use",
        "static",
        "type",
        "let",
        "macro_rules",
    ];
    tokens.clone().into_iter().find_map(|tree| match tree {
        TokenTree::Ident(ident) if KINDS.iter().any(|kind| ident == kind) => Some(ident),
        _ => None,
    })
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let defaultness = input.parse()?;
        let mut signature: Signature = input.parse()?;
        Ungrouped.visit_signature_mut(&mut signature);
        match braces(input.parse()?) {
            Ok(body) => {
                let (inner, body) = inner_attributes(body);
                attributes.extend(inner);
                Ok(Self { attributes, visibility, defaultness, signature, body })
            }
            Err(other) => Err(syn::Error::new(
                other.span(),
                format!(
                    "`{}` has no body to run before its steps: put the attribute on the implementation",
                    signature.ident
                ),
            )),
        }
    }
}

/// A body that a `macro_rules!` passes on stands in an invisible group.
fn braces(tree: TokenTree) -> std::result::Result<Group, TokenTree> {
    match tree {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Ok(group),
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
            let mut content = group.stream().into_iter();
            match (content.next(), content.next()) {
                (Some(only), None) => braces(only),
                _ => Err(TokenTree::Group(group)),
            }
        }
        other => Err(other),
    }
}

/// `#![…]` and `//!` at the start of a body say something of the function, so they go before it.
fn inner_attributes(body: Group) -> (Vec<Attribute>, Group) {
    let parse = |input: ParseStream<'_>| {
        let attributes = input.call(Attribute::parse_inner)?;
        Ok((attributes, input.parse::<TokenStream>()?))
    };
    match parse.parse2(body.stream()) {
        Ok((mut attributes, rest)) if !attributes.is_empty() => {
            for attribute in &mut attributes {
                attribute.style = AttrStyle::Outer;
            }
            (attributes, regrouped(&body, rest.into_iter().map(parenthesised).collect()))
        }
        // Else it is not taken apart.
        _ => (Vec::new(), body),
    }
}

/// Input: `{ #[orchestrate(event)] fn a() {…} fn b() {…} }`
/// Output: the same with the block's arguments in each attribute of ours; `None` where there is none.
pub(crate) fn with_defaults(before: &TokenStream, block: &Group, defaults: &TokenStream) -> Option<Group> {
    let parameters = parameters(before).map(|names| {
        let list = Ident::new(PARAMETERS, Span::call_site());
        quote!(#list(#(#names),*),)
    });
    let defaults = &quote!(#parameters #defaults);
    let mut found = false;
    let mut output = TokenStream::new();
    let mut after_hash = false;
    for tree in block.stream() {
        let next_after_hash = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '#');
        let tree = match tree {
            TokenTree::Group(group) if after_hash && group.delimiter() == Delimiter::Bracket => {
                let ours = attribute_with_defaults(&group, defaults);
                found |= ours.is_some();
                TokenTree::Group(ours.unwrap_or(group))
            }
            tree => parenthesised(tree),
        };
        after_hash = next_after_hash;
        tree.to_tokens(&mut output);
    }
    found.then(|| regrouped(block, output))
}

/// The names of a block's type and const parameters, which follow `impl`.
fn parameters(before: &TokenStream) -> Option<Vec<Ident>> {
    let is_impl = |tree: &TokenTree| matches!(tree, TokenTree::Ident(word) if word == "impl");
    let after = before.clone().into_iter().skip_while(|tree| !is_impl(tree)).skip(1).collect();
    let parse = |input: ParseStream<'_>| {
        let generics: Generics = input.parse()?;
        input.parse::<TokenStream>()?;
        Ok(generics)
    };
    let names = parse.parse2(after).ok()?.params.into_iter().filter_map(|parameter| match parameter {
        GenericParam::Type(own) => Some(own.ident),
        GenericParam::Const(own) => Some(own.ident),
        GenericParam::Lifetime(_) => None,
    });
    Some(names.collect())
}

/// Input: `[graceful::orchestrate(event)]`
/// Output: `[graceful::orchestrate(__defaults(pattern = "user"), event)]`
fn attribute_with_defaults(attribute: &Group, defaults: &TokenStream) -> Option<Group> {
    let mut path: Vec<_> = attribute.stream().into_iter().collect();
    let arguments = match path.last() {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
            let group = group.clone();
            path.pop();
            Some(group)
        }
        _ => None,
    };
    if !matches!(path.last(), Some(TokenTree::Ident(last)) if is_ours(last)) {
        return None;
    }
    let name = Ident::new(DEFAULTS, Span::call_site());
    let own = arguments.as_ref().map(Group::stream);
    let list = quote!(#name(#defaults), #own);
    let list = match &arguments {
        Some(arguments) => regrouped(arguments, list),
        None => Group::new(Delimiter::Parenthesis, list),
    };
    let path = path.into_iter().collect::<TokenStream>();
    Some(regrouped(attribute, quote!(#path #list)))
}

fn regrouped(like: &Group, stream: TokenStream) -> Group {
    let mut group = Group::new(like.delimiter(), stream);
    group.set_span(like.span());
    group
}
