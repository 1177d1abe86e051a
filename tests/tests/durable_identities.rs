//! Two durable handlers have the same identity. No orchestrator can be installed in such a program, so it has no other tests.
#![allow(missing_docs, reason = "tests")]

use graceful::{
    Code, Flow, Orchestrator, StepError,
    backends::memory,
    error::{InstallError, UnmetRequirement},
    orchestrate,
};

macro_rules! handler {
    ($($name:literal)?) => {
        const _: () = {
            async fn hook(_: &Flow) -> Result<(), StepError> {
                Ok(())
            }

            #[orchestrate(pattern = "order", id = 42, delivery = "durable", audit = hook $(, name = $name)?)]
            #[allow(dead_code, reason = "registered, and never called")]
            async fn pay() -> Result<(), Code> {
                Ok(())
            }
        };
    };
}

handler!();
handler!();
handler!("a third");
handler!("a fourth");

#[tokio::test]
async fn durable_handlers_of_one_identity_are_refused_with_both_places() {
    let orchestrator = Orchestrator::builder().in_memory().flows(memory::Flows::new()).build().unwrap();
    let error = orchestrator.install().unwrap_err();
    let InstallError::Unmet(unmet) = error else { panic!("{error}") };
    assert_eq!(unmet.iter().map(UnmetRequirement::line).collect::<Vec<_>>(), [27, 28]);
    for (own, other) in [(0, 28), (1, 27)] {
        let told = unmet[own].to_string();
        let place = format!("`pay` ({}:{other})", file!());
        for expected in [place.as_str(), "`durable_identities::_::pay`", "give each a `name = \"…\"`"] {
            assert!(told.contains(expected), "{expected}: {told}");
        }
    }
}
