//! The calls on the `HandlerSpec` of a handler.

use super::cache::is_skipped;
use crate::{
    parse::{Args, Name},
    words::{Delivery, Words},
};

/// One call on the `HandlerSpec`.
pub(crate) struct SpecCall {
    pub(crate) method: &'static str,
    pub(crate) arguments: Vec<SpecArgument>,
}

pub(crate) enum SpecArgument {
    Name(Name),
    Names(Vec<Name>),
    Millis(u64),
    BudgetMillis(u32),
    Revision(u32),
    Attempts(u32),
    /// A variant of an enum of the runtime: the names of enum and variant.
    Variant(&'static str, &'static str),
}

impl SpecArgument {
    pub(super) fn variant<W: Words>(value: W) -> Self {
        Self::Variant(W::ENUM, value.variant())
    }
}

pub(super) fn call<const N: usize>(method: &'static str, arguments: [SpecArgument; N]) -> SpecCall {
    SpecCall { method, arguments: arguments.into() }
}

/// The calls for the arguments that are options of a step or of the handler.
pub(super) fn options(args: &Args) -> Vec<SpecCall> {
    use SpecArgument::{BudgetMillis, Millis, Names, Revision};

    let cache = &args.cache;
    let name = |name: &Option<Name>| name.clone().map(SpecArgument::Name);
    let max_age = args.max_age.as_ref().map_or(0, |age| age.value);
    let once = [
        ("tags", args.tags.clone().map(Names)),
        ("was", args.was.as_ref().map(|was| Names(was.value.clone()))),
        ("window_ms", args.idempotent.window.as_ref().map(|window| Millis(window.value))),
        // The call `durable` sets durable delivery.
        (
            "delivery",
            args.delivery
                .as_ref()
                .filter(|delivery| delivery.value != Delivery::Durable)
                .map(|delivery| SpecArgument::variant(delivery.value)),
        ),
        ("cache_ttl_ms", cache.ttl.as_ref().map(|ttl| Millis(ttl.value))),
        ("refresh_ms", cache.refresh.as_ref().map(|refresh| Millis(refresh.value))),
        ("wait_ms", cache.wait.as_ref().map(|wait| Millis(wait.value))),
        ("lag_ms", cache.lag.as_ref().map(|lag| Millis(lag.value))),
        ("rev", cache.rev.as_ref().filter(|_| cache.read.is_some()).map(|rev| Revision(rev.value))),
        ("on_ok", cache.on_ok.as_ref().map(|on_ok| SpecArgument::variant(on_ok.value))),
        ("on_err", cache.on_err.as_ref().map(|on_err| SpecArgument::variant(on_err.value))),
        ("incident", name(&args.incident)),
        ("relation", name(&args.relation)),
        ("to_pattern", name(&args.to_pattern)),
        ("schedule_after_ms", args.schedule_after.as_ref().map(|after| Millis(after.value))),
        ("alert_on", args.alert_on.as_ref().map(|on| SpecArgument::variant(on.value))),
        ("severity", args.severity.as_ref().map(|severity| SpecArgument::variant(severity.value))),
        ("last_good", args.last_good.map(|_| Millis(max_age))),
    ];
    let once = once.into_iter().filter_map(|(method, argument)| Some(call(method, [argument?])));
    let words = [
        cache.read.map(|_| call("reads", [])),
        cache.per_actor.map(|_| call("per_actor", [])),
        cache.unrequired.as_ref().map(|_| call("hold_optional", [])),
    ];
    let once = once.chain(words.into_iter().flatten());
    let once = once.chain(args.audit_payload.map(|_| call("audit_payload", [])));
    let by_step = args.steps.iter().flat_map(|(step, given)| {
        let variant = || SpecArgument::variant(step);
        let budget = given.timeout.as_ref().and_then(|timeout| u32::try_from(timeout.value).ok());
        [
            (given.off.is_some() || is_skipped(step, args)).then(|| call("off", [variant()])),
            given.required.map(|_| call("required", [variant()])),
            budget.map(|budget| call("timeout_ms", [variant(), BudgetMillis(budget)])),
        ]
    });
    let errors = args.errors_off.map(|_| call("errors_off", []));
    once.chain(errors).chain(by_step.flatten()).collect()
}
