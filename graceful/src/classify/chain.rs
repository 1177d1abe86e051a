//! An error of any type is classified by the first known error in its chain of causes.

use std::{borrow::Cow, error::Error, fmt, iter, marker::PhantomData, ops::Deref};

use super::{Classify, Refusal, known};
use crate::code::Code;

#[cfg(feature = "macros")]
inventory::collect!(Cause);

#[cfg(feature = "macros")]
fn causes() -> impl Iterator<Item = &'static Cause> {
    inventory::iter::<Cause>.into_iter()
}

/// Without the derive there are none.
#[cfg(not(feature = "macros"))]
fn causes() -> impl Iterator<Item = &'static Cause> {
    iter::empty()
}

/// One type of error that a chain of causes is searched for. The derive submits one for each error of the program.
pub struct Cause(Find);

type Find = for<'a> fn(&'a (dyn Error + 'static)) -> Option<&'a dyn Classify>;

impl Cause {
    /// Creates a cause from a function that downcasts an error to this type.
    pub const fn new(find: Find) -> Self {
        Self(find)
    }

    pub(super) const fn of<E: Classify + Error + 'static>() -> Self {
        Self(downcast::<E>)
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cause")
    }
}

fn downcast<'a, E: Classify + Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a dyn Classify> {
    error.downcast_ref::<E>().map(|error| error as _)
}

/// Finds out whether `T` implements `Error`, without a bound: if it does, [`__graceful_find`](CauseProbe::__graceful_find) is the method of
/// this type, otherwise that of the type to which it derefs. This needs no trait in scope, whose import could be unused. The name of the
/// method is reserved, because traits in scope are considered, too.
#[derive(Debug)]
pub struct CauseProbe<T>(PhantomData<T>);

/// No error is of a type that is none.
#[derive(Debug)]
pub struct NotAnError;

impl<T> CauseProbe<T> {
    /// The question.
    pub const NEW: Self = Self(PhantomData);
}

impl<T: Classify + Error + 'static> CauseProbe<T> {
    /// The error, if it is a `T`.
    pub fn __graceful_find<'a>(&self, error: &'a (dyn Error + 'static)) -> Option<&'a dyn Classify> {
        downcast::<T>(error)
    }
}

impl NotAnError {
    /// Nothing.
    #[allow(clippy::unused_self, reason = "only a method can stand in for a method")]
    pub fn __graceful_find<'a>(&self, _: &'a (dyn Error + 'static)) -> Option<&'a dyn Classify> {
        None
    }
}

impl<T> Deref for CauseProbe<T> {
    type Target = NotAnError;

    fn deref(&self) -> &NotAnError {
        &NotAnError
    }
}

/// The first error of the chain, from the outside in, whose type is known.
pub(super) fn known_cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a dyn Classify> {
    iter::successors(Some(error), |&error| error.source()).find_map(|error| {
        let mut causes = known::CAUSES.iter().chain(INTEGRATIONS).chain(causes());
        causes.find_map(|cause| (cause.0)(error))
    })
}

const INTEGRATIONS: &[Cause] = &[
    #[cfg(feature = "sqlx")]
    Cause::of::<sqlx::Error>(),
    #[cfg(feature = "tonic")]
    Cause::of::<tonic::Status>(),
];

macro_rules! by_chain {
    ($($error:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl Classify for $error {
            fn code(&self) -> Code {
                known_cause(self).map_or(Code::Internal, Classify::code)
            }

            fn message(&self) -> Cow<'_, str> {
                known_cause(self).map_or(Cow::Borrowed(Code::Internal.text()), Classify::message)
            }

            fn refusal(&self) -> Option<Refusal> {
                known_cause(self).and_then(Classify::refusal)
            }
        }
    )*};
}

by_chain!(dyn Error, dyn Error + Send, dyn Error + Send + Sync);
