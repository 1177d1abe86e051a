//! JSON Schema of draft 07 → nodes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{Bounds, Node, Presence, Type, part, referred};

/// Keywords that limit values and are compared as they are.
const CONSTRAINTS: [&str; 12] = [
    "contentEncoding",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxItems",
    "maxLength",
    "maxProperties",
    "minItems",
    "minLength",
    "minProperties",
    "multipleOf",
    "pattern",
    "uniqueItems",
];

pub(super) struct Walk<'a> {
    definitions: &'a Map<String, Value>,
    /// The definitions around the current place, and where each begins.
    open: Vec<(&'a str, String)>,
    pub(super) nodes: BTreeMap<String, Node>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(definitions: &'a Map<String, Value>) -> Self {
        Self { definitions, open: Vec::new(), nodes: BTreeMap::new() }
    }

    /// Adds the nodes of a schema at `path`.
    pub(super) fn schema<'s: 'a>(&mut self, schema: &'s Value, path: &str, presence: Presence) {
        self.node(path).presence = presence;
        self.say(schema, path);
    }

    fn node(&mut self, path: &str) -> &mut Node {
        self.nodes.entry(path.to_owned()).or_default()
    }

    /// Adds what a schema says of the node that exists.
    fn say<'s: 'a>(&mut self, schema: &'s Value, path: &str) {
        let Some(schema) = schema.as_object() else { return };
        if schema.contains_key("$ref") && self.target(schema).is_none() {
            // A value that can be anything would be compatible with every type.
            self.node(path).types.insert(Type::Unchecked);
        }
        if let Some((name, target)) = self.target(schema) {
            match self.open.iter().find(|(open, _)| *open == name) {
                Some((_, place)) => self.node(path).same_as = Some(place.clone()),
                None => {
                    self.open.push((name, path.to_owned()));
                    self.say(target, path);
                    self.open.pop();
                }
            }
        }
        for all in list(schema, "allOf") {
            self.say(all, path);
        }
        for of in ["anyOf", "oneOf"] {
            self.alternatives(list(schema, of), path);
        }
        self.scalars(schema, path);
        self.fields(schema, path);
        self.items(schema, path);
        let values = list(schema, "enum").iter().chain(schema.get("const"));
        values.for_each(|value| self.value(value, path));
    }

    /// What a reference points to.
    fn target(&self, schema: &Map<String, Value>) -> Option<(&'a str, &'a Value)> {
        let name = referred(schema.get("$ref")?.as_str()?)?;
        self.definitions.get_key_value(&name).map(|(name, target)| (name.as_str(), target))
    }

    fn scalars(&mut self, schema: &Map<String, Value>, path: &str) {
        let types = match schema.get("type") {
            Some(Value::String(one)) => Type::parse(one).into_iter().collect(),
            Some(Value::Array(several)) => {
                several.iter().filter_map(Value::as_str).filter_map(Type::parse).collect()
            }
            _ => BTreeSet::new(),
        };
        let node = self.node(path);
        let is_integer = types.contains(&Type::Integer);
        node.types.extend(types);
        let integer = |name: &str| schema.get(name).and_then(Value::as_number)?.as_i128();
        if is_integer {
            node.bounds =
                node.bounds.narrowed(Bounds { least: integer("minimum"), most: integer("maximum") });
        }
        if let Some(format) = schema.get("format").and_then(Value::as_str) {
            match Bounds::of_format(format).filter(|_| is_integer) {
                Some(bounds) => node.bounds = node.bounds.narrowed(bounds),
                None => {
                    node.constraints.insert("format".to_owned(), format.to_owned());
                }
            }
        }
        let of_numbers = ["minimum", "maximum"].into_iter().filter(|_| !is_integer);
        for name in CONSTRAINTS.into_iter().chain(of_numbers) {
            if let Some(value) = schema.get(name) {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                node.constraints.insert(name.to_owned(), text);
            }
        }
        node.is_closed |= schema.get("additionalProperties") == Some(&Value::Bool(false));
    }

    fn fields<'s: 'a>(&mut self, schema: &'s Map<String, Value>, path: &str) {
        let required: BTreeSet<_> = list(schema, "required").iter().filter_map(Value::as_str).collect();
        for (name, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let presence = match required.contains(name.as_str()) {
                true => Presence::Required,
                false => Presence::Optional,
            };
            self.schema(field, &format!("{path}.{}", part(name)), presence);
        }
        let patterns = schema.get("patternProperties").and_then(Value::as_object);
        let values = patterns.into_iter().flat_map(Map::values).chain(schema.get("additionalProperties"));
        for value in values.filter(|value| value.as_object().is_some_and(|value| !value.is_empty())) {
            self.schema(value, &format!("{path}{{}}"), Presence::Always);
        }
    }

    fn items<'s: 'a>(&mut self, schema: &'s Map<String, Value>, path: &str) {
        match schema.get("items") {
            Some(Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.schema(item, &format!("{path}[{index}]"), Presence::Always);
                }
            }
            Some(items) => self.schema(items, &format!("{path}[]"), Presence::Always),
            None => {}
        }
    }

    /// A value of an enumeration.
    fn value(&mut self, value: &Value, path: &str) {
        let of = type_of(value);
        self.node(path).types.insert(of);
        if of != Type::Null {
            let place = format!("{path}={}", part(&value.to_string()));
            self.nodes.insert(place, Node::of([of]));
        }
    }

    fn alternatives<'s: 'a>(&mut self, alternatives: &'s [Value], path: &str) {
        let is_null = |schema: &&Value| schema.get("type").and_then(Value::as_str) == Some("null");
        if alternatives.iter().any(|schema| is_null(&schema)) {
            self.node(path).types.insert(Type::Null);
        }
        let others: Vec<_> = alternatives.iter().filter(|schema| !is_null(schema)).collect();
        if let [only] = others[..] {
            self.say(only, path);
            return;
        }
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for alternative in others {
            let Some(resolved) = self.resolved(alternative) else { continue };
            if is_enumeration(resolved) {
                self.say(alternative, path);
                continue;
            }
            let label = label(resolved);
            let count = seen.entry(label.clone()).or_default();
            *count += 1;
            let label = if *count > 1 { format!("{label}%{count}") } else { label };
            let place = format!("{path}|{label}");
            self.schema(alternative, &place, Presence::Always);
            let types = self.node(&place).types.clone();
            self.node(path).types.extend(types);
        }
    }

    /// The schema to which a reference points, otherwise itself.
    fn resolved<'s: 'a>(&self, schema: &'s Value) -> Option<&'a Map<String, Value>> {
        let own: &'a Map<String, Value> = schema.as_object()?;
        self.target(own).map_or(Some(own), |(_, target)| target.as_object())
    }
}

fn list<'s>(schema: &'s Map<String, Value>, name: &str) -> &'s [Value] {
    schema.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn is_enumeration(schema: &Map<String, Value>) -> bool {
    schema.contains_key("const") || schema.contains_key("enum")
}

fn type_of(value: &Value) -> Type {
    match value {
        Value::Null => Type::Null,
        Value::Bool(_) => Type::Boolean,
        Value::Number(number) if number.is_f64() => Type::Number,
        Value::Number(_) => Type::Integer,
        Value::String(_) => Type::String,
        Value::Array(_) => Type::Array,
        Value::Object(_) => Type::Object,
    }
}

/// The name of an alternative: that of its variant where the value shows it, otherwise its type.
fn label(schema: &Map<String, Value>) -> String {
    let properties = schema.get("properties").and_then(Value::as_object);
    let required: Vec<_> = list(schema, "required").iter().filter_map(Value::as_str).collect();
    let tag = properties.into_iter().flatten().find_map(|(name, field)| {
        let field = field.as_object()?;
        let value = field.get("const").or_else(|| match list(field, "enum") {
            [only] => Some(only),
            _ => None,
        })?;
        let value = value.as_str()?;
        required.contains(&name.as_str()).then(|| format!("{}:{}", part(name), part(value)))
    });
    let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    match (tag, &required[..], properties) {
        (Some(tag), ..) => tag,
        (None, [only], Some(properties)) if is_closed && properties.len() == 1 => part(only),
        _ => schema.get("type").and_then(Value::as_str).unwrap_or("any").to_owned(),
    }
}
