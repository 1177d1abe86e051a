//! The schemas of the types of a program, from one generator, so that two types of one name have two definitions.

use graceful::catalogue::PayloadType;
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::shape::{Shape, Type};

/// Which half of serde a schema describes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Direction {
    /// What is serialised.
    Emitted,
    /// What is deserialised.
    Read,
}

#[derive(Debug)]
pub(crate) struct Schemas(SchemaGenerator);

impl Schemas {
    pub(crate) fn new(direction: Direction) -> Self {
        let settings = SchemaSettings::draft07();
        let settings = match direction {
            Direction::Emitted => settings.for_serialize(),
            Direction::Read => settings.for_deserialize(),
        };
        Self(settings.into_generator())
    }

    /// The schema of a type, if it has one. Its references point into the definitions.
    pub(crate) fn schema(&mut self, of: &PayloadType) -> Option<Value> {
        match of {
            PayloadType::Nothing => Some(json!({ "type": "null" })),
            PayloadType::Schema(schema) => {
                let mut made = schema.generate(&mut self.0);
                for transform in self.0.transforms_mut() {
                    transform.transform(&mut made);
                }
                Some(made.to_value())
            }
            _ => None,
        }
    }

    /// The definitions that the schemas so far refer to, by name.
    pub(crate) fn definitions(&mut self) -> Map<String, Value> {
        self.0.take_definitions(true)
    }

    /// The shape of a value of any of these types.
    pub(crate) fn shape<'a>(mut self, root: &str, types: impl IntoIterator<Item = &'a PayloadType>) -> Shape {
        let mut schemas: Vec<Value> = Vec::new();
        for of in types {
            match (of, self.schema(of)) {
                (_, Some(schema)) if !schemas.contains(&schema) => schemas.push(schema),
                (_, Some(_)) => {}
                (PayloadType::Opaque(_), None) => return Shape::word(root, Type::Opaque),
                (_, None) => return Shape::word(root, Type::Unchecked),
            }
        }
        let schema = match &schemas[..] {
            [only] => only.clone(),
            several => json!({ "anyOf": several }),
        };
        Shape::of(root, &schema, &self.definitions())
    }
}
