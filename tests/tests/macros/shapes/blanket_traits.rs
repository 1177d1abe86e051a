//! The user's blanket traits with methods named like those that an expansion calls are not called.

use std::{
    fmt::Display,
    sync::{Arc, Mutex},
};

use graceful::{Classify, Failure, Flow, FlowReport, Orchestrator, StepError, Success};
use graceful_tests::shapes::run;

/// Neither is there anything to serialise, nor is it classified.
pub struct Opaque;

/// What the hooks take.
async fn seen(_: &Flow) -> Result<(), StepError> {
    Ok(())
}

async fn seen_ok(_: &Success<'_, String>) -> Result<(), StepError> {
    Ok(())
}

async fn seen_err(_: &Failure<'_, Odd>) -> Result<(), StepError> {
    Ok(())
}

async fn no(_: &Failure<'_, Odd>) -> Option<String> {
    None
}

#[derive(Debug, Classify)]
#[classify(code = NotFound, message = "none has the number {0}")]
pub struct Odd(u64);

impl From<StepError> for Odd {
    fn from(_: StepError) -> Self {
        Self(0)
    }
}

impl Display for Odd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("odd")
    }
}

impl std::error::Error for Odd {}

macro_rules! handlers {
    ($($module:ident)*) => {$(
        mod $module {
            use std::{future::Future, pin::Pin};

            use graceful::{Classify, orchestrate};
            #[expect(unused_imports, reason = "nothing is called by it")]
            use graceful_tests::blanket::$module::Everything;

            use super::{Odd, Opaque, no, seen, seen_err, seen_ok};

            #[derive(Debug, Classify)]
            pub(super) enum Error {
                #[classify(transparent)]
                Odd(Odd),
                #[classify(code = Aborted, message = "no {0}")]
                Other(u64),
            }

            #[orchestrate(pattern = "n", id = n, cache = n)]
            pub(super) async fn opaque(n: u64) -> Result<Opaque, Opaque> {
                if n == 0 { Ok(Opaque) } else { Err(Opaque) }
            }

            #[orchestrate(pattern = "n", id = n)]
            pub(super) fn opaque_sync(n: u64) -> Result<Opaque, Opaque> {
                if n == 0 { Ok(Opaque) } else { Err(Opaque) }
            }

            #[orchestrate(pattern = "n", id = n, message = "{n} of {result}", event, payload = result)]
            pub(super) fn boxed(n: u64) -> Pin<Box<dyn Future<Output = Result<u64, Odd>> + Send>> {
                Box::pin(async move { if n == 0 { Ok(n) } else { Err(Odd(n)) } })
            }

            #[orchestrate(
                pattern = "n",
                id = n,
                cache(key = "{n}/{result}", on_ok = "put", version = n, value = result),
                actor = n,
                graph(relation = "of", to = n, to_pattern = "m"),
                metadata = [("n", n)],
                when = n < 9,
                tags = ["a"],
                audit = seen,
                alert(ok = seen_ok, err = seen_err),
                nexus(required),
                fallback = no,
            )]
            pub(super) async fn everything(n: u64) -> Result<String, Odd> {
                if n == 0 { Ok(n.to_string()) } else { Err(Odd(n)) }
            }

            #[orchestrate(pattern = "n", id = n, cache = n, fallback = last_good)]
            pub(super) async fn last_good(n: u64) -> Result<u64, Error> {
                match n {
                    0 => Ok(n),
                    1 => Err(Error::Odd(Odd(n))),
                    _ => Err(Error::Other(n)),
                }
            }

            #[test]
            fn blanket_trait_in_scope_is_not_called() {
                let opaque = super::seen_of(async || {
                    assert!(opaque(0).await.is_ok() && opaque(1).await.is_err());
                    assert!(opaque_sync(0).is_ok() && opaque_sync(1).is_err());
                });
                assert_eq!(opaque, ["OK: opaque, null", "INTERNAL: internal error, null", "OK: opaque sync, null", "INTERNAL: internal error, null"]);
                let boxed = super::seen_of(async || assert!(boxed(0).await.is_ok() && boxed(1).await.is_err()));
                assert_eq!(boxed, ["OK: 0 of 0, 0", "NOT_FOUND: none has the number 1, null"]);
                let everything =
                    super::seen_of(async || assert!(everything(0).await.is_ok() && everything(1).await.is_err()));
                assert_eq!(everything, ["OK: everything, \"0\"", "NOT_FOUND: none has the number 1, null"]);
                let last_good = super::seen_of(async || {
                    assert!(last_good(0).await.is_ok() && last_good(1).await.is_err() && last_good(2).await.is_err());
                });
                assert_eq!(last_good, ["OK: last good, 0", "NOT_FOUND: none has the number 1, null", "ABORTED: no 2, null"]);
            }
        }
    )*};
}

handlers!(by_reference by_reference_to_a_reference by_mutable_reference by_value);

/// The code and the message of each flow, and its event's payload.
fn seen_of(calls: impl AsyncFnOnce()) -> Vec<String> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let reports = Arc::clone(&seen);
    let told = move |report: &FlowReport| {
        let flow = report.flow();
        let payload = serde_json::to_string(flow.payload()).unwrap();
        reports.lock().unwrap().push(format!("{}: {}, {payload}", flow.code(), flow.message()));
    };
    let orchestrator = Orchestrator::builder().in_memory().on_report(told).build().unwrap();
    run(orchestrator.scope(calls()));
    let mut seen = seen.lock().unwrap();
    std::mem::take(&mut *seen)
}
