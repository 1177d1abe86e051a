//! What an expansion of `#[orchestrate]` calls. The only generic code of the crate, and thin: it ends where the [`Flow`]
//! says everything.
//!
//! [`Flow`]: crate::Flow

mod after;
mod draft;
mod enter;
mod fallback;
mod hook;
mod outcome;
mod prepared;
mod probe;
mod run;
mod shapes;
mod site;
mod typed;

pub use self::{
    after::{After, Begun, Plain},
    draft::{Draft, Fields, Kept, Named, Shown, Value, Version, hole, kept, shown, text},
    enter::{Active, Entered, Source, enter, enter_eager, enter_on},
    fallback::{Fallback, LastGood, NoFallback},
    hook::{Detached, DetachedAnything, DetachedHook, FallbackOf, HookOf, Nothing, hook, recover, recovered},
    outcome::Outcome,
    prepared::{Plainly, Prepared, Returns},
    probe::{ClassifyAnything, Decode, DecodeInside, DecodeNothing, LookInside, PayloadOfAnything, Probe},
    run::Run,
    shapes::{Awaitable, ErrorOfStep, boxed, called, never, no_hook, required_error},
    site::Site,
    typed::{Arm, Hooks, Typed, arm, no_hooks},
};
