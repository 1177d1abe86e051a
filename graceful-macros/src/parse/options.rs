//! What each step takes beside what all of them take.

use darling::{Result, error::Accumulator};
use proc_macro2::{Ident, TokenStream};
use syn::Expr;

use super::{
    Args, CacheArgs, EventArgs, STEPS,
    syntax::ArgValue,
    value::{self, choice, is_word, millis, name, path},
};
use crate::errors::{put, wrong};

impl Args {
    pub(super) fn take_step(
        &mut self,
        step: usize,
        at: &Ident,
        given: ArgValue,
        errors: &mut Accumulator,
    ) -> Result<()> {
        self.steps[step].given = true;
        match STEPS[step].0 {
            "fallback" => self.take_fallback(at, given, errors),
            "metadata" => self.take_metadata(at, given, errors),
            "cache" => self.take_cache(at, given, errors),
            "event" => self.take_event(at, given, errors),
            name => match given {
                ArgValue::Word => Err(wrong(
                    at,
                    format!(
                        "`{name}` runs by itself: give it options, `{name}(…)`, or switch it off, `{name} = off`"
                    ),
                )),
                ArgValue::Value(given) => self.steps[step].set(at, &given),
                ArgValue::List(list) => {
                    self.take_options(step, at, list, errors);
                    Ok(())
                }
            },
        }
    }

    /// The steps whose options are plain: `graph`, `schedule`, `nexus`, `audit`, `alert`.
    fn take_options(&mut self, step: usize, at: &Ident, list: TokenStream, errors: &mut Accumulator) {
        let Self { relation, graph_to, schedule_after, alert_on, severity, steps, .. } = self;
        let own_names: &[&str] = match STEPS[step].0 {
            "graph" => &["relation", "to"],
            "schedule" => &["after"],
            "alert" => &["on", "severity"],
            _ => &[],
        };
        steps[step].list(at, list, own_names, errors, |arg| {
            let own = own_names.contains(&arg.name.to_string().as_str());
            let ArgValue::Value(given) = &arg.value else {
                return own
                    .then(|| Err(wrong(&arg.name, format!("`{0}` takes a value: `{0} = …`", arg.name))));
            };
            own.then(|| match arg.name.to_string().as_str() {
                "relation" => put(relation, &arg.name, name(given, "relation = \"owned_by\"")?),
                "to" => put(graph_to, &arg.name, (arg.name.span(), value::value(given.clone())?)),
                "after" => put(schedule_after, &arg.name, millis(given, "after = \"5m\"")?),
                "on" => put(
                    alert_on,
                    &arg.name,
                    choice(given, &[("all", "All"), ("server_fault", "ServerFault")])?,
                ),
                _ => put(
                    severity,
                    &arg.name,
                    choice(
                        given,
                        &[
                            ("info", "Info"),
                            ("warning", "Warning"),
                            ("error", "Error"),
                            ("critical", "Critical"),
                        ],
                    )?,
                ),
            })
        });
    }

    fn take_fallback(&mut self, at: &Ident, given: ArgValue, errors: &mut Accumulator) -> Result<()> {
        const HOW: &str = "`fallback` is a function, `fallback = path`, or `fallback = last_good`";
        let Self { steps, last_good, max_age, .. } = self;
        let step = &mut steps[0];
        match given {
            ArgValue::Word => return Err(wrong(at, HOW)),
            ArgValue::Value(given) if is_word(&given, "last_good") => *last_good = Some(at.span()),
            ArgValue::Value(given) => {
                if !step.switch_off(&given) {
                    let what = "a function, an `async fn(&Failure<'_, E>) -> Option<T>`, or `last_good`";
                    step.with = Some(path(&given, what)?);
                }
            }
            ArgValue::List(list) => {
                step.list(at, list, &["last_good", "max_age"], errors, |arg| {
                    match (arg.name.to_string().as_str(), &arg.value) {
                        ("last_good", ArgValue::Word) => Some(put(last_good, &arg.name, arg.name.span())),
                        ("max_age", ArgValue::Value(given)) => Some(
                            millis(given, "max_age = \"1h\"").and_then(|age| put(max_age, &arg.name, age)),
                        ),
                        ("max_age" | "last_good", _) => Some(Err(wrong(
                            &arg.name,
                            "the last good value is asked for by `fallback(last_good, max_age = \"1h\")`",
                        ))),
                        ("ok" | "err" | "required", _) => Some(Err(wrong(&arg.name, HOW))),
                        _ => None,
                    }
                });
            }
        }
        Ok(())
    }

    fn take_metadata(&mut self, at: &Ident, given: ArgValue, errors: &mut Accumulator) -> Result<()> {
        let Self { steps, metadata, .. } = self;
        let step = &mut steps[1];
        match given {
            ArgValue::Word => {
                return Err(wrong(
                    at,
                    "`metadata` takes a value: an expression that serialises to an object",
                ));
            }
            ArgValue::Value(given) => {
                if !step.switch_off(&given) {
                    *metadata = Some(value::value(given)?);
                }
            }
            ArgValue::List(list) => step.list(at, list, &["value"], errors, |arg| match &arg.value {
                ArgValue::Value(given) if arg.name == "value" => {
                    Some(value::value(given.clone()).and_then(|given| put(metadata, &arg.name, given)))
                }
                _ => None,
            }),
        }
        Ok(())
    }

    fn take_cache(&mut self, at: &Ident, given: ArgValue, errors: &mut Accumulator) -> Result<()> {
        let Self { steps, cache, .. } = self;
        let step = &mut steps[2];
        cache.given = Some(at.span());
        match given {
            ArgValue::Word => return Err(wrong(at, "`cache` takes a key: `cache = user.id`")),
            ArgValue::Value(given) => {
                if !step.switch_off(&given) {
                    cache.key = Some(value::value(given)?);
                }
            }
            ArgValue::List(list) => {
                let own_names = ["key", "ttl", "value", "version", "on_ok", "on_err"];
                step.list(at, list, &own_names, errors, |arg| {
                    let own = own_names.contains(&arg.name.to_string().as_str());
                    let ArgValue::Value(given) = &arg.value else {
                        return own.then(|| {
                            Err(wrong(&arg.name, format!("`{0}` takes a value: `{0} = …`", arg.name)))
                        });
                    };
                    own.then(|| cache.take(&arg.name, given))
                });
            }
        }
        Ok(())
    }

    fn take_event(&mut self, at: &Ident, given: ArgValue, errors: &mut Accumulator) -> Result<()> {
        let step = &mut self.steps[5];
        let mut event = EventArgs::default();
        match given {
            ArgValue::Word => {}
            ArgValue::Value(given) if step.switch_off(&given) => return Ok(()),
            ArgValue::Value(given) if value::text(&given).is_none() => return step.set(at, &given),
            ArgValue::Value(given) => event.name = Some(name(&given, "event = \"user_updated\"")?),
            ArgValue::List(list) => {
                step.list(at, list, &["name", "failed", "payload"], errors, |arg| {
                    let ArgValue::Value(given) = &arg.value else { return None };
                    match arg.name.to_string().as_str() {
                        "name" => Some(
                            name(given, "name = \"user_updated\"")
                                .and_then(|name| put(&mut event.name, &arg.name, name)),
                        ),
                        "failed" => Some(
                            name(given, "failed = \"user_not_updated\"")
                                .and_then(|name| put(&mut event.failed, &arg.name, name)),
                        ),
                        "payload" => Some(
                            value::value(given.clone())
                                .and_then(|value| put(&mut event.payload, &arg.name, value)),
                        ),
                        _ => None,
                    }
                });
            }
        }
        self.event = Some(event);
        Ok(())
    }
}

impl CacheArgs {
    fn take(&mut self, at: &Ident, given: &Expr) -> Result<()> {
        match at.to_string().as_str() {
            "key" => put(&mut self.key, at, value::value(given.clone())?),
            "value" => put(&mut self.value, at, value::value(given.clone())?),
            "version" => put(&mut self.version, at, value::value(given.clone())?),
            "ttl" => put(&mut self.ttl, at, millis(given, "ttl = \"10m\"")?),
            "on_ok" => {
                put(&mut self.on_ok, at, choice(given, &[("put", "Put"), ("invalidate", "Invalidate")])?)
            }
            _ => put(
                &mut self.on_err,
                at,
                choice(given, &[("auto", "Auto"), ("always", "Always"), ("keep", "Keep")])?,
            ),
        }
    }
}
