//! The arguments that every step takes: `off`, hooks, `required`, `timeout`.

use darling::{Result, error::Accumulator};
use proc_macro2::{Ident, Span};
use syn::{Expr, Path};

use super::{
    syntax::{Arg, ArgValue, arguments},
    value::{self, At},
};
use crate::errors::{put, suggestion, wrong};

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
        if self.switch_off(given) {
            return Ok(());
        }
        let hook = value::path(given, HOOK).map_err(|_| {
            wrong(given, format!("`{name} = …` takes `off` or the path of {HOOK}; options go in `{name}(…)`"))
        })?;
        self.with = Some(hook);
        Ok(())
    }

    pub(super) fn switch_off(&mut self, given: &Expr) -> bool {
        let off = value::is_word(given, "off");
        if off {
            self.off = Some(syn::spanned::Spanned::span(given));
        }
        off
    }

    /// `STEP(…)`: what is not common to all steps is for `own`, which says whether it knows the name.
    pub(super) fn list(
        &mut self,
        step: &Ident,
        list: proc_macro2::TokenStream,
        own_names: &[&str],
        errors: &mut Accumulator,
        mut own: impl FnMut(&Arg) -> Option<Result<()>>,
    ) {
        for arg in arguments(list, errors) {
            let taken = match own(&arg) {
                Some(taken) => taken,
                None => self.take(step, &arg, own_names),
            };
            errors.handle(taken);
        }
    }

    fn take(&mut self, step: &Ident, arg: &Arg, own_names: &[&str]) -> Result<()> {
        let name = &arg.name;
        match (name.to_string().as_str(), &arg.value) {
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
            ("required", _) => Err(wrong(name, "`required` stands alone, without a value")),
            ("timeout", ArgValue::Value(given)) => {
                put(&mut self.timeout, name, value::millis(given, "timeout = \"2s\"")?)
            }
            ("off", _) => Err(wrong(name, format!("a step is switched off by `{step} = off`"))),
            (known, _) if COMMON.contains(&known) => {
                Err(wrong(name, format!("`{known}` takes a value: `{known} = …`")))
            }
            (unknown, _) => {
                let known: Vec<_> = own_names.iter().chain(&COMMON).copied().collect();
                let fix = suggestion(unknown, &known)
                    .unwrap_or_else(|| format!("`{step}` takes `{}`", known.join("`, `")));
                Err(wrong(name, format!("unknown argument `{unknown}` of `{step}`: {fix}")))
            }
        }
    }
}
