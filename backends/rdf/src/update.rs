//! Updates that a server runs: a flow and what it displaces, and what has become too old.

use graceful::backends::Activity;
use jiff::Timestamp;
use oxrdf::Literal;

use super::{
    text::Text,
    triples,
    vocabulary::{
        ENTITIES, ID, PATTERN, PROV_ENDED, PROV_ENTITY, PROV_USED, RELATION, RELATIONS, SERVICE, TENANT, TO,
        TYPE, entity, time,
    },
};

/// Adds a flow, and forgets all but the last flows of its entity.
pub fn record(activity: &Activity, flows_per_entity: usize) -> String {
    let entity = entity(&activity.entity);
    let displaced = Text::of(&[
        &"{ SELECT ?flow WHERE { ?flow ",
        &PROV_USED,
        &" ",
        &entity,
        &" ; ",
        &PROV_ENDED,
        &" ?ended } ",
        &"ORDER BY DESC(?ended) DESC(STR(?flow)) OFFSET ",
        &flows_per_entity,
        &" }",
    ]);
    Text::of(&[
        &"INSERT DATA {\n",
        &triples::all(activity),
        &"} ;\n",
        &forget(&displaced),
        &" ;\n",
        &unsaid(&Text::of(&[&"VALUES ?entity { ", &entity, &" } "])),
    ])
    .into_string()
}

/// Forgets what was before a time.
pub fn sweep(since: Timestamp) -> String {
    let old = Text::of(&[&"?flow ", &PROV_ENDED, &" ?ended . FILTER(?ended < ", &time(since), &")"]);
    Text::of(&[&forget(&old), &" ;\n", &unsaid(&Text::default()), &" ;\n", &undescribed()]).into_string()
}

/// Forgets flows and what only they say.
fn forget(flows: &Text) -> Text {
    Text::of(&[
        &"DELETE { ?flow ?p ?o . ?about ?q ?flow } WHERE { ",
        flows,
        &" ?flow ",
        &PROV_USED,
        &" ?about . ",
        &ours("?about"),
        &" { ?flow ?p ?o } UNION { ?about ?q ?flow } }",
    ])
}

/// Forgets relations between entities that no flow says any more.
fn unsaid(entities: &Text) -> Text {
    let relations = Literal::new_simple_literal(RELATIONS);
    Text::of(&[
        &"DELETE { ?entity ?relation ?to } WHERE { ",
        entities,
        &"?entity ?relation ?to . ",
        &"FILTER(STRSTARTS(STR(?relation), ",
        &relations,
        &")) ",
        &ours("?entity"),
        &ours("?to"),
        &"FILTER NOT EXISTS { ?flow ",
        &PROV_USED,
        &" ?entity ; ",
        &RELATION,
        &" ?relation ; ",
        &TO,
        &" ?to } }",
    ])
}

/// Forgets what entities are of which no flow says anything any more.
fn undescribed() -> Text {
    Text::of(&[
        &"DELETE { ?entity ?p ?o } WHERE { ?entity ",
        &TYPE,
        &" ",
        &PROV_ENTITY,
        &" . ",
        &ours("?entity"),
        &"FILTER NOT EXISTS { ?flow ",
        &PROV_USED,
        &" ?entity } ",
        &"FILTER NOT EXISTS { ?flow ",
        &TO,
        &" ?entity } ",
        &"VALUES ?p { ",
        &TYPE,
        &" ",
        &SERVICE,
        &" ",
        &TENANT,
        &" ",
        &PATTERN,
        &" ",
        &ID,
        &" } ?entity ?p ?o }",
    ])
}

/// A server holds what others wrote, too.
fn ours(variable: &'static str) -> Text {
    Text::of(&[&"FILTER(STRSTARTS(STR(", &variable, &"), ", &Literal::new_simple_literal(ENTITIES), &")) "])
}
