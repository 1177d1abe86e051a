//! What `cache(…)` takes.

use darling::{Result, error::Accumulator};
use proc_macro2::{Ident, Span};
use syn::{Expr, ExprLit, Lit, spanned::Spanned as _};

use super::{
    Args,
    choice::choice,
    duration::millis,
    options::value_of,
    related::{Related, related},
    steps::{self, UNREQUIRED},
    value::{self, At, Value, is_word},
};
use crate::{
    errors::{put, wrong},
    syntax::ArgValue,
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
            "on_ok" | "on_err" if is_word(given, "refresh") => Err(wrong(given, REFRESH)),
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

const REFRESH: &str = "`refresh` is an option of its own, for readers: remove this one, and write `refresh = \"8m\"` beside `read`";

/// The key of an entity; `()` is that of a singleton.
pub(super) fn key(given: Expr) -> Result<Value> {
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
