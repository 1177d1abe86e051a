//! A [`tower`](https://docs.rs/tower) layer that fills the [`Context`] of each request from its headers, for axum, tonic and other
//! servers of `http::Request`.
//!
//! | header | sets | if it is missing or invalid |
//! |---|---|---|
//! | `traceparent` | [`Context::trace`], by the rules of [W3C Trace Context](https://www.w3.org/TR/trace-context/) | the context has no trace |
//! | `tracestate` | [`Context::trace_state`], by the same rules; several headers are one | the trace has no state |
//! | `x-request-id` | [`Context::request_id`]; repeated in the response | a UUID is generated |
//! | `x-correlation-id` | [`Context::correlation_id`] | the correlation id of each flow is its own id |
//!
//! An id is accepted if its header occurs once and has 1 to 128 letters, digits and `-_.:+/=@`. No other ids get into logs, events
//! and responses. User, tenant and actor are never read from headers automatically, because a client can write anything there. Set their
//! source by [`ContextLayer::user`], [`ContextLayer::tenant`] and [`ContextLayer::actor`].
//!
//! ```
//! use axum::{Extension, Router, routing::get};
//! use graceful::{Context, Orchestrator, tower::ContextLayer};
//!
//! /// Your authentication inserts this into the request.
//! #[derive(Clone)]
//! struct Claims {
//!     user: String,
//!     company: String,
//! }
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let orchestrator = Orchestrator::in_memory();
//! let router: Router = Router::new()
//!     .route("/", get(async || Context::current().tenant.clone().unwrap_or_default().to_string()))
//!     .layer(
//!         ContextLayer::new()
//!             .on(&orchestrator)
//!             .user(|request| Some(request.extensions.get::<Claims>()?.user.clone()))
//!             .tenant(|request| Some(request.extensions.get::<Claims>()?.company.clone())),
//!     )
//!     // The last layer runs first, so the authentication is added after the `ContextLayer`.
//!     .layer(Extension(Claims { user: "ada".into(), company: "acme".into() }));
//! # use tower::ServiceExt as _;
//! # let response = router.oneshot(http::Request::new(axum::body::Body::empty())).await.unwrap();
//! # assert!(response.headers().contains_key("x-request-id"));
//! # assert_eq!(axum::body::to_bytes(response.into_body(), 9).await.unwrap(), "acme");
//! # });
//! ```
//!
//! # When a client disconnects
//!
//! A server drops the request's future when its client disconnects. Then the error flow of the dropped handler runs with
//! [`Code::Cancelled`](crate::Code::Cancelled) in the background, with the request's context and the layer's orchestrator.
//!
//! # Outside of the scope
//!
//! The scope ends with the response. A task that the handler spawns, and a body that is streamed after the response, have no context:
//! pass [`Context::current`] to them, and run them in its [`Context::scope`].

mod headers;
mod replays;

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{self, Poll, ready},
};

use http::{HeaderValue, Request, Response, request::Parts};
use pin_project_lite::pin_project;
use tokio::task::futures::TaskLocalFuture;
use tower_layer::Layer;
use tower_service::Service;

use self::headers::REQUEST_ID;
pub use self::replays::{ReplayFuture, ReplayLayer, ReplayService};
use crate::{
    context,
    context::Context,
    pipeline::{Orchestrator, current},
    text::Text,
};

type Read = Arc<dyn Fn(&Parts) -> Option<Text> + Send + Sync>;

/// A layer that fills the [`Context`] of each request and sets its orchestrator; see [the module](self).
///
/// It is cheap to clone.
#[derive(Clone, Default)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct ContextLayer {
    orchestrator: Option<Orchestrator>,
    user: Option<Read>,
    tenant: Option<Read>,
    actor: Option<Read>,
}

macro_rules! readers {
    ($($(#[$doc:meta])* $field:ident)*) => {$(
        $(#[$doc])*
        ///
        /// A `None` leaves it as it is. A panic inside is the request's, as it would be in the handler.
        ///
        /// ```
        /// # use graceful::tower::ContextLayer;
        #[doc = concat!("let layer = ContextLayer::new().", stringify!($field), "(|request| {")]
        ///     // Only behind a proxy that sets the header itself.
        #[doc = concat!("    Some(request.headers.get(\"x-", stringify!($field), "\")?.to_str().ok()?.to_owned())")]
        /// });
        /// # drop(layer);
        /// ```
        pub fn $field<T: Into<Text>>(
            mut self,
            read: impl Fn(&Parts) -> Option<T> + Send + Sync + 'static,
        ) -> Self {
            self.$field = Some(Arc::new(move |parts| read(parts).map(Into::into)));
            self
        }
    )*};
}

impl ContextLayer {
    /// Creates a layer that fills the context from the headers.
    ///
    /// ```
    /// let layer = graceful::tower::ContextLayer::new();
    /// # drop(layer);
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the orchestrator of the handlers. Default: the installed one.
    ///
    /// ```
    /// # use graceful::{Orchestrator, tower::ContextLayer};
    /// let layer = ContextLayer::new().on(&Orchestrator::in_memory());
    /// # drop(layer);
    /// ```
    pub fn on(mut self, orchestrator: &Orchestrator) -> Self {
        self.orchestrator = Some(orchestrator.clone());
        self
    }

    readers! {
        /// Sets how to find the authenticated user: [`Context::user`].
        user
        /// Sets how to find the tenant: [`Context::tenant`], which is part of every key.
        tenant
        /// Sets how to find the actor, if it is not the user: [`Context::actor`].
        actor
    }

    fn context(&self, parts: &mut Parts) -> Context {
        // An outer layer may have filled the context; the values that are read here replace its values.
        let mut context = Context::try_current().map(Arc::unwrap_or_clone).unwrap_or_default();
        headers::read(&mut context, &mut parts.headers);
        let read = |read: &Option<Read>| read.as_ref().and_then(|read| read(parts));
        for (field, found) in [
            (&mut context.user, read(&self.user)),
            (&mut context.tenant, read(&self.tenant)),
            (&mut context.actor, read(&self.actor)),
        ] {
            if found.is_some() {
                *field = found;
            }
        }
        context
    }
}

impl<S> Layer<S> for ContextLayer {
    type Service = ContextService<S>;

    fn layer(&self, inner: S) -> ContextService<S> {
        ContextService { inner, layer: Arc::new(self.clone()) }
    }
}

impl fmt::Debug for ContextLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextLayer").field("orchestrator", &self.orchestrator).finish_non_exhaustive()
    }
}

/// The service that a [`ContextLayer`] creates.
#[derive(Clone, Debug)]
pub struct ContextService<S> {
    inner: S,
    layer: Arc<ContextLayer>,
}

impl<S, B, ResponseBody> Service<Request<B>> for ContextService<S>
where
    S: Service<Request<B>, Response = Response<ResponseBody>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture<S::Future> {
        let (mut parts, body) = request.into_parts();
        let context = Arc::new(self.layer.context(&mut parts));
        let request_id = parts.headers.get(REQUEST_ID).cloned();
        let request = Request::from_parts(parts, body);
        // The call of the service, before its future is polled, is in scope, too.
        let call = || self.inner.call(request);
        let scoped = match &self.layer.orchestrator {
            Some(orchestrator) => {
                let called = context::enter(&context, || current::sync_scope(orchestrator.clone(), call));
                Scoped::On { inner: current::scope(orchestrator.clone(), called) }
            }
            None => Scoped::Around { inner: context::enter(&context, call) },
        };
        ResponseFuture { inner: context::scope(context, scoped), request_id }
    }
}

pin_project! {
    #[project = ScopedProjection]
    enum Scoped<F> {
        On { #[pin] inner: TaskLocalFuture<Orchestrator, F> },
        Around { #[pin] inner: F },
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        match self.project() {
            ScopedProjection::On { inner } => inner.poll(cx),
            ScopedProjection::Around { inner } => inner.poll(cx),
        }
    }
}

pin_project! {
    /// The future of a [`ContextService`]. Dropping it drops the inner future within its context.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: TaskLocalFuture<Arc<Context>, Scoped<F>>,
        request_id: Option<HeaderValue>,
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut answer = ready!(this.inner.poll(cx));
        if let (Ok(response), Some(request_id)) = (&mut answer, this.request_id.take()) {
            response.headers_mut().entry(REQUEST_ID).or_insert(request_id);
        }
        Poll::Ready(answer)
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("request_id", &self.request_id).finish_non_exhaustive()
    }
}
