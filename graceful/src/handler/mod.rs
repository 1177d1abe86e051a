//! What an expansion of `#[orchestrate]` calls. The only generic code of the crate, and thin: it ends where the [`Flow`]
//! says everything.
//!
//! [`Flow`]: crate::Flow

mod after;
mod draft;
mod enter;
mod fallback;
mod outcome;
mod prepared;
mod probe;
mod run;
mod shapes;
mod site;
mod typed;

pub use self::{
    after::{After, Plain},
    draft::{Draft, Fields, Kept, Named, Value, Version, hole, kept, text},
    enter::{Active, Entered, Source, call, enter, enter_eager, enter_on},
    fallback::{Fallback, LastGood, NoFallback},
    outcome::Outcome,
    prepared::{Plainly, Prepared, Returns},
    probe::{Decode, Probe, probe},
    run::Run,
    shapes::{ErrorOfStep, boxed, called, hook_result, never, no_hook, recovered, required_error},
    site::Site,
    typed::{Arm, Hooks, Typed, arm, no_hooks},
};
