//! Errors as a [`tonic::Status`](https://docs.rs/tonic/0.14/tonic/struct.Status.html) with the standard details of gRPC, `google.rpc`, and a
//! server that shuts down in order.
//!
//! For the context of a request, see [`tower`](crate::tower): pass its layer to `Server::builder().layer(…)`. The metadata of the response
//! repeats the request id.

use std::{error::Error, io};

use http::{Request, Response};
use tokio::net::TcpListener;
use tonic::{
    Status,
    body::Body,
    transport::{Server, server::TcpIncoming},
};
use tonic_types::{ErrorDetails, StatusExt as _};
use tower_layer::Layer;
use tower_service::Service;

use super::serve::{Drain, Phase};
pub use super::serve::{DrainService, Serve};
use crate::{
    classify::{Classify, Refusal},
    context::Context,
    idempotency::{IdempotencyKey, KeyError},
    pipeline::current,
    step::StepError,
};

/// Converts an error to a status with its code and its classified message, and no other part of the error.
///
/// In the other direction, a `Status` is [`Classify`] itself, so a gateway returns the code of the service behind it.
///
/// The status contains machine-readable details:
/// [`ErrorInfo`](https://docs.rs/tonic-types/0.14/tonic_types/struct.ErrorInfo.html), if there is an orchestrator in scope, with the name of the
/// code as the reason and the service as the domain, and for a refused idempotent call with the name of its
/// [refusal](crate::idempotency::Refusal), as in `IDEMPOTENCY_RUNNING`;
/// [`RetryInfo`](https://docs.rs/tonic-types/0.14/tonic_types/struct.RetryInfo.html), if that call can be tried again; and
/// [`RequestInfo`](https://docs.rs/tonic-types/0.14/tonic_types/struct.RequestInfo.html), if the [`Context`] has a request id.
///
/// ```
/// use graceful::{Classify, Orchestrator, tonic::status};
/// use tonic::{Response, Status};
/// use tonic_types::StatusExt as _;
///
/// #[derive(Classify)]
/// #[classify(code = NotFound, message = "no user {0}")]
/// struct Missing(u64);
///
/// fn find(id: u64) -> Result<u64, Missing> {
///     Err(Missing(id))
/// }
///
/// async fn get(id: u64) -> Result<Response<u64>, Status> {
///     Ok(Response::new(find(id).map_err(status)?))
/// }
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let orchestrator = Orchestrator::builder().service("users").build().unwrap();
/// let error = orchestrator.scope(get(7)).await.unwrap_err();
/// assert_eq!((error.code(), error.message()), (tonic::Code::NotFound, "no user 7"));
/// let info = error.get_details_error_info().unwrap();
/// assert_eq!((&*info.reason, &*info.domain), ("NOT_FOUND", "users"));
/// # });
/// ```
pub fn status<E: Classify>(error: E) -> Status {
    let code = error.code();
    let mut details = ErrorDetails::new();
    if let Some(orchestrator) = current::orchestrator() {
        let reason = match error.refusal() {
            Some(refusal) => format!("IDEMPOTENCY_{}", refusal.as_str().to_uppercase()),
            None => code.as_str().to_owned(),
        };
        details.set_error_info(reason, orchestrator.origin().service.as_str(), []);
    }
    if let Some(after) = error.refusal().and_then(Refusal::retry_after) {
        details.set_retry_info(Some(after));
    }
    if let Some(request_id) = &Context::current().request_id {
        details.set_request_info(request_id.as_str(), "");
    }
    // Both count as gRPC does.
    Status::with_error_details(tonic::Code::from_i32(code as i32), error.message(), details)
}

/// A handler that returns `Result<_, Status>` can have `required` steps, `tx` and `idempotent`.
impl From<StepError> for Status {
    fn from(error: StepError) -> Self {
        status(error)
    }
}

/// The idempotency key in the metadata `idempotency-key` of a request; `None` if there is none.
///
/// # Errors
/// A key that is empty, too long, given twice or has other characters than printable ASCII is `InvalidArgument`.
///
/// ```
/// use graceful::tonic::idempotency_key;
/// use tonic::{Code, Request};
///
/// let mut request = Request::new(());
/// assert_eq!(idempotency_key(&request).unwrap(), None);
/// request.metadata_mut().insert("idempotency-key", "k-1".parse().unwrap());
/// assert_eq!(idempotency_key(&request).unwrap().unwrap().as_str(), "k-1");
/// request.metadata_mut().insert("idempotency-key", "".parse().unwrap());
/// assert_eq!(idempotency_key(&request).unwrap_err().code(), Code::InvalidArgument);
/// ```
pub fn idempotency_key<T>(request: &tonic::Request<T>) -> Result<Option<IdempotencyKey>, Status> {
    let values = request.metadata().get_all(IdempotencyKey::HEADER);
    IdempotencyKey::of_values(values.iter().map(|value| value.to_str().ok())).map_err(status)
}

/// The same for an operation whose key is required.
///
/// # Errors
/// A missing key is `InvalidArgument`, too.
///
/// ```
/// let error = graceful::tonic::required_idempotency_key(&tonic::Request::new(())).unwrap_err();
/// assert_eq!(error.message(), "this operation needs the header Idempotency-Key");
/// ```
pub fn required_idempotency_key<T>(request: &tonic::Request<T>) -> Result<IdempotencyKey, Status> {
    idempotency_key(request)?.ok_or_else(|| status(KeyError::Missing))
}

/// Serves until the process is asked to end by `SIGTERM` or `SIGINT` (Ctrl-C), and then shuts down in order: server and orchestrator.
///
/// The service is one that tonic has generated, or several of them as `tonic::service::Routes`. [`Serve`] says what happens in which order, and
/// has the settings. Await it as the last line of `main`.
///
/// ```no_run
/// # use std::{convert::Infallible, future::Ready};
/// # use tonic::{body::Body, codegen::Service};
/// # fn users() -> impl Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static {
/// #     tower::service_fn(async |_| Ok(http::Response::new(Body::empty())))
/// # }
/// use graceful::{Orchestrator, tower::ContextLayer};
/// use tonic::transport::Server;
///
/// #[tokio::main]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     Orchestrator::in_memory().install()?;
///     let server = Server::builder().layer(ContextLayer::new());
///     let listener = tokio::net::TcpListener::bind("0.0.0.0:50051").await?;
///     graceful::tonic::serve(listener, server, users()).await?;
///     Ok(())
/// }
/// ```
pub fn serve<L, S, B>(listener: TcpListener, server: Server<L>, service: S) -> Serve
where
    L: Layer<DrainService<S, Body>> + Send + 'static,
    L::Service: Service<
            Request<Body>,
            Response = Response<B>,
            Error: Into<Box<dyn Error + Send + Sync>> + Send + 'static,
            Future: Send,
        > + Clone
        + Send
        + 'static,
    S: Service<Request<Body>, Response = Response<Body>> + Send + 'static,
    B: http_body::Body<Data = <Body as http_body::Body>::Data, Error: Into<Box<dyn Error + Send + Sync>>>
        + Send
        + 'static,
{
    Serve::new(async move |drain: Drain| {
        let closing = drain.reached(Phase::Closing);
        // As tonic sets it for listeners of its own.
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        server
            .layer(DrainLayer(drain))
            .serve_with_incoming_shutdown(service, incoming, closing)
            .await
            .map_err(io::Error::other)
    })
}

struct DrainLayer(Drain);

impl<S> Layer<S> for DrainLayer {
    type Service = DrainService<S, Body>;

    fn layer(&self, inner: S) -> Self::Service {
        DrainService::new(inner, self.0.clone(), Body::new)
    }
}
