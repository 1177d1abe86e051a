//! Queries that find flows.

use graceful::{Key, backends::Node};
use jiff::Timestamp;
use oxrdf::Literal;

use super::{
    text::Text,
    vocabulary::{
        ACTOR, CODE, ENVIRONMENT, FAILED, HANDLER, MESSAGE, PATTERN, PROV_ENDED, PROV_INFORMED, PROV_USED,
        RELATION, SUCCEEDED, TAG, TO, entity, flow, time,
    },
};

/// Servers count in fewer bits than we do.
const MANY: usize = 1_000_000_000;

/// The flows that say something of a node.
pub fn around(node: &Node) -> String {
    match node {
        Node::Flow(id) => rows(&Text::of(&[&"VALUES ?flow { ", &flow(*id), &" }"])),
        Node::Entity(key) => {
            let entity = entity(key);
            rows(&Text::of(&[
                &"{ SELECT DISTINCT ?flow WHERE { { ?flow ",
                &PROV_USED,
                &" ",
                &entity,
                &" } UNION { ?flow ",
                &TO,
                &" ",
                &entity,
                &" } } }",
            ]))
        }
    }
}

/// The newest flows of an entity.
pub fn history(key: &Key, limit: usize) -> String {
    rows(&Text::of(&[
        &"{ SELECT ?flow WHERE { ?flow ",
        &PROV_USED,
        &" ",
        &entity(key),
        &" ; ",
        &PROV_ENDED,
        &" ?ended } ",
        &"ORDER BY DESC(?ended) DESC(STR(?flow)) LIMIT ",
        &limit.min(MANY),
        &" }",
    ]))
}

/// The failed flows of a pattern since a time.
pub fn failures(pattern: &str, since: Timestamp) -> String {
    let pattern = Literal::new_simple_literal(pattern);
    rows(&Text::of(&[
        &"?entity ",
        &PATTERN,
        &" ",
        &pattern,
        &" ; ",
        &FAILED,
        &" ?flow . ",
        &"?flow ",
        &PROV_ENDED,
        &" ?at . FILTER(?at >= ",
        &time(since),
        &")",
    ]))
}

/// A row for each flow, and one more for each of its further tags.
fn rows(flows: &Text) -> String {
    Text::of(&[
        &"SELECT ?flow ?entity ?succeeded ?code ?at ?message ?environment ?handler ?actor ?parent ?relation ?to ?tag ",
        &"WHERE { ", flows,
        &" ?flow ", &PROV_USED, &" ?entity ; ", &CODE, &" ?code ; ", &PROV_ENDED, &" ?at ; ", &MESSAGE, &" ?message .",
        &" OPTIONAL { ?flow ", &ENVIRONMENT, &" ?environment }",
        &" OPTIONAL { ?flow ", &HANDLER, &" ?handler }",
        &" OPTIONAL { ?flow ", &ACTOR, &" ?actor }",
        &" OPTIONAL { ?flow ", &PROV_INFORMED, &" ?parent }",
        &" OPTIONAL { ?flow ", &RELATION, &" ?relation }",
        &" OPTIONAL { ?flow ", &TO, &" ?to }",
        &" OPTIONAL { ?flow ", &TAG, &" ?tag }",
        &" BIND(EXISTS { ?entity ", &SUCCEEDED, &" ?flow } AS ?succeeded) }",
    ])
    .into_string()
}
