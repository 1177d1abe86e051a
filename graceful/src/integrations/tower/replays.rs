//! A layer that marks the responses of repeated calls.

use std::{
    cell::Cell,
    fmt,
    future::Future,
    pin::Pin,
    task::{self, Poll, ready},
};

use http::{HeaderName, HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use tokio::task::futures::TaskLocalFuture;
use tower_layer::Layer;
use tower_service::Service;

use crate::context;

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A layer that sets the header `idempotency-replayed: true` on a response, if an idempotent handler has answered the request with the stored
/// answer of an earlier call.
///
/// The handler must run in the task of the request, not in one that it spawns.
///
/// ```
/// use graceful::tower::ReplayLayer;
/// let layer = ReplayLayer::new();
/// # drop(layer);
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct ReplayLayer(());

impl ReplayLayer {
    /// Creates the layer.
    pub const fn new() -> Self {
        Self(())
    }
}

impl<S> Layer<S> for ReplayLayer {
    type Service = ReplayService<S>;

    fn layer(&self, inner: S) -> ReplayService<S> {
        ReplayService { inner }
    }
}

/// The service that a [`ReplayLayer`] creates.
#[derive(Clone, Debug)]
pub struct ReplayService<S> {
    inner: S,
}

impl<S, B, ResponseBody> Service<Request<B>> for ReplayService<S>
where
    S: Service<Request<B>, Response = Response<ResponseBody>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ReplayFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> ReplayFuture<S::Future> {
        ReplayFuture { inner: context::observing_replays(self.inner.call(request)) }
    }
}

pin_project! {
    /// The future of a [`ReplayService`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct ReplayFuture<F> {
        #[pin]
        inner: TaskLocalFuture<Cell<bool>, F>,
    }
}

impl<F, B, E> Future for ReplayFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let mut inner = self.project().inner;
        let mut answer = ready!(inner.as_mut().poll(cx));
        let is_replayed = inner.take_value().is_some_and(Cell::into_inner);
        if let (Ok(response), true) = (&mut answer, is_replayed) {
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        Poll::Ready(answer)
    }
}

impl<F> fmt::Debug for ReplayFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayFuture").finish_non_exhaustive()
    }
}
