//! Errors as [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problem details, routes for the health of a process, and a server that shuts
//! down in order.
//!
//! For the context of a request, see [`tower`](crate::tower). `Json<T>`, alone or last in a tuple as in `(StatusCode, Json<T>)`, is
//! unwrapped: `T` is the payload.

mod idempotency;

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    task::{self, Poll, ready},
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
    routing::get,
    serve::{IncomingStream, Listener},
};
use http::{HeaderValue, StatusCode, Uri, header};
use pin_project_lite::pin_project;
use problem_details::{JsonProblemDetails, ProblemDetails};
use serde::Serialize;
use tower_service::Service;

pub use super::serve::Serve;
use super::serve::{Drain, DrainService, Phase};
use crate::{
    classify::{Classify, Refusal},
    code::Code,
    context::Context,
    pipeline::{HealthStatus, Orchestrator},
    text::Text,
};

/// Two routes for those who watch a process: `GET /live` answers 200 as long as the process answers at all; `GET /ready` answers 200 while
/// the process [can do its work](Orchestrator::health), and 503 while it cannot, so that requests go to other processes.
///
/// The body is the status as a word, and nothing else, because anybody may ask.
///
/// ```
/// use graceful::{Orchestrator, axum::health_routes};
/// # use axum::body::Body;
/// # use http::Request;
/// # use tower::ServiceExt as _;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let orchestrator = Orchestrator::in_memory();
/// let app: axum::Router = axum::Router::new().merge(health_routes(&orchestrator));
/// # let ready = app.oneshot(Request::get("/ready").body(Body::empty()).unwrap()).await.unwrap();
/// # assert_eq!(ready.status(), 200);
/// # });
/// ```
pub fn health_routes<S: Clone + Send + Sync + 'static>(orchestrator: &Orchestrator) -> Router<S> {
    let orchestrator = orchestrator.clone();
    let ready = async move || {
        let status = orchestrator.health().await.status;
        let code = match status {
            HealthStatus::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            HealthStatus::Ready | HealthStatus::Degraded => StatusCode::OK,
        };
        (code, status.as_str())
    };
    Router::new().route("/live", get(async || "live")).route("/ready", get(ready))
}

/// Serves until the process is asked to end by `SIGTERM` or `SIGINT` (Ctrl-C), and then shuts down in order: server and orchestrator.
///
/// It takes what [`axum::serve`](https://docs.rs/axum/0.8/axum/fn.serve.html) takes. [`Serve`] says what happens in which order, and has the
/// settings. Await it as the last line of `main`.
///
/// ```no_run
/// use axum::Router;
/// use graceful::{Orchestrator, axum::health_routes};
///
/// #[tokio::main]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let orchestrator = Orchestrator::in_memory();
///     orchestrator.clone().install()?;
///     let app = Router::new().merge(health_routes(&orchestrator));
///     let listener = tokio::net::TcpListener::bind("0.0.0.0:8080").await?;
///     graceful::axum::serve(listener, app).await?;
///     Ok(())
/// }
/// ```
pub fn serve<L, M, S>(listener: L, make_service: M) -> Serve
where
    L: Listener<Addr: fmt::Debug>,
    M: for<'a> Service<IncomingStream<'a, L>, Error = Infallible, Response = S> + Send + 'static,
    for<'a> <M as Service<IncomingStream<'a, L>>>::Future: Send,
    S: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    Serve::new(async move |drain: Drain| {
        let closing = drain.reached(Phase::Closing);
        axum::serve(listener, MakeDrainService { inner: make_service, drain })
            .with_graceful_shutdown(closing)
            .await
    })
}

/// Makes the service of each connection one that is drained.
struct MakeDrainService<M> {
    inner: M,
    drain: Drain,
}

impl<'a, L, M> Service<IncomingStream<'a, L>> for MakeDrainService<M>
where
    L: Listener,
    M: Service<IncomingStream<'a, L>>,
{
    type Response = DrainService<M::Response, Body>;
    type Error = M::Error;
    type Future = MakeFuture<M::Future>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), M::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, connection: IncomingStream<'a, L>) -> Self::Future {
        MakeFuture { inner: self.inner.call(connection), drain: self.drain.clone() }
    }
}

pin_project! {
    struct MakeFuture<F> {
        #[pin]
        inner: F,
        drain: Drain,
    }
}

impl<F: Future<Output = Result<S, E>>, S, E> Future for MakeFuture<F> {
    type Output = Result<DrainService<S, Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let service = ready!(this.inner.poll(cx));
        Poll::Ready(service.map(|service| DrainService::new(service, this.drain.clone(), Body::new)))
    }
}

/// An error response with code and classified message, and no other part of the error.
///
/// An error that is [`Classify`] converts into it by `?`, and the handler's flow has the same code and message:
///
/// ```
/// use axum::{Json, extract::Path};
/// use graceful::{Classify, Orchestrator, axum::Problem, orchestrate};
/// use http::StatusCode;
/// # use serde::Serialize;
///
/// # #[derive(Serialize)]
/// # struct User { id: u64 }
/// #[derive(Classify)]
/// #[classify(code = NotFound, message = "no user {0}")]
/// struct Missing(u64);
///
/// #[orchestrate(pattern = "user", id = id)]
/// async fn show(Path(id): Path<u64>) -> Result<Json<User>, Problem> {
///     if id == 0 {
///         return Err(Missing(id).into());
///     }
///     Ok(Json(User { id }))
/// }
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # use axum::response::IntoResponse as _;
/// # let response = show(Path(0)).await.map(|_| ()).unwrap_err().into_response();
/// # assert_eq!(response.status(), StatusCode::NOT_FOUND);
/// # });
/// ```
///
/// Your own error type can implement `IntoResponse` in one line:
///
/// ```
/// # use graceful::{Classify, axum::Problem};
/// # use axum::response::{IntoResponse, Response};
/// # #[derive(Classify)]
/// # #[classify(code = NotFound, message = "no such user")]
/// # struct UserError;
/// impl IntoResponse for UserError {
///     fn into_response(self) -> Response {
///         Problem::of(&self).into_response()
///     }
/// }
/// ```
///
/// A `Problem` does not contain the original error, so for a server fault only code and message can be logged. Your own error type
/// is logged with its sources.
///
/// The response is `application/problem+json`. Its status is the code's [`http_status`](Code::http_status), `title` the
/// status' own phrase, `detail` the error's classified message; `code` is the [`Code`], and `request_id` the one of the
/// [`Context`], so that users can report it:
///
/// ```json
/// { "status": 404, "title": "Not Found", "detail": "no user 0", "code": "NOT_FOUND", "request_id": "r-1" }
/// ```
///
/// An idempotent call that was [refused](crate::idempotency::Refusal) has the status, the `type` and the `title` of its refusal, and a header
/// `Retry-After` if it can be tried again.
// Not `Classify` itself, or `From` could not take all that is: the probe of handlers knows it by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    code: Code,
    message: Text,
    refusal: Option<Refusal>,
}

impl Problem {
    /// Creates the response to an error.
    ///
    /// ```
    /// use graceful::{Code, axum::Problem};
    /// let problem = Problem::of(&std::io::Error::other("the password is hunter2"));
    /// assert_eq!((problem.code(), problem.message()), (Code::Internal, "internal error"));
    /// ```
    pub fn of(error: &(impl Classify + ?Sized)) -> Self {
        Self { code: error.code(), message: error.message().into(), refusal: error.refusal() }
    }

    /// The code of the error.
    ///
    /// ```
    /// # use graceful::{Code, axum::Problem};
    /// assert_eq!(Problem::of(&Code::NotFound).code(), Code::NotFound);
    /// ```
    pub fn code(&self) -> Code {
        self.code
    }

    /// The message that clients may see.
    ///
    /// ```
    /// # use graceful::{Code, axum::Problem};
    /// assert_eq!(Problem::of(&Code::NotFound).message(), "not found");
    /// ```
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl<E: Classify> From<E> for Problem {
    fn from(error: E) -> Self {
        Self::of(&error)
    }
}

#[derive(Serialize)]
struct Extensions {
    code: Code,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Text>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.refusal.map_or(self.code.http_status(), Refusal::http_status);
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let title = self.refusal.map(Refusal::title).or(status.canonical_reason());
        let mut details = ProblemDetails::new()
            .with_status(status)
            .with_title(title.unwrap_or(self.code.text()))
            .with_detail(self.message)
            .with_extensions(Extensions {
                code: self.code,
                request_id: Context::current().request_id.clone(),
            });
        if let Some(refusal) = self.refusal {
            details = details.with_type(Uri::from_static(refusal.problem_type()));
        }
        let mut response = JsonProblemDetails::from(details).into_response();
        if let Some(after) = self.refusal.and_then(Refusal::retry_after) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs()));
        }
        response
    }
}
