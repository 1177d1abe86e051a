//! The values of the declaration's expressions in one call.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Argument, Payload, cached::Cached, faults::Faults, stored::is_default};
use crate::{
    step::contain,
    text::{Text, text},
};

/// The values of the declaration's expressions in this call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Values {
    #[serde(skip_serializing_if = "is_default")]
    pub id: Option<Text>,
    /// The entity's name is known before the body runs, so both arms know it.
    #[serde(skip_serializing_if = "is_default")]
    pub named_at_entry: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub cache_key: Option<Text>,
    #[serde(skip_serializing_if = "is_default")]
    pub version: Option<i64>,
    #[serde(skip_serializing_if = "is_default")]
    pub actor: Option<Text>,
    #[serde(skip_serializing_if = "is_default")]
    pub graph_to: Option<Text>,
    #[serde(skip_serializing_if = "is_default")]
    pub metadata: Option<Arc<Map<String, Value>>>,
    #[serde(skip_serializing_if = "is_default")]
    pub payload: Payload,
    /// The handler returned `Ok`, and there is no payload because the type of the value is not `Serialize`.
    #[serde(skip_serializing_if = "is_default")]
    pub not_serialize: bool,
    /// The `Ok` value, for typed hooks that are run by a relay.
    #[serde(skip_serializing_if = "is_default")]
    pub value: Option<Payload>,
    #[serde(skip_serializing_if = "is_default")]
    pub cache_value: Option<Payload>,
    #[serde(skip_serializing_if = "is_default")]
    pub event_payload: Option<Payload>,
    /// The type of the cached value if this process has serialised it; otherwise empty.
    #[serde(skip)]
    pub payload_type: &'static str,
    #[serde(skip)]
    pub cache_value_type: &'static str,
    /// The values of a template's holes that were evaluated at entry, for a text that is completed after the body.
    #[serde(skip)]
    pub kept: Vec<Text>,
    /// What the call does with the read-through cache.
    #[serde(skip_serializing_if = "Cached::is_unused")]
    pub cached: Cached,
    /// The arguments that have no value: the steps that use them fail.
    #[serde(skip_serializing_if = "Faults::is_empty")]
    pub faults: Faults,
}

/// Makes a name. An empty name is `None`, because all entities with an empty name would share it.
///
/// # Panics
/// Panics if the `Display` of the value fails, as `to_string` does, because a part of a name could be the name of another entity.
pub(crate) fn name(value: &dyn fmt::Display) -> Option<Text> {
    let name = text!("{value}");
    (!name.is_empty()).then_some(name)
}

impl Values {
    /// The entity's name: the argument `id`, otherwise the cache key. If the id is declared but has no value, the key does not replace it.
    pub(crate) fn entity(&self) -> Option<&Text> {
        match &self.id {
            None if self.faults.has(Argument::Id) => None,
            None => self.cache_key.as_ref(),
            id => id.as_ref(),
        }
    }

    /// Removes the values that only a success has; an expression over the parameters may have set them before the body ran.
    pub(crate) fn drop_payloads(&mut self) {
        self.payload = Payload::NULL;
        self.not_serialize = false;
        self.value = None;
        self.cache_value = None;
        self.event_payload = None;
    }

    pub(crate) fn set_cache_key(&mut self, key: &dyn fmt::Display) {
        self.cache_key = self.named(Argument::Key, key, "the cache key is empty");
    }

    pub(crate) fn set_id(&mut self, id: &dyn fmt::Display) {
        self.id = self.named(Argument::Id, id, "the id is empty");
    }

    pub(crate) fn set_graph_to(&mut self, to: &dyn fmt::Display) {
        self.graph_to = self.named(Argument::GraphTo, to, "the value of `to` is empty");
    }

    fn named(&mut self, argument: Argument, value: &dyn fmt::Display, empty: &'static str) -> Option<Text> {
        self.faults.clear(argument);
        let name = name(value);
        if name.is_none() {
            self.faults.set(argument, Text::new_static(empty));
        }
        name
    }

    /// Serialises the value of an argument. If that fails or panics, the steps that use it fail.
    pub(crate) fn serialise<T: Serialize + ?Sized>(&mut self, argument: Argument, value: &T) -> Payload {
        self.faults.clear(argument);
        let error = match contain(|| Payload::of(value)) {
            Ok(Ok(payload)) => return payload,
            Ok(Err(error)) => error.to_string(),
            Err(panicked) => panicked.to_string(),
        };
        self.not_serialised(argument, &error);
        Payload::NULL
    }

    pub(crate) fn set_metadata<T: Serialize + ?Sized>(&mut self, metadata: &T) {
        self.faults.clear(Argument::Metadata);
        self.metadata = None;
        // A value that is no payload is no metadata either. The value is serialised once, since its own code may be slow or have effects.
        match contain(|| Payload::of(metadata).and_then(|payload| payload.decode())) {
            Ok(Ok(Value::Object(fields))) => self.metadata = Some(Arc::new(fields)),
            Ok(Ok(other)) => self.faults.set(Argument::Metadata, no_object(&other)),
            Ok(Err(error)) => self.not_serialised(Argument::Metadata, &error),
            Err(panicked) => self.not_serialised(Argument::Metadata, &panicked),
        }
    }

    fn not_serialised(&mut self, argument: Argument, error: &dyn fmt::Display) {
        let name = argument.name();
        self.faults.set(argument, text!("{name} cannot be serialised: {error}"));
    }
}

/// The error of metadata that is not an object. Metadata needs fields, because those of several flows are merged by name.
fn no_object(value: &Value) -> Text {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    text!(
        "`metadata` is {kind}, and must be a JSON object: give the value a name, as in `json!({{ \"note\": value }})`, or use a struct or \
         a map"
    )
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use serde::Serializer;

    use super::*;

    /// Counts how often it is serialised.
    #[derive(Default)]
    struct Counted(Cell<u32>);

    impl Serialize for Counted {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.set(self.0.get() + 1);
            [("b", 1), ("a", 2)]
                .into_iter()
                .collect::<std::collections::HashMap<_, _>>()
                .serialize(serializer)
        }
    }

    #[test]
    fn metadata_is_serialised_once() {
        let (metadata, mut values) = (Counted::default(), Values::default());
        values.set_metadata(&metadata);
        assert_eq!(metadata.0.get(), 1);
        let fields = values.metadata.as_deref().unwrap();
        assert_eq!(Value::Object(fields.clone()), serde_json::json!({ "a": 2, "b": 1 }));
        values.set_metadata(&f64::NAN);
        assert!(values.metadata.is_none() && values.faults.has(Argument::Metadata));
    }
}
