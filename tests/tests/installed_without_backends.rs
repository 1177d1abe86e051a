//! An orchestrator for the whole process that lacks backends: a program of its own, since there is one at most.
#![allow(missing_docs, reason = "tests")]

use graceful::{Orchestrator, backends::memory};
use graceful_tests::log::Log;
use tracing::Level;

#[test]
fn install_without_some_backends_logs_their_steps_once() {
    let (log, _listening) = Log::listen();
    let install = || {
        Orchestrator::builder()
            .cache(memory::Cache::new())
            .audit(memory::AuditLog::new())
            .build()
            .unwrap()
            .install()
    };
    install().unwrap();
    install().unwrap_err();
    let lines = log.of("graceful::start");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(
        (lines[0].level, lines[0].field("steps")),
        (Level::INFO, "metadata, graph, schedule, event, nexus, alert")
    );
}
