//! What the steps left in the backends, read through the traits that they were written through.

use graceful::{
    Orchestrator, StepError,
    backends::{AuditRecord, Edge, IncidentFilter, Node, PatternUse, memory::Subscription},
};

use crate::{print::table, service::User};

type Answer<T> = Result<T, StepError>;

/// The rows of a table of the backends' contents.
const ROWS: [&str; 5] = ["cached value", "metadata", "open jobs", "open alerts", "resolved alerts"];

pub async fn at(orchestrator: &Orchestrator, id: u64) -> Answer<[String; 5]> {
    let cached: Option<User> = orchestrator.cached("user", id).await?;
    let metadata = given(orchestrator.metadata())?.latest(&orchestrator.key("user", id)).await?;
    let jobs = given(orchestrator.scheduler())?.jobs(IncidentFilter::default(), None, 10).await?.items;
    let alerts = given(orchestrator.alerts())?;
    let (open, resolved) =
        (alerts.open(IncidentFilter::default(), None, 10).await?.items, alerts.resolved(10).await?);
    Ok([
        list(cached.iter().map(|user| format!("{} <{}>", user.name, user.email))),
        list(metadata.iter().map(|it| format!("score {}, errors {}", it.score, it.error_count))),
        list(jobs.iter().map(|it| format!("{}, due in {:#}", it.id, it.due.duration_since(it.opened_at)))),
        list(open.iter().map(|it| format!("{}, {}: {}", it.entity, it.severity.as_str(), it.message))),
        list(resolved.iter().map(|it| format!("{}, fired {}x", it.entity, it.count))),
    ])
}

/// How the calls of `get` were answered: on a hit without its body.
pub fn reads(orchestrator: &Orchestrator) -> String {
    let stats = orchestrator.cache_stats("user").unwrap_or_default();
    let counts = [stats.hits, stats.misses, stats.filled].map(|count| count.to_string());
    table(["hits", "misses", "stored loads"], &[counts])
}

/// Two moments side by side.
pub fn both_moments(head: [&str; 2], first: [String; 5], second: [String; 5]) -> String {
    let rows: Vec<_> =
        ROWS.into_iter().zip(first).zip(second).map(|((row, a), b)| [row.to_owned(), a, b]).collect();
    table(["backend", head[0], head[1]], &rows)
}

pub fn inbox(inbox: &mut Subscription) -> String {
    let mut rows = Vec::new();
    while let Ok(event) = inbox.try_recv() {
        let data = event.data();
        rows.push(
            [event.name(), &event.subject().unwrap_or_default(), data.yin_yang, data.message]
                .map(str::to_owned),
        );
    }
    table(["event", "subject", "flow", "message"], &rows)
}

pub async fn audit(orchestrator: &Orchestrator) -> Answer<String> {
    let records = given(orchestrator.audit())?.records(None, 5).await?;
    let row = |record: &AuditRecord| {
        let (at, entity) = (format!("{:.3}", record.at), record.entity.to_string());
        let who = record.actor.as_deref().unwrap_or("nobody");
        [&at, who, &record.handler, &entity, record.code.as_str()].map(str::to_owned)
    };
    Ok(table(["when", "who", "handler", "entity", "code"], &records.iter().map(row).collect::<Vec<_>>()))
}

pub async fn graph(orchestrator: &Orchestrator, id: u64) -> Answer<String> {
    let user = Node::Entity(orchestrator.key("user", id));
    let edges = given(orchestrator.graph())?.neighbours(&user).await?;
    let row = |edge: &Edge| [node(&edge.subject), edge.relation.to_string(), node(&edge.object)];
    Ok(table(["subject", "relation", "object"], &edges.iter().map(row).collect::<Vec<_>>()))
}

fn node(node: &Node) -> String {
    match node {
        Node::Entity(key) => key.to_string(),
        Node::Flow(id) => format!("flow …{}", &id.to_string()[24..]),
    }
}

pub async fn patterns(orchestrator: &Orchestrator) -> Answer<String> {
    let patterns = given(orchestrator.nexus())?.patterns(None, 100).await?;
    let row = |it: &PatternUse| [it.pattern.to_string(), it.count.to_string()];
    Ok(table(["pattern", "uses"], &patterns.iter().map(row).collect::<Vec<_>>()))
}

fn given<T>(backend: Option<T>) -> Answer<T> {
    backend.ok_or_else(|| StepError::new("this orchestrator has no such backend"))
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<_> = items.collect();
    if items.is_empty() { "none".to_owned() } else { items.join("; ") }
}
