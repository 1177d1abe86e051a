//! The arguments of the declaration that have no value in one call, each with the reason.

use serde::{Deserialize, Serialize};

use super::Flow;
use crate::{
    step::{StepError, StepErrorKind},
    text::Text,
};

/// An argument of the declaration whose expression can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Argument {
    /// `when`, which every step uses.
    When,
    /// `id`.
    Id,
    /// `cache`, or its option `key`.
    Key,
    /// `cache(version = …)`.
    Version,
    /// `cache(touches(…))`.
    Touches,
    /// `cache(depends_on(…))`.
    DependsOn,
    /// `actor`.
    Actor,
    /// `message`.
    Message,
    /// `metadata`.
    Metadata,
    /// `graph(to = …)`.
    GraphTo,
    /// `payload`, or the `Ok` value in its place.
    Payload,
    /// The `Ok` value itself, which a relay gives to typed hooks.
    Value,
    /// `cache(value = …)`.
    CacheValue,
    /// `event(payload = …)`.
    EventPayload,
    /// The classification of the error.
    Error,
}

impl Argument {
    /// The name of the argument in messages.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::When => "`when`",
            Self::Id => "`id`",
            Self::Key => "the cache key",
            Self::Version => "the version",
            Self::Touches => "`touches`",
            Self::DependsOn => "`depends_on`",
            Self::Actor => "`actor`",
            Self::Message => "`message`",
            Self::Metadata => "`metadata`",
            Self::GraphTo => "`graph(to = …)`",
            Self::Payload => "the payload",
            Self::Value => "the `Ok` value",
            Self::CacheValue => "`cache(value = …)`",
            Self::EventPayload => "`event(payload = …)`",
            Self::Error => "the error's classification",
        }
    }
}

/// The faults of one call. Nearly every call has none, and then nothing is allocated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Faults(Vec<(Argument, Text)>);

impl Faults {
    pub(crate) fn set(&mut self, argument: Argument, reason: impl Into<Text>) {
        self.clear(argument);
        self.0.push((argument, reason.into()));
    }

    /// Removes the fault of an argument that has another value now.
    pub(crate) fn clear(&mut self, argument: Argument) {
        self.0.retain(|(faulty, _)| *faulty != argument);
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn has(&self, argument: Argument) -> bool {
        self.0.iter().any(|(faulty, _)| *faulty == argument)
    }

    fn first_of(&self, used: &[Argument]) -> Option<&Text> {
        self.0.iter().find(|(faulty, _)| used.contains(faulty)).map(|(_, reason)| reason)
    }
}

impl Flow {
    /// The failure of a step that uses these arguments, if one of them has no value. Every step uses `when`.
    pub(crate) fn fault(&self, used: &[Argument]) -> Option<StepError> {
        let faults = &self.values.faults;
        if faults.is_empty() {
            return None;
        }
        let reason = faults.first_of(&[Argument::When]).or_else(|| faults.first_of(used))?;
        Some(StepError::of_kind(StepErrorKind::Argument, reason.clone()))
    }

    /// The failure of a step that uses the entity's name, if the argument that names the entity has no value.
    pub(crate) fn entity_fault(&self) -> Option<StepError> {
        let names: &[_] = if self.values.id.is_some() { &[] } else { &[Argument::Id, Argument::Key] };
        self.fault(names)
    }
}
