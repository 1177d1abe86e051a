//! What each step takes beside what all of them take.

use std::fmt;

use darling::{Result, error::Accumulator};
use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{Expr, spanned::Spanned as _};

use super::{
    Args, EventArgs,
    choice::{choice, meant},
    duration::millis,
    steps::{self, valueless},
    value::{self, Name, is_constant, is_word, name, path},
};
use crate::{
    errors::{put, wrong},
    syntax::ArgValue,
    words::Step,
};

impl Args {
    pub(super) fn take_step(
        &mut self,
        step: Step,
        at: &Ident,
        given: ArgValue,
        errors: &mut Accumulator,
    ) -> Result<()> {
        self.steps[step].given = true;
        match step {
            Step::Fallback => self.take_fallback(at, given, errors),
            Step::Metadata => self.take_metadata(at, given, errors),
            Step::Cache => self.take_cache(at, given, errors),
            Step::Event => self.take_event(given, errors),
            Step::Graph | Step::Schedule | Step::Nexus | Step::Audit | Step::Alert => match given {
                ArgValue::Word => Err(wrong(at, steps::switched_on(step))),
                ArgValue::Value(given) => self.steps[step].set(step, &given),
                ArgValue::List(list) => {
                    self.take_options(step, list, errors);
                    Ok(())
                }
            },
        }
    }

    /// The steps whose options are plain: `graph`, `schedule`, `nexus`, `audit`, `alert`.
    fn take_options(&mut self, step: Step, list: TokenStream, errors: &mut Accumulator) {
        let Self {
            relation,
            graph_to,
            to_pattern,
            schedule_after,
            alert_on,
            severity,
            audit_payload,
            steps,
            ..
        } = self;
        steps[step].list(step, list, errors, |option, value| {
            if option == "payload" {
                return match value {
                    ArgValue::Word => put(audit_payload, option, option.span()),
                    _ => Err(wrong(
                        option,
                        "`payload` takes no value, and stores the flow's payload in the record: `audit(payload)`",
                    )),
                };
            }
            let given = value_of(option, value)?;
            match option.to_string().as_str() {
                "relation" => {
                    let given = name(given, "relation = \"owned_by\"");
                    // One that is wrong is not missing.
                    put(relation, option, given.as_ref().map_or_else(|_| Name::text(""), Name::clone))?;
                    given.map(drop)
                }
                "to" => put(graph_to, option, (option.span(), value::value(given.clone())?)),
                "to_pattern" => put(to_pattern, option, name(given, "to_pattern = \"team\"")?),
                "after" => put(schedule_after, option, millis(given, "after = \"5m\"")?),
                "on" => put(alert_on, option, choice(given)?),
                _ => put(severity, option, choice(given)?),
            }
        });
    }

    fn take_fallback(&mut self, at: &Ident, given: ArgValue, errors: &mut Accumulator) -> Result<()> {
        let Self { steps, last_good, max_age, .. } = self;
        let step = &mut steps[Step::Fallback];
        match given {
            ArgValue::Word => return Err(wrong(at, steps::FALLBACK)),
            ArgValue::Value(given) if is_word(&given, "last_good") => *last_good = Some(given.span()),
            ArgValue::Value(given) => {
                if step.switch_off(Step::Fallback, &given)? {
                    return Ok(());
                }
                let what = "a function, an `async fn(&Failure<'_, E>) -> Option<T>`, or `last_good`";
                if let Some((word, near)) = meant(&given, &["last_good", "off"]) {
                    return Err(wrong(&given, format!("unknown value `{word}`: did you mean `{near}`?")));
                }
                step.with = Some(path(&given, what)?);
            }
            ArgValue::List(list) => {
                step.list(Step::Fallback, list, errors, |option, value| match value {
                    ArgValue::Word if option == "last_good" => put(last_good, option, option.span()),
                    ArgValue::Value(given) if option == "max_age" => {
                        put(max_age, option, millis(given, "max_age = \"1h\"")?)
                    }
                    _ => Err(wrong(
                        option,
                        "`last_good` takes no value, and `max_age` takes one: `fallback(last_good, max_age = \"1h\")`",
                    )),
                });
                for (hook, name) in [(step.ok.take(), "ok"), (step.err.take(), "err")] {
                    if let Some(hook) = hook {
                        errors.push(wrong(
                            &hook,
                            format!(
                                "a fallback has no `{name}`, because it handles an `Err` only: `fallback = path`"
                            ),
                        ));
                    }
                }
                if let Some(required) = step.required.take() {
                    errors.push(crate::errors::at(
                        required,
                        "a fallback cannot be `required`: if it does not recover, the `Err` is returned",
                    ));
                }
            }
        }
        Ok(())
    }

    fn take_metadata(&mut self, at: &Ident, given: ArgValue, errors: &mut Accumulator) -> Result<()> {
        let Self { steps, metadata, .. } = self;
        let step = &mut steps[Step::Metadata];
        match given {
            ArgValue::Word => {
                return Err(wrong(
                    at,
                    "`metadata` takes a value: an expression that serialises to an object",
                ));
            }
            ArgValue::Value(given) => {
                if !step.switch_off(Step::Metadata, &given)? {
                    *metadata = Some(value::value(given)?);
                }
            }
            ArgValue::List(list) => step.list(Step::Metadata, list, errors, |option, value| {
                put(metadata, option, value::value(value_of(option, value)?.clone())?)
            }),
        }
        Ok(())
    }

    fn take_event(&mut self, given: ArgValue, errors: &mut Accumulator) -> Result<()> {
        let step = &mut self.steps[Step::Event];
        let mut event = EventArgs::default();
        match given {
            ArgValue::Word => {}
            ArgValue::Value(given) if step.switch_off(Step::Event, &given)? => return Ok(()),
            // A path in small letters is a hook, what else is no text is meant as a name.
            ArgValue::Value(given @ Expr::Path(_)) if !is_constant(&given) => {
                return step.set(Step::Event, &given);
            }
            ArgValue::Value(given) => event.name = Some(name(&given, "event = \"user_updated\"")?),
            ArgValue::List(list) => step.list(Step::Event, list, errors, |option, value| {
                let given = value_of(option, value)?;
                match option.to_string().as_str() {
                    "name" => put(&mut event.name, option, name(given, "name = \"user_updated\"")?),
                    "failed" => put(&mut event.failed, option, name(given, "failed = \"user_lost\"")?),
                    _ => put(&mut event.payload, option, value::value(given.clone())?),
                }
            }),
        }
        self.event = Some(event);
        Ok(())
    }
}

pub(super) fn value_of<'a>(option: &(impl ToTokens + fmt::Display), value: &'a ArgValue) -> Result<&'a Expr> {
    match value {
        ArgValue::Value(given) => Ok(given),
        _ => Err(valueless(option)),
    }
}
