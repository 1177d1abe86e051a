//! Review jobs, alerts and patterns.

use std::sync::Arc;

use graceful::{
    Orchestrator, Severity,
    backends::{Alert, Alerter, IncidentCursor, Job, Page, PatternUse, escaped},
    operations::json,
};
use serde_json::{Value, json};

use super::more;
use crate::{
    command::OpenPage,
    exit::{Exit, Problem},
    output::{Cell, Colour, Output},
};

/// Lists a page of the open review jobs.
pub(crate) async fn jobs(
    output: &mut Output,
    OpenPage { filter, limit, after }: OpenPage,
    orchestrator: &Orchestrator,
) -> Result<Exit, Problem> {
    let missing = "the orchestrator has no scheduler: set one by `OrchestratorBuilder::scheduler`";
    let scheduler = orchestrator.scheduler().ok_or_else(|| Problem::refused(missing))?;
    let Page { items: jobs, next } = scheduler.jobs(filter, after, limit).await?;
    if output.json {
        let (jobs, next): (Vec<Value>, _) =
            (jobs.iter().map(json::job).collect(), next.map(|next| next.to_string()));
        output.value(&json!({ "jobs": jobs, "next": next }));
        return Ok(Exit::Done);
    }
    let row = |job: &Job| {
        let (due, opened_at) = (Cell::new(json::time(job.due)), Cell::new(json::time(job.opened_at)));
        let (bumps, attempts) = (Cell::new(job.bumps), Cell::new(job.attempts));
        let (entity, owner) = (Cell::new(&job.entity), Cell::new(&job.owner));
        [
            due,
            opened_at,
            bumps,
            attempts,
            Cell::new(job.code),
            entity,
            owner,
            Cell::optional(job.error.as_ref()),
        ]
    };
    let rows: Vec<_> = jobs.iter().map(row).collect();
    output.table(["DUE", "OPENED", "FLOWS", "ATTEMPTS", "CODE", "ENTITY", "OWNER", "ERROR"], &rows);
    more(output, next);
    Ok(Exit::Done)
}

fn alerter(orchestrator: &Orchestrator) -> Result<&Arc<dyn Alerter>, Problem> {
    let missing = "the orchestrator has no alerts: set them by `OrchestratorBuilder::alerts`";
    orchestrator.alerts().ok_or_else(|| Problem::refused(missing))
}

/// Lists a page of the open alerts.
pub(crate) async fn open_alerts(
    output: &mut Output,
    OpenPage { filter, limit, after }: OpenPage,
    orchestrator: &Orchestrator,
) -> Result<Exit, Problem> {
    alerts(output, alerter(orchestrator)?.open(filter, after, limit).await?);
    Ok(Exit::Done)
}

/// Lists so many resolved alerts, the newest first.
pub(crate) async fn resolved_alerts(
    output: &mut Output,
    limit: usize,
    orchestrator: &Orchestrator,
) -> Result<Exit, Problem> {
    let items = alerter(orchestrator)?.resolved(limit).await?;
    alerts(output, Page { items, next: None });
    Ok(Exit::Done)
}

/// Writes a page of alerts.
fn alerts(output: &mut Output, Page { items: alerts, next }: Page<Alert, IncidentCursor>) {
    if output.json {
        let (alerts, next): (Vec<Value>, _) =
            (alerts.iter().map(json::alert).collect(), next.map(|next| next.to_string()));
        output.value(&json!({ "alerts": alerts, "next": next }));
        return;
    }
    let row = |alert: &Alert| {
        let is_severe = matches!(alert.severity, Severity::Critical | Severity::Error);
        let severity = Cell::new(alert.severity.as_str()).colour(is_severe.then_some(Colour::Red));
        let (fired, last) =
            (Cell::new(json::time(alert.fired_at)), Cell::new(json::time(alert.last_fired_at)));
        let (count, resolved) = (Cell::new(alert.count), Cell::optional(alert.resolved_at.map(json::time)));
        let (entity, owner) = (Cell::new(&alert.entity), Cell::new(&alert.owner));
        [severity, count, fired, last, resolved, entity, owner, Cell::new(&alert.message)]
    };
    let rows: Vec<_> = alerts.iter().map(row).collect();
    let headings = ["SEVERITY", "FLOWS", "FIRED", "LAST FIRED", "RESOLVED", "ENTITY", "OWNER", "MESSAGE"];
    output.table(headings, &rows);
    more(output, next);
}

/// Lists a page of the used patterns.
pub(crate) async fn patterns(
    output: &mut Output,
    after: Option<&str>,
    limit: usize,
    orchestrator: &Orchestrator,
) -> Result<Exit, Problem> {
    let missing = "the orchestrator has no registry of patterns: set one by `OrchestratorBuilder::nexus`";
    let nexus = orchestrator.nexus().ok_or_else(|| Problem::refused(missing))?;
    let mut patterns = nexus.patterns(after, limit.saturating_add(1)).await?;
    let are_more = patterns.len() > limit;
    patterns.truncate(limit);
    let next = patterns.last().filter(|_| are_more).map(|used| used.pattern.to_string());
    if output.json {
        output.value(
            &json!({ "patterns": patterns.iter().map(json::pattern).collect::<Vec<Value>>(), "next": next }),
        );
        return Ok(Exit::Done);
    }
    let row = |used: &PatternUse| {
        let (first, last) = (json::time(used.first_used), json::time(used.last_used));
        [Cell::new(&used.pattern), Cell::new(used.count), Cell::new(first), Cell::new(last)]
    };
    let rows: Vec<_> = patterns.iter().map(row).collect();
    output.table(["PATTERN", "USES", "FIRST USED", "LAST USED"], &rows);
    // As a word of a shell.
    more(output, next.map(|name| format!("'{}'", escaped(&name).replace('\'', "'\\''"))));
    Ok(Exit::Done)
}
