//! The cause of a server fault is logged within the span of its flow, and is shown nowhere else.

use std::{error::Error, fmt, io};

use graceful::{Classify, Code, Orchestrator, orchestrate};
use graceful_tests::{Log, World};
use tracing::Level;

use super::{Telemetry, named};

#[derive(Debug)]
struct Query(io::Error);

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the query failed")
    }
}

impl Error for Query {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

fn query() -> Query {
    Query(io::Error::other("hunter2 at\n10.0.0.7"))
}

struct Shown;

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("shown")
    }
}

#[derive(Debug)]
struct Debugged {
    _code: u8,
}

struct Nothing;

struct Hostile;

impl fmt::Display for Hostile {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("no text")
    }
}

#[derive(Debug, Classify)]
enum Known {
    #[classify(code = NotFound, message = "no such user")]
    Missing,
    #[classify(code = Unavailable, message = "try again")]
    Broken,
}

#[orchestrate(pattern = "user", id = 42, event = "user_seen", audit(timeout = "2s"))]
async fn fails<E>(error: fn() -> E) -> Result<u64, E> {
    Err(error())
}

macro_rules! handlers {
    ($($name:ident: $error:ty,)*) => {$(
        #[orchestrate(pattern = "user", id = 42, event = "user_seen")]
        async fn $name(error: $error) -> Result<u64, $error> {
            Err(error)
        }
    )*};
}

handlers! {
    error: Query,
    boxed: Box<dyn Error>,
    sent: Box<dyn Error + Send + Sync>,
    chained: anyhow::Error,
    shown: Shown,
    debugged: Debugged,
    nothing: Nothing,
    hostile: Hostile,
    known: Known,
}

/// What is logged of a call, with its handler.
fn causes(log: &Log) -> Vec<(String, String)> {
    let lines = log.of("graceful::error");
    assert!(lines.iter().all(|line| line.level == Level::ERROR));
    lines.iter().map(|line| (line.field("handler").to_owned(), line.field("error").to_owned())).collect()
}

#[tokio::test]
async fn server_fault_is_logged_with_what_its_type_offers() {
    let ((log, _guard), orchestrator) = (Log::listen(), Orchestrator::in_memory());
    let chain = r"the query failed: hunter2 at\n10.0.0.7";
    let mut expected = Vec::new();
    macro_rules! call {
        ($handler:ident($error:expr) => $text:expr) => {
            assert!(orchestrator.scope($handler($error)).await.is_err());
            expected.push((stringify!($handler).to_owned(), $text.to_owned()));
        };
    }
    call!(error(query()) => chain);
    call!(boxed(Box::new(query())) => chain);
    call!(sent(Box::new(query())) => chain);
    call!(chained(anyhow::Error::new(query()).context("reading")) => format!("reading: {chain}"));
    call!(shown(Shown) => "shown");
    call!(debugged(Debugged { _code: 7 }) => "Debugged { _code: 7 }");
    call!(nothing(Nothing) => "a `flow::telemetry::causes::Nothing`, which is neither `Error` nor `Display` nor `Debug`");
    call!(hostile(Hostile) => "panicked: no text");
    call!(known(Known::Broken) => "Broken");
    call!(fails(query) => "a `flow::telemetry::causes::Query`, which is neither `Error` nor `Display` nor `Debug`");
    assert_eq!(causes(&log), expected);
    assert_eq!(log.of("graceful::step").len(), 0, "a text that cannot be made fails no step");
}

#[tokio::test]
async fn client_fault_is_not_logged() {
    let ((log, _guard), orchestrator) = (Log::listen(), Orchestrator::in_memory());
    orchestrator.scope(known(Known::Missing)).await.unwrap_err();
    assert_eq!(causes(&log), []);
}

#[orchestrate(pattern = "user", id = 42, errors = off)]
async fn quiet(error: Query) -> Result<u64, Query> {
    Err(error)
}

struct Quiet(Code);

#[orchestrate(pattern = "user", errors = off)]
impl Quiet {
    #[orchestrate(id = 42)]
    fn method(&self) -> Result<u64, Code> {
        Err(self.0)
    }
}

#[tokio::test]
async fn errors_off_and_log_errors_false_log_nothing() {
    let ((log, _guard), orchestrator) = (Log::listen(), Orchestrator::in_memory());
    orchestrator.scope(quiet(query())).await.unwrap_err();
    orchestrator.sync_scope(|| Quiet(Code::Internal).method()).unwrap_err();
    let silent = Orchestrator::builder().in_memory().log_errors(false).build().unwrap();
    silent.scope(error(query())).await.unwrap_err();
    assert_eq!(causes(&log), []);
}

#[orchestrate(pattern = "user", id = 42)]
async fn panics(text: &str) -> Result<u64, Code> {
    panic!("{text}")
}

#[orchestrate(pattern = "user", id = 42)]
fn panics_at_once(text: &str) -> Result<u64, Code> {
    panic!("{text}")
}

#[test]
fn panic_is_logged_with_its_text() {
    let ((log, _guard), orchestrator) = (Log::listen(), Orchestrator::in_memory());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let called = std::panic::AssertUnwindSafe(|| runtime.block_on(orchestrator.scope(panics("over"))));
    std::panic::catch_unwind(called).unwrap_err();
    let called = std::panic::AssertUnwindSafe(|| orchestrator.sync_scope(|| panics_at_once("out")));
    std::panic::catch_unwind(called).unwrap_err();
    let expected = [("panics", "panicked: over"), ("panics_at_once", "panicked: out")];
    assert_eq!(causes(&log), expected.map(|(handler, text)| (handler.to_owned(), text.to_owned())));
}

#[tokio::test]
async fn cause_is_in_the_span_of_its_flow_and_the_span_says_that_it_failed() {
    let (telemetry, world) = (Telemetry::listen(), World::new());
    world.run(error(query())).await.unwrap_err();
    let flow = named(&telemetry.spans(), "error");
    let logged: Vec<_> = flow.events.iter().filter(|event| event.name == "handler failed").collect();
    assert_eq!(logged.len(), 1, "{:?}", flow.events);
    assert!(matches!(flow.status, opentelemetry::trace::Status::Error { .. }), "{:?}", flow.status);
    assert_eq!(super::field(&flow, "error.type").as_deref(), Some("INTERNAL"));

    let report = world.reports.only();
    let everywhere = format!("{report:?} {report} {}", serde_json::to_string(&**report.flow()).unwrap());
    let kept = format!("{:?} {:?}", world.events(), world.records().await);
    assert!(!everywhere.contains("hunter2") && !kept.contains("hunter2"), "{everywhere} {kept}");
}

#[tokio::test]
async fn span_of_a_success_has_no_error() {
    let (telemetry, world) = (Telemetry::listen(), World::new());
    world.run(super::update(graceful_tests::ada(), None)).await.unwrap();
    let flow = named(&telemetry.spans(), "update");
    assert_eq!(super::field(&flow, "error.type"), None);
    assert!(matches!(flow.status, opentelemetry::trace::Status::Unset), "{:?}", flow.status);
}
