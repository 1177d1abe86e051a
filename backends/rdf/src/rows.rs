//! Answers as typed rows.

use std::{cmp::Reverse, collections::BTreeMap};

use graceful::{
    StepError, Text,
    backends::{Activity, Edge, Node, Rows, Term},
};

use super::vocabulary::{entity_named, flow_named, relation_named};

pub fn row(values: &[Option<oxrdf::Term>]) -> Vec<Option<Term>> {
    values.iter().map(|cell| cell.as_ref().map(term)).collect()
}

fn term(term: &oxrdf::Term) -> Term {
    match term {
        oxrdf::Term::NamedNode(node) => Term::Iri(node.as_str().into()),
        oxrdf::Term::BlankNode(node) => Term::Blank(node.as_str().into()),
        oxrdf::Term::Literal(literal) => {
            Term::Literal { text: literal.value().into(), datatype: literal.datatype().as_str().into() }
        }
    }
}

/// The answer to an `ASK`.
pub fn answered(answer: bool) -> Rows {
    let answer = term(&oxrdf::Literal::from(answer).into());
    Rows::new(vec![Text::new_static("answer")], vec![vec![Some(answer)]])
}

/// The flows that a query of [`select`](super::select) found, newest first.
pub fn activities(rows: &Rows) -> Result<Vec<Activity>, StepError> {
    let mut activities = BTreeMap::new();
    for row in 0..rows.rows.len() {
        let found = activity(rows, row)
            .ok_or_else(|| StepError::new("the graph contains a flow that `graceful` did not write"))?;
        let tags = found.tags.clone();
        let known: &mut Activity = activities.entry(Reverse((found.at, found.flow))).or_insert(found);
        known.tags.extend(tags);
    }
    let mut activities: Vec<_> = activities.into_values().collect();
    for activity in &mut activities {
        activity.tags.sort_unstable();
        activity.tags.dedup();
    }
    Ok(activities)
}

fn activity(rows: &Rows, row: usize) -> Option<Activity> {
    let cell = |name| rows.get(row, name).map(Term::text);
    let text = |name| cell(name).map(Text::from);
    let mut activity = Activity::new(
        flow_named(cell("flow")?)?,
        entity_named(cell("entity")?)?,
        matches!(cell("succeeded")?, "true" | "1"),
        cell("code")?.parse().ok()?,
        cell("at")?.parse().ok()?,
    );
    activity.message = text("message")?;
    activity.environment = text("environment").unwrap_or_default();
    activity.handler = text("handler").unwrap_or_default();
    activity.actor = text("actor");
    // A name that is there must be one of ours.
    activity.parent = cell("parent").map(|iri| flow_named(iri).ok_or(())).transpose().ok()?;
    activity.tags = text("tag").into_iter().collect();
    activity.relation = cell("relation").map(|iri| relation_named(iri).ok_or(())).transpose().ok()?;
    activity.to = cell("to").map(|iri| entity_named(iri).ok_or(())).transpose().ok()?;
    Some(activity)
}

/// The relations that start or end at a node, oldest first.
pub fn neighbours(activities: &[Activity], node: &Node) -> Vec<Edge> {
    let mut edges: Vec<Edge> = activities.iter().rev().flat_map(Activity::edges).collect();
    edges.retain(|edge| edge.subject == *node || edge.object == *node);
    edges
}
