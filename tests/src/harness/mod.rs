//! Runs the tests of a binary with `harness = false`. Rust's own harness must know when it compiles a test whether to ignore it; this
//! one looks when it runs: a test whose [`Requirement`]s are missing is ignored, and the report says why.
//!
//! The binary begins with
//!
//! ```text
//! #[macro_use(test)]
//! extern crate graceful_tests;
//!
//! fn main() -> std::process::ExitCode {
//!     graceful_tests::harness::main()
//! }
//! ```
//!
//! so that each `#[test]` in it, in all of its modules, is the [attribute](crate::test) of this package. A `#[tokio::test]` would never
//! run there; a test of `xtask` finds it.

mod panics;

use std::{env, future::Future, panic::resume_unwind, process::ExitCode, thread};

pub use inventory::submit;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
pub use tokio::runtime::Builder;

use self::panics::Panics;
use crate::Requirement;

/// A function with `#[test]`.
#[derive(Debug)]
pub struct Test {
    pub module: &'static str,
    pub name: &'static str,
    pub requirements: &'static [Requirement],
    pub run: fn(),
}

inventory::collect!(Test);

/// Runs the tests that the arguments of the process choose, as Rust's own harness does.
///
/// What is missing fails the test, instead of being a reason to ignore it, with `GRACEFUL_REQUIRE_SERVICES=1`, with
/// `--include-ignored` and with `--ignored`.
pub fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if !arguments.nocapture {
        panics::capture();
    }
    let is_required = env::var_os("GRACEFUL_REQUIRE_SERVICES").is_some_and(|required| required == "1");
    let ignores = !is_required && !arguments.include_ignored && !arguments.ignored;
    let trial = |test: &'static Test| {
        let is_ignored = arguments.ignored && test.missing().is_some();
        Trial::ignorable_test(test.path(), move || test.outcome(ignores)).with_ignored_flag(is_ignored)
    };
    let mut trials: Vec<_> = inventory::iter::<Test>.into_iter().map(trial).collect();
    trials.sort_by(|one, other| one.name().cmp(other.name()));
    libtest_mimic::run(&arguments, trials).exit_code()
}

impl Test {
    /// Without the name of the binary.
    fn path(&self) -> String {
        match self.module.split_once("::") {
            Some((_, module)) => format!("{module}::{}", self.name),
            None => self.name.to_owned(),
        }
    }

    fn missing(&self) -> Option<String> {
        let missing: Vec<_> = self.requirements.iter().filter_map(|required| required.missing()).collect();
        (!missing.is_empty()).then(|| missing.join("; "))
    }

    /// In a thread of its own, which has its name.
    fn outcome(&'static self, ignores: bool) -> Result<Completion, Failed> {
        match self.missing() {
            Some(missing) if ignores => return Ok(Completion::ignored_with(missing)),
            Some(missing) => return Err(missing.into()),
            None => {}
        }
        let panics = Panics::default();
        let here = panics.clone();
        let run = move || {
            here.collect();
            (self.run)();
        };
        let ended = thread::Builder::new().name(self.path()).spawn(run)?.join();
        ended.map(|()| Completion::Completed).or_else(|panic| match panics.text() {
            // It was printed, or had no message.
            text if text.is_empty() => resume_unwind(panic),
            text => Err(text.into()),
        })
    }
}

/// Runs an `async` test in a runtime of its own.
pub fn block_on(mut runtime: Builder, test: impl Future<Output = ()>) {
    let panics = Panics::of_this_thread();
    runtime.enable_all().on_thread_start(move || panics.collect()).build().unwrap().block_on(test);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(requirements: &'static [Requirement], run: fn()) -> &'static Test {
        Box::leak(Box::new(Test { module: "binary::module", name: "name", requirements, run }))
    }

    #[test]
    fn test_whose_requirement_is_missing_is_ignored_or_fails_with_the_reason() {
        let reason = "no-such-program is not installed; see `cargo xtask services`";
        let test = test(&[Requirement::Program("no-such-program")], || panic!("it cannot run"));
        let ignored = test.outcome(true);
        assert!(matches!(ignored, Ok(Completion::Ignored { reason: Some(said) }) if said == reason));
        let failed = test.outcome(false).err().expect("it cannot run");
        assert_eq!(failed.message(), Some(reason));
    }

    #[test]
    fn failed_test_is_reported_with_the_panics_of_all_its_threads() {
        panics::capture();
        let run = || {
            block_on(Builder::new_multi_thread(), async {
                tokio::spawn(async { panic!("in a handler") }).await.unwrap_err();
                panic!("in the test");
            });
        };
        let failed = test(&[], run).outcome(true).err().expect("it fails");
        let message = failed.message().unwrap();
        assert!(message.contains("in a handler") && message.contains("in the test"), "{message}");
        assert!(message.contains("thread 'module::name' panicked at tests/src/harness/mod.rs:"), "{message}");
    }
}
