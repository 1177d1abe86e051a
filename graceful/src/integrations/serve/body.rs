//! The body of a response that a shutdown can end.

use std::{
    error::Error,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{HeaderMap, HeaderValue, Response, header::CONTENT_TYPE};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::{
    SHUTTING_DOWN,
    drain::{Counted, Drain, Phase},
};
use crate::backends::BoxFuture;

/// How the body of a response ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A stream of server-sent events ends as if it were complete: the client connects again, to another process.
    Events,
    /// A stream of gRPC ends with the status `UNAVAILABLE`.
    Grpc,
    /// Anything else breaks off, so that the client does not take a part for the whole.
    Other,
}

impl Kind {
    fn of<B>(response: &Response<B>) -> Self {
        if is_grpc(response.headers()) {
            return Self::Grpc;
        }
        match essence(response.headers()) {
            b"text/event-stream" => Self::Events,
            _ => Self::Other,
        }
    }

    const fn ends_in(self) -> Phase {
        match self {
            Self::Events | Self::Grpc => Phase::EndingStreams,
            Self::Other => Phase::Aborting,
        }
    }
}

/// The media type, without its parameters.
fn essence(headers: &HeaderMap) -> &[u8] {
    let value = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii()
}

/// Whether a request or response is gRPC over HTTP/2. In gRPC-Web the trailers are part of the body.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    let essence = essence(headers);
    essence == b"application/grpc" || essence.starts_with(b"application/grpc+")
}

/// Sets the status of gRPC that says that the process is shutting down: 14 is `UNAVAILABLE`.
pub(super) fn unavailable(headers: &mut HeaderMap) {
    headers.insert("grpc-status", HeaderValue::from_static("14"));
    headers.insert("grpc-message", HeaderValue::from_static(SHUTTING_DOWN));
}

pin_project! {
    /// The body of a response, until its end or until the shutdown ends it.
    pub struct DrainBody<B> {
        // None: it has ended.
        #[pin]
        inner: Option<B>,
        kind: Kind,
        drain: Drain,
        // Whether a part was sent since the phase in which it ends began.
        sent_since: bool,
        ends: Option<BoxFuture<()>>,
        counted: Option<Counted>,
    }
}

impl<B: Body> DrainBody<B> {
    pub(super) fn around(response: Response<B>, drain: &Drain) -> Response<Self> {
        let kind = Kind::of(&response);
        response.map(|body| {
            // Often there is nothing, and nobody asks for the end of that.
            let counted = (!body.is_end_stream()).then(|| drain.body());
            Self { inner: Some(body), kind, drain: drain.clone(), sent_since: false, ends: None, counted }
        })
    }

    /// The body of a response that has none.
    pub(super) fn empty(drain: &Drain) -> Self {
        let drain = drain.clone();
        Self { inner: None, kind: Kind::Other, drain, sent_since: false, ends: None, counted: None }
    }
}

impl<B> fmt::Debug for DrainBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DrainBody").field("kind", &self.kind).finish_non_exhaustive()
    }
}

type Polled<D> = Poll<Option<Result<Frame<D>, Box<dyn Error + Send + Sync>>>>;

impl<B: Body<Error: Into<Box<dyn Error + Send + Sync>>>> Body for DrainBody<B> {
    type Data = B::Data;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled<B::Data> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        // Asked before the body, which may always have more.
        let is_over = this.drain.phase() >= this.kind.ends_in();
        match inner.poll_frame(cx) {
            // A response that began in this phase may be a single message, and one that ended with it has its trailers.
            Poll::Ready(Some(Ok(frame))) if frame.is_data() && is_over => {
                if !*this.sent_since {
                    *this.sent_since = true;
                    return Poll::Ready(Some(Ok(frame)));
                }
            }
            Poll::Ready(Some(frame)) => return Poll::Ready(Some(frame.map_err(Into::into))),
            Poll::Ready(None) => {
                this.inner.set(None);
                *this.counted = None;
                return Poll::Ready(None);
            }
            Poll::Pending => {
                let ends = this.ends.get_or_insert_with(|| this.drain.reached(this.kind.ends_in()));
                ready!(ends.as_mut().poll(cx));
            }
        }
        this.inner.set(None);
        *this.ends = None;
        *this.counted = None;
        match this.kind {
            Kind::Events => {
                this.drain.stream_ended();
                Poll::Ready(None)
            }
            Kind::Grpc => {
                this.drain.stream_ended();
                let mut trailers = HeaderMap::new();
                unavailable(&mut trailers);
                Poll::Ready(Some(Ok(Frame::trailers(trailers))))
            }
            Kind::Other => Poll::Ready(Some(Err(SHUTTING_DOWN.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
