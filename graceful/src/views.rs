//! The typed views of a flow, for typed hooks and for the manual path.

use std::{fmt, sync::Arc};

use crate::{
    code::Code,
    flow::Flow,
    pipeline::Hook,
    step::{StepError, contain},
};

/// A success with its value: the argument of a hook `STEP(ok = path)`, and the start of the manual path.
///
/// ```
/// use graceful::{StepError, Success, orchestrate};
///
/// async fn greet(success: &Success<'_, String>) -> Result<(), StepError> {
///     println!("welcome, {}: {}", success.value(), success.flow().message());
///     Ok(())
/// }
///
/// #[orchestrate(pattern = "user", audit(ok = greet))]
/// async fn create_user(name: &str) -> Result<String, std::fmt::Error> {
///     Ok(name.to_owned())
/// }
/// # use graceful::{CallOutcome, Orchestrator, Step};
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let orchestrator = Orchestrator::in_memory();
/// # orchestrator.scope(create_user("ada")).await.unwrap();
/// # assert_eq!((orchestrator.stats().flows(CallOutcome::Ok), orchestrator.stats().failures(Step::Audit)), (1, 0));
/// # });
/// ```
pub struct Success<'a, T: ?Sized> {
    flow: Arc<Flow>,
    value: &'a T,
}

/// A failure with its error, if there is one: the argument of a hook `STEP(err = path)` or `fallback = path`, and the start of the
/// manual path.
///
/// ```
/// use graceful::{Failure, StepError, orchestrate};
///
/// async fn page(failure: &Failure<'_, std::io::Error>) -> Result<(), StepError> {
///     match failure.error() {
///         Some(error) => println!("{}: {:?}", failure.flow().code(), error.kind()),
///         None => println!("panicked or cancelled"),
///     }
///     Ok(())
/// }
///
/// #[orchestrate(pattern = "file", id = path, alert(err = page))]
/// async fn read(path: &str) -> std::io::Result<String> {
///     std::fs::read_to_string(path)
/// }
/// # use graceful::{CallOutcome, Orchestrator, Step};
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let orchestrator = Orchestrator::in_memory();
/// # orchestrator.scope(read("no/such/file")).await.unwrap_err();
/// # assert_eq!((orchestrator.stats().flows(CallOutcome::Err), orchestrator.stats().failures(Step::Alert)), (1, 0));
/// # });
/// ```
pub struct Failure<'a, E: ?Sized> {
    flow: Arc<Flow>,
    error: Option<&'a E>,
}

impl<'a, T: ?Sized> Success<'a, T> {
    /// The value.
    ///
    /// ```
    /// # use graceful::{Code, Success};
    /// assert_eq!(*Success::wrap(Code::Ok, "counted", &7).value(), 7);
    /// ```
    pub fn value(&self) -> &'a T {
        self.value
    }
}

impl<'a, E: ?Sized> Failure<'a, E> {
    /// The error; `None` if the handler panicked or was cancelled.
    ///
    /// ```
    /// # use graceful::{Code, Failure};
    /// assert_eq!(Failure::wrap(Code::Internal, "something failed", "disk full").error(), Some("disk full"));
    /// ```
    pub fn error(&self) -> Option<&'a E> {
        self.error
    }

    /// The view of a flow without an error value.
    #[doc(hidden)]
    pub fn of_flow(flow: &Arc<Flow>) -> Self {
        Self { flow: Arc::clone(flow), error: None }
    }
}

macro_rules! views {
    ($($view:ident<$type:ident> { $field:ident } of $argument:ty, $wrap:expr;)*) => {$(
        impl<'a, $type: ?Sized> $view<'a, $type> {
            pub(crate) fn new(flow: &Arc<Flow>, $field: $argument) -> Self {
                Self { flow: Arc::clone(flow), $field: $wrap }
            }

            /// The record of the call.
            ///
            /// ```
            /// # use graceful::{Code, Success};
            /// assert_eq!(Success::wrap(Code::Ok, "user updated", "ada").flow().message(), "user updated");
            /// ```
            pub fn flow(&self) -> &Arc<Flow> {
                &self.flow
            }

            /// The code of the outcome.
            ///
            /// ```
            /// # use graceful::{Code, Failure};
            /// assert_eq!(Failure::wrap(Code::NotFound, "no such user", "cause").code(), Code::NotFound);
            /// ```
            pub fn code(&self) -> Code {
                self.flow.code()
            }

            /// Runs hooks one after the other, and returns their failures. A failure does not stop the others; a panic counts as a failure.
            /// This method is cancel-safe: if it is dropped, the hooks after the current one do not run.
            ///
            /// ```
            /// use graceful::{Code, Flow, Hook, StepError, Success};
            ///
            /// async fn fine(_: &Flow) -> Result<(), StepError> { Ok(()) }
            /// async fn broken(_: &Flow) -> Result<(), StepError> { Err(StepError::new("broken")) }
            ///
            /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            /// let success = Success::wrap(Code::Ok, "done", "value");
            /// let failures = success.run_hooks([Hook::new(broken), Hook::new(fine)]).await;
            /// assert_eq!(failures.len(), 1);
            /// # });
            /// ```
            pub async fn run_hooks(&self, hooks: impl IntoIterator<Item = Hook>) -> Vec<StepError> {
                let mut failures = Vec::new();
                for hook in hooks {
                    failures.extend(run_hook(&hook, &self.flow).await.err());
                }
                failures
            }
        }

        impl<$type: ?Sized> fmt::Debug for $view<'_, $type> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($view)).field("flow", &self.flow).finish_non_exhaustive()
            }
        }
    )*};
}

views! {
    Success<T> { value } of &'a T, value;
    Failure<E> { error } of &'a E, Some(error);
}

async fn run_hook(hook: &Hook, flow: &Arc<Flow>) -> Result<(), StepError> {
    let mut running = contain(|| hook.call(Arc::clone(flow)))?;
    std::future::poll_fn(|cx| match contain(|| running.as_mut().poll(cx)) {
        Ok(polled) => polled,
        Err(panicked) => std::task::Poll::Ready(Err(panicked)),
    })
    .await
}
