//! Durable delivery in one directory: `cargo run --example durable`, again and again.

use graceful::{
    StepError,
    backends::{FlowQuery, FlowState},
    orchestrate,
};

#[orchestrate(pattern = "user", id = id, event = "user_renamed", delivery = "durable")]
async fn rename(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // One directory, which is made if it is missing: flows, review jobs, metadata, patterns and the audit log survive in it.
    let dir = std::env::args().nth(1).unwrap_or_else(|| "data".to_owned());
    let (reports, mut reported) = tokio::sync::mpsc::unbounded_channel();
    let builder = graceful_sqlite::embedded(dir).await?.service("users");
    let orchestrator = builder.on_report(move |report| drop(reports.send(report.clone()))).build()?;

    orchestrator.scope(rename(42)).await?; // on disk; from here on it is the relay's
    if let Some(report) = reported.recv().await {
        println!("{report}");
    }

    // List the dead letters and why they failed; repaired flows can be resubmitted.
    let flows = orchestrator.flows().expect("an embedded orchestrator has a store");
    for letter in flows.flows(FlowQuery::new(FlowState::Dead, 100)).await?.items {
        println!("{} {}: {:?}", letter.entity, letter.id, letter.error());
        flows.resubmit(letter.id).await?;
    }
    orchestrator.shutdown(std::time::Duration::from_secs(10)).await;
    Ok(())
}
