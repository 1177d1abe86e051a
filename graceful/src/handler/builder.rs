//! The flow builder, to which the values of the declaration's expressions are written.

use std::{any::type_name, fmt};

use serde::Serialize;

use crate::{
    code::Code,
    flow::{Argument, Flow, Payload, name},
    key::encoded,
    step::{StepError, contain},
    text::{Text, text},
};

/// A flow that is not complete: the expansion's closures fill it, one method per argument.
#[derive(Debug)]
pub struct FlowBuilder<'a> {
    pub(super) flow: &'a mut Flow,
    pub(super) skipped: bool,
    /// Whether the cause of a server fault is logged.
    logs: bool,
    /// The argument that is being evaluated.
    argument: Argument,
    /// How many arguments `needs` was called for in this run of the expressions.
    asked: usize,
    /// How many arguments have been evaluated, or are being evaluated.
    begun: usize,
}

/// The expressions of the declaration, which can be run again. This is a reference, so that functions that take it are compiled once and
/// not per handler.
pub type Fill<'a> = &'a mut dyn FnMut(&mut FlowBuilder<'_>);

/// Takes the ids of entities, one by one.
pub type Each<'a> = &'a mut dyn FnMut(&dyn fmt::Display);

/// A text of several parts.
pub fn text(parts: fmt::Arguments<'_>) -> Text {
    parts.into()
}

/// A part of a key, encoded, so that it cannot contain a separator.
pub fn hole<T: Named + ?Sized>(value: &T) -> Text {
    text!("{}", encoded(&text!("{value}")))
}

/// A part of a readable text.
pub fn shown<'a, T: Shown + ?Sized>(value: &'a &'a T) -> &'a dyn fmt::Display {
    value
}

/// A type that can be shown in a text.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be shown in a text: it does not implement `Display`",
    label = "this becomes a readable text, so its placeholders need `Display`",
    note = "name a field that implements it, such as `{{user.name}}`; for an `Option`, give a text for `None`, as in \
            `{{user.nick.as_deref().unwrap_or(\"none\")}}`"
)]
pub trait Shown: fmt::Display {}
#[diagnostic::do_not_recommend]
impl<T: fmt::Display + ?Sized> Shown for T {}

/// The type of a parameter that an expression uses together with the `Ok` value.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not `Copy`, so the body may have moved this parameter before the expression over `result` is evaluated",
    label = "used together with `result`",
    note = "use a template, whose placeholders are evaluated one by one: \"{{tenant}}/{{result.id}}\""
)]
pub trait Kept: Copy {}
#[diagnostic::do_not_recommend]
impl<T: Copy> Kept for T {}

/// Requires that a parameter is `Copy`.
pub fn kept<T: Kept>(_: &T) {}

/// A type that can name an entity.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot name an entity: it does not implement `Display`",
    label = "this becomes a key, an id or an actor, so it needs `Display`",
    note = "name a field that does, such as `user.id`, or use a template: \"{{tenant}}/{{user.id}}\"",
    note = "for an `Option`, give a text for `None`, as in `user.nick.as_deref().unwrap_or(\"none\")`; a future is not \
            awaited here: await it in the caller, and pass its value"
)]
pub trait Named: fmt::Display {}
#[diagnostic::do_not_recommend]
impl<T: fmt::Display + ?Sized> Named for T {}

/// A type that can be stored and sent.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored or sent: it does not implement `Serialize`",
    label = "this becomes JSON, so it needs `serde::Serialize`",
    note = "derive `Serialize` for it, or name a part of it that implements it"
)]
pub trait Value: Serialize {}
#[diagnostic::do_not_recommend]
impl<T: Serialize + ?Sized> Value for T {}

/// A type that can be the entity's metadata.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be metadata: it does not implement `Serialize`",
    label = "this becomes a JSON object, so it needs `serde::Serialize`",
    note = "derive `Serialize` for it, or use `serde_json::json!({{…}})`"
)]
pub trait Fields: Serialize {}
#[diagnostic::do_not_recommend]
impl<T: Serialize + ?Sized> Fields for T {}

/// A type that can be a version.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a version: it is not an integer",
    label = "versions are compared, so this must convert to `i64`",
    note = "name an integer field that grows with each change, such as `result.version`"
)]
pub trait Version: Copy {
    fn version(self) -> Option<i64>;
}

macro_rules! versions {
    ($($integer:ty)*) => {$(
        #[diagnostic::do_not_recommend]
        impl Version for $integer {
            fn version(self) -> Option<i64> {
                i64::try_from(self).ok()
            }
        }
    )*};
}

versions!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

#[diagnostic::do_not_recommend]
impl<V: Version> Version for &V {
    fn version(self) -> Option<i64> {
        V::version(*self)
    }
}

impl<'a> FlowBuilder<'a> {
    /// A panic outside of any argument is recorded as a fault of `argument`.
    pub(super) const fn new(flow: &'a mut Flow, logs: bool, argument: Argument) -> Self {
        Self { flow, skipped: false, logs, argument, asked: 0, begun: 0 }
    }

    /// Evaluates the arguments. Returns false if `when` is false. If an expression panics, the steps that use its argument fail, and the
    /// expressions are run again to evaluate the remaining arguments.
    pub(super) fn filled(mut self, fill: Fill<'_>) -> bool {
        loop {
            let begun = self.begun;
            self.asked = 0;
            let Err(error) = contain(|| fill(&mut self)) else { break };
            let reason = text!("{} {}", self.argument.name(), error.message());
            self.flow.values.faults.set(self.argument, reason);
            // The panic was outside of the arguments, so it would happen again.
            if self.begun == begun {
                break;
            }
        }
        !self.skipped
    }
}

impl FlowBuilder<'_> {
    /// Whether the next argument, which is `argument`, must be evaluated.
    pub fn needs(&mut self, argument: Argument) -> bool {
        self.asked += 1;
        // A part of the argument that was evaluated at entry may have panicked; then the argument has no value.
        // Each pattern of `touches` is evaluated for itself.
        let has_failed = argument != Argument::Touches && self.flow.values.faults.has(argument);
        if self.asked <= self.begun || has_failed {
            return false;
        }
        self.begun = self.asked;
        self.argument = argument;
        true
    }

    pub fn key<T: Named + ?Sized>(&mut self, key: &T) {
        self.flow.values.set_cache_key(&key);
    }

    /// The key that a reader has looked up; if it is empty, the reason.
    pub(super) fn read_key(&mut self, key: &Text, fault: Option<&Text>) {
        match fault {
            Some(fault) if key.is_empty() => self.flow.values.faults.set(Argument::Key, fault.clone()),
            _ => self.flow.values.set_cache_key(key),
        }
    }

    pub fn id<T: Named + ?Sized>(&mut self, id: &T) {
        self.flow.values.set_id(&id);
    }

    pub fn actor<T: Named + ?Sized>(&mut self, actor: &T) {
        self.flow.values.actor = name(&actor);
    }

    pub fn graph_to<T: Named + ?Sized>(&mut self, to: &T) {
        self.flow.values.set_graph_to(&to);
    }

    pub fn message<T: Named + ?Sized>(&mut self, message: &T) {
        self.flow.message = name(&message).unwrap_or_default();
    }

    pub fn version<T: Version>(&mut self, version: T) {
        self.flow.values.version = version.version();
        if self.flow.values.version.is_none() {
            self.flow.values.faults.set(Argument::Version, "the version does not fit an `i64`");
        }
    }

    /// Records why a reader's value is not cached.
    pub(super) fn not_cached(&mut self, reason: &'static str) {
        if let Some(Ok(loading)) = self.flow.values.cached.loading() {
            loading.refuse(reason);
        }
    }

    /// Adds entities that the call changes. If the expression panics, it may change any of the pattern.
    pub fn touches(&mut self, pattern: &'static str, ids: impl FnOnce(Each<'_>)) {
        let others = self.flow.values.cached.others_mut();
        if let Err(error) = contain(|| ids(&mut |id| others.touches.push((pattern, text!("{id}"))))) {
            others.touches_any_of.push(pattern);
            let reason = text!("{} {}", Argument::Touches.name(), error.message());
            self.flow.values.faults.set(Argument::Touches, reason);
        }
    }

    /// Adds entities that the cached value shows.
    pub fn depends_on(&mut self, pattern: &'static str, ids: impl FnOnce(Each<'_>)) {
        let others = self.flow.values.cached.others_mut();
        ids(&mut |id| others.depends_on.push((pattern, text!("{id}"))));
    }

    /// Stores a part of a text that is completed after the body.
    pub fn keep(&mut self, index: usize, part: &Text) {
        let kept = &mut self.flow.values.kept;
        // The parts before it may have panicked; they keep their places.
        kept.resize(kept.len().max(index + 1), Text::default());
        kept[index] = part.clone();
    }

    pub fn kept(&self, index: usize) -> &str {
        &self.flow.values.kept[index]
    }

    pub fn when(&mut self, when: bool) {
        self.skipped = !when;
    }

    pub fn metadata<T: Fields + ?Sized>(&mut self, metadata: &T) {
        self.flow.values.set_metadata(metadata);
    }

    pub fn payload<T: Value + ?Sized>(&mut self, payload: &T) {
        self.flow.values.payload = self.flow.values.serialise(Argument::Payload, payload);
        self.flow.values.payload_type = type_name::<T>();
    }

    /// Records that the type of the `Ok` value is not `Serialize`.
    pub(super) const fn no_payload(&mut self) {
        self.flow.values.not_serialize = true;
    }

    pub fn value<T: Value + ?Sized>(&mut self, value: &T) {
        self.flow.values.value = Some(self.flow.values.serialise(Argument::Value, value));
    }

    pub fn cache_value<T: Value + ?Sized>(&mut self, value: &T) {
        self.flow.values.cache_value = Some(self.flow.values.serialise(Argument::CacheValue, value));
        self.flow.values.cache_value_type = type_name::<T>();
    }

    pub fn event_payload<T: Value + ?Sized>(&mut self, payload: &T) {
        self.flow.values.event_payload = Some(self.flow.values.serialise(Argument::EventPayload, payload));
    }

    /// Sets the answer of an idempotent call, as its repetitions get it, or why it cannot be stored.
    pub(super) fn answer(&mut self, answer: impl FnOnce() -> Result<Payload, StepError>) {
        if let Some(answering) = &self.flow.answering {
            answering.set(contain(answer).and_then(|answer| answer));
        }
    }

    pub(super) fn classified(&mut self, code: Code, message: impl Into<Text>) {
        self.flow.code = code;
        self.flow.message = message.into();
    }

    /// Stores the text of the error, which is made only if it will be logged.
    pub(super) fn cause(&mut self, text: impl FnOnce() -> String) {
        if self.logs && self.flow.code.is_server_fault() {
            // If making the text panics, the reason is logged instead.
            let text = contain(text).unwrap_or_else(|error| error.message().to_owned());
            self.flow.cause = Some(text.into());
        }
    }
}
