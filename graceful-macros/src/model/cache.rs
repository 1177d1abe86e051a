//! The rules of `cache(…)`: what a reader takes, what a writer takes, and what is needed before the body.

use darling::error::Accumulator;
use proc_macro2::{Ident, Span};
use syn::spanned::Spanned as _;

use super::scope::Scope;
use crate::{
    errors::{at, twice, wrong},
    parse::{Args, PatternName, Related, Value},
    words::{Delivery, OnErr, Step, Words as _},
};

/// How long a value is cached by default.
const TTL_MS: u64 = 10 * 60 * 1000;

/// A third of the time after which a hold expires.
const MAX_LAG_MS: u64 = 10_000;

/// The steps that a reader runs only if its declaration names them.
const ONLY_NAMED: [Step; 5] = [Step::Metadata, Step::Graph, Step::Event, Step::Nexus, Step::Audit];

pub(super) fn check_cache(args: &mut Args, scope: &Scope, errors: &mut Accumulator) {
    match args.cache.read {
        Some(_) => check_reader(args, scope, errors),
        None => check_writer(args, scope, errors),
    }
    if let Some(unrequired) = args.cache.unrequired.take() {
        check_unrequired(unrequired, args, errors);
    }
    check_related(&mut args.cache.depends_on, scope, errors, |pattern| {
        format!(
            "`depends_on` is evaluated before the body, so `{pattern}` cannot use `result`: use the parameters"
        )
    });
    check_related(&mut args.cache.touches, scope, errors, |pattern| {
        format!(
            "`touches` is evaluated before the body, so `{pattern}` cannot use `result`: use the parameters, or call `graceful::touch(\"{}\", …)` in the body",
            pattern.name()
        )
    });
}

/// Whether the step does not run because the handler is a reader that does not name it.
pub(super) fn is_skipped(step: Step, args: &Args) -> bool {
    args.cache.read.is_some() && ONLY_NAMED.contains(&step) && !args.steps[step].given
}

/// The user's own `result`, if the value is known after the body only.
pub(super) fn over_result(value: &Value, scope: &Scope) -> Option<Ident> {
    value.exprs().into_iter().find_map(|expr| scope.needs(expr).ok()?.result)
}

fn check_reader(args: &mut Args, scope: &Scope, errors: &mut Accumulator) {
    let mut refuse = |found: Option<Span>, rule: &str| {
        errors.extend(found.map(|found| at(found, rule)));
    };
    let Args { cache, steps, .. } = args;
    let step = &mut steps[Step::Cache];
    refuse(
        cache.value.take().map(|value| step.place("value", value.span())),
        "a reader caches its `Ok` value, with which a hit is answered: remove `value`",
    );
    refuse(
        cache.version.take().map(|version| step.place("version", version.span())),
        "a reader stores its value only if no write has overtaken it, so it needs no version: remove `version`",
    );
    refuse(
        std::mem::take(&mut cache.touches).first().map(|first| step.place("touches", first.pattern.span())),
        "a reader changes nothing, so it touches nothing: use `depends_on(…)` for the entities that its value shows",
    );
    refuse(
        cache.on_ok.take().map(|on_ok| step.place("on_ok", on_ok.span)),
        "the `Ok` value of a reader is always stored: remove `on_ok`",
    );
    refuse(
        cache.on_err.take().map(|on_err| step.place("on_err", on_err.span)),
        "a reader changes nothing, so its `Err` invalidates nothing: remove `on_err`",
    );
    refuse(cache.shared.take(), "`shared` is for writers of a pattern that another program reads: remove it");
    for (option, hook) in [("with", step.with.take()), ("ok", step.ok.take()), ("err", step.err.take())] {
        refuse(
            hook.map(|hook| step.place(option, hook.span())),
            "a hook of `cache` replaces the step that stores what is read: remove the hook, or `read`",
        );
    }
    for step in Step::ALL {
        refuse(
            steps[*step].required.take(),
            "no step runs on a hit, so a reader cannot require one: remove `required`, or `read`",
        );
    }
    let tx = args.tx.take();
    let durable = args.delivery.take_if(|delivery| delivery.value == Delivery::Durable);
    match tx {
        Some(tx) => refuse(
            Some(args.place("tx", tx.span())),
            "a reader does not write, and its body does not run on a hit: remove `tx` and durable delivery, or `read`",
        ),
        None => refuse(
            durable.map(|durable| args.place("delivery", durable.span)),
            "a reader changes nothing, so its flow needs no durable delivery: write `delivery = \"inline\"`, or remove `read`",
        ),
    }
    let cache = &mut args.cache;
    if let Some(result) = cache.key.as_ref().and_then(|key| over_result(key, scope)) {
        errors.push(wrong(
            &result,
            "a reader looks up its key before the body runs, so the key cannot use `result`: use the parameters",
        ));
        cache.key = None;
        args.broken.reported("cache");
    }
    let actor = args.actor.as_ref().filter(|_| cache.per_actor.is_some());
    if let Some(result) = actor.and_then(|actor| over_result(actor, scope)) {
        errors.push(wrong(
            &result,
            "`per_actor` needs the actor before the body runs, so `actor` cannot use `result`: use the parameters",
        ));
        cache.per_actor = None;
    }
    check_times(args, errors);
}

fn check_times(args: &mut Args, errors: &mut Accumulator) {
    // A `ttl` that is wrong is not missing.
    let known = !args.broken.may_mean("cache");
    let cache = &mut args.cache;
    let ttl = cache.ttl.as_ref().map_or(TTL_MS, |ttl| ttl.value);
    if let Some(refresh) = cache.refresh.take_if(|refresh| known && refresh.value >= ttl) {
        let rule = match cache.ttl {
            Some(_) => {
                "`refresh` must be shorter than `ttl`, after which there is nothing to refresh: shorten it"
            }
            None => {
                "`refresh` must be shorter than the time to live, which is 10 minutes: shorten it, or add a longer `ttl`"
            }
        };
        errors.push(at(refresh.span, rule));
    }
    if let Some(lag) = cache.lag.take_if(|lag| lag.value > MAX_LAG_MS) {
        errors.push(at(
            lag.span,
            "`lag` is at most 10 seconds, a third of the time after which a hold expires: shorten it",
        ));
    }
}

fn check_writer(args: &mut Args, scope: &Scope, errors: &mut Accumulator) {
    // What the handler seems to lack may have been meant by an option that is wrong.
    if !args.broken.may_mean("cache") {
        check_only_readers(args, errors);
        let required = &mut args.steps[Step::Cache].required;
        let late = args.cache.key.as_ref().is_some_and(|key| over_result(key, scope).is_some());
        if let (true, true, Some(found)) = (late, args.cache.touches.is_empty(), *required) {
            errors.push(at(
                found,
                "`required` needs a hold before the body runs, and this key is known after it: use parameters in the key, or remove `required`",
            ));
            *required = None;
        }
        check_without_key(args, errors);
    }
    let cache = &mut args.cache;
    if cache.shared.is_none() {
        return;
    }
    if let Some(version) = cache.version.take() {
        errors.push(at(
            args.steps[Step::Cache].place("version", version.span()),
            "writes of a `shared` pattern are ordered by their holds, so they have no version: remove `version`, or `shared`",
        ));
    }
    if let Some(kept) = cache.on_err.take_if(|on_err| on_err.value == OnErr::Keep) {
        errors.push(at(
            kept.span,
            "an `Err` ends the hold of a `shared` pattern, which `keep` would not: use `auto` or `always`, or remove `shared`",
        ));
    }
}

fn check_only_readers(args: &mut Args, errors: &mut Accumulator) {
    let (cache, step) = (&mut args.cache, &args.steps[Step::Cache]);
    let durations = [("refresh", &mut cache.refresh), ("wait", &mut cache.wait), ("lag", &mut cache.lag)];
    let durations =
        durations.map(|(option, given)| (option, given.take().map(|given| step.place(option, given.span))));
    let words = [("per_actor", cache.per_actor.take()), ("unwritten", cache.unwritten.take())];
    for (option, found) in durations.into_iter().chain(words) {
        errors.extend(
            found.map(|found| at(found, format!("`{option}` is only for readers: add `read`, or remove it"))),
        );
    }
    if let (Some(rev), None) = (&cache.rev, cache.shared) {
        errors.push(at(
            step.place("rev", rev.span),
            "`rev` is for readers, and for writers of a `shared` pattern: add `read` or `shared`, or remove it",
        ));
        cache.rev = None;
    }
}

/// A write of many entities only touches them, so it has no value of its own.
fn check_without_key(args: &mut Args, errors: &mut Accumulator) {
    let (cache, step) = (&mut args.cache, &args.steps[Step::Cache]);
    if cache.key.is_some() || cache.touches.is_empty() {
        return;
    }
    let given = [
        ("value", cache.value.take().map(|value| value.span())),
        ("version", cache.version.take().map(|version| version.span())),
        ("ttl", cache.ttl.take().map(|ttl| ttl.span)),
        ("on_ok", cache.on_ok.take().map(|on_ok| on_ok.span)),
        ("depends_on", std::mem::take(&mut cache.depends_on).first().map(|first| first.pattern.span())),
    ];
    for (option, span) in given {
        let found = span.map(|span| step.place(option, span));
        errors.extend(found.map(|found| {
            at(found, format!("`{option}` concerns the value under the handler's own key, which is missing: add `key = …`, or remove `{option}`"))
        }));
    }
}

/// `required = false`
fn check_unrequired(unrequired: Ident, args: &mut Args, errors: &mut Accumulator) {
    if args.steps[Step::Cache].required.take().is_some() {
        errors.push(twice(&unrequired));
    } else if args.tx.is_some() {
        args.cache.unrequired = Some(unrequired);
    } else if !args.broken.may_mean("tx") {
        errors.push(wrong(
            &unrequired,
            "the cache is required by default only with `tx`: remove `required = false`",
        ));
    }
}

/// Reports the ids that use `result`, and removes their patterns.
fn check_related(
    related: &mut Vec<Related>,
    scope: &Scope,
    errors: &mut Accumulator,
    rule: impl Fn(&PatternName) -> String,
) {
    related.retain(|Related { pattern, ids }| {
        let late = ids.iter().find_map(|id| over_result(id, scope));
        if let Some(result) = &late {
            errors.push(wrong(result, rule(pattern)));
        }
        late.is_none()
    });
}
