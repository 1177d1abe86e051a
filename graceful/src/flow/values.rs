//! What the declaration's expressions came to in one call.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use smol_str::{SmolStr, format_smolstr};

use super::Payload;
use crate::step::contain;

/// What the declaration's expressions came to in this call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Values {
    pub id: Option<SmolStr>,
    /// The entity has a name already when the handler begins, so that both outcomes know it.
    pub named_at_entry: bool,
    pub cache_key: Option<SmolStr>,
    pub version: Option<i64>,
    pub actor: Option<SmolStr>,
    /// Empty: it was declared, and came to nothing.
    pub graph_to: Option<SmolStr>,
    pub metadata: Option<Arc<Map<String, Value>>>,
    pub payload: Payload,
    /// The `Ok` value, for typed hooks that are run by a relay.
    pub value: Option<Payload>,
    pub cache_value: Option<Payload>,
    pub event_payload: Option<Payload>,
    /// What the holes of a template came to at entry, for a text that is complete only after the body.
    #[serde(skip)]
    pub kept: Vec<SmolStr>,
    /// An expression panicked, or its value could not be serialised: the steps that need it say so.
    pub fault: Option<SmolStr>,
    /// The same of the `metadata` argument, which is another step's affair.
    pub metadata_fault: Option<SmolStr>,
}

/// A name from what can be shown. An empty one would be shared by all entities that have none.
///
/// # Panics
/// Where its `Display` fails, as `to_string` does: half a name could be another's.
pub(crate) fn name(value: &dyn fmt::Display) -> Option<SmolStr> {
    let name = format_smolstr!("{value}");
    (!name.is_empty()).then_some(name)
}

impl Values {
    pub(crate) fn is_named(&self) -> bool {
        self.id.is_some() || self.cache_key.is_some()
    }

    /// Values are the success flow's: an error has none, whatever an expression over the parameters came to.
    pub(crate) fn drop_payloads(&mut self) {
        self.payload = Payload::NULL;
        self.value = None;
        self.cache_value = None;
        self.event_payload = None;
    }

    pub(crate) fn set_cache_key(&mut self, key: &dyn fmt::Display) {
        self.cache_key = name(key);
        if self.cache_key.is_none() {
            self.fault = Some(SmolStr::new_static("the cache key is empty"));
        }
    }

    pub(crate) fn set_id(&mut self, id: &dyn fmt::Display) {
        self.id = name(id);
        if self.id.is_none() {
            self.fault = Some(SmolStr::new_static("the id is empty"));
        }
    }

    /// Serialises a value; where that fails, or panics, the steps that need it say so.
    pub(crate) fn serialise<T: Serialize + ?Sized>(&mut self, what: &str, value: &T) -> Payload {
        match contain(|| Payload::of(value)) {
            Ok(Ok(payload)) => return payload,
            Ok(Err(error)) => self.fault = Some(format_smolstr!("`{what}` cannot be serialised: {error}")),
            Err(panicked) => self.fault = Some(format_smolstr!("`{what}` cannot be serialised: {panicked}")),
        }
        Payload::NULL
    }

    pub(crate) fn set_metadata<T: Serialize + ?Sized>(&mut self, metadata: &T) {
        match contain(|| serde_json::to_value(metadata)) {
            Ok(Ok(Value::Object(fields))) => self.metadata = Some(Arc::new(fields)),
            Ok(Ok(_)) => self.metadata_fault = Some(SmolStr::new_static("`metadata` is not an object")),
            Ok(Err(error)) => {
                self.metadata_fault = Some(format_smolstr!("`metadata` cannot be serialised: {error}"));
            }
            Err(panicked) => {
                self.metadata_fault = Some(format_smolstr!("`metadata` cannot be serialised: {panicked}"));
            }
        }
    }
}
