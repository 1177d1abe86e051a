//! The knowledge graph: the neighbours of an entity, and SPARQL.

mod drawing;

use graceful::{
    Key,
    backends::{AuditFilter, AuditQuery, Edge, Node},
    operations::json,
};
use maud::{Markup, html};
use serde_json::{Value, json};

use self::drawing::drawing;
use crate::{
    actions::sparql_form,
    page::{EntityLink, Frame, Page, PageError, cut, filter_form, link, table, time},
    request::{Query, View},
};

/// How many edges are shown, the newest ones.
const LIMIT: usize = 200;

/// The neighbours of an entity, and the form of a query.
#[derive(Debug)]
pub(crate) struct Graph {
    has_graph: bool,
    shown: Option<Neighbours>,
}

#[derive(Debug)]
struct Neighbours {
    name: String,
    key: Key,
    /// The newest edges, the newest first; `None` if the graph does not answer.
    edges: Option<Vec<Edge>>,
    /// How many there are in all.
    all: usize,
}

impl Page for Graph {
    const PATH: &'static str = "graph";
    const TITLE: &'static str = "Graph";

    async fn load(view: &View, query: &mut Query) -> Result<Self, PageError> {
        let (name, graph) = (query.take("entity")?, view.orchestrator().graph());
        let (Some(name), Some(graph)) = (name, graph) else {
            return Ok(Self { has_graph: graph.is_some(), shown: None });
        };
        view.check_entity(&name)?;
        let key = key_of(view, &name).await?;
        let found = view.shared.number(graph.neighbours(&Node::Entity(key.clone()))).await;
        let found = found.map(|edges| visible(view, edges));
        let all = found.as_ref().map_or(0, Vec::len);
        let edges = found.map(|mut edges| {
            edges.drain(..all.saturating_sub(LIMIT));
            edges.reverse();
            edges
        });
        Ok(Self { has_graph: true, shown: Some(Neighbours { name, key, edges, all }) })
    }

    fn json(&self) -> Value {
        let Some(shown) = &self.shown else { return Value::Null };
        let edges = shown.edges.as_ref().map(|edges| edges.iter().map(edge_json).collect::<Vec<_>>());
        json!({ "entity": shown.name, "edges": edges, "number": shown.all })
    }

    fn html(&self, frame: &Frame<'_>) -> Markup {
        if !self.has_graph {
            return html! { p.none { "This service has no knowledge graph." } };
        }
        let current = self.shown.iter().map(|shown| ("entity", shown.name.clone())).collect::<Vec<_>>();
        html! {
            (filter_form("graph", &[("entity", "users::user:42")], &current))
            @if let Some(shown) = &self.shown { (shown.html(frame)) }
            @if frame.view.access.is_unrestricted() {
                section { h2 { "SPARQL" } (sparql_form(frame, "")) }
            }
        }
    }
}

impl Neighbours {
    fn html(&self, frame: &Frame<'_>) -> Markup {
        let Some(edges) = &self.edges else {
            return html! { p.warning { "Neighbours: –, the graph does not answer." } };
        };
        html! {
            p { "Neighbours of " (EntityLink(&self.name)) }
            @if self.all > LIMIT { p.warning { "There are " (self.all) " edges: the newest " (LIMIT) " are shown." } }
            (drawing(&self.key, edges))
            (edges_table(frame, edges))
        }
    }
}

/// The key of a full name. If that has only the hash of a part, an audit record of the entity has the key.
async fn key_of(view: &View, name: &str) -> Result<Key, PageError> {
    let error = match name.parse::<Key>() {
        Ok(key) => return Ok(key),
        Err(error) => error,
    };
    let mut filter = AuditFilter::default();
    filter.entity = Some(name.to_owned());
    let records = match view.orchestrator().audit() {
        Some(log) if error.is_hashed() => view.shared.number(log.query(AuditQuery::new(filter, 1))).await,
        _ => None,
    };
    let record = records.and_then(|page| page.items.into_iter().next());
    record.map(|record| record.entity).ok_or_else(|| PageError::invalid(error))
}

/// The edges whose ends may be seen.
pub(super) fn visible(view: &View, mut edges: Vec<Edge>) -> Vec<Edge> {
    let may_see = |node: &Node| match node {
        Node::Entity(key) => view.may_see(&key.to_string()),
        Node::Flow(_) => true,
    };
    edges.retain(|edge| may_see(&edge.subject) && may_see(&edge.object));
    edges
}

/// An edge as JSON.
pub(super) fn edge_json(edge: &Edge) -> Value {
    json!({
        "subject": node_name(&edge.subject),
        "relation": edge.relation.as_str(),
        "object": node_name(&edge.object),
        "code": edge.code.as_str(),
        "at": json::time(edge.at),
    })
}

/// A table of edges.
pub(super) fn edges_table(frame: &Frame<'_>, edges: &[Edge]) -> Markup {
    let row = |edge: &Edge| {
        vec![
            node(&edge.subject),
            cut(&edge.relation, 100),
            node(&edge.object),
            html! { (edge.code.as_str()) },
            time(edge.at, frame.now),
        ]
    };
    let rows: Vec<_> = edges.iter().map(row).collect();
    table("Edges of the graph", &["From", "Relation", "To", "Code", "Time"], &rows)
}

fn node(node: &Node) -> Markup {
    html! {
        a.id[matches!(node, Node::Flow(_))] href=(node_link(node)) { (cut(&node_name(node), 200)) }
    }
}

/// The name of a node.
fn node_name(node: &Node) -> String {
    match node {
        Node::Entity(key) => key.to_string(),
        Node::Flow(id) => id.to_string(),
    }
}

/// The link to a node's page.
fn node_link(node: &Node) -> String {
    let name = node_name(node);
    match node {
        Node::Entity(_) => link("entity", &[("entity", &name)]),
        Node::Flow(_) => link("flow", &[("id", &name)]),
    }
}
