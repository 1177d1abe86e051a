//! The neighbours of an entity, drawn.

use std::f64::consts::TAU;

use graceful::{
    Code, Key,
    backends::{Edge, Node, escaped},
};
use maud::{Markup, html};

use super::{node_link, node_name};

/// How many neighbours are drawn. The table shows all.
const DRAWN: usize = 16;

/// How many characters a label has at most.
const LABEL: usize = 26;

/// The half axes of the ellipse on which the neighbours are.
const AXES: (f64, f64) = (300.0, 200.0);

/// One neighbour, with its relation to the entity.
struct Neighbour<'e> {
    node: &'e Node,
    relation: &'e str,
    is_outgoing: bool,
    is_failure: bool,
}

/// The drawing: the entity in the middle, its newest neighbours around it. Each node is a link.
pub(super) fn drawing(key: &Key, edges: &[Edge]) -> Markup {
    let centre = Node::Entity(key.clone());
    let mut neighbours: Vec<Neighbour<'_>> = Vec::new();
    for edge in edges {
        let is_outgoing = edge.subject == centre;
        let node = if is_outgoing { &edge.object } else { &edge.subject };
        let is_known =
            neighbours.iter().any(|known| known.node == node && known.relation == edge.relation.as_str());
        if *node != centre && !is_known {
            let is_failure = edge.code != Code::Ok;
            neighbours.push(Neighbour { node, relation: &edge.relation, is_outgoing, is_failure });
        }
    }
    if neighbours.is_empty() {
        return html! {};
    }
    neighbours.truncate(DRAWN);
    let places: Vec<_> = (0..neighbours.len()).map(|number| place(number, neighbours.len())).collect();
    html! {
        svg.graph role="group" aria-labelledby="graph-title" viewBox="-430 -260 860 520" width="860" height="520" {
            title #graph-title { "Neighbours of " (label(&centre)) ". The table below shows the same." }
            @for (neighbour, (x, y)) in neighbours.iter().zip(&places) {
                line.edge.failure[neighbour.is_failure] x1="0" y1="0" x2=(x) y2=(y) {}
                text.relation x=(x / 2) y=(y / 2) text-anchor="middle" {
                    @if neighbour.is_outgoing { (short(neighbour.relation)) " →" } @else { "← " (short(neighbour.relation)) }
                }
            }
            @for (neighbour, (x, y)) in neighbours.iter().zip(&places) { (node(neighbour.node, (*x, *y), neighbour.is_failure)) }
            (node(&centre, (0, 0), false))
        }
    }
}

fn node(node: &Node, (x, y): (i32, i32), is_failure: bool) -> Markup {
    let class = if matches!(node, Node::Entity(_)) { "node entity" } else { "node flow" };
    html! {
        a href=(node_link(node)) {
            title { (escaped(&node_name(node))) }
            rect class=(class) x=(x - 90) y=(y - 14) width="180" height="28" rx="6" {}
            text x=(x) y=(y + 5) text-anchor="middle" { @if is_failure { "✗ " } (label(node)) }
        }
    }
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a few neighbours on a small picture"
)]
fn place(number: usize, of: usize) -> (i32, i32) {
    let angle = TAU * number as f64 / of as f64 - TAU / 4.0;
    ((AXES.0 * angle.cos()) as i32, (AXES.1 * angle.sin()) as i32)
}

/// A short name: of an entity its pattern and id, of a flow the beginning of its id.
fn label(node: &Node) -> String {
    match node {
        Node::Entity(key) => short(&format!("{} {}", key.pattern(), key.id())),
        Node::Flow(id) => format!("flow {}…", &id.to_string()[..13]),
    }
}

fn short(text: &str) -> String {
    let text = escaped(text);
    match text.char_indices().nth(LABEL) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}
