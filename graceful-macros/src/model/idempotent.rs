//! The rules of `idempotent`, and the calls by which a call names its key.

use darling::error::Accumulator;
use proc_macro2::Span;

use super::{
    Shape,
    cache::over_result,
    delivery,
    scope::{Phase, Scope},
    setters::{Argument, Builder, Kind, Setter},
};
use crate::{
    errors::{at, wrong},
    parse::{Args, IdempotentArgs, Value},
    words::{Delivery, Step},
};

pub(super) fn check_idempotent(args: &mut Args, scope: &Scope, shape: &Shape, errors: &mut Accumulator) {
    let may_store = ["idempotent", "delivery", "tx"].iter().any(|argument| args.broken.may_mean(argument));
    let stores =
        args.idempotent.given.is_some() || delivery(args) == Delivery::Durable || args.incident.is_none();
    if let (Some(was), false, false) = (&args.was, stores, may_store) {
        errors.push(at(
            was.span,
            "`was` lets stored flows, idempotency keys and incidents find their renamed handler, and this handler has none of its own: remove it",
        ));
        args.was = None;
    }
    let Some(given) = args.idempotent.given else { return };
    if args.broken.may_mean("idempotent") && args.idempotent.key.is_none() {
        args.idempotent.given = None;
        return;
    }
    if let Some(rule) = broken(args, shape) {
        errors.push(at(given, rule));
        args.idempotent = IdempotentArgs::default();
        return;
    }
    let early = |name: &str| {
        format!(
            "the key of an idempotent call is looked up before the body runs, so `{name}` cannot use `result`: use the parameters"
        )
    };
    for (name, value) in [
        ("key", &args.idempotent.key),
        ("request", &args.idempotent.request),
        ("scope", &args.idempotent.scope),
    ] {
        if let Some(result) = value.as_ref().and_then(|value| over_result(value, scope)) {
            errors.push(wrong(&result, early(name)));
            args.broken.reported("idempotent");
            args.idempotent.given = None;
        }
    }
    let scoped = args.idempotent.scope.is_some() || args.idempotent.request.is_some();
    if let (Some(result), false) = (args.actor.as_ref().and_then(|actor| over_result(actor, scope)), scoped) {
        errors.push(wrong(
            &result,
            "the actor is the scope of the idempotency key, which is needed before the body runs, so it cannot use `result`: use the parameters, or name \
             another scope, `idempotent(scope = …)`",
        ));
        args.idempotent.given = None;
    }
}

fn broken(args: &Args, shape: &Shape) -> Option<&'static str> {
    let rules = [
        (
            matches!(shape, Shape::Call { .. }),
            "an idempotent handler waits for its store before its body runs, so it needs an `async fn`",
        ),
        (
            args.cache.read.is_some(),
            "a reader changes nothing, so it can be repeated anyway: remove `idempotent`, or `read`",
        ),
        (
            args.steps[Step::Fallback].with.is_some() || args.last_good.is_some(),
            "a `fallback` returns `Ok` for failed work, which repetitions would then get: remove it, or `idempotent`",
        ),
    ];
    rules.into_iter().find_map(|(broken, rule)| broken.then_some(rule))
}

impl Builder<'_> {
    /// The calls by which an idempotent call names its key, and the one that takes its answer.
    pub(super) fn repeatable(&mut self, args: &Args, span: Span) {
        let arguments = &args.idempotent;
        let names_actor = arguments.scope.is_none() && args.actor.is_some();
        let also = |method: &str| method == "when" || method == "actor" && names_actor;
        let entry = &self.setters.entry;
        self.setters.names = entry.iter().filter(|setter| also(setter.method)).cloned().collect();
        let key = arguments.key.as_ref().and_then(|key| self.key(key));
        let scope = arguments.scope.as_ref().and_then(|scope| self.setter("scope", scope, Kind::Name));
        let request =
            arguments.request.as_ref().and_then(|request| self.setter("request", request, Kind::Payload));
        let named = [key, scope, request].into_iter().flatten().map(|(_, setter)| setter);
        self.setters.names.extend(named);
        self.push(Phase::After, Setter { method: "answer", kept: None, argument: Argument::Probe, span });
    }

    /// A key that is no text with holes may be an `Option`.
    fn key(&mut self, key: &Value) -> Option<(Phase, Setter)> {
        let (phase, mut setter) = self.setter("key", key, Kind::Name)?;
        if let Argument::Reference(expr) = setter.argument {
            setter.argument = Argument::Optional(expr);
        }
        Some((phase, setter))
    }
}
