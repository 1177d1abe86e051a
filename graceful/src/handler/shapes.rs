//! Small functions that give an expansion's tokens their types.

use std::{future::Future, marker::PhantomData};

use super::{Nothing, Once};
use crate::{backends::BoxFuture, pipeline::HookResult, step::StepError};

/// A body's type, in a branch that is never taken: it lets `?`, `into()` and coercions know what they are for.
///
/// # Panics
/// Always panics: it is never called.
pub fn never<T>() -> T {
    unreachable!("a type hint is not code")
}

/// What a function returns, where a macro says it, and only the compiler knows.
pub type Returned<T> = PhantomData<fn() -> T>;

/// Such a type, in a branch that is never taken.
///
/// # Panics
/// Always panics: it is never called.
pub fn never_of<T>(_: Returned<T>) -> T {
    never()
}

/// What an `impl Trait` must be.
#[diagnostic::on_unimplemented(
    message = "`#[orchestrate]` needs a function that returns a `Result`, but this one returns `{Self}`",
    label = "neither a `Result` nor a future of one",
    note = "return a `Result` (any alias of it), an `impl Future` or a `Pin<Box<dyn Future>>` of one, or remove the attribute"
)]
pub trait Awaitable<T, Kind> {
    /// An associated type, so that a missing implementation causes only one compiler error.
    type Itself: Future<Output = T>;
    fn itself(self) -> Self::Itself;
}

#[diagnostic::do_not_recommend]
impl<T, F: Future<Output = T>> Awaitable<T, (F,)> for F {
    type Itself = F;

    fn itself(self) -> F {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<T, F: Nothing> Awaitable<T, ()> for F {
    type Itself = std::future::Ready<T>;

    fn itself(self) -> Self::Itself {
        self.never()
    }
}

/// Calls a body that makes a future of a `T`.
pub fn called<T, F: Awaitable<T, Kind>, Kind>(body: impl FnOnce() -> F) -> F::Itself {
    body().itself()
}

/// A body as it is. What it answers is named where it is made, so that an error of its lifetimes stands at what the body answers.
#[inline]
pub fn body<T, F: Future<Output = T>>(body: F) -> F {
    body
}

/// A body that is not async. It is called once, so that what it returns may borrow of what it has captured.
#[inline]
pub fn function<T, B: FnOnce() -> T>(body: B) -> Once<B> {
    Once::new(body)
}

/// The same, of a type that only the compiler knows.
#[inline]
pub fn function_of<T, B: FnOnce() -> T>(_: Returned<T>, body: B) -> Once<B> {
    Once::new(body)
}

/// A hook's future that needs nothing of the caller's.
pub fn boxed(future: impl Future<Output = HookResult> + Send + 'static) -> BoxFuture<HookResult> {
    Box::pin(future)
}

/// The steps that have no hook of this kind.
pub fn no_hook() -> HookResult {
    Ok(())
}

/// An error that a `required` step's failure can become.
#[diagnostic::on_unimplemented(
    message = "a `required` step's failure becomes the handler's error, and `{Self}` cannot be made from it",
    label = "`required` needs `From<graceful::StepError>` for the error type",
    note = "implement `From<graceful::StepError>` for `{Self}`, or remove `required`"
)]
pub trait ErrorOfStep: From<StepError> {}
#[diagnostic::do_not_recommend]
impl<E: From<StepError>> ErrorOfStep for E {}

/// An error that a flow which could not be stored with its data can become.
#[diagnostic::on_unimplemented(
    message = "a flow that cannot be stored in the transaction becomes the handler's error, and `{Self}` cannot be made from it",
    label = "`tx` needs `From<graceful::StepError>` for the error type",
    note = "implement `From<graceful::StepError>` for `{Self}`, or remove `tx`"
)]
pub trait ErrorOfStore: From<StepError> {}
#[diagnostic::do_not_recommend]
impl<E: From<StepError>> ErrorOfStore for E {}

/// Why a flow could not be stored, as the handler's error.
pub fn store_error<E: ErrorOfStore>(error: StepError) -> E {
    E::from(error)
}

/// A `required` step's failure as the handler's error.
pub fn required_error<E: ErrorOfStep>(error: StepError) -> E {
    E::from(error)
}
