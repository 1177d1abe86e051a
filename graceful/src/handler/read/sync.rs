//! Readers that are not `async`: the result at once, or a boxed future of it.

use std::{future::Future, pin::Pin};

use super::{
    super::{After, Decode, FlowBuilder, Once, Prepared, Run, prepared::Finish},
    Call, Decision, NO_ORCHESTRATOR, Reading, State, Through, UNREADABLE,
};
use crate::{handler::Outcome, pipeline::current, step::StepError};

/// A prepared call whose body makes a `V`.
type PreparedCall<'b, B, V, O, X, A> = Prepared<&'b mut Once<B>, <V as super::Returns>::Outcome, O, X, A>;

/// Answers from the cache, or runs the body and the steps.
pub trait FinishRead<O, X, A, D>: Finish<O, X, A> {
    #[doc(hidden)]
    #[must_use]
    fn finish_read<B: FnOnce() -> Self>(
        reading: Reading,
        prepared: PreparedCall<'_, B, Self, O, X, A>,
        decode: D,
    ) -> Self;
}

impl<T, E, O, X, A, D> FinishRead<O, X, A, D> for Result<T, E>
where
    O: Fn(&mut FlowBuilder<'_>, &T),
    X: Fn(&mut FlowBuilder<'_>, &E),
    A: After<Self>,
    D: Fn(Decode<'_, T>) -> Result<T, StepError>,
{
    fn finish_read<B: FnOnce() -> Self>(
        Reading(mut state): Reading,
        mut prepared: PreparedCall<'_, B, Self, O, X, A>,
        decode: D,
    ) -> Self {
        if let State::Eager(spec, names, on) = &state {
            let orchestrator = on.clone().or_else(current::orchestrator);
            state = orchestrator.map_or(State::Plain(NO_ORCHESTRATOR), |orchestrator| {
                Call::begin(&orchestrator, spec, names)
            });
        }
        let decision = match state {
            State::Hit(found) => match decode(Decode::new(&found.value)) {
                Ok(value) => return Ok(value),
                Err(error) => {
                    drop(found.forget(&error));
                    prepared.loads(Err(UNREADABLE));
                    return prepared.finish();
                }
            },
            State::Call(call, reply) => call.decide_now(reply),
            State::Plain(reason) => {
                prepared.loads(Err(reason));
                return prepared.finish();
            }
            State::Eager(..) => return prepared.finish(),
        };
        match decision {
            Decision::Hit(found) => decode(Decode::new(&found.value)).or_else(|error| {
                drop(found.forget(&error));
                prepared.loads(Err(UNREADABLE));
                prepared.finish()
            }),
            Decision::Load(loaded) => {
                prepared.loads(loaded.loading.clone());
                let entered = loaded.body.enter();
                let result = prepared.finish();
                drop(entered);
                if let Ok(loading) = &loaded.loading {
                    loading.check(|value| decode(Decode::new(value)));
                }
                match (result, loaded.stale) {
                    (Err(error), Some(entry)) => decode(Decode::new(&entry.recall())).map_err(|_| error),
                    (result, _) => result,
                }
            }
        }
    }
}

macro_rules! boxed {
    ($($send:ident)?) => {
        impl<'a, R, O, X, A, D> FinishRead<O, X, A, D> for Pin<Box<dyn Future<Output = R> $(+ $send)? + 'a>>
        where
            R: Outcome + 'a,
            O: Fn(&mut FlowBuilder<'_>, &R::Ok) $(+ $send)? + 'a,
            X: Fn(&mut FlowBuilder<'_>, &R::Err) $(+ $send)? + 'a,
            A: After<R, Post: $($send +)? 'a> $(+ $send)? + 'a,
            D: Fn(Decode<'_, R::Ok>) -> Result<R::Ok, StepError> $(+ $send)? + 'a,
        {
            fn finish_read<B: FnOnce() -> Self>(
                Reading(state): Reading,
                prepared: PreparedCall<'_, B, Self, O, X, A>,
                decode: D,
            ) -> Self {
                let (active, body, arms) = prepared.into_parts();
                let run = Run::Body { body: body.call(), active, arms };
                Box::pin(Through::new(state, run, decode))
            }
        }
    };
}

boxed!();
boxed!(Send);
