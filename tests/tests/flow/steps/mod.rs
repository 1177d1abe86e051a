//! The nine steps on both flows: the default effect, and the result when a step is overridden, off, at fault or required.
//!
//! What every step has in common is one table of cases, [`matrix`], which [`step`] writes out for a step's two arms. A
//! step's own module holds what is the step's own: its effect on `Ok` and on `Err`, and its options.
#![allow(missing_docs, reason = "tests")]

use graceful::orchestrate;
use graceful_tests::{User, UserError};

/// A handler that answers as it is told: `name` with `arguments`, beside the `others` that all of a step's handlers have.
macro_rules! handler {
    ($user:ident, [$($others:tt)*] $name:ident: [$($arguments:tt)*]) => {
        #[graceful::orchestrate(pattern = "user", id = $user.id, incident = "user", $($arguments)*, $($others)*)]
        pub async fn $name(
            $user: graceful_tests::User,
            error: Option<graceful_tests::UserError>,
        ) -> Result<graceful_tests::User, graceful_tests::UserError> {
            tokio::task::yield_now().await;
            error.map_or(Ok($user), Err)
        }
    };
}

macro_rules! handlers {
    ($user:ident, $others:tt, { $($name:ident: $arguments:tt,)* }) => {
        $(handler! { $user, $others $name: $arguments })*
    };
}

/// The cases of one arm of a step.
macro_rules! arm {
    ($step:ident, $arm:ident { $($test:ident: $case:ident($($handler:ident $(, $argument:expr)*)?);)* }) => {$(
        #[tokio::test(start_paused = true)]
        async fn $test() {
            let case = crate::steps::matrix::Case { step: graceful::Step::$step, arm: crate::steps::matrix::Arm::$arm };
            case.$case($(super::handlers::$handler $(, $argument)*)?).await;
        }
    )*};
}

/// The cases of a step, on both arms: `own` are the options that it needs in any case.
macro_rules! step {
    ($Step:ident $step:ident, |$user:ident| [$($own:tt)*] $others:tt) => {
        mod handlers {
            use graceful_tests::hooks;

            handlers! { $user, $others, {
                default: [$step($($own)* timeout = "1s")],
                required: [$step($($own)* required)],
                with: [$step($($own)* with = hooks::both)],
                ok: [$step($($own)* ok = hooks::ok)],
                err: [$step($($own)* err = hooks::err)],
                ok_and_err: [$step($($own)* ok = hooks::ok, err = hooks::err)],
                off: [$step = off],

                fails: [$step($($own)* with = hooks::fails)],
                fails_later: [$step($($own)* with = hooks::fails_later)],
                panics: [$step($($own)* with = hooks::panics)],
                panics_later: [$step($($own)* with = hooks::panics_later)],
                hangs: [$step($($own)* with = hooks::hangs, timeout = "2s")],
                typed_fails: [$step($($own)* ok = hooks::fails_later, err = hooks::failure::fails_later)],
                typed_panics: [$step($($own)* ok = hooks::panics, err = hooks::failure::panics)],
                typed_panics_later: [$step($($own)* ok = hooks::panics_later, err = hooks::failure::panics_later)],
                typed_hangs: [$step($($own)* ok = hooks::hangs, err = hooks::failure::hangs, timeout = "2s")],

                required_with: [$step($($own)* with = hooks::both, required)],
                required_typed: [$step($($own)* ok = hooks::ok, err = hooks::err, required)],
                required_fails: [$step($($own)* with = hooks::fails_later, required)],
                required_panics: [$step($($own)* with = hooks::panics_later, required)],
                required_hangs: [$step($($own)* with = hooks::hangs, required)],
                required_typed_fails: [$step($($own)* ok = hooks::fails, err = hooks::failure::fails, required)],
            }}
        }

        step! { @ on_ok $Step Ok, other_arm: overridden_on_the_other_arm(err) }
        step! { @ on_err $Step Err, other_arm: overridden_on_the_other_arm(ok) }
    };
    (@ $module:ident $Step:ident $arm:ident, other_arm: $other:ident($other_handler:ident)) => {
        mod $module {
            use graceful::StepErrorKind::{Failed, Panicked, TimedOut};

            arm! { $Step, $arm {
                by_default: by_default(default);
                overridden: overridden(with);
                overridden_typed: overridden_typed(ok_and_err);
                $other: by_default($other_handler);
                off: off(off);

                a_hook_that_fails: contained(fails, Failed);
                a_hook_that_fails_later: contained(fails_later, Failed);
                a_hook_that_panics: contained(panics, Panicked);
                a_hook_that_panics_later: contained(panics_later, Panicked);
                a_hook_that_hangs: contained(hangs, TimedOut);
                a_typed_hook_that_fails: contained(typed_fails, Failed);
                a_typed_hook_that_panics: contained(typed_panics, Panicked);
                a_typed_hook_that_panics_later: contained(typed_panics_later, Panicked);
                a_typed_hook_that_hangs: contained(typed_hangs, TimedOut);

                required_and_done: by_default(required);
                required_and_overridden: overridden(required_with);
                required_and_overridden_typed: overridden_typed(required_typed);
                required_hook_that_fails: required(required_fails, Failed);
                required_hook_that_panics: required(required_panics, Panicked);
                required_hook_that_hangs: required(required_hangs, TimedOut);
                required_typed_hook_that_fails: required(required_typed_fails, Failed);
            }}
        }
    };
}

/// The cases of a step's backend, on both arms.
macro_rules! backend {
    ($Step:ident) => {
        mod backend {
            use super::handlers;

            backend! { @ on_ok $Step Ok }
            backend! { @ on_err $Step Err }
        }
    };
    (@ $module:ident $Step:ident $arm:ident) => {
        mod $module {
            use graceful::StepErrorKind::{Failed, Panicked, TimedOut};
            use graceful_tests::Fault;

            arm! { $Step, $arm {
                that_fails: contained_at(default, Fault::Fails, Failed);
                that_fails_later: contained_at(default, Fault::FailsLater, Failed);
                that_panics: contained_at(default, Fault::Panics, Panicked);
                that_panics_later: contained_at(default, Fault::PanicsLater, Panicked);
                that_hangs: contained_at(default, Fault::Hangs, TimedOut);

                required_and_fails: required_at(required, Fault::Fails, Failed);
                required_and_panics: required_at(required, Fault::Panics, Panicked);
                required_and_hangs: required_at(required, Fault::Hangs, TimedOut);
            }}
        }
    };
}

/// `STEP = path`, for the steps where a path cannot be meant as a value.
macro_rules! by_path {
    ($Step:ident $step:ident, |$user:ident| $others:tt) => {
        mod by_path {
            mod handlers {
                handlers! { $user, $others, { hook: [$step = graceful_tests::hooks::both], } }
            }
            mod on_ok {
                arm! { $Step, Ok { overridden: overridden(hook); } }
            }
            mod on_err {
                arm! { $Step, Err { overridden: overridden(hook); } }
            }
        }
    };
}

mod matrix;

mod alert;
mod arguments;
mod audit;
mod cache;
mod calls;
mod event;
mod fallback;
mod faults;
mod graph;
mod incidents;
mod metadata;
mod names;
mod nexus;
mod payload;
mod schedule;
mod values;
mod version;
mod when;

/// Every step by its default.
#[orchestrate(pattern = "user", cache = user.id, event = "user_updated", incident = "user")]
async fn update(user: User, error: Option<UserError>) -> Result<User, UserError> {
    tokio::task::yield_now().await;
    error.map_or(Ok(user), Err)
}

/// The same for one of the 17 codes.
#[orchestrate(pattern = "user", cache = user.id, event = "user_updated", incident = "user")]
async fn answer(user: User, error: Option<graceful::Code>) -> Result<User, graceful::Code> {
    tokio::task::yield_now().await;
    error.map_or(Ok(user), Err)
}
