//! A handler's declaration as data: made in a `const` by the expansion.

use smol_str::SmolStr;

use crate::{
    AlertOn, Delivery, OnErr, OnOk, Severity, Step,
    flow::{Names, Options, Tags, Work},
};

/// A handler's declaration as data. Each method is one argument of the attribute.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Site {
    handler: &'static str,
    pattern: &'static str,
    message: &'static str,
    event: &'static str,
    failed: &'static str,
    relation: &'static str,
    tags: &'static [&'static str],
    pub(super) options: Options,
}

impl Site {
    pub const fn new(handler: &'static str, pattern: &'static str, message: &'static str) -> Self {
        Self {
            handler,
            pattern,
            message,
            event: "",
            failed: "",
            relation: "",
            tags: &[],
            options: Options::DEFAULT,
        }
    }

    pub const fn event(mut self, name: &'static str, failed: &'static str) -> Self {
        self.event = name;
        self.failed = failed;
        self
    }

    pub const fn tags(mut self, tags: &'static [&'static str]) -> Self {
        self.tags = tags;
        self
    }

    pub const fn delivery(mut self, delivery: Delivery) -> Self {
        self.options.delivery = delivery;
        self
    }

    pub const fn cache_ttl_ms(mut self, ttl: u64) -> Self {
        self.options.cache_ttl_ms = ttl;
        self
    }

    pub const fn on_ok(mut self, on_ok: OnOk) -> Self {
        self.options.on_ok = on_ok;
        self
    }

    pub const fn on_err(mut self, on_err: OnErr) -> Self {
        self.options.on_err = on_err;
        self
    }

    pub const fn relation(mut self, relation: &'static str) -> Self {
        self.relation = relation;
        self
    }

    pub const fn schedule_after_ms(mut self, after: u64) -> Self {
        self.options.schedule_after_ms = after;
        self
    }

    pub const fn alert_on(mut self, on: AlertOn) -> Self {
        self.options.alert_on = on;
        self
    }

    pub const fn severity(mut self, severity: Severity) -> Self {
        self.options.severity = severity;
        self
    }

    /// `max_age` of 0: of any age.
    pub const fn last_good(mut self, max_age_ms: u64) -> Self {
        self.options.last_good = true;
        self.options.last_good_max_age_ms = max_age_ms;
        self
    }

    pub const fn off(mut self, step: Step) -> Self {
        self.options.step_mut(step).off = true;
        self
    }

    pub const fn required(mut self, step: Step) -> Self {
        self.options.step_mut(step).required = true;
        self
    }

    pub const fn timeout_ms(mut self, step: Step, budget: u32) -> Self {
        self.options.step_mut(step).timeout_ms = budget;
        self
    }

    pub const fn hook(mut self, step: Step) -> Self {
        self.options.step_mut(step).on_success = Work::Hook;
        self.options.step_mut(step).on_error = Work::Hook;
        self
    }

    pub const fn hook_ok(mut self, step: Step) -> Self {
        self.options.step_mut(step).on_success = Work::TypedHook;
        self
    }

    pub const fn hook_err(mut self, step: Step) -> Self {
        self.options.step_mut(step).on_error = Work::TypedHook;
        self
    }

    pub(super) fn message(&self) -> SmolStr {
        SmolStr::new_static(self.message)
    }

    pub(super) fn names(&self) -> Names {
        Names {
            handler: SmolStr::new_static(self.handler),
            pattern: SmolStr::new_static(self.pattern),
            event: SmolStr::new_static(self.event),
            failed: SmolStr::new_static(self.failed),
            relation: SmolStr::new_static(self.relation),
            tags: Tags::Static(self.tags),
        }
    }
}
