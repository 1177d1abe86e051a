//! Small functions that give an expansion's tokens their types.

use std::future::Future;

use crate::{Outcome, StepError, backends::BoxFuture, engine::HookResult};

/// A body's type, in a branch that is never taken: it lets `?`, `into()` and coercions know what they are for. What is
/// mentioned there is captured by the body.
///
/// # Panics
/// Always: nobody calls it.
pub fn never<T>(_: impl Sized) -> T {
    unreachable!("a type hint is not code")
}

/// Calls a body that makes a future of a `T`.
pub fn called<T, F: Future<Output = T>>(body: impl FnOnce() -> F) -> F {
    body()
}

/// A hook's future that needs nothing of the caller's.
pub fn boxed(future: impl Future<Output = HookResult> + Send + 'static) -> BoxFuture<HookResult> {
    Box::pin(future)
}

/// What a hook returns.
pub fn hook_result(result: HookResult) -> HookResult {
    result
}

/// What a fallback returns.
pub fn recovered<R: Outcome>(_: &R, value: Option<R::Ok>) -> Result<Option<R::Ok>, StepError> {
    Ok(value)
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
impl<E: From<StepError>> ErrorOfStep for E {}

/// A `required` step's failure as the handler's error.
pub fn required_error<E: ErrorOfStep>(error: StepError) -> E {
    E::from(error)
}
