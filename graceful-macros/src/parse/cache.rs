//! What `cache(…)` takes.

use darling::{Error, Result, error::Accumulator};
use proc_macro2::{Ident, Span};
use syn::{Expr, ExprLit, Lit, ext::IdentExt as _, spanned::Spanned as _};

use super::{
    Args,
    duration::millis,
    options::value_of,
    steps::{self, UNREQUIRED},
    value::{self, At, Value, choice},
};
use crate::{
    errors::{put, wrong},
    syntax::{Arg, ArgValue, Examples, arguments},
    words::{OnErr, OnOk, Step},
};

#[derive(Default)]
pub(crate) struct CacheArgs {
    /// Where `cache` stands, if it does.
    pub(crate) given: Option<Span>,
    pub(crate) key: Option<Value>,
    pub(crate) ttl: Option<At<u64>>,
    pub(crate) value: Option<Value>,
    pub(crate) version: Option<Value>,
    pub(crate) on_ok: Option<At<OnOk>>,
    pub(crate) on_err: Option<At<OnErr>>,
    pub(crate) read: Option<Span>,
    pub(crate) refresh: Option<At<u64>>,
    pub(crate) wait: Option<At<u64>>,
    pub(crate) lag: Option<At<u64>>,
    pub(crate) rev: Option<At<u32>>,
    pub(crate) per_actor: Option<Span>,
    pub(crate) unwritten: Option<Span>,
    pub(crate) shared: Option<Span>,
    /// `required = false`
    pub(crate) unrequired: Option<Ident>,
    pub(crate) depends_on: Vec<Related>,
    pub(crate) touches: Vec<Related>,
}

/// Other entities of one pattern: `customer = [order.customer, old_customer]`.
pub(crate) struct Related {
    pub(crate) pattern: Ident,
    /// Each is one id, or something that can be iterated.
    pub(crate) ids: Vec<Value>,
}

impl Related {
    /// The pattern's name; one that is a keyword is written as `r#type`.
    pub(crate) fn name(&self) -> String {
        self.pattern.unraw().to_string()
    }
}

impl Args {
    pub(super) fn take_cache(&mut self, at: &Ident, given: ArgValue, errors: &mut Accumulator) -> Result<()> {
        let Self { steps, cache, .. } = self;
        let step = &mut steps[Step::Cache];
        cache.given = Some(at.span());
        match given {
            ArgValue::Word => return Err(wrong(at, steps::CACHE)),
            ArgValue::Value(given) => {
                if !step.switch_off(Step::Cache, &given)? {
                    cache.key = Some(key(given)?);
                }
            }
            ArgValue::List(list) => {
                step.list(Step::Cache, list, errors, |option, value| cache.take(option, value));
            }
        }
        Ok(())
    }
}

impl CacheArgs {
    fn take(&mut self, at: &Ident, given: &ArgValue) -> Result<()> {
        let word = match at.to_string().as_str() {
            "read" => &mut self.read,
            "per_actor" => &mut self.per_actor,
            "unwritten" => &mut self.unwritten,
            "shared" => &mut self.shared,
            "depends_on" => return related(at, given, &mut self.depends_on),
            "touches" => return related(at, given, &mut self.touches),
            _ => return self.take_value(at, value_of(at, given)?),
        };
        match given {
            ArgValue::Word => put(word, at, at.span()),
            _ => Err(wrong(at, format!("`{at}` takes no value: `cache(key = …, {at})`"))),
        }
    }

    fn take_value(&mut self, at: &Ident, given: &Expr) -> Result<()> {
        match at.to_string().as_str() {
            "key" => put(&mut self.key, at, key(given.clone())?),
            "value" => put(&mut self.value, at, value::value(given.clone())?),
            "version" => put(&mut self.version, at, value::value(given.clone())?),
            "ttl" => put(&mut self.ttl, at, millis(given, "ttl = \"10m\"")?),
            "refresh" => put(&mut self.refresh, at, millis(given, "refresh = \"8m\"")?),
            "wait" => put(&mut self.wait, at, millis(given, "wait = \"2s\"")?),
            "lag" => put(&mut self.lag, at, millis(given, "lag = \"500ms\"")?),
            "rev" => put(&mut self.rev, at, revision(given)?),
            "on_ok" => put(&mut self.on_ok, at, choice(given)?),
            "on_err" => put(&mut self.on_err, at, choice(given)?),
            _ => match given {
                Expr::Lit(ExprLit { lit: Lit::Bool(given), .. }) if !given.value => {
                    put(&mut self.unrequired, at, at.clone())
                }
                _ => Err(wrong(at, UNREQUIRED)),
            },
        }
    }
}

/// The key of an entity; `()` is that of a singleton.
fn key(given: Expr) -> Result<Value> {
    value::value(given).map(Value::or_singleton)
}

fn revision(given: &Expr) -> Result<At<u32>> {
    let number = match given {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse().ok(),
        _ => None,
    };
    match number.filter(|number| *number > 0) {
        Some(value) => Ok(At { value, span: given.span() }),
        None => {
            Err(wrong(given, format!("a revision is a whole number from 1 to {}, as in `rev = 2`", u32::MAX)))
        }
    }
}

/// Input: `customer = [order.customer, old_customer], page = "{customer}/{page}"`
fn related(option: &Ident, given: &ArgValue, found: &mut Vec<Related>) -> Result<()> {
    let example = "customer = order.customer";
    let ArgValue::List(list) = given else {
        return Err(wrong(
            option,
            format!("`{option}` takes patterns and the ids of their entities: `{option}({example})`"),
        ));
    };
    if !found.is_empty() {
        return Err(crate::errors::twice(option));
    }
    let mut errors = Error::accumulator();
    let examples = Examples { argument: example, list: |_| None };
    let given = arguments(list.clone(), &examples, &mut errors);
    if list.is_empty() {
        errors
            .push(wrong(option, format!("`{option}` names no entity: add one, as in `{option}({example})`")));
    }
    for Arg { name, value } in given {
        if found.iter().any(|known| known.pattern == name) {
            let rule = format!(
                "`{name}` is given twice: write its ids in one list, as in `{name} = [{name}, old_{name}]`"
            );
            errors.push(wrong(&name, rule));
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
