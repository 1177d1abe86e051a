//! The layer fills the context from the headers of a request. The service inside it records the context that it sees.
#![allow(missing_docs, reason = "tests")]

mod identity;
mod ids;
mod scope;
mod traceparent;
mod tracestate;

use std::{convert::Infallible, sync::Arc};

use graceful::{Context, tower::ContextLayer};
use http::{Request, Response};
use tower::{Layer as _, ServiceExt as _};

/// What a service sees of a request behind the layer, and what is answered.
async fn seen(layer: ContextLayer, request: Request<()>) -> (Arc<Context>, Request<()>, Response<()>) {
    let service = tower::service_fn(async |request: Request<()>| {
        tokio::task::yield_now().await;
        let seen = (Context::current(), request);
        Ok::<_, Infallible>(Response::builder().extension(Arc::new(seen)).body(()).unwrap())
    });
    let mut response = layer.layer(service).oneshot(request).await.unwrap();
    let seen: Arc<(Arc<Context>, Request<()>)> = response.extensions_mut().remove().unwrap();
    let (context, request) = Arc::into_inner(seen).unwrap();
    (context, request, response)
}

/// A request with these headers.
fn request(headers: &[(&str, &str)]) -> Request<()> {
    headers
        .iter()
        .fold(Request::builder(), |request, (name, value)| request.header(*name, *value))
        .body(())
        .unwrap()
}

async fn context(headers: &[(&str, &str)]) -> Arc<Context> {
    seen(ContextLayer::new(), request(headers)).await.0
}
