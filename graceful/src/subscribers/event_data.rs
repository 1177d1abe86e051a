//! What a subscriber's handler gets: its parameters.

use std::{
    any::{Any, TypeId, type_name},
    collections::BTreeMap,
    fmt,
    sync::Arc,
};

use jiff::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};

use super::incoming::Incoming;
use crate::{
    backends::ReceivedEvent,
    code::Code,
    flow::Metadata,
    step::StepError,
    text::{Text, text},
};

/// The `data` of an event, as a subscriber receives it. `T` is the type of the value: that of the emitting handler, or one with a part of
/// its fields. The event of an error has no value: `EventData<()>`.
///
/// ```
/// use graceful::{Code, EventData};
///
/// let json = r#"{"code": "OK", "message": "user updated", "result": 7, "yin_yang": "yang", "correlation_id": "c", "service": "users",
///     "entity_id": "42", "timestamp": "2026-01-01T00:00:00Z", "environment": "", "tags": []}"#;
/// let data: EventData<u64> = serde_json::from_str(json)?;
/// assert_eq!((data.code, data.result, data.entity_id.as_deref()), (Code::Ok, 7, Some("42")));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct EventData<T> {
    /// The code of the outcome.
    pub code: Code,
    /// The message that clients may see.
    pub message: Text,
    /// The value of the handler, or the event's own payload.
    pub result: T,
    /// The entity's metadata after the flow.
    #[serde(default)]
    pub metadata: Option<Metadata>,
    /// `yang` on the success flow, `yin` on the error flow.
    pub yin_yang: Text,
    /// The correlation id, which all calls of one business action share.
    pub correlation_id: Text,
    /// The service's name.
    pub service: Text,
    /// The entity's id; `None` if the call belongs to no entity.
    #[serde(default)]
    pub entity_id: Option<Text>,
    /// When the handler ended.
    pub timestamp: Timestamp,
    /// The environment's name.
    #[serde(default)]
    pub environment: Text,
    /// Who made the call.
    #[serde(default)]
    pub actor_id: Option<Text>,
    /// The id of the request.
    #[serde(default)]
    pub request_id: Option<Text>,
    /// The handler's tags.
    #[serde(default)]
    pub tags: Vec<Text>,
}

/// A type that a parameter of a subscriber can have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of a subscriber",
    label = "this type cannot be made from an event",
    note = "a parameter is an `EventData<T>` whose `T` implements `serde::Deserialize`, an `Arc<ReceivedEvent>`, a `State<T>` whose `T` is \
            `Clone + Send + Sync + 'static`, or the transaction that `tx` names"
)]
pub trait FromEvent: Sized {
    /// Creates the parameter.
    ///
    /// # Errors
    /// Fails if the event has another form; then it is parked at once.
    fn from_event(event: &Incoming<'_>) -> Result<Self, StepError>;

    /// The value that it needs; none by default.
    fn needs() -> Option<Needed> {
        None
    }
}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> FromEvent for EventData<T> {
    fn from_event(event: &Incoming<'_>) -> Result<Self, StepError> {
        event.data()
    }
}

#[diagnostic::do_not_recommend]
impl FromEvent for Arc<ReceivedEvent> {
    fn from_event(event: &Incoming<'_>) -> Result<Self, StepError> {
        event.whole().cloned()
    }
}

/// A value of the program, such as a client, which [`Subscribers::provide`](super::Subscribers::provide) provides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State<T>(pub T);

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync + 'static> FromEvent for State<T> {
    fn from_event(event: &Incoming<'_>) -> Result<Self, StepError> {
        let value = event.provided.0.get(&TypeId::of::<T>()).and_then(|value| value.downcast_ref::<T>());
        let missing = || StepError::new(text!("no `{}` was provided", type_name::<T>()));
        value.cloned().map(Self).ok_or_else(missing)
    }

    fn needs() -> Option<Needed> {
        Some(Needed { id: TypeId::of::<T>(), name: type_name::<T>() })
    }
}

/// The type of a value that must be provided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needed {
    pub(super) id: TypeId,
    pub(super) name: &'static str,
}

/// The values that were provided, by their types.
#[derive(Clone, Default)]
pub struct Provided(BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl Provided {
    pub(super) fn add<T: Send + Sync + 'static>(&mut self, value: T) {
        self.0.insert(TypeId::of::<T>(), Arc::new(value));
    }

    pub(super) fn has(&self, needed: Needed) -> bool {
        self.0.contains_key(&needed.id)
    }
}

impl fmt::Debug for Provided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provided").field("values", &self.0.len()).finish_non_exhaustive()
    }
}
