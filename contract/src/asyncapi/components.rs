//! Moves definitions to `components/schemas`, under keys that AsyncAPI allows.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::keys::key;
use crate::shape::referred;

/// Gives the schemas under `components` keys that AsyncAPI allows, and lets the references point to them.
pub(super) fn in_components(document: &mut Value) {
    let Some(schemas) = document["components"]["schemas"].as_object_mut().map(std::mem::take) else { return };
    let keys: BTreeMap<String, String> = schemas.keys().map(|name| (name.clone(), key(name))).collect();
    let renamed: Map<String, Value> =
        schemas.into_iter().map(|(name, schema)| (keys[&name].clone(), schema)).collect();
    document["components"]["schemas"] = Value::Object(renamed);
    refer(document, &keys);
}

fn refer(value: &mut Value, keys: &BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get_mut("$ref")
                && let Some(key) = referred(reference).and_then(|name| keys.get(&name))
            {
                *reference = format!("#/components/schemas/{key}");
            }
            fields.values_mut().for_each(|value| refer(value, keys));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| refer(value, keys)),
        _ => {}
    }
}
