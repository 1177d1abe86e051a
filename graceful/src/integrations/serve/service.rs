//! A service whose requests are counted, and dropped at the end of their time.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{self, Poll, ready},
};

use http::{
    HeaderValue, Request, Response, StatusCode, Version,
    header::{CONNECTION, CONTENT_TYPE},
};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{
    body::{DrainBody, is_grpc, unavailable},
    drain::{Counted, Drain, Phase},
};
use crate::backends::BoxFuture;

/// A service as `serve` runs it: its live streams end when the process shuts down, and a request that is not answered in time is dropped.
pub struct DrainService<S, B> {
    inner: S,
    drain: Drain,
    /// Makes a body of the framework's own type.
    wrap: fn(DrainBody<B>) -> B,
}

impl<S, B> DrainService<S, B> {
    pub(crate) fn new(inner: S, drain: Drain, wrap: fn(DrainBody<B>) -> B) -> Self {
        Self { inner, drain, wrap }
    }
}

impl<S: Clone, B> Clone for DrainService<S, B> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), drain: self.drain.clone(), wrap: self.wrap }
    }
}

impl<S, B> fmt::Debug for DrainService<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DrainService").finish_non_exhaustive()
    }
}

impl<S, B: Body, R> Service<Request<R>> for DrainService<S, B>
where
    S: Service<Request<R>, Response = Response<B>>,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = DrainFuture<S::Future, B>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<R>) -> Self::Future {
        let is_grpc = is_grpc(request.headers());
        let is_http_1 = request.version() <= Version::HTTP_11;
        let counted = self.drain.request();
        let (drain, wrap) = (self.drain.clone(), self.wrap);
        let inner = Some(self.inner.call(request));
        DrainFuture { inner, is_grpc, is_http_1, drain, wrap, aborted: None, counted }
    }
}

pin_project! {
    /// The future of a [`DrainService`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct DrainFuture<F, B> {
        #[pin]
        inner: Option<F>,
        is_grpc: bool,
        is_http_1: bool,
        drain: Drain,
        wrap: fn(DrainBody<B>) -> B,
        aborted: Option<BoxFuture<()>>,
        counted: Counted,
    }
}

impl<F, B: Body, E> Future for DrainFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(inner) = this.inner.as_mut().as_pin_mut()
            && let Poll::Ready(answer) = inner.poll(cx)
        {
            return Poll::Ready(answer.map(|answer| {
                let mut answer = DrainBody::around(answer, this.drain).map(*this.wrap);
                // Or a load balancer sends its next request on this connection while it is closed. HTTP/2 says good-bye by itself.
                if *this.is_http_1 && this.drain.phase() >= Phase::Leaving {
                    answer.headers_mut().entry(CONNECTION).or_insert(HeaderValue::from_static("close"));
                }
                answer
            }));
        }
        let aborted = this.aborted.get_or_insert_with(|| this.drain.reached(Phase::Aborting));
        ready!(aborted.as_mut().poll(cx));
        // Drops the handler: its error flow runs in the background, before the orchestrator shuts down.
        this.inner.set(None);
        let mut answer = Response::new((this.wrap)(DrainBody::empty(this.drain)));
        if *this.is_grpc {
            answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
            unavailable(answer.headers_mut());
        } else {
            *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        Poll::Ready(Ok(answer))
    }
}

impl<F, B> fmt::Debug for DrainFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DrainFuture").field("counted", &self.counted).finish_non_exhaustive()
    }
}
