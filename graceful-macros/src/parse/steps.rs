//! The arguments that every step takes: `off`, hooks, `required`, `timeout`.

use std::fmt;

use darling::{Result, error::Accumulator};
use proc_macro2::{Ident, Span};
use syn::{Expr, ExprLit, Lit, Path, spanned::Spanned as _};

use super::{
    ARGUMENTS,
    value::{self, At},
};
use crate::{
    errors::{put, suggestion, wrong},
    syntax::{Arg, ArgValue, Examples, arguments},
};

/// The steps, by their number in the runtime.
pub(crate) const STEPS: [(&str, &str); 9] = [
    ("fallback", "Fallback"),
    ("metadata", "Metadata"),
    ("cache", "Cache"),
    ("graph", "Graph"),
    ("schedule", "Schedule"),
    ("event", "Event"),
    ("nexus", "Nexus"),
    ("audit", "Audit"),
    ("alert", "Alert"),
];

/// What a step takes beside what all of them take.
pub(super) fn options(step: &str) -> &'static [&'static str] {
    match step {
        "fallback" => &["last_good", "max_age"],
        "metadata" => &["value"],
        "cache" => &["key", "ttl", "value", "version", "on_ok", "on_err"],
        "graph" => &["relation", "to", "to_pattern"],
        "schedule" => &["after"],
        "event" => &["name", "failed", "payload"],
        "audit" => &["payload"],
        "alert" => &["on", "severity"],
        _ => &[],
    }
}

pub(super) fn position(name: &Ident) -> Option<usize> {
    STEPS.iter().position(|(step, _)| name == step)
}

/// The step that takes an option, if only one does.
pub(super) fn owner(option: &str) -> Option<&'static str> {
    STEPS.iter().map(|(step, _)| *step).find(|step| options(step).contains(&option))
}

pub(super) fn example(step: &str) -> String {
    let option = match step {
        "fallback" => "last_good, max_age = \"1h\"",
        "metadata" => "value = …",
        "cache" => "key = user.id",
        "graph" => "relation = \"owned_by\"",
        "schedule" => "after = \"5m\"",
        "event" => "name = \"user_updated\"",
        "alert" => "on = \"all\"",
        _ => "with = path",
    };
    format!("{step}({option})")
}

/// Where an argument that is not known here belongs, if it is known elsewhere.
pub(super) fn belongs(name: &str) -> Option<String> {
    if let Some(step) = owner(name) {
        return Some(format!(
            "`{name}` is an option of `{step}`: `{}`",
            match name {
                "last_good" => "fallback = last_good".to_owned(),
                name if step == "cache" && name != "key" => format!("cache(key = …, {name} = …)"),
                name => format!("{step}({name} = …)"),
            }
        ));
    }
    match name {
        "off" => Some("`off` switches one step off, as in `audit = off`".to_owned()),
        "required" => Some("`required` is an option of a step, as in `audit(required)`".to_owned()),
        common if COMMON.contains(&common) => {
            Some(format!("`{common}` is an option of a step, as in `audit({common} = …)`"))
        }
        _ => None,
    }
}

const COMMON: [&str; 5] = ["with", "ok", "err", "required", "timeout"];
const HOOK: &str = "a hook, an `async fn(&Flow) -> Result<(), StepError>`";

/// What a declaration says of one step.
#[derive(Clone, Default)]
pub(crate) struct StepArgs {
    pub(crate) given: bool,
    pub(crate) off: Option<Span>,
    pub(crate) with: Option<Path>,
    pub(crate) ok: Option<Path>,
    pub(crate) err: Option<Path>,
    pub(crate) required: Option<Span>,
    pub(crate) timeout: Option<At<u64>>,
}

impl StepArgs {
    /// A method's own arguments win over its block's.
    pub(crate) fn or(self, defaults: Self) -> Self {
        let own_hooks = self.with.is_some() || self.ok.is_some() || self.err.is_some();
        let (with, ok, err) = match own_hooks || self.off.is_some() {
            true => (self.with, self.ok, self.err),
            false => (defaults.with, defaults.ok, defaults.err),
        };
        Self {
            given: self.given || defaults.given,
            off: self.off.or(defaults.off.filter(|_| !self.given)),
            with,
            ok,
            err,
            required: self.required.or(defaults.required),
            timeout: self.timeout.or(defaults.timeout),
        }
    }

    /// `STEP = off` or `STEP = path`.
    pub(super) fn set(&mut self, name: &Ident, given: &Expr) -> Result<()> {
        if self.switch_off(name, given)? {
            return Ok(());
        }
        let hook = value::path(given, HOOK).map_err(|_| {
            let options = example(&name.to_string());
            wrong(given, format!("`{name} = …` takes `off` or the path of {HOOK}; options go in parentheses, as in `{options}`"))
        })?;
        let word = hook.get_ident().map(Ident::to_string).unwrap_or_default();
        match word.as_str() {
            "none" | "no" | "disabled" => return Err(wrong(given, switched_off_by(name))),
            "required" => return Err(wrong(given, format!("`required` is an option: `{name}(required)`"))),
            "on" | "yes" | "enabled" => return Err(wrong(given, runs_by_itself(name))),
            _ => {}
        }
        if let Some((word, near)) = value::meant(given, &["off"]) {
            return Err(wrong(given, format!("unknown value `{word}`: did you mean `{near}`?")));
        }
        self.with = Some(hook);
        Ok(())
    }

    pub(super) fn switch_off(&mut self, name: &Ident, given: &Expr) -> Result<bool> {
        if let Expr::Lit(ExprLit { lit: Lit::Bool(on), .. }) = given {
            let rule = if on.value { runs_by_itself(name) } else { switched_off_by(name) };
            return Err(wrong(given, rule));
        }
        let off = value::is_word(given, "off");
        if off {
            self.off = Some(given.span());
        }
        Ok(off)
    }

    /// `STEP(…)`: what is not common to all steps is for `own`.
    pub(super) fn list(
        &mut self,
        step: &Ident,
        list: proc_macro2::TokenStream,
        errors: &mut Accumulator,
        mut own: impl FnMut(&Ident, &ArgValue) -> Result<()>,
    ) {
        let step = step.to_string();
        let examples = Examples { argument: &example(&step), list: |_| None };
        for Arg { name, value } in arguments(list, &examples, errors) {
            let taken = match options(&step).contains(&name.to_string().as_str()) {
                true => own(&name, &value),
                false => self.take(&step, &name, &value),
            };
            errors.handle(taken);
        }
    }

    fn take(&mut self, step: &str, name: &Ident, value: &ArgValue) -> Result<()> {
        match (name.to_string().as_str(), value) {
            ("with" | "ok" | "err", ArgValue::Value(given)) if value::is_word(given, "off") => {
                Err(wrong(given, format!("{}, with both of its arms", switched_off_by(step))))
            }
            ("with", ArgValue::Value(given)) => put(&mut self.with, name, value::path(given, HOOK)?),
            ("ok", ArgValue::Value(given)) => {
                let what = "a hook, an `async fn(&Success<'_, T>) -> Result<(), StepError>`";
                put(&mut self.ok, name, value::path(given, what)?)
            }
            ("err", ArgValue::Value(given)) => {
                let what = "a hook, an `async fn(&Failure<'_, E>) -> Result<(), StepError>`";
                put(&mut self.err, name, value::path(given, what)?)
            }
            ("required", ArgValue::Word) => put(&mut self.required, name, name.span()),
            ("required", _) => Err(wrong(name, format!("`required` takes no value: `{step}(required)`"))),
            ("timeout", ArgValue::Value(given)) => {
                put(&mut self.timeout, name, value::millis(given, "timeout = \"2s\"")?)
            }
            ("off", _) => Err(wrong(name, switched_off_by(step))),
            (known, _) if COMMON.contains(&known) => Err(valueless(name)),
            (unknown, value) => Err(wrong(name, unknown_option(step, unknown, value))),
        }
    }
}

fn switched_off_by(step: impl fmt::Display) -> String {
    format!("a step is switched off by `{step} = off`")
}

pub(super) fn runs_by_itself(step: impl fmt::Display) -> String {
    format!("`{step}` runs by itself: give it options, `{step}(…)`, or switch it off, `{step} = off`")
}

/// What others call an option, too far from its name to be a slip.
const OTHER_WORDS: [(&str, &str, &str); 9] = [
    ("alert", "level", "severity"),
    ("alert", "priority", "severity"),
    ("cache", "expires", "ttl"),
    ("cache", "expiry", "ttl"),
    ("event", "error", "failed"),
    ("graph", "edge", "relation"),
    ("graph", "target", "to"),
    ("schedule", "at", "after"),
    ("schedule", "delay", "after"),
];

fn unknown_option(step: &str, given: &str, value: &ArgValue) -> String {
    let known: Vec<_> = options(step).iter().chain(&COMMON).copied().collect();
    let other_word = OTHER_WORDS.iter().find(|(of, word, _)| (*of, *word) == (step, given));
    let fix = if let Some((_, _, option)) = other_word {
        format!("did you mean `{option}`?")
    } else if let Some(owner) = owner(given) {
        format!("it is one of `{owner}`")
    } else if ARGUMENTS.contains(&given) {
        format!("it goes outside of the parentheses, beside `{step}`")
    } else if let Some(suggestion) = suggestion(given, &known) {
        suggestion
    } else if let ("metadata", ArgValue::Value(_)) = (step, value) {
        format!("its fields go in one value, as in `metadata = serde_json::json!({{ \"{given}\": … }})`")
    } else if let ArgValue::Word = value {
        format!("an option is a name and its value, as in `{}`", example(step))
    } else {
        format!("`{step}` takes `{}`", known.join("`, `"))
    };
    format!("unknown option `{given}` of `{step}`: {fix}")
}

pub(super) fn valueless(name: &Ident) -> darling::Error {
    wrong(name, format!("`{name}` takes a value: `{name} = …`"))
}
