//! What handlers need, checked when an orchestrator is built.

use std::fmt;

use crate::{Step, engine::Durable, steps::Backends, submitted};

/// What one handler needs; submitted by its expansion, and only where there is something to check.
#[doc(hidden)]
#[derive(Debug)]
pub struct Requirement {
    pub handler: &'static str,
    pub file: &'static str,
    pub line: u32,
    /// How a relay finds it, where its delivery is durable.
    pub durable: Option<&'static Durable>,
    /// Steps that are `required`, or that an argument relies on, and that no hook overrides.
    pub steps: &'static [Step],
}

/// Why an orchestrator cannot be built: a handler of the program needs what it has not.
///
/// ```standalone_crate
/// use graceful::{Orchestrator, StepError, orchestrate};
///
/// #[orchestrate(pattern = "user", id = id, audit(required))]
/// async fn delete_user(id: u64) -> Result<(), StepError> { Ok(()) }
///
/// let error = Orchestrator::builder().build().unwrap_err().to_string();
/// assert!(error.contains("it cannot do without the step `audit`, and there is no backend for it"));
/// assert!(Orchestrator::builder().in_memory().build().is_ok());
/// ```
#[derive(PartialEq, Eq)]
pub struct BuildError(Vec<String>);

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl BuildError {
    pub(super) fn without_a_runtime() -> Self {
        let why = "what takes durable flows to their end, and reviews, runs in a Tokio runtime: build within one, or give one with `runtime`";
        Self(vec![why.to_owned()])
    }
}

/// The same text: it is what `main` prints of an error.
impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for BuildError {}

/// Checks every handler of the program that asks for something.
pub(super) fn check(backends: &Backends) -> Result<(), BuildError> {
    let mut missing: Vec<_> =
        submitted::requirements().flat_map(|requirement| missing(requirement, backends)).collect();
    // The linker's order says nothing to anybody.
    missing.sort_unstable();
    if missing.is_empty() { Ok(()) } else { Err(BuildError(missing)) }
}

fn missing(requirement: &Requirement, backends: &Backends) -> Vec<String> {
    let Requirement { handler, file, line, .. } = requirement;
    let durable = (requirement.durable.is_some() && backends.flows.is_none())
        .then(|| "its delivery is durable, and there is no durable store".to_owned());
    let unserved = requirement
        .steps
        .iter()
        .filter(|step| !backends.served().contains(**step))
        .map(|step| format!("it cannot do without the step `{step}`, and there is no backend for it"));
    durable.into_iter().chain(unserved).map(|why| format!("`{handler}` at {file}:{line}: {why}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_missing_thing_is_told_with_file_and_line() {
        let requirement = Requirement {
            handler: "update_user",
            file: "src/users.rs",
            line: 12,
            durable: Some(&Durable { identity: String::new, hooks: None }),
            steps: &[Step::Audit],
        };
        assert_eq!(
            missing(&requirement, &Backends::default()),
            [
                "`update_user` at src/users.rs:12: its delivery is durable, and there is no durable store",
                "`update_user` at src/users.rs:12: it cannot do without the step `audit`, and there is no backend for it",
            ]
        );
    }
}
