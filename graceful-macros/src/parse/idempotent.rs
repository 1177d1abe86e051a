//! What `idempotent` takes: a key, or options in parentheses.

use darling::{Result, error::Accumulator};
use proc_macro2::{Ident, Span};
use syn::{Expr, ExprLit, Lit};

use super::{
    ARGUMENTS, Args,
    duration::millis,
    options::value_of,
    steps,
    value::{self, At, Value, is_word},
};
use crate::{
    errors::{put, suggestion, wrong},
    syntax::{Arg, ArgValue, Examples, arguments},
};

#[derive(Default)]
pub(crate) struct IdempotentArgs {
    /// Where `idempotent` stands, if it does.
    pub(crate) given: Option<Span>,
    pub(crate) key: Option<Value>,
    pub(crate) window: Option<At<u64>>,
    pub(crate) request: Option<Value>,
    pub(crate) scope: Option<Value>,
}

const OPTIONS: [&str; 4] = ["key", "window", "request", "scope"];

/// What others call an option, too far from its name to be a slip.
const OTHER_WORDS: [(&str, &str); 9] = [
    ("ttl", "window"),
    ("expires", "window"),
    ("expiry", "window"),
    ("retention", "window"),
    ("body", "request"),
    ("payload", "request"),
    ("fingerprint", "request"),
    ("tenant", "scope"),
    ("token", "key"),
];

pub(super) const EXAMPLE: &str = "idempotent(key = key, window = \"24h\")";

const KEY: &str = "`idempotent` takes a key, which repetitions share: `idempotent = key`, or `idempotent(key = key, window = \"24h\")`";

const SWITCH: &str = "a handler is idempotent only if it says so: remove this argument, or name a key, as in `idempotent = key`";

/// Where an argument belongs that is not known here.
pub(super) fn belongs(name: &str) -> Option<String> {
    let own = ["window", "request", "scope"].contains(&name);
    own.then(|| format!("`{name}` is an option of `idempotent`: `idempotent(key = …, {name} = …)`"))
}

impl Args {
    pub(super) fn take_idempotent(
        &mut self,
        at: &Ident,
        given: ArgValue,
        errors: &mut Accumulator,
    ) -> Result<()> {
        self.idempotent.given = Some(at.span());
        match given {
            ArgValue::Word => return Err(wrong(at, KEY)),
            ArgValue::Value(given) if is_switch(&given) => return Err(wrong(&given, SWITCH)),
            ArgValue::Value(given) => self.idempotent.key = Some(value::value(given)?),
            ArgValue::List(list) => {
                let examples = Examples { argument: "key = key", list: |_| None };
                let given = arguments(list, &examples, errors);
                // What is wrong may have been meant as the key.
                let mut may_name_key = false;
                for Arg { name, value } in given {
                    let taken = self.idempotent.take(&name, &value);
                    may_name_key |= taken.is_err() || name == "key";
                    errors.handle(taken);
                }
                if !may_name_key {
                    return Err(wrong(at, KEY));
                }
            }
        }
        Ok(())
    }
}

impl IdempotentArgs {
    fn take(&mut self, at: &Ident, given: &ArgValue) -> Result<()> {
        let option = at.to_string();
        if !OPTIONS.contains(&option.as_str()) {
            return Err(wrong(at, unknown(&option)));
        }
        let given = value_of(at, given)?;
        match option.as_str() {
            "key" if is_switch(given) => Err(wrong(given, SWITCH)),
            "key" => put(&mut self.key, at, value::value(given.clone())?),
            "window" => put(&mut self.window, at, millis(given, "window = \"24h\"")?),
            "request" => put(&mut self.request, at, value::value(given.clone())?),
            _ => put(&mut self.scope, at, value::value(given.clone())?),
        }
    }
}

fn is_switch(given: &Expr) -> bool {
    matches!(given, Expr::Lit(ExprLit { lit: Lit::Bool(_), .. })) || is_word(given, "off")
}

fn unknown(given: &str) -> String {
    let other_word = OTHER_WORDS.iter().find(|(word, _)| *word == given);
    let fix = if let Some((_, option)) = other_word {
        format!("did you mean `{option}`?")
    } else if ARGUMENTS.contains(&given) {
        "it goes outside of the parentheses, beside `idempotent`".to_owned()
    } else if let Some(owner) = steps::owner(given) {
        format!("it is an option of `{owner}`")
    } else {
        suggestion(given, &OPTIONS)
            .unwrap_or_else(|| format!("`idempotent` takes `{}`", OPTIONS.join("`, `")))
    };
    format!("unknown option `{given}` of `idempotent`: {fix}")
}
