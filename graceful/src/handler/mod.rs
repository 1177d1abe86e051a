//! The functions that an expansion of `#[orchestrate]` calls. This is the only code of the crate that is generic over the types of
//! the handler, and it is thin: it ends where a [`Flow`] holds everything.
//!
//! [`Flow`]: crate::Flow

mod active;
mod after;
mod builder;
mod cached;
mod carrier;
mod cause;
mod contracted;
mod decode;
mod enter;
mod entering;
mod fallback;
mod flat;
mod hold;
mod hook;
mod idempotent;
mod ids;
mod mismatch;
mod once;
mod outcome;
mod prepared;
mod probe;
pub(crate) mod read;
mod restored;
mod run;
mod sends;
mod shapes;
mod spec;
mod transaction;
mod typed;
mod writes;

pub(crate) use self::hold::{Terms, writing};
pub use self::{
    active::Active,
    after::{After, Plain},
    builder::{Each, Fields, FlowBuilder, Kept, Named, Shown, Value, Version, hole, kept, shown, text},
    cached::{CachedNothing, CachedOf, CachedWrapped, cached},
    carrier::{Carrier, Current},
    cause::{OfAnything, OfBox, OfDebug, OfDisplay, OfError, cause},
    contracted::{
        Contracted, ContractedCarrier, ContractedNothing, ContractedPlain, ContractedWrapped, contracted,
        opaque,
    },
    decode::{Decode, DecodeAnything, ReadBack, Remembered},
    enter::{Entered, Source, call, enter, enter_eager, enter_on},
    entering::entered,
    fallback::{Fallback, LastGood, NoFallback},
    flat::{Declared, Flat, Gate, ReadOutcome, either, gate},
    hook::{Answer, Detached, FallbackOf, HookOf, Nothing, detached, hook, recover, recovered},
    idempotent::{
        AnyKey, CallNames, ErrorOfRefusal, Keyed, NamesCall, OptionalKey, Repeatable, RepeatableAnswer,
        Repeated, StorableAnswer, keyed, refusal, repeatable, repeatable_on,
    },
    ids::{AnyIds, Ids, Iterated, Listed, NamesEntities, ids},
    once::Once,
    outcome::Outcome,
    prepared::{Finish, Plainly, Prepared, Returns},
    probe::{Anything, Probe, probe},
    read::{FinishRead, ReadNames, Reading, Reads, Through, read, read_eager, read_eager_on, read_on},
    restored::{Restored, Restores, identity, restores, success},
    run::Run,
    sends::{AtOnce, Otherwise, Sends, SendsNot},
    shapes::{
        Awaitable, ErrorOfStep, ErrorOfStore, body, boxed, called, function, function_of, never, never_of,
        no_hook, required_error, store_error,
    },
    spec::{HandlerSpec, name},
    transaction::{Borrowed, Locked, Observed, in_transaction, transaction},
    typed::{Arm, Hooks, Typed, arm, no_hooks},
};
