//! The rules between arguments and fields: type → one [`Arm`] per variant.

use darling::{Error, Result, error::Accumulator};
use proc_macro2::{Ident, Span};
use syn::{Data, DeriveInput, Field, Fields, Index, LitStr, Member, Path, Type, ext::IdentExt, parse_quote};

use super::parse::{Args, is_ours};
use crate::errors::{suggestion, wrong};

pub(super) struct Model<'a> {
    pub(super) krate: Path,
    pub(super) arms: Vec<Arm<'a>>,
}

pub(super) struct Arm<'a> {
    /// None for a struct.
    pub(super) variant: Option<&'a Ident>,
    pub(super) rule: Rule<'a>,
}

pub(super) enum Rule<'a> {
    Code(Path, Option<Message<'a>>),
    Transparent(Place<'a>),
}

/// The arguments of a `format!`.
pub(super) struct Message<'a> {
    /// As the user has written it.
    pub(super) written: String,
    pub(super) format: String,
    pub(super) shown: Vec<Place<'a>>,
}

#[derive(Clone, PartialEq)]
pub(super) struct Place<'a> {
    pub(super) member: Member,
    pub(super) ty: &'a Type,
}

impl<'a> Model<'a> {
    pub(super) fn new(input: &'a DeriveInput, errors: &mut Accumulator) -> Self {
        let args = Args::parse(&input.attrs, errors);
        let arms = match &input.data {
            Data::Struct(data) => Vec::from_iter(
                rule(&args, &input.ident, &data.fields, errors).map(|rule| Arm { variant: None, rule }),
            ),
            Data::Enum(data) => {
                let mut misplaced = false;
                for name in args.names_of_a_variant() {
                    errors.push(wrong(name, "on an enum this belongs on each variant: move it there"));
                    misplaced = true;
                }
                let meant_for_all = misplaced || args.broken;
                let arm = |variant: &'a syn::Variant| {
                    let mut args = Args::parse(&variant.attrs, errors);
                    args.broken |= meant_for_all;
                    if let Some(krate) = &args.krate {
                        errors.push(wrong(&krate.name, "`crate` goes on the type: move it there"));
                    }
                    let rule = rule(&args, &variant.ident, &variant.fields, errors)?;
                    Some(Arm { variant: Some(&variant.ident), rule })
                };
                data.variants.iter().filter_map(arm).collect()
            }
            Data::Union(data) => {
                let rule = "a union cannot be classified: `Classify` is for enums and structs";
                errors.push(wrong(&data.union_token, rule));
                Vec::new()
            }
        };
        Self { krate: args.krate.map_or_else(|| parse_quote!(::graceful), |krate| krate.value), arms }
    }
}

impl Args {
    fn names_of_a_variant(&self) -> impl Iterator<Item = &Ident> {
        let code = self.code.as_ref().map(|code| &code.name);
        let message = self.message.as_ref().map(|message| &message.name);
        let transparent = self.transparent.as_ref().map(|transparent| &transparent.name);
        code.into_iter().chain(message).chain(transparent)
    }
}

fn rule<'a>(args: &Args, owner: &Ident, fields: &'a Fields, errors: &mut Accumulator) -> Option<Rule<'a>> {
    let mut misplaced = false;
    for attribute in fields.iter().flat_map(|field| &field.attrs).filter(|attribute| is_ours(attribute)) {
        errors.push(wrong(attribute.path(), "this goes on a variant or on a struct, not on a field"));
        misplaced = true;
    }
    if args.broken || misplaced {
        return None;
    }
    let places: Vec<_> = fields.iter().enumerate().map(place).collect();
    match (&args.code, &args.transparent) {
        (_, Some(asked)) => {
            for name in args.names_of_a_variant().filter(|name| **name != asked.name) {
                errors.push(wrong(
                    name,
                    "`transparent` takes this from the inner error: remove one of the two",
                ));
            }
            if let [place] = &*places {
                return Some(Rule::Transparent(place.clone()));
            }
            let rule = format!(
                "`transparent` needs exactly one field, and `{owner}` has {}: give it a `code` instead",
                places.len()
            );
            errors.push(wrong(&asked.name, rule));
            None
        }
        (Some(code), None) => {
            let message = args.message.as_ref().map(|text| message(&text.value, owner, &places)).transpose();
            Some(Rule::Code(code.value.clone(), errors.handle(message)?))
        }
        (None, None) => {
            let rule = format!(
                "`{owner}` has no code: add `#[classify(code = …)]`, or `#[classify(transparent)]` to use that of the inner error"
            );
            errors.push(wrong(&args.attribute.unwrap_or_else(|| owner.span()), rule));
            None
        }
    }
}

impl Place<'_> {
    /// As a message spells it.
    pub(super) fn name(&self) -> String {
        match &self.member {
            Member::Named(name) => name.unraw().to_string(),
            Member::Unnamed(index) => index.index.to_string(),
        }
    }
}

fn place((index, field): (usize, &Field)) -> Place<'_> {
    let member = match &field.ident {
        Some(name) => Member::Named(name.clone()),
        None => Member::Unnamed(Index {
            index: u32::try_from(index).unwrap_or(u32::MAX),
            span: Span::call_site(),
        }),
    };
    Place { member, ty: &field.ty }
}

/// ```text
/// Input:  "{id} of {{all}}, not {id}"
/// Output: "{0} of {{all}}, not {0}", [id]
/// ```
fn message<'a>(text: &LitStr, owner: &Ident, places: &[Place<'a>]) -> Result<Message<'a>> {
    let written = text.value();
    let mut rest = &*written;
    let mut errors = Error::accumulator();
    let mut message = Message { written: written.clone(), format: String::new(), shown: Vec::new() };
    while let Some(at) = rest.find(['{', '}']) {
        message.format += &rest[..at];
        rest = &rest[at..];
        if rest.starts_with("{{") || rest.starts_with("}}") {
            message.format += &rest[..2];
            rest = &rest[2..];
            continue;
        }
        let Some((hole, after)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
            errors.push(wrong(
                text,
                "unmatched brace: `{field}` shows a field; write `{{` or `}}` for a brace",
            ));
            break;
        };
        rest = after;
        let Some(place) = places.iter().find(|place| place.name() == hole) else {
            errors.push(wrong(text, no_field(hole, owner, places)));
            continue;
        };
        let shown = message.shown.iter().position(|shown| shown == place).unwrap_or_else(|| {
            message.shown.push(place.clone());
            message.shown.len() - 1
        });
        message.format.extend(["{", &shown.to_string(), "}"]);
    }
    message.format += rest;
    errors.finish_with(message)
}

fn no_field(hole: &str, owner: &Ident, places: &[Place<'_>]) -> String {
    let names: Vec<_> = places.iter().map(Place::name).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let fix = if hole.split_once(':').is_some_and(|(field, _)| names.contains(&field)) {
        "a message shows a field by its `Display`, without a format".into()
    } else if let Some(suggestion) = suggestion(hole, &names) {
        suggestion
    } else if names.is_empty() {
        format!("`{owner}` has none; write `{{{{` for a brace")
    } else {
        format!("`{owner}` has `{}`; write `{{{{` for a brace", names.join("`, `"))
    };
    format!("`{{{hole}}}` names no field: {fix}")
}
