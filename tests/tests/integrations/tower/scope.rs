//! The layer sets the orchestrator of the handlers inside it, and the flow of a dropped request still runs.

use std::{convert::Infallible, future::pending, sync::Arc};

use graceful::{CallOutcome, Code, Context, Orchestrator, orchestrate, tower::ContextLayer};
use graceful_tests::{Gate, Reports, gate::awaited};
use http::{Request, Response};
use tower::{Layer as _, ServiceExt as _};

use super::request;

#[orchestrate(pattern = "n", id = n)]
async fn handler(n: u64, error: Option<Code>) -> Result<u64, Code> {
    tokio::task::yield_now().await;
    error.map_or(Ok(n), Err)
}

#[orchestrate(pattern = "n", id = 1)]
async fn hangs(at: &Gate) -> Result<u64, Code> {
    at.pass().await;
    pending().await
}

fn orchestrator() -> (Orchestrator, Reports) {
    let reports = Reports::default();
    (reports.of(Orchestrator::builder().in_memory()).build().unwrap(), reports)
}

#[tokio::test]
async fn handlers_take_the_layers_orchestrator_and_carry_the_context() {
    for (error, ending) in [(None, CallOutcome::Ok), (Some(Code::NotFound), CallOutcome::Err)] {
        let (orchestrator, reports) = orchestrator();
        let service = tower::service_fn(|_: Request<()>| async move {
            assert_eq!(handler(7, error).await.err(), error);
            Ok::<_, Infallible>(Response::new(()))
        });
        let layer = ContextLayer::new().on(&orchestrator).tenant(|_| Some("acme"));
        layer.layer(service).oneshot(request(&[("x-request-id", "r-1")])).await.unwrap();
        let flow = reports.only().flow().clone();
        assert_eq!((flow.ending(), flow.entity_id().as_str(), flow.tenant()), (ending, "7", "acme"));
        assert_eq!(flow.context().unwrap().request_id.as_deref(), Some("r-1"));
    }
}

/// Without `on`, the orchestrator in scope is used.
#[tokio::test]
async fn layer_without_an_orchestrator_keeps_the_outer_one() {
    let (orchestrator, reports) = orchestrator();
    let service = tower::service_fn(async |_: Request<()>| {
        handler(7, None).await.unwrap();
        Ok::<_, Infallible>(Response::new(()))
    });
    orchestrator.scope(ContextLayer::new().layer(service).oneshot(request(&[]))).await.unwrap();
    assert!(reports.only().flow().context().unwrap().request_id.is_some());
}

#[tokio::test]
async fn two_layers_side_by_side_share_nothing() {
    let (one, ones) = orchestrator();
    let (two, twos) = orchestrator();
    let service = || {
        tower::service_fn(async |_: Request<()>| {
            handler(7, None).await.unwrap();
            Ok::<_, Infallible>(Response::new(()))
        })
    };
    let layers = [
        ContextLayer::new().on(&one).tenant(|_| Some("a")),
        ContextLayer::new().on(&two).tenant(|_| Some("b")),
    ];
    let [a, b] = layers.map(|layer| layer.layer(service()).oneshot(request(&[])));
    let (a, b) = tokio::join!(a, b);
    a.unwrap();
    b.unwrap();
    assert_eq!((ones.only().flow().tenant(), twos.only().flow().tenant()), ("a", "b"));
}

/// A service may work before its future is polled.
#[tokio::test]
async fn call_of_the_inner_service_is_in_scope() {
    let (orchestrator, reports) = orchestrator();
    let eager = || {
        tower::service_fn(|_: Request<()>| {
            let context = Context::current();
            sync_handler().unwrap();
            async move { Ok::<_, Infallible>(Response::new(context)) }
        })
    };
    let asked = || request(&[("x-request-id", "r-1")]);
    for on_the_layer in [true, false] {
        let response = match on_the_layer {
            true => ContextLayer::new().on(&orchestrator).layer(eager()).oneshot(asked()).await,
            false => orchestrator.scope(ContextLayer::new().layer(eager()).oneshot(asked())).await,
        };
        let context = response.unwrap().into_body();
        assert_eq!(context.request_id.as_deref(), Some("r-1"));
        assert_eq!(reports.last().flow().context(), Some(&*context));
    }
    assert_eq!(reports.count(), 2);
}

#[orchestrate(pattern = "n", id = 1)]
fn sync_handler() -> Result<(), Code> {
    Ok(())
}

#[tokio::test]
async fn dropped_request_leaves_its_error_flow() {
    let (orchestrator, reports) = orchestrator();
    let gate = Arc::new(Gate::closed());
    let at = Arc::clone(&gate);
    let service = tower::service_fn(move |_: Request<()>| {
        let at = Arc::clone(&at);
        async move {
            hangs(&at).await.unwrap();
            Ok::<_, Infallible>(Response::new(()))
        }
    });
    let layer = ContextLayer::new().on(&orchestrator).tenant(|_| Some("acme"));
    let call = layer.layer(service).oneshot(request(&[("x-request-id", "r-1")]));
    let task = tokio::spawn(call);
    gate.open_for(1);
    gate.reached().await;
    task.abort();
    assert!(awaited(task).await.unwrap_err().is_cancelled());

    let flow = reports.until(1).await[0].flow().clone();
    assert_eq!(
        (flow.ending(), flow.code(), flow.tenant()),
        (CallOutcome::Cancelled, Code::Cancelled, "acme")
    );
    assert_eq!(flow.context().unwrap().request_id.as_deref(), Some("r-1"));
}

/// The layer does not change an error of the service.
#[tokio::test]
async fn error_of_the_inner_service_is_returned_unchanged() {
    let service = tower::service_fn(async |_: Request<()>| Err::<Response<()>, _>("broken"));
    assert_eq!(ContextLayer::new().layer(service).oneshot(request(&[])).await.unwrap_err(), "broken");
}
