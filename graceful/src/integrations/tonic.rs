//! Errors as a [`tonic::Status`](https://docs.rs/tonic/0.14/tonic/struct.Status.html) with the standard details of gRPC, `google.rpc`.
//!
//! For the context of a request, see [`tower`](crate::tower): pass its layer to `Server::builder().layer(…)`. The metadata of the response
//! repeats the request id.

use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::{classify::Classify, context::Context, pipeline::current};

/// Converts an error to a status with its code and its classified message, and no other part of the error.
///
/// In the other direction, a `Status` is [`Classify`] itself, so a gateway returns the code of the service behind it.
///
/// The status contains machine-readable details:
/// [`ErrorInfo`](https://docs.rs/tonic-types/0.14/tonic_types/struct.ErrorInfo.html), if there is an orchestrator in scope, with the name of the
/// code as the reason and the service as the domain; and
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
        details.set_error_info(code.as_str(), orchestrator.origin().service.as_str(), []);
    }
    if let Some(request_id) = &Context::current().request_id {
        details.set_request_info(request_id.as_str(), "");
    }
    // Both count as gRPC does.
    Status::with_error_details(tonic::Code::from_i32(code as i32), error.message(), details)
}
