//! Calls a shape of function so that it answers `Ok`, and so that it answers `Err`.

use std::sync::{Arc, Mutex};

use graceful::{CallOutcome, Classify, Orchestrator};

#[derive(Clone, Copy, Debug, Classify, PartialEq, Eq)]
#[classify(code = InvalidArgument, message = "odd")]
pub struct Odd;

impl std::fmt::Display for Odd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("odd")
    }
}

impl std::error::Error for Odd {}

/// # Errors
/// Where `n` is odd.
pub const fn even(n: u64) -> Result<u64, Odd> {
    if n.is_multiple_of(2) { Ok(n) } else { Err(Odd) }
}

/// Calls a handler with an even number and with an odd one, which is the entity's id, with an orchestrator and without.
#[track_caller]
pub fn both(call: impl AsyncFn(u64) -> Result<u64, Odd>) {
    let seen = flows(async || {
        assert_eq!(call(4).await, Ok(4));
        assert_eq!(call(3).await, Err(Odd));
    });
    assert_eq!(seen, [(CallOutcome::Ok, "4".to_owned()), (CallOutcome::Err, "3".to_owned())]);
    let plain = run(async { (call(4).await, call(3).await) });
    assert_eq!(plain, (Ok(4), Err(Odd)));
}

/// The same for what is not async.
#[track_caller]
pub fn both_sync(call: impl Fn(u64) -> Result<u64, Odd>) {
    both(async |n| call(n));
}

/// How the flows of these calls ended, and whose they were.
pub fn flows(calls: impl AsyncFnOnce()) -> Vec<(CallOutcome, String)> {
    flows_of(async |_| calls().await)
}

/// The same for calls that need the orchestrator themselves.
pub fn flows_of(calls: impl AsyncFnOnce(Orchestrator)) -> Vec<(CallOutcome, String)> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let reports = Arc::clone(&seen);
    let orchestrator = Orchestrator::builder()
        .in_memory()
        .on_report(move |report| {
            let flow = report.flow();
            reports.lock().unwrap().push((flow.ending(), flow.entity_id().to_string()));
        })
        .build()
        .unwrap();
    let given = orchestrator.clone();
    run(orchestrator.scope(async { calls(given).await }));
    std::mem::take(&mut seen.lock().unwrap())
}

/// Runs a future that need not be `Send`, where `spawn_local` works.
pub fn run<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, future)
}
