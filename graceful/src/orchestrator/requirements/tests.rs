use super::*;
use crate::{pipeline::Durable, step::Step};

const DURABLE: Durable = Durable { identity: || "update_user", was: &[], hooks: None };

#[test]
fn missing_names_each_requirement_with_file_and_line() {
    let line = line!() + 1;
    let handler = Registered::new("update_user", "shop::users", "user");
    let handler = handler.durable(&DURABLE).requires(&[Step::Audit, Step::Fallback]);
    let missing: Vec<_> = missing(&handler, &Backends::default()).iter().map(ToString::to_string).collect();
    let whys = [
        "is durable, but no durable store is configured: call `.store(…)` on the builder, or set `GRACEFUL_STORE` and use \
         `Orchestrator::from_env`",
        "requires step `audit`, but no audit backend is configured",
        "requires step `fallback`, but no cache backend is configured",
    ];
    let place = format!("`update_user` ({}:{line})", file!());
    assert_eq!(missing, whys.map(|why| format!("{place} {why}")));
}

#[test]
fn durable_handlers_of_one_identity_name_each_other() {
    const PAY: Durable = Durable { identity: || "shop::_::pay", was: &[], hooks: None };
    const READ: Durable = Durable { identity: || "shop::read", was: &[], hooks: None };
    const fn named(name: &'static str) -> Registered {
        Registered::new(name, "shop", "order")
    }
    static HANDLERS: [Registered; 5] = [
        named("first").durable(&PAY),
        named("second").durable(&PAY),
        named("read").durable(&READ),
        named("a"),
        named("b"),
    ];
    let shared = HANDLERS.iter().filter_map(|handler| shared_identity(handler, HANDLERS.iter()));
    let shared: Vec<_> = shared.map(|unmet| unmet.to_string()).collect();
    let [first, second, ..] = &HANDLERS;
    let has = |handler, other| {
        format!(
            "{handler} is durable and has the identity `shop::_::pay`, as has {other}: a relay could not distinguish them; give each a \
             `name = \"…\"`"
        )
    };
    assert_eq!(shared, [has(first, second), has(second, first)]);
}

#[test]
fn durable_handlers_of_one_former_identity_name_each_other() {
    const PAY: Durable = Durable { identity: || "shop::pay", was: &["shop::old"], hooks: None };
    const BUY: Durable =
        Durable { identity: || "shop::buy", was: &["shop::older", "shop::old"], hooks: None };
    const READ: Durable = Durable { identity: || "shop::read", was: &["shop::see"], hooks: None };
    const SEE: Durable = Durable { identity: || "shop::see", was: &[], hooks: None };
    static HANDLERS: [Registered; 5] = [
        Registered::new("pay", "shop", "order").durable(&PAY),
        Registered::new("buy", "shop", "order").durable(&BUY),
        Registered::new("read", "shop", "order").durable(&READ),
        Registered::new("see", "shop", "order").durable(&SEE),
        Registered::new("other", "shop", "order").durable(&DURABLE),
    ];
    let shared = HANDLERS.iter().map(|handler| shared_identity(handler, HANDLERS.iter()));
    let shared: Vec<_> = shared.map(|unmet| unmet.map(|unmet| unmet.to_string())).collect();
    let [pay, buy, read, see, _] = &HANDLERS;
    for (index, of, other, name) in [
        (0, pay, buy, "shop::old"),
        (1, buy, pay, "shop::old"),
        (2, read, see, "shop::see"),
        (3, see, read, "shop::see"),
    ] {
        let begins =
            format!("{of} is durable and has or had the identity `{name}`, as has or had {other}: a relay");
        let unmet = shared[index].as_deref().unwrap_or_default();
        assert!(unmet.starts_with(&begins), "{unmet}");
    }
    assert_eq!(shared[4], None);
}

#[test]
fn handlers_that_share_idempotency_keys_are_unmet() {
    static PAY: Registered =
        Registered::new("pay", "shop", "payment").idempotent(|| "shop::pay", &["pay"], false);
    static COPY: Registered =
        Registered::new("copy", "shop", "payment").idempotent(|| "shop::pay", &[], false);
    static OLD: Registered = Registered::new("old", "shop", "payment").idempotent(|| "old", &["pay"], false);
    static OTHER: Registered = Registered::new("other", "shop", "payment").idempotent(|| "other", &[], false);
    let all = || [&PAY, &COPY, &OLD, &OTHER].into_iter();
    assert_eq!(shared_keys(&OTHER, all()), None);
    for handler in [&PAY, &COPY, &OLD] {
        assert!(shared_keys(handler, all()).is_some(), "{handler}");
    }
    assert_eq!(shared_keys(&PAY, [&PAY, &OTHER].into_iter()), None);
}
