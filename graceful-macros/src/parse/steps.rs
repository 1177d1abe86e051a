//! The arguments that every step takes: `off`, hooks, `required`, `timeout`.

use std::{
    array, fmt,
    ops::{Index, IndexMut},
};

use darling::{Result, error::Accumulator};
use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::{Expr, ExprLit, Lit, Path, spanned::Spanned as _};

use super::{
    ARGUMENTS, choice,
    duration::millis,
    value::{self, At},
};
use crate::{
    errors::{put, suggestion, wrong},
    syntax::{Arg, ArgValue, Examples, arguments},
    words::{Step, Words as _},
};

/// What a step takes beside what all of them take.
pub(super) const fn options(step: Step) -> &'static [&'static str] {
    match step {
        Step::Fallback => &["last_good", "max_age"],
        Step::Metadata => &["value"],
        Step::Cache => &[
            "key",
            "ttl",
            "value",
            "version",
            "on_ok",
            "on_err",
            "read",
            "refresh",
            "wait",
            "lag",
            "rev",
            "per_actor",
            "unwritten",
            "shared",
            "depends_on",
            "touches",
        ],
        Step::Graph => &["relation", "to", "to_pattern"],
        Step::Schedule => &["after"],
        Step::Event => &["name", "failed", "payload"],
        Step::Nexus => &[],
        Step::Audit => &["payload"],
        Step::Alert => &["on", "severity"],
    }
}

pub(super) fn named(name: &Ident) -> Option<Step> {
    Step::ALL.iter().copied().find(|step| name == step.word())
}

/// The step that takes an option, if only one does.
pub(super) fn owner(option: &str) -> Option<Step> {
    Step::ALL.iter().copied().find(|step| options(*step).contains(&option))
}

pub(super) fn example(step: Step) -> String {
    let option = match step {
        Step::Fallback => "last_good, max_age = \"1h\"",
        Step::Metadata => "value = …",
        Step::Cache => "key = user.id",
        Step::Graph => "relation = \"owned_by\"",
        Step::Schedule => "after = \"5m\"",
        Step::Event => "name = \"user_updated\"",
        Step::Alert => "on = \"all\"",
        Step::Nexus | Step::Audit => "with = path",
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
                "read" | "per_actor" | "unwritten" | "shared" => format!("cache(key = …, {name})"),
                "depends_on" | "touches" => format!("cache(key = …, {name}(customer = …))"),
                name if step == Step::Cache && name != "key" => format!("cache(key = …, {name} = …)"),
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
    /// The names of the options in its parentheses.
    options: Vec<Ident>,
}

/// What a declaration says of each step.
#[derive(Default)]
pub(crate) struct Steps([StepArgs; Step::ALL.len()]);

impl Index<Step> for Steps {
    type Output = StepArgs;

    fn index(&self, step: Step) -> &StepArgs {
        &self.0[step as usize]
    }
}

impl IndexMut<Step> for Steps {
    fn index_mut(&mut self, step: Step) -> &mut StepArgs {
        &mut self.0[step as usize]
    }
}

impl Steps {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Step, &StepArgs)> {
        Step::ALL.iter().copied().zip(&self.0)
    }

    /// A method's own arguments win over its block's.
    pub(super) fn or(self, defaults: Self) -> Self {
        let mut pairs = self.0.into_iter().zip(defaults.0);
        Self(array::from_fn(|_| {
            let (own, defaults) = pairs.next().expect("both have every step");
            own.or(defaults)
        }))
    }
}

impl StepArgs {
    fn or(self, defaults: Self) -> Self {
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
            options: self.options.into_iter().chain(defaults.options).collect(),
        }
    }

    /// Where an option stands: its name, otherwise the place where it is known to be.
    pub(crate) fn place(&self, option: &str, otherwise: Span) -> Span {
        place(&self.options, option, otherwise)
    }

    /// `STEP = off` or `STEP = path`.
    pub(super) fn set(&mut self, step: Step, given: &Expr) -> Result<()> {
        if self.switch_off(step, given)? {
            return Ok(());
        }
        let hook = value::path(given, HOOK).map_err(|_| {
            let options = example(step);
            wrong(given, format!("`{step} = …` takes `off` or the path of {HOOK}; options go in parentheses, as in `{options}`"))
        })?;
        let word = hook.get_ident().map(Ident::to_string).unwrap_or_default();
        match word.as_str() {
            "none" | "no" | "disabled" => return Err(wrong(given, switched_off_by(step))),
            "required" => return Err(wrong(given, format!("`required` is an option: `{step}(required)`"))),
            "on" | "yes" | "enabled" => return Err(wrong(given, switched_on(step))),
            _ => {}
        }
        if let Some((word, near)) = choice::meant(given, &["off"]) {
            return Err(wrong(given, format!("unknown value `{word}`: did you mean `{near}`?")));
        }
        self.with = Some(hook);
        Ok(())
    }

    pub(super) fn switch_off(&mut self, step: Step, given: &Expr) -> Result<bool> {
        if let Expr::Lit(ExprLit { lit: Lit::Bool(on), .. }) = given {
            let rule = if on.value { switched_on(step) } else { switched_off_by(step) };
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
        step: Step,
        list: proc_macro2::TokenStream,
        errors: &mut Accumulator,
        mut own: impl FnMut(&Ident, &ArgValue) -> Result<()>,
    ) {
        let examples = Examples { argument: &example(step), list: |_| None };
        for Arg { name, value } in arguments(list, &examples, errors) {
            // `required = false` is an option of `cache`, and `required` one of every step.
            let is_value = matches!(value, ArgValue::Value(_));
            let is_own = match name.to_string().as_str() {
                "required" => step == Step::Cache && is_value,
                name => options(step).contains(&name),
            };
            let taken = if is_own { own(&name, &value) } else { self.take(step, &name, &value) };
            errors.handle(taken);
            self.options.push(name);
        }
    }

    fn take(&mut self, step: Step, name: &Ident, value: &ArgValue) -> Result<()> {
        match (name.to_string().as_str(), value) {
            ("with" | "ok" | "err", ArgValue::Value(given)) if value::is_word(given, "off") => {
                Err(wrong(given, format!("`off` is for a whole step, not for a hook: write `{step} = off`")))
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
                put(&mut self.timeout, name, millis(given, "timeout = \"2s\"")?)
            }
            ("off", _) => Err(wrong(name, switched_off_by(step))),
            (known, _) if COMMON.contains(&known) => Err(valueless(name)),
            (unknown, value) => Err(wrong(name, unknown_option(step, unknown, value))),
        }
    }
}

/// The first of the names that is this one, or another place.
pub(super) fn place(names: &[Ident], name: &str, otherwise: Span) -> Span {
    names.iter().find(|given| *given == name).map_or(otherwise, Ident::span)
}

fn switched_off_by(step: Step) -> String {
    format!("a step is switched off by `{step} = off`")
}

pub(super) const UNREQUIRED: &str =
    "`required` takes no value: `cache(required)`; only a handler with `tx` takes `required = false`";
pub(super) const CACHE: &str = "`cache` takes a key: `cache = user.id`";
pub(super) const FALLBACK: &str = "`fallback` is a function, `fallback = path`, or `fallback = last_good`";

/// The rule for a step that is switched on.
pub(super) fn switched_on(step: Step) -> String {
    match step {
        Step::Cache => CACHE.to_owned(),
        Step::Fallback => FALLBACK.to_owned(),
        Step::Event => {
            "`event` takes no switch: write `event` alone, or a name, `event = \"user_updated\"`".to_owned()
        }
        _ => format!(
            "`{step}` is on by default: give it options, `{step}(…)`, or switch it off, `{step} = off`"
        ),
    }
}

/// What others call an option, too far from its name to be a slip.
const OTHER_WORDS: [(Step, &str, &str); 13] = [
    (Step::Alert, "level", "severity"),
    (Step::Alert, "priority", "severity"),
    (Step::Cache, "expires", "ttl"),
    (Step::Cache, "expiry", "ttl"),
    (Step::Cache, "revalidate", "refresh"),
    (Step::Cache, "stale", "refresh"),
    (Step::Cache, "stale_while_revalidate", "refresh"),
    (Step::Cache, "swr", "refresh"),
    (Step::Event, "error", "failed"),
    (Step::Graph, "edge", "relation"),
    (Step::Graph, "target", "to"),
    (Step::Schedule, "at", "after"),
    (Step::Schedule, "delay", "after"),
];

fn unknown_option(step: Step, given: &str, value: &ArgValue) -> String {
    let known: Vec<_> = options(step).iter().chain(&COMMON).copied().collect();
    let other_word = OTHER_WORDS.iter().find(|(of, word, _)| (*of, *word) == (step, given));
    let fix = if let Some((_, _, option)) = other_word {
        format!("did you mean `{option}`?")
    } else if let Some(owner) = owner(given) {
        format!("it is an option of `{owner}`")
    } else if ARGUMENTS.contains(&given) {
        format!("it goes outside of the parentheses, beside `{step}`")
    } else if let Some(suggestion) = suggestion(given, &known) {
        suggestion
    } else if let (Step::Metadata, ArgValue::Value(_)) = (step, value) {
        format!("its fields go in one value, as in `metadata = serde_json::json!({{ \"{given}\": … }})`")
    } else if let ArgValue::Word = value {
        format!("an option is a name and its value, as in `{}`", example(step))
    } else {
        format!("`{step}` takes `{}`", known.join("`, `"))
    };
    format!("unknown option `{given}` of `{step}`: {fix}")
}

pub(super) fn valueless(name: &(impl ToTokens + fmt::Display)) -> darling::Error {
    wrong(name, format!("`{name}` takes a value: `{name} = …`"))
}
