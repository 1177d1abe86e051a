//! Hooks, which replace the arms of steps.

use std::{
    fmt,
    future::Future,
    sync::Arc,
    task::{Context, Poll},
};

use crate::{
    backends::BoxFuture,
    flow::Flow,
    step::{Step, StepError},
};

pub(crate) type HookResult = Result<(), StepError>;

/// A hook as a value: an `async fn(&Flow) -> Result<(), StepError>`.
///
/// The attribute takes the path of such a function; the manual path, [`run_hooks`](crate::Success::run_hooks) and
/// [`OrchestrationConfig::hook`](crate::OrchestrationConfig::hook) take a `Hook`.
///
/// ```
/// use graceful::{Flow, Hook, StepError};
///
/// async fn notify(flow: &Flow) -> Result<(), StepError> {
///     println!("{} {}", flow.pattern(), flow.entity_id());
///     Ok(())
/// }
///
/// # use graceful::{Code, Success};
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let failures = Success::wrap(Code::Ok, "user updated", "ada").run_hooks([Hook::new(notify)]).await;
/// assert!(failures.is_empty());
/// # });
/// ```
#[derive(Clone)]
pub struct Hook(Arc<dyn Fn(Arc<Flow>) -> BoxFuture<HookResult> + Send + Sync>);

impl Hook {
    /// Creates a hook from an `async fn`.
    ///
    /// ```
    /// # use graceful::{Code, Flow, Hook, StepError, Success};
    /// async fn refuse(_: &Flow) -> Result<(), StepError> {
    ///     Err(StepError::new("not today"))
    /// }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let failures = Success::wrap(Code::Ok, "user updated", "ada").run_hooks([Hook::new(refuse)]).await;
    /// assert_eq!(failures[0].message(), "not today");
    /// # });
    /// ```
    pub fn new<F>(hook: F) -> Self
    where
        F: for<'a> FlowHook<'a> + Send + Sync + 'static,
    {
        let hook = Arc::new(hook);
        Self(Arc::new(move |flow| {
            let hook = Arc::clone(&hook);
            Box::pin(async move { hook.call(&flow).await })
        }))
    }

    pub(crate) fn call(&self, flow: Arc<Flow>) -> BoxFuture<HookResult> {
        (self.0)(flow)
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}

/// An `async fn(&Flow) -> Result<(), StepError>`; implemented for each such function, never by hand.
///
/// ```
/// use graceful::{Flow, FlowHook, Hook, StepError};
///
/// /// Takes hooks, as a library of yours may.
/// fn twice<F>(hook: F) -> [Hook; 2]
/// where
///     F: for<'a> FlowHook<'a> + Copy + Send + Sync + 'static,
/// {
///     [Hook::new(hook), Hook::new(hook)]
/// }
///
/// async fn refuse(_: &Flow) -> Result<(), StepError> { Err(StepError::new("not today")) }
/// # use graceful::{Code, Success};
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let failures = Success::wrap(Code::Ok, "done", "value").run_hooks(twice(refuse)).await;
/// assert_eq!(failures.len(), 2);
/// # });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a hook",
    label = "expected an `async fn(&Flow) -> Result<(), StepError>` whose future is `Send`"
)]
pub trait FlowHook<'a> {
    /// The return type of a hook.
    #[doc(hidden)]
    type Future: Future<Output = HookResult> + Send + 'a;
    #[doc(hidden)]
    fn call(&self, flow: &'a Flow) -> Self::Future;
}

#[diagnostic::do_not_recommend]
impl<'a, F, Fut> FlowHook<'a> for F
where
    F: Fn(&'a Flow) -> Fut,
    Fut: Future<Output = HookResult> + Send + 'a,
{
    type Future = Fut;

    fn call(&self, flow: &'a Flow) -> Fut {
        self(flow)
    }
}

/// Starts the hook of a step that takes only the flow.
pub type Start = fn(Step, Arc<Flow>) -> BoxFuture<HookResult>;

/// The data by which a relay finds the hooks of a durable handler.
#[derive(Clone, Copy, Debug)]
pub struct Durable {
    /// The handler's full path, or the name that it was given.
    pub identity: fn() -> &'static str,
    /// Its former identities, under which older flows are stored.
    pub was: &'static [&'static str],
    /// Its hooks that take only the flow.
    pub hooks: Option<Start>,
}

/// The hooks that borrow nothing from the caller, so that they can continue without it.
#[derive(Clone, Default)]
pub(crate) enum Overrides {
    #[default]
    None,
    /// The hooks of an attribute: one function that starts the hook of each step.
    Declared(Start),
    /// The hooks of a durable handler.
    Durable(&'static Durable),
    /// The hooks of the manual path, by arm and step.
    Configured(Arc<Hooks>),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Hooks {
    pub success: [Option<Hook>; 9],
    pub error: [Option<Hook>; 9],
}

impl Overrides {
    pub(super) fn start(&self, step: Step, flow: &Arc<Flow>) -> BoxFuture<HookResult> {
        let missing = || {
            Box::pin(async {
                Err(StepError::new(
                    "the handler has no hook for this step in this program, but the stored flow needs one",
                ))
            })
        };
        match self {
            Self::Declared(start) | Self::Durable(Durable { hooks: Some(start), .. }) => {
                start(step, Arc::clone(flow))
            }
            Self::None | Self::Durable(_) => missing(),
            Self::Configured(hooks) => {
                let arm = if flow.is_success() { &hooks.success } else { &hooks.error };
                arm[step as usize].as_ref().map_or_else(|| missing() as _, |hook| hook.call(Arc::clone(flow)))
            }
        }
    }
}

impl fmt::Debug for Overrides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Declared(_) => "Declared",
            Self::Durable(_) => "Durable",
            Self::Configured(_) => "Configured",
        })
    }
}

/// The hooks that borrow the handler's result. They are part of the handler's own future and are polled through this trait.
pub(crate) trait TypedHooks {
    /// Starts the hook of the step, or polls it again.
    fn poll(&mut self, step: Step, flow: &Arc<Flow>, cx: &mut Context<'_>) -> Poll<HookResult>;
    /// Drops the hook, because it has ended or must not continue.
    fn forget(&mut self, step: Step);
}

/// For flows that have no typed hooks, or whose caller was dropped.
pub(crate) struct NoTypedHooks;

impl TypedHooks for NoTypedHooks {
    fn poll(&mut self, _: Step, _: &Arc<Flow>, _: &mut Context<'_>) -> Poll<HookResult> {
        Poll::Ready(Err(abandoned()))
    }

    fn forget(&mut self, _: Step) {}
}

pub(super) fn abandoned() -> StepError {
    StepError::of_kind(
        crate::step::StepErrorKind::Abandoned,
        "the hook borrows the handler's result, which was dropped because the caller did not wait",
    )
}
