//! The attributes of one type or variant → [`Args`].

use darling::{Result, error::Accumulator};
use proc_macro2::{Ident, Span};
use syn::{Attribute, Expr, ExprLit, ExprPath, Lit, LitStr, Meta, Path, spanned::Spanned};

use crate::{
    errors::{nearest, suggestion, twice, wrong},
    syntax::{Arg, ArgValue, Examples, arguments},
};

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

/// How others name what a code means.
const OTHER_NAMES: [(&str, &str, &str); 12] = [
    ("400", "BadRequest", "InvalidArgument"),
    ("401", "Unauthorized", "Unauthenticated"),
    ("403", "Forbidden", "PermissionDenied"),
    ("404", "Missing", "NotFound"),
    ("408", "Timeout", "DeadlineExceeded"),
    ("409", "Conflict", "AlreadyExists"),
    ("412", "Precondition", "FailedPrecondition"),
    ("429", "TooManyRequests", "ResourceExhausted"),
    ("500", "InternalServerError", "Internal"),
    ("501", "NotImplemented", "Unimplemented"),
    ("503", "ServiceUnavailable", "Unavailable"),
    ("504", "GatewayTimeout", "DeadlineExceeded"),
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
    pub(super) name: Ident,
    pub(super) value: T,
}

pub(super) fn is_ours(attribute: &Attribute) -> bool {
    attribute.path().is_ident("classify")
}

impl Args {
    pub(super) fn parse(attributes: &[Attribute], errors: &mut Accumulator) -> Self {
        let mut args = Self::default();
        let mut wrong = Accumulator::default();
        for attribute in attributes.iter().filter(|attribute| is_ours(attribute)) {
            args.attribute = Some(attribute.path().span());
            match &attribute.meta {
                Meta::Path(_) => {}
                Meta::NameValue(pair) => wrong.push(crate::errors::wrong(
                    &pair.eq_token,
                    "arguments go in parentheses, as in `#[classify(code = NotFound)]`",
                )),
                Meta::List(list) => {
                    let examples = Examples { argument: "code = NotFound", list: |_| None };
                    for arg in arguments(list.tokens.clone(), &examples, &mut wrong) {
                        let taken = args.take(arg);
                        wrong.handle(taken);
                    }
                }
            }
        }
        let wrong = wrong.into_inner();
        args.broken = !wrong.is_empty();
        errors.extend(wrong);
        args
    }

    fn take(&mut self, Arg { name, value }: Arg) -> Result<()> {
        match name.to_string().as_str() {
            "code" => put(&mut self.code, &name, code(&value_of(&name, value, "NotFound")?)?),
            "crate" => put(&mut self.krate, &name, path(&value_of(&name, value, "my_reexport")?)?),
            "message" => put(&mut self.message, &name, text(&value_of(&name, value, "\"user not found\"")?)?),
            "transparent" => match value {
                ArgValue::Word => put(&mut self.transparent, &name, ()),
                _ => Err(wrong(&name, "`transparent` takes no value")),
            },
            unknown => Err(wrong(
                &name,
                match meant(unknown) {
                    Some(code) => format!("`{unknown}` needs its name: write `code = {code}`"),
                    None => {
                        let fix = suggestion(unknown, &NAMES).unwrap_or_else(|| {
                            "expected one of `code`, `message`, `transparent`, `crate`".into()
                        });
                        format!("unknown argument `{unknown}`: {fix}")
                    }
                },
            )),
        }
    }
}

fn put<T>(place: &mut Option<Given<T>>, name: &Ident, value: T) -> Result<()> {
    if place.is_some() {
        return Err(twice(name));
    }
    *place = Some(Given { name: name.clone(), value });
    Ok(())
}

fn value_of(name: &Ident, value: ArgValue, example: &str) -> Result<Expr> {
    match value {
        ArgValue::Value(value) => Ok(value),
        _ => Err(wrong(name, format!("`{name}` takes a value: `{name} = {example}`"))),
    }
}

fn code(value: &Expr) -> Result<Path> {
    let Some(path) = path_of(value) else {
        let meant = match value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => meant(&text.value()),
            Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => meant(number.base10_digits()),
            _ => None,
        };
        let meant = meant.unwrap_or("NotFound");
        return Err(wrong(value, format!("`code` is the bare name of a code: `code = {meant}`")));
    };
    let name = &path.segments[path.segments.len() - 1].ident;
    if name == "Ok" {
        Err(wrong(name, "an error cannot mean `Ok`: say what went wrong, as in `code = NotFound`"))
    } else if CODES.iter().any(|code| name == code) {
        Ok(path)
    } else {
        let fix = meant(&name.to_string()).map(|code| format!("did you mean `{code}`?"));
        let fix = fix.unwrap_or_else(|| format!("expected one of `{}`", CODES.join("`, `")));
        Err(wrong(name, format!("unknown code `{name}`: {fix}")))
    }
}

/// The code that is meant by another name or by a number.
fn meant(given: &str) -> Option<&'static str> {
    let other =
        OTHER_NAMES.iter().find(|(number, name, _)| *number == given || nearest(given, &[name]).is_some());
    nearest(given, &CODES).or(other.map(|(.., code)| *code))
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
    let rule = match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if !text.value().trim().is_empty() => {
            return Ok(text.clone());
        }
        Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) => {
            "the message is empty: write one, or omit it to use the text of the code"
        }
        _ => "`message` is a text in quotes: `message = \"user not found\"`",
    };
    Err(wrong(value, rule))
}
