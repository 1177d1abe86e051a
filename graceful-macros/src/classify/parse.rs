//! The attributes of one type or variant → [`Args`].

use darling::{Error, Result, error::Accumulator};
use proc_macro2::Span;
use quote::ToTokens;
use syn::{
    Attribute, Expr, ExprLit, ExprPath, Lit, LitStr, Meta, Path, Token, punctuated::Punctuated,
    spanned::Spanned,
};

use crate::errors::{suggestion, wrong};

const NAMES: [&str; 4] = ["code", "crate", "message", "transparent"];

/// The codes of `graceful` without `Ok`, which no error means.
const CODES: [&str; 16] = [
    "Cancelled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
];

#[derive(Default)]
pub(super) struct Args {
    pub(super) attribute: Option<Span>,
    /// An argument was wrong, and reported: what seems to be missing may have been meant by it.
    pub(super) broken: bool,
    pub(super) code: Option<Given<Path>>,
    pub(super) krate: Option<Given<Path>>,
    pub(super) message: Option<Given<LitStr>>,
    pub(super) transparent: Option<Given<()>>,
}

pub(super) struct Given<T> {
    pub(super) name: Path,
    pub(super) value: T,
}

pub(super) fn is_ours(attribute: &Attribute) -> bool {
    attribute.path().is_ident("classify")
}

impl Args {
    pub(super) fn parse(attributes: &[Attribute], errors: &mut Accumulator) -> Self {
        let mut args = Self::default();
        for attribute in attributes.iter().filter(|attribute| is_ours(attribute)) {
            args.attribute = Some(attribute.path().span());
            if let Meta::Path(_) = attribute.meta {
                continue;
            }
            let metas = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            let metas = errors.handle(metas.map_err(Error::from));
            args.broken |= metas.is_none();
            for meta in metas.into_iter().flatten() {
                args.broken |= errors.handle(args.take(&meta)).is_none();
            }
        }
        args
    }

    fn take(&mut self, meta: &Meta) -> Result<()> {
        let name = meta.path().to_token_stream().to_string();
        match name.as_str() {
            "code" => put(&mut self.code, meta, code(value(meta, "NotFound")?)?),
            "crate" => put(&mut self.krate, meta, path(value(meta, "my_reexport")?)?),
            "message" => put(&mut self.message, meta, text(value(meta, "\"…\"")?)?),
            "transparent" => match meta {
                Meta::Path(_) => put(&mut self.transparent, meta, ()),
                _ => Err(wrong(meta.path(), "`transparent` stands alone, without a value")),
            },
            _ => {
                let fix = suggestion(&name, &NAMES);
                let fix = fix.unwrap_or_else(|| "known are `code`, `message`, `transparent`, `crate`".into());
                Err(wrong(meta.path(), format!("unknown argument `{name}`: {fix}")))
            }
        }
    }
}

fn put<T>(place: &mut Option<Given<T>>, meta: &Meta, value: T) -> Result<()> {
    let name = meta.path().clone();
    if place.is_some() {
        return Err(wrong(&name, format!("`{}` is given twice: keep one", name.to_token_stream())));
    }
    *place = Some(Given { name, value });
    Ok(())
}

fn value<'a>(meta: &'a Meta, example: &str) -> Result<&'a Expr> {
    let Meta::NameValue(pair) = meta else {
        let name = meta.path();
        return Err(wrong(name, format!("`{0}` takes a value: `{0} = {example}`", name.to_token_stream())));
    };
    // What a `macro_rules!` passes on stands in an invisible group.
    let mut value = &pair.value;
    while let Expr::Group(group) = value {
        value = &group.expr;
    }
    Ok(value)
}

fn code(value: &Expr) -> Result<Path> {
    let path =
        path_of(value).ok_or_else(|| wrong(value, "`code` is the bare name of a code: `code = NotFound`"))?;
    let name = &path.segments[path.segments.len() - 1].ident;
    if name == "Ok" {
        Err(wrong(name, "an error cannot mean `Ok`: say what went wrong, as in `code = NotFound`"))
    } else if CODES.iter().any(|code| name == code) {
        Ok(path)
    } else {
        let fix = suggestion(&name.to_string(), &CODES);
        let fix = fix.unwrap_or_else(|| format!("it is one of `{}`", CODES.join("`, `")));
        Err(wrong(name, format!("unknown code `{name}`: {fix}")))
    }
}

fn path(value: &Expr) -> Result<Path> {
    path_of(value).ok_or_else(|| wrong(value, "`crate` is the path of `graceful`: `crate = my_reexport`"))
}

fn path_of(value: &Expr) -> Option<Path> {
    match value {
        Expr::Path(ExprPath { path, qself: None, .. }) => Some(path.clone()),
        _ => None,
    }
}

fn text(value: &Expr) -> Result<LitStr> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text.clone()),
        _ => Err(wrong(value, "`message` is a text in quotes: `message = \"user not found\"`")),
    }
}
