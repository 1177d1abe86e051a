//! What values take of memory.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    backends::{Activity, AuditRecord, CacheEntry},
    flow::{Flow, Metadata},
    key::Key,
    text::Text,
};

/// About how many bytes a value takes: itself, and what it points at. What is shared counts with each who shares it.
pub(super) trait Bytes {
    fn bytes(&self) -> usize;
}

impl Bytes for Uuid {
    fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}

impl Bytes for Key {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.heap_bytes()
    }
}

impl Bytes for (Text, bool) {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.0.heap_bytes()
    }
}

impl Bytes for CacheEntry {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.value.as_bytes().len()
    }
}

impl Bytes for AuditRecord {
    fn bytes(&self) -> usize {
        let optional = [&self.actor, &self.user, &self.request_id, &self.event];
        let texts = [&self.handler, &self.environment, &self.message, &self.correlation_id];
        let tags = self.tags.len() * size_of::<Text>();
        let payload = self.payload.as_ref().map_or(0, |payload| payload.as_bytes().len());
        let named =
            texts.into_iter().chain(optional.into_iter().flatten()).chain(&self.tags).map(Text::heap_bytes);
        size_of::<Self>() + self.entity.heap_bytes() + tags + payload + named.sum::<usize>()
    }
}

impl Bytes for Activity {
    fn bytes(&self) -> usize {
        let texts = [&self.message, &self.environment, &self.handler].into_iter();
        let texts = texts.chain(&self.actor).chain(&self.relation).chain(&self.tags).map(Text::heap_bytes);
        let keys = self.entity.heap_bytes() + self.to.as_ref().map_or(0, Key::heap_bytes);
        size_of::<Self>() + keys + self.tags.len() * size_of::<Text>() + texts.sum::<usize>()
    }
}

impl Bytes for Flow {
    fn bytes(&self) -> usize {
        let values = &self.values;
        let payloads = [&values.value, &values.cache_value, &values.event_payload].into_iter().flatten();
        let payloads = payloads.chain([&values.payload]).map(|payload| payload.as_bytes().len());
        let texts = [&values.id, &values.cache_key, &values.actor, &values.graph_to].into_iter().flatten();
        let metadata = self.metadata.as_ref().map_or(0, |metadata| metadata.bytes());
        let declared = values.metadata.as_ref().map_or(0, |declared| fields(declared));
        let texts = texts.chain([&self.message]).map(Text::heap_bytes);
        size_of::<Self>() + payloads.sum::<usize>() + texts.sum::<usize>() + metadata + declared
    }
}

impl Bytes for Metadata {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.related.len() * size_of::<Uuid>() + fields(&self.fields)
    }
}

fn fields(fields: &Map<String, Value>) -> usize {
    fields.iter().map(|(name, field)| size_of::<(String, Value)>() + name.len() + value(field)).sum()
}

/// Beside itself.
fn value(of: &Value) -> usize {
    match of {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| size_of::<Value>() + value(item)).sum(),
        Value::Object(members) => fields(members),
    }
}
