//! A client disconnects, and the server drops the future of the request in the middle of the handler.

use std::sync::Arc;

use axum::{Router, extract::State, routing::get};
use graceful::{CallOutcome, Code, Step, axum::Problem, orchestrate};
use graceful_tests::{Gate, World, gate::awaited};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use super::served;

#[orchestrate(pattern = "report", id = 1, event = "report_made")]
async fn report(State(gate): State<Arc<Gate>>) -> Result<&'static str, Problem> {
    gate.pass().await;
    Ok("done")
}

#[tokio::test]
async fn disconnected_client_leaves_the_error_flow() {
    let world = World::new();
    let gate = Arc::new(Gate::closed());
    let routes = Router::new().route("/report", get(report)).with_state(Arc::clone(&gate));
    let server = served(&world, routes).await;

    let mut client = TcpStream::connect(server.address).await.unwrap();
    let head = "GET /report HTTP/1.1\r\nhost: x\r\nx-request-id: r-1\r\nx-correlation-id: order-9\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    gate.reached().await;
    drop(client);

    let report = world.reports.until(1).await[0].clone();
    let flow = report.flow();
    assert_eq!((flow.ending(), flow.code()), (CallOutcome::Cancelled, Code::Cancelled));
    assert_eq!(flow.context().unwrap().request_id.as_deref(), Some("r-1"));
    assert_eq!(flow.correlation_id(), "order-9");
    assert_eq!(report.step(Step::Event).to_string(), "emitted");
    assert_eq!(world.events()[0].name(), "report_made.failed");

    // The server is as before.
    gate.open_for(1);
    let answer = awaited(server.get("/report")).await;
    assert_eq!(answer.body(), "done");
    assert_eq!(world.reports.last().flow().ending(), CallOutcome::Ok);
}
