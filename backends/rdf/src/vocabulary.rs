//! The names of things, and back.
//!
//! Names that come from a user are percent-encoded part by part, so that each thing has one IRI and each IRI is valid.

use std::{fmt, str::FromStr};

use graceful::{
    Key, Text,
    backends::{KeySpace, encoded},
};
use jiff::Timestamp;
use oxrdf::{Literal, NamedNode, NamedNodeRef, vocab::xsd};
use percent_encoding::percent_decode_str;
use uuid::Uuid;

macro_rules! terms {
    ($($name:ident = $iri:expr;)*) => {$(
        pub const $name: NamedNodeRef<'static> = NamedNodeRef::new_unchecked($iri);
    )*};
}

terms! {
    TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";

    PROV_ACTIVITY = "http://www.w3.org/ns/prov#Activity";
    PROV_ENTITY = "http://www.w3.org/ns/prov#Entity";
    PROV_USED = "http://www.w3.org/ns/prov#used";
    PROV_ENDED = "http://www.w3.org/ns/prov#endedAtTime";
    PROV_INFORMED = "http://www.w3.org/ns/prov#wasInformedBy";
    PROV_ASSOCIATED = "http://www.w3.org/ns/prov#wasAssociatedWith";

    SUCCEEDED = "urn:graceful:term:succeeded";
    FAILED = "urn:graceful:term:failed";

    // Of a flow.
    CODE = "urn:graceful:term:code";
    MESSAGE = "urn:graceful:term:message";
    ENVIRONMENT = "urn:graceful:term:environment";
    HANDLER = "urn:graceful:term:handler";
    ACTOR = "urn:graceful:term:actor";
    TAG = "urn:graceful:term:tag";
    RELATION = "urn:graceful:term:relation";
    TO = "urn:graceful:term:to";

    // Of an entity.
    SERVICE = "urn:graceful:term:service";
    TENANT = "urn:graceful:term:tenant";
    PATTERN = "urn:graceful:term:pattern";
    ID = "urn:graceful:term:id";
}

pub const ENTITIES: &str = "urn:graceful:entity:";
pub const RELATIONS: &str = "urn:graceful:relation:";
const FLOWS: &str = "urn:uuid:";

fn named(iri: fmt::Arguments<'_>) -> NamedNode {
    NamedNode::new_unchecked(iri.to_string())
}

pub fn entity(key: &Key) -> NamedNode {
    named(format_args!("{ENTITIES}{key}"))
}

pub fn entity_named(iri: &str) -> Option<Key> {
    let mut parts = iri.strip_prefix(ENTITIES)?.split(':').map(decoded);
    let [service, tenant, pattern, id] = [parts.next()??, parts.next()??, parts.next()??, parts.next()??];
    let space = match parts.next() {
        None => KeySpace::Entity,
        Some(space) if space.as_deref() == Some("call") => KeySpace::Call,
        Some(_) => return None,
    };
    parts.next().is_none().then(|| {
        let tenant = Some(&*tenant).filter(|tenant| !tenant.is_empty());
        Key::new(&*service, tenant, &*pattern, &*id).in_space(space)
    })
}

pub fn flow(id: Uuid) -> NamedNode {
    named(format_args!("{FLOWS}{id}"))
}

pub fn flow_named(iri: &str) -> Option<Uuid> {
    Uuid::from_str(iri.strip_prefix(FLOWS)?).ok()
}

pub fn relation(name: &str) -> NamedNode {
    named(format_args!("{RELATIONS}{}", encoded(name)))
}

pub fn relation_named(iri: &str) -> Option<Text> {
    decoded(iri.strip_prefix(RELATIONS)?)
}

/// Who did it; the same people work with every service of a tenant.
pub fn agent(tenant: &str, name: &str) -> NamedNode {
    named(format_args!("urn:graceful:agent:{}:{}", encoded(tenant), encoded(name)))
}

pub fn time(at: Timestamp) -> Literal {
    Literal::new_typed_literal(at.to_string(), xsd::DATE_TIME)
}

fn decoded(part: &str) -> Option<Text> {
    percent_decode_str(part).decode_utf8().ok().map(Text::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_relation_has_one_valid_iri() {
        let parts = ["", "a", ":", "a:b", "call", ":call", "%3A", "<x> \"'\\\n\0", "ü/☂"];
        let mut seen = std::collections::HashSet::new();
        for [service, tenant, pattern] in parts.iter().flat_map(|a| parts.map(|b| [a, b, "user"])) {
            for id in parts {
                for space in [KeySpace::Entity, KeySpace::Call] {
                    let key = Key::new(service, Some(tenant), pattern, id).in_space(space);
                    let iri = entity(&key);
                    NamedNode::new(iri.as_str()).unwrap();
                    assert_eq!(entity_named(iri.as_str()), Some(key));
                    assert!(seen.insert(iri));
                }
            }
        }
        for name in parts {
            assert_eq!(relation_named(relation(name).as_str()).as_deref(), Some(name));
            NamedNode::new(relation(name).into_string()).unwrap();
        }
    }

    #[test]
    fn foreign_iri_names_nothing() {
        for iri in ["", "urn:x", "urn:graceful:entity:a:b:c", "urn:graceful:entity:a:b:c:d:e", "urn:uuid:7"] {
            assert_eq!((entity_named(iri), flow_named(iri), relation_named(iri)), (None, None, None));
        }
    }
}
