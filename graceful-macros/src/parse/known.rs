//! The names of the arguments, and what is said of others.

use syn::Ident;

use super::{idempotent, steps};
use crate::errors::{suggestion, wrong};

/// The names of the arguments.
pub(super) const ARGUMENTS: [&str; 27] = [
    "pattern",
    "id",
    "payload",
    "actor",
    "when",
    "metadata",
    "message",
    "tags",
    "cache",
    "event",
    "graph",
    "schedule",
    "nexus",
    "audit",
    "alert",
    "fallback",
    "idempotent",
    "incident",
    "name",
    "was",
    "delivery",
    "tx",
    "on",
    "errors",
    "catalogue",
    "crate",
    "debug",
];

/// An example of an argument that takes options in parentheses.
pub(super) fn in_parentheses(name: &Ident) -> Option<String> {
    match name == "idempotent" {
        true => Some(idempotent::EXAMPLE.to_owned()),
        false => steps::named(name).map(steps::example),
    }
}

pub(super) fn unknown(name: &Ident) -> darling::Error {
    let given = name.to_string();
    if let Some(rule) = steps::belongs(&given).or_else(|| idempotent::belongs(&given)) {
        return wrong(name, rule);
    }
    let fix = suggestion(&given, &ARGUMENTS)
        .unwrap_or_else(|| format!("expected one of `{}`", ARGUMENTS.join("`, `")));
    wrong(name, format!("unknown argument `{given}`: {fix}"))
}
