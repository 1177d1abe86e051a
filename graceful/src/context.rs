//! The context of a call, which is local to the task.

use std::{cell::Cell, future::Future, sync::Arc};

use serde::{Deserialize, Serialize};
use tokio::{task::futures::TaskLocalFuture, task_local};

use crate::{
    text::Text,
    trace::{TraceParent, TraceState},
};

task_local! {
    static CURRENT: Arc<Context>;
}

/// The context of a call: user, tenant, actor, correlation id, request id and trace.
///
/// It is local to the task: [`scope`](Self::scope) sets it for a future, and every flow that starts inside carries it.
/// It is optional: a flow without a context has no user, and its correlation id is its own id.
///
/// ```
/// use graceful::Context;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let context = Context::new().user("ada").tenant("acme");
/// context.scope(async { assert_eq!(Context::current().tenant.as_deref(), Some("acme")) }).await;
/// assert_eq!(Context::current().tenant, None);
/// # });
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Context {
    /// The authenticated user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Text>,
    /// The tenant, which is part of every key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Text>,
    /// Who made the call, if not the user: a job, or an administrator on behalf of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Text>,
    /// The correlation id, which all calls of one business action share. Default: the flow's own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<Text>,
    /// The id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Text>,
    /// The position of the call in a distributed trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceParent>,
    /// The state that tracing systems attach to the trace; ignored without [`trace`](Self::trace).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_state: Option<TraceState>,
}

macro_rules! setters {
    ($($field:ident)*) => {$(
        #[doc = concat!("The same context with another `", stringify!($field), "`.")]
        ///
        /// ```
        #[doc = concat!("let context = graceful::Context::new().", stringify!($field), "(\"x\");")]
        #[doc = concat!("assert_eq!(context.", stringify!($field), ".as_deref(), Some(\"x\"));")]
        /// ```
        #[must_use]
        pub fn $field(mut self, $field: impl Into<Text>) -> Self {
            self.$field = Some($field.into());
            self
        }
    )*};
}

impl Context {
    /// An empty context.
    ///
    /// ```
    /// assert_eq!(graceful::Context::new(), graceful::Context::default());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        user tenant actor correlation_id request_id
    }

    /// The same context with another `trace`. The `trace_state` is dropped, because it belonged to the previous trace.
    ///
    /// ```
    /// let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse()?;
    /// let context = graceful::Context::new().trace_state("congo=t61rcWkgMzE".parse()?).trace(parent);
    /// assert_eq!((context.trace, context.trace_state), (Some(parent), None));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn trace(mut self, trace: TraceParent) -> Self {
        self.trace = Some(trace);
        self.trace_state = None;
        self
    }

    /// The same context with another `trace_state`, that of its [`trace`](Self::trace).
    ///
    /// ```
    /// let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse()?;
    /// let context = graceful::Context::new().trace(parent).trace_state("congo=t61rcWkgMzE".parse()?);
    /// assert_eq!(context.trace_state.unwrap().as_str(), "congo=t61rcWkgMzE");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn trace_state(mut self, trace_state: TraceState) -> Self {
        self.trace_state = Some(trace_state);
        self
    }

    /// The context of this task, or an empty one.
    ///
    /// ```
    /// assert_eq!(*graceful::Context::current(), graceful::Context::new());
    /// ```
    pub fn current() -> Arc<Self> {
        Self::try_current().unwrap_or_default()
    }

    pub(crate) fn try_current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    /// The context that a call starts in: that of its task, and the trace that is active.
    pub(crate) fn of_call() -> Option<Arc<Self>> {
        let context = Self::try_current();
        #[cfg(feature = "opentelemetry")]
        if let Some((trace, trace_state)) = crate::trace::opentelemetry::active() {
            let mut context = context.map(Arc::unwrap_or_clone).unwrap_or_default().trace(trace);
            context.trace_state = trace_state;
            return Some(Arc::new(context));
        }
        context
    }

    /// Runs a future within this context. Dropping it is as safe as dropping the future itself.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use graceful::Context;
    /// let user = Context::new().user("ada").scope(async { Context::current().user.clone() }).await;
    /// assert_eq!(user.as_deref(), Some("ada"));
    /// # });
    /// ```
    pub fn scope<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        scope(Arc::new(self), future)
    }

    /// Runs a closure within this context: for sync handlers.
    ///
    /// ```
    /// # use graceful::Context;
    /// let user = Context::new().user("ada").sync_scope(|| Context::current().user.clone());
    /// assert_eq!(user.as_deref(), Some("ada"));
    /// ```
    pub fn sync_scope<R>(self, run: impl FnOnce() -> R) -> R {
        enter(&Arc::new(self), run)
    }
}

pub(crate) fn scope<F: Future>(context: Arc<Context>, future: F) -> TaskLocalFuture<Arc<Context>, F> {
    CURRENT.scope(context, future)
}

pub(crate) fn enter<R>(context: &Arc<Context>, run: impl FnOnce() -> R) -> R {
    CURRENT.sync_scope(Arc::clone(context), run)
}

task_local! {
    /// Whether the answer of an idempotent handler was replayed in this request.
    static REPLAYED: Cell<bool>;
}

/// Records that an idempotent handler has replayed an answer, for the layer around the request.
pub(crate) fn replayed() {
    // Without a layer nobody asks.
    let _ = REPLAYED.try_with(|replayed| replayed.set(true));
}

/// Runs a request, and finds out whether an answer was replayed in it.
#[cfg(feature = "tower")]
pub(crate) fn observing_replays<F: Future>(future: F) -> TaskLocalFuture<Cell<bool>, F> {
    REPLAYED.scope(Cell::new(false), future)
}
