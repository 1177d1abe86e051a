//! The rules between arguments, and for the function. An argument that violates a rule is reported, and then ignored.

use darling::error::Accumulator;
use proc_macro2::{Ident, Span};
use syn::{ReturnType, Type};

use super::{Shape, cache::check_cache, delivery, idempotent::check_idempotent, scope::Scope};
use crate::{
    errors::{at, wrong},
    parse::{Args, Function, StepArgs},
    words::{Delivery, Step, Words as _},
};

pub(super) fn check_function(function: &Function, errors: &mut Accumulator) -> bool {
    if let Some(constness) = &function.signature.constness {
        errors.push(wrong(
            constness,
            "a `const fn` cannot be orchestrated, because its steps run at run time: remove `const`, or the attribute",
        ));
    }
    let never = match &function.signature.output {
        ReturnType::Type(_, returned) if matches!(**returned, Type::Never(_)) => Some(returned),
        _ => None,
    };
    if let Some(never) = never {
        errors.push(wrong(
            never,
            "a handler returns a `Result`, but this one never returns: remove the attribute",
        ));
    }
    function.signature.constness.is_none() && never.is_none()
}

pub(super) fn check_rules(args: &mut Args, scope: &Scope, shape: &Shape, errors: &mut Accumulator) {
    let delivery = delivery(args);
    for step in Step::ALL {
        check_step(&mut args.steps[*step], *step, delivery, errors);
    }
    check_cache(args, scope, errors);
    check_idempotent(args, scope, shape, errors);
    if let Some(tx) = args.tx.take() {
        match broken_by_tx(&tx, args, scope, shape) {
            Some(rule) => errors.push(wrong(&tx, rule)),
            None => args.tx = Some(tx),
        }
    }
    if let (Some((to, _)), None) = (&args.graph_to, &args.relation) {
        errors.push(at(
            *to,
            "`to` needs a relation: add `relation = \"…\"`, as in `graph(relation = \"owned_by\", to = org)`",
        ));
    }
    if let (Some(pattern), None, false) = (&args.to_pattern, &args.graph_to, args.broken.may_mean("graph")) {
        errors.push(wrong(pattern, "`to_pattern` is the pattern of `to`, which is missing: add it, as in `graph(relation = \"owned_by\", to = org, to_pattern = \"org\")`"));
    }
    let cache = &args.cache;
    let overridden = hooked(&args.steps[Step::Cache]) || args.steps[Step::Cache].off.is_some();
    if let (Some(given), None, true, false, false) =
        (cache.given, &cache.key, cache.touches.is_empty(), overridden, args.broken.may_mean("cache"))
    {
        let of_many = match cache.read {
            Some(_) => "",
            None => "; or name what a write of many entities changes, as in `cache(touches(user = ids))`",
        };
        errors.push(at(given, format!("`cache` has no key: add one, as in `cache(key = user.id)`{of_many}")));
    }
    if let Some(at) = args.last_good {
        check_last_good(at, args, errors);
    } else if let Some(age) = &args.max_age {
        errors.push(at(
            age.span,
            "`max_age` applies to the last good value only: `fallback(last_good, max_age = \"1h\")`",
        ));
    }
}

/// The rule that `tx` violates, if any.
fn broken_by_tx(tx: &Ident, args: &Args, scope: &Scope, shape: &Shape) -> Option<String> {
    if !scope.has(tx) {
        return Some(scope.no_parameter(tx));
    }
    let rules = [
        (
            args.delivery.as_ref().is_some_and(|delivery| delivery.value != Delivery::Durable),
            "`tx` stores the flow in the handler's transaction, so its delivery is durable: remove `delivery`",
        ),
        (matches!(shape, Shape::Call { .. }), "`tx` waits for the transaction, so it needs an `async fn`"),
        (
            args.steps.iter().any(|(_, step)| step.required.is_some()),
            "a `required` step runs before the transaction is committed, so it excludes `tx`: remove one of them",
        ),
        (
            args.steps[Step::Fallback].with.is_some() || args.last_good.is_some(),
            "a `fallback` returns `Ok` for failed work, which would then be committed: remove it, or `tx`",
        ),
    ];
    rules.into_iter().find_map(|(broken, rule)| broken.then(|| rule.to_owned()))
}

fn check_last_good(last_good: Span, args: &mut Args, errors: &mut Accumulator) {
    let rules = [
        (
            args.steps[Step::Fallback].with.is_some(),
            "a fallback is a function or the last good value, not both: keep one",
        ),
        (
            args.cache.key.is_none() && !args.broken.may_mean("cache"),
            "the last good value is stored under the cache key, which is missing: add one, as in `cache = user.id`",
        ),
        (
            args.payload.is_some(),
            "the last good value is the `Ok` value itself, so it excludes `payload`: use `cache(value = …)` and `event(payload = …)`",
        ),
    ];
    for (_, rule) in rules.into_iter().filter(|(broken, _)| *broken) {
        errors.push(at(last_good, rule));
        args.last_good = None;
    }
}

fn hooked(step: &StepArgs) -> bool {
    step.with.is_some() || step.ok.is_some() || step.err.is_some()
}

fn check_step(args: &mut StepArgs, step: Step, delivery: Delivery, errors: &mut Accumulator) {
    if let (Some(with), true) = (&args.with, args.ok.is_some() || args.err.is_some()) {
        errors.push(wrong(with, "`with` overrides both arms: remove it, or remove `ok` and `err`"));
        (args.with, args.ok, args.err) = (None, None, None);
    }
    if let Some(timeout) = args.timeout.as_ref().filter(|timeout| u32::try_from(timeout.value).is_err()) {
        errors
            .push(at(timeout.span, "a time budget is at most 49 days: shorten it, as in `timeout = \"2s\"`"));
    }
    if delivery == Delivery::Durable {
        for hook in [&mut args.with, &mut args.ok, &mut args.err] {
            if hook.as_ref().is_some_and(|path| path.segments[0].ident == "Self") && step != Step::Fallback {
                errors.extend(hook.take().map(|hook| {
                    wrong(&hook, "a relay must find the hook of a durable handler without knowing `Self`: name the type")
                }));
            }
        }
        return;
    }
    if delivery == Delivery::Inline || args.required.is_some() || step == Step::Fallback {
        return;
    }
    for typed in args.ok.take().into_iter().chain(args.err.take()) {
        errors.push(wrong(
            &typed,
            format!("a typed hook borrows the handler's result, which is dropped before a background flow runs: use `{step}(with = …)`, mark it `required`, or deliver inline or durably"),
        ));
    }
}
