//! An orchestrator that lacks backends is installed for the whole process. This is a program of its own, because a process has at
//! most one.
#![allow(missing_docs, reason = "tests")]
#![allow(dead_code, reason = "handlers that are registered, and never called")]

use graceful::{Code, Flow, Orchestrator, StepError, backends::memory, orchestrate};
use graceful_tests::log::Log;
use tracing::Level;

async fn hook(_: &Flow) -> Result<(), StepError> {
    Ok(())
}

macro_rules! handlers {
    ($($name:ident)*) => {$(
        #[orchestrate(pattern = "user", cache = 42, event)]
        async fn $name() -> Result<u64, Code> {
            Ok(1)
        }
    )*};
}

// The macro's handlers stand where it is called.
mod several {
    use super::*;

    pub const LINE: u32 = line!() + 1;
    handlers!(one two three four five);
}

#[orchestrate(pattern = "user", cache = 42, event = hook, nexus = off, alert(severity = "critical"))]
async fn with_a_hook() -> Result<u64, Code> {
    Ok(1)
}

#[test]
fn install_without_some_backends_logs_their_steps_and_handlers_once() {
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
    let at = |name: &str, line: u32| format!("`{name}` ({}:{line})", file!());
    let events = ["five", "four", "one"].map(|name| at(name, several::LINE)).join(", ");
    let alert = at("with_a_hook", several::LINE + 3);
    assert_eq!(lines[0].field("declared_by"), format!("event: {events} and 2 more; alert: {alert}"));
}
