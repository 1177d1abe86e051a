//! Updates: add a flow and delete the flows that it displaces; delete expired flows.

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

/// Adds a flow, and deletes all but the last flows of its entity.
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

/// Deletes flows before a time.
pub fn sweep(since: Timestamp) -> String {
    let old = Text::of(&[&"?flow ", &PROV_ENDED, &" ?ended . FILTER(?ended < ", &time(since), &")"]);
    Text::of(&[&forget(&old), &" ;\n", &unsaid(&Text::default()), &" ;\n", &undescribed()]).into_string()
}

/// Deletes flows and the triples that only they have.
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

/// Deletes relations between entities that no flow has any more.
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

/// Deletes the descriptions of entities that no flow refers to any more.
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

/// Restricts a variable to our own entities, because the server may contain data of other programs.
fn ours(variable: &'static str) -> Text {
    Text::of(&[&"FILTER(STRSTARTS(STR(", &variable, &"), ", &Literal::new_simple_literal(ENTITIES), &")) "])
}
