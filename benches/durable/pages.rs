//! The cost of each page of the console.

use axum::{Router, body::Body};
use graceful::{Orchestrator, OrchestratorBuilder, RelaySettings};
use graceful_console::{Console, access::Access};
use http::Request;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::median;

/// The pages that read the flows.
const OF_FLOWS: [(&str, &str); 8] = [
    ("overview", "/"),
    ("flows", "/flows"),
    ("dead flows of a handler", "/flows?state=dead&handler=svc::handler_8"),
    ("one flow", "/flow?id=00000000-0000-0000-0000-000000000008"),
    ("failures", "/groups"),
    ("an entity", "/entity?entity=svc:t8:user:2"),
    ("operations", "/operations"),
    ("settings", "/settings"),
];

/// The pages that read the audit records.
const OF_AUDIT: [(&str, &str); 3] =
    [("audit", "/audit"), ("audit of an actor", "/audit?actor=actor_3"), ("audit since", "/audit?since=1h")];

/// The pages of a store with flows.
pub async fn of_flows(builder: OrchestratorBuilder) -> Vec<(String, f64)> {
    measured(builder, &OF_FLOWS).await
}

/// The pages of a store with audit records.
pub async fn of_audit(builder: OrchestratorBuilder) -> Vec<(String, f64)> {
    measured(builder, &OF_AUDIT).await
}

async fn measured(builder: OrchestratorBuilder, pages: &[(&str, &str)]) -> Vec<(String, f64)> {
    let orchestrator: Orchestrator = builder.relay(RelaySettings::off()).build().unwrap();
    let console: Router = Console::new(&orchestrator, async |_| Access::read("ada")).router();
    let mut figures = Vec::new();
    for (name, path) in pages {
        figures.push((format!("console: {name}"), median(async || shown(&console, path).await).await));
    }
    figures
}

async fn shown(console: &Router, path: &str) {
    let answer = console.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    assert!(answer.into_body().collect().await.unwrap().to_bytes().len() < 200_000, "{path}");
}
