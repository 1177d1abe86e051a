//! A handler's declaration as data, which the expansion makes in a `const`.

use std::{mem, time::Duration};

use super::Reads;
use crate::{
    flow::{AlertOn, Declaration, Declared, Delivery, Identity, OnErr, OnOk, Options, Severity, Tags},
    pipeline::{Durable, Overrides, Start, registry::without_an_orchestrator},
    step::Step,
    text::Text,
};

/// A handler's declaration as data. Each method is one argument of the attribute.
#[derive(Clone, Debug)]
#[must_use]
#[expect(clippy::struct_excessive_bools, reason = "facts of a declaration that do not depend on each other")]
pub struct HandlerSpec {
    declaration: Declaration,
    message: &'static str,
    hooks: Option<Start>,
    durable: Option<&'static Durable>,
    errors_off: bool,
    reads: bool,
    read: Reads,
    /// In a transaction, the commit does not depend on the hold.
    hold_optional: bool,
    /// How long repetitions of an idempotent call get its answer.
    window_ms: u64,
    /// It is called with events.
    subscribes: bool,
}

/// The default window of an idempotent handler: a day.
const WINDOW_MS: u64 = 24 * 60 * 60 * 1000;

/// Replaces a name. The old one is static, so nothing is leaked; a `const` cannot drop it.
const fn set(place: &mut Text, text: &'static str) {
    mem::forget(mem::replace(place, Text::new_static(text)));
}

/// Checks a name that is a constant of the user, by the rules for names that are written as literals.
///
/// # Panics
/// Panics at compile time if it is not a valid name.
#[must_use]
pub const fn name(name: &'static str) -> &'static str {
    assert!(!name.trim_ascii().is_empty(), "an empty name");
    let mut rest = name.as_bytes();
    while let [byte, after @ ..] = rest {
        assert!(!byte.is_ascii_control(), "a name has no control characters, such as `\\n`");
        assert!(
            !matches!(byte, b'{' | b'}'),
            "a name is the same for every call, so it contains no placeholders"
        );
        rest = after;
    }
    name
}

impl HandlerSpec {
    pub const fn new(handler: &'static str, pattern: &'static str, message: &'static str) -> Self {
        const NONE: Text = Text::new_static("");
        Self {
            declaration: Declaration {
                handler: Text::new_static(handler),
                identity: Identity::Name(NONE),
                incident: NONE,
                was: Tags::Static(&[]),
                pattern: Text::new_static(pattern),
                event: NONE,
                failed: NONE,
                relation: NONE,
                to_pattern: NONE,
                tags: Tags::Static(&[]),
                options: Options::DEFAULT,
            },
            message,
            hooks: None,
            durable: None,
            errors_off: false,
            reads: false,
            read: Reads::DEFAULT,
            hold_optional: false,
            window_ms: WINDOW_MS,
            subscribes: false,
        }
    }

    /// Makes the handler a subscriber.
    pub const fn subscribes(mut self) -> Self {
        self.subscribes = true;
        self
    }

    /// Its error flow runs in the last attempt only, and its entity is that of the event.
    pub(super) const fn is_subscriber(&self) -> bool {
        self.subscribes
    }

    /// Lets the handler read through the cache.
    pub const fn reads(mut self) -> Self {
        self.reads = true;
        self
    }

    pub const fn refresh_ms(mut self, refresh: u64) -> Self {
        self.read.refresh_ms = refresh;
        self
    }

    pub const fn wait_ms(mut self, wait: u64) -> Self {
        self.read.wait_ms = wait;
        self
    }

    pub const fn lag_ms(mut self, lag: u64) -> Self {
        self.read.lag_ms = lag;
        self
    }

    /// For a writer, the form is known from its registration.
    pub const fn rev(mut self, rev: u32) -> Self {
        self.read.rev = rev;
        self
    }

    pub const fn per_actor(mut self) -> Self {
        self.read.per_actor = true;
        self
    }

    /// Lets the transaction be committed without a confirmed hold.
    pub const fn hold_optional(mut self) -> Self {
        self.hold_optional = true;
        self
    }

    /// Sets how long repetitions of an idempotent call get its answer.
    pub const fn window_ms(mut self, window: u64) -> Self {
        self.window_ms = window;
        self
    }

    /// Sets the former identities of the handler.
    pub const fn was(mut self, was: &'static [&'static str]) -> Self {
        mem::forget(mem::replace(&mut self.declaration.was, Tags::Static(was)));
        self
    }

    pub(super) const fn window(&self) -> Duration {
        Duration::from_millis(self.window_ms)
    }

    /// The handler's identity, and its former ones.
    pub(super) fn identities(&self) -> impl Iterator<Item = Text> {
        let was = self.declaration.was.iter().map(Text::from);
        std::iter::once(self.declaration.identity.name()).chain(was)
    }

    #[inline]
    pub(super) const fn reads_through(&self) -> bool {
        self.reads
    }

    pub(super) fn read(&self) -> Option<Reads> {
        self.reads.then_some(self.read)
    }

    pub(super) const fn requires_hold(&self) -> bool {
        !self.hold_optional
    }

    pub(super) fn pattern(&self) -> &Text {
        &self.declaration.pattern
    }

    pub(super) fn handler(&'static self) -> &'static str {
        &self.declaration.handler
    }

    pub const fn event(mut self, name: &'static str, failed: &'static str) -> Self {
        set(&mut self.declaration.event, name);
        set(&mut self.declaration.failed, failed);
        self
    }

    pub const fn tags(mut self, tags: &'static [&'static str]) -> Self {
        mem::forget(mem::replace(&mut self.declaration.tags, Tags::Static(tags)));
        self
    }

    pub const fn relation(mut self, relation: &'static str) -> Self {
        set(&mut self.declaration.relation, relation);
        self
    }

    pub const fn to_pattern(mut self, pattern: &'static str) -> Self {
        set(&mut self.declaration.to_pattern, pattern);
        self
    }

    /// Sets the hooks that take only the flow.
    pub const fn hooks(mut self, start: Start) -> Self {
        self.hooks = Some(start);
        self
    }

    /// Sets the handler's identity.
    pub const fn identity(mut self, identity: fn() -> &'static str) -> Self {
        mem::forget(mem::replace(&mut self.declaration.identity, Identity::Item(identity)));
        self
    }

    /// Sets the shared incident.
    pub const fn incident(mut self, name: &'static str) -> Self {
        set(&mut self.declaration.incident, name);
        self
    }

    /// Makes the delivery durable.
    pub const fn durable(mut self, durable: &'static Durable) -> Self {
        self.declaration.options.delivery = Delivery::Durable;
        self.durable = Some(durable);
        self.identity(durable.identity)
    }

    pub const fn delivery(mut self, delivery: Delivery) -> Self {
        self.declaration.options.delivery = delivery;
        self
    }

    pub const fn cache_ttl_ms(mut self, ttl: u64) -> Self {
        self.declaration.options.cache_ttl_ms = ttl;
        self
    }

    pub const fn on_ok(mut self, on_ok: OnOk) -> Self {
        self.declaration.options.on_ok = on_ok;
        self
    }

    pub const fn on_err(mut self, on_err: OnErr) -> Self {
        self.declaration.options.on_err = on_err;
        self
    }

    pub const fn schedule_after_ms(mut self, after: u64) -> Self {
        self.declaration.options.schedule_after_ms = after;
        self
    }

    pub const fn alert_on(mut self, on: AlertOn) -> Self {
        self.declaration.options.alert_on = on;
        self
    }

    pub const fn severity(mut self, severity: Severity) -> Self {
        self.declaration.options.severity = severity;
        self
    }

    pub const fn audit_payload(mut self) -> Self {
        self.declaration.options.audit_payload = true;
        self
    }

    /// Recovers with the last good value; a `max_age` of 0 means any age.
    pub const fn last_good(mut self, max_age_ms: u64) -> Self {
        self.declaration.options.last_good = true;
        self.declaration.options.last_good_max_age_ms = max_age_ms;
        self
    }

    /// Disables the log of server faults.
    pub const fn errors_off(mut self) -> Self {
        self.errors_off = true;
        self
    }

    pub const fn off(mut self, step: Step) -> Self {
        self.declaration.options.off.insert(step);
        self
    }

    pub const fn required(mut self, step: Step) -> Self {
        self.declaration.options.required.insert(step);
        self
    }

    pub const fn timeout_ms(mut self, step: Step, budget: u32) -> Self {
        self.declaration.options.timeouts_ms[step as usize] = budget;
        self
    }

    pub const fn hook(mut self, step: Step) -> Self {
        self.declaration.options.on_success.plain.insert(step);
        self.declaration.options.on_error.plain.insert(step);
        self
    }

    pub const fn hook_ok(mut self, step: Step) -> Self {
        self.declaration.options.on_success.typed.insert(step);
        self
    }

    pub const fn hook_err(mut self, step: Step) -> Self {
        self.declaration.options.on_error.typed.insert(step);
        self
    }

    pub(super) fn declared(&'static self) -> Declared {
        Declared::Static(&self.declaration)
    }

    pub(super) fn message(&self) -> Text {
        Text::new_static(self.message)
    }

    /// Logs that a durable handler is called without an orchestrator, so that no step runs.
    #[inline]
    pub(super) fn without_an_orchestrator(&self) {
        if let Some(durable) = self.durable {
            without_an_orchestrator(durable);
        }
    }

    pub(super) const fn logs_errors(&self) -> bool {
        !self.errors_off
    }

    pub(super) fn overrides(&self) -> Overrides {
        match (self.durable, self.hooks) {
            (Some(durable), _) => Overrides::Durable(durable),
            (None, Some(start)) => Overrides::Declared(start),
            (None, None) => Overrides::None,
        }
    }
}
