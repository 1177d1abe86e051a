//! The attribute and the derive work when `graceful` is renamed or is re-exported by another crate.
#![allow(missing_docs, clippy::unused_async, reason = "tests")]

use std::sync::{Arc, Mutex};

use graceful_tests_renamed::private;
use polite::{CallOutcome, Orchestrator};

#[derive(Debug, PartialEq, polite::Classify)]
#[classify(crate = ::polite, code = InvalidArgument, message = "odd")]
struct Odd;

#[derive(Debug, PartialEq, polite::Classify)]
#[classify(crate = private::polite)]
enum Error {
    #[classify(code = InvalidArgument, message = "{0} is odd")]
    Odd(u64),
}

#[polite::orchestrate(
    crate = ::polite,
    pattern = "n",
    id = n,
    cache(key = "{n}", ttl = "1m"),
    event = "seen",
    audit = seen,
    alert(ok = seen_ok, err = seen_err, required),
    fallback = no,
    message = "{n}"
)]
async fn everything(n: u64) -> Result<u64, Text> {
    if n.is_multiple_of(2) { Ok(n) } else { Err(Text) }
}

#[derive(Debug, PartialEq)]
struct Text;

impl From<polite::StepError> for Text {
    fn from(_: polite::StepError) -> Self {
        Self
    }
}

async fn seen(_: &polite::Flow) -> Result<(), polite::StepError> {
    Ok(())
}

async fn seen_ok(_: &polite::Success<'_, u64>) -> Result<(), polite::StepError> {
    Ok(())
}

async fn seen_err(_: &polite::Failure<'_, Text>) -> Result<(), polite::StepError> {
    Ok(())
}

async fn no(_: &polite::Failure<'_, Text>) -> Option<u64> {
    None
}

#[polite::orchestrate(crate = polite, pattern = "n", id = n)]
fn sync(n: u64) -> Result<u64, Odd> {
    if n.is_multiple_of(2) { Ok(n) } else { Err(Odd) }
}

struct Service;

#[private::polite::orchestrate(crate = graceful_tests_renamed::private::polite, pattern = "n")]
impl Service {
    #[private::polite::orchestrate(id = n, cache = n, fallback = last_good, event)]
    async fn method(&self, n: u64) -> Result<u64, Error> {
        if n.is_multiple_of(2) { Ok(n) } else { Err(Error::Odd(n)) }
    }
}

#[tokio::test]
async fn handlers_of_a_renamed_dependency_run_both_arms() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let reports = Arc::clone(&seen);
    let orchestrator = Orchestrator::builder()
        .in_memory()
        .on_report(move |report| reports.lock().unwrap().push((report.flow().ending(), report.flow().code())))
        .build()
        .unwrap();
    let calls = async {
        assert_eq!((everything(4).await, everything(3).await), (Ok(4), Err(Text)));
        assert_eq!((sync(4), sync(3)), (Ok(4), Err(Odd)));
        assert_eq!((Service.method(4).await, Service.method(3).await), (Ok(4), Err(Error::Odd(3))));
    };
    orchestrator.scope(calls).await;
    let (ok, odd) = ((CallOutcome::Ok, polite::Code::Ok), (CallOutcome::Err, polite::Code::InvalidArgument));
    let expected = [ok, (CallOutcome::Err, polite::Code::Internal), ok, odd, ok, odd];
    assert_eq!(*seen.lock().unwrap(), expected);
}
