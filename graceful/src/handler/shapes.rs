//! Small functions that give types to the tokens of an expansion.

use std::{future::Future, marker::PhantomData};

use super::{Nothing, Once};
use crate::{backends::BoxFuture, pipeline::HookResult, step::StepError};

/// Names the type of a body in a branch that is never taken, so that `?`, `into()` and coercions in the body can be inferred.
///
/// # Panics
/// Always panics: it is never called.
pub fn never<T>() -> T {
    unreachable!("a type hint is not code")
}

/// The return type of a function if a macro call stands for it, so that only the compiler knows the type.
pub type Returned<T> = PhantomData<fn() -> T>;

/// The same as [`never`] for such a type.
///
/// # Panics
/// Always panics: it is never called.
pub fn never_of<T>(_: Returned<T>) -> T {
    never()
}

/// The bound of a return type `impl Trait`.
#[diagnostic::on_unimplemented(
    message = "a handler returns a `Result`, but this one returns `{Self}`",
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

/// Returns the body unchanged. Its output type is named here, so that an error of lifetimes is reported at the value that the body returns.
#[inline]
pub fn body<T, F: Future<Output = T>>(body: F) -> F {
    body
}

/// A body that is not async. It is called once, so that its result may borrow from its captures.
#[inline]
pub fn function<T, B: FnOnce() -> T>(body: B) -> Once<B> {
    Once::new(body)
}

/// The same for a type that only the compiler knows.
#[inline]
pub fn function_of<T, B: FnOnce() -> T>(_: Returned<T>, body: B) -> Once<B> {
    Once::new(body)
}

/// Boxes the future of a hook that borrows nothing from the caller.
pub fn boxed(future: impl Future<Output = HookResult> + Send + 'static) -> BoxFuture<HookResult> {
    Box::pin(future)
}

/// The result for steps that have no hook of this kind.
pub fn no_hook() -> HookResult {
    Ok(())
}

/// An error type into which the failure of a `required` step can be converted.
#[diagnostic::on_unimplemented(
    message = "a `required` step's failure becomes the handler's error, and `{Self}` cannot be made from it",
    label = "`required` needs `From<graceful::StepError>` for the error type",
    note = "implement `From<graceful::StepError>` for `{Self}` (a type parameter needs it as a bound), or remove `required`"
)]
pub trait ErrorOfStep: From<StepError> {}
#[diagnostic::do_not_recommend]
impl<E: From<StepError>> ErrorOfStep for E {}

/// An error type into which the failure to store a flow in its transaction can be converted.
#[diagnostic::on_unimplemented(
    message = "a flow that cannot be stored in the transaction becomes the handler's error, and `{Self}` cannot be made from it",
    label = "`tx` needs `From<graceful::StepError>` for the error type",
    note = "implement `From<graceful::StepError>` for `{Self}` (a type parameter needs it as a bound), or remove `tx`"
)]
pub trait ErrorOfStore: From<StepError> {}
#[diagnostic::do_not_recommend]
impl<E: From<StepError>> ErrorOfStore for E {}

/// Converts the failure to store a flow to the handler's error.
pub fn store_error<E: ErrorOfStore>(error: StepError) -> E {
    E::from(error)
}

/// Converts the failure of a `required` step to the handler's error.
pub fn required_error<E: ErrorOfStep>(error: StepError) -> E {
    E::from(error)
}
