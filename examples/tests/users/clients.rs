//! Clients disconnect while the service waits for another service.

use graceful::{CallOutcome, Code, Step};
use graceful_examples::users::{CreateUser, UserMessage};
use graceful_tests::gate::awaited;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use super::{ADA_1, World, databases::Kind, grpc::by, on, with_ada_on};

on_each_database! {
    disconnected_http_client_leaves_the_error_flow
    disconnected_grpc_client_leaves_the_error_flow
}

const SLOW: &str = r#"{"name":"bob","email":"slow@example.org"}"#;

/// Sends a request by hand, and goes when the service has come to the gate.
async fn goes_over_http(world: &World, start: &str) {
    world.called();
    let mut client = TcpStream::connect(world.rest.address).await.unwrap();
    let head = format!(
        "{start} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer token-of-root\r\ncontent-type: application/json"
    );
    let request = format!("{head}\r\ncontent-length: {}\r\n\r\n{SLOW}", SLOW.len());
    client.write_all(request.as_bytes()).await.unwrap();
    world.gate.reached().await;
}

async fn of_create(world: &World) {
    let last = world.last().await;
    assert_eq!((last.flow().ending(), last.flow().code()), (CallOutcome::Cancelled, Code::Cancelled));
    assert_eq!(last.flow().context().unwrap().user.as_deref(), Some("root"));
    last.assert_steps([
        (Step::Cache, "invalidate () -> invalidated"),
        (Step::Graph, "relate failed flow"),
        (Step::Event, "emit user_created.failed null"),
        (Step::Nexus, "register user.error"),
        (Step::Audit, "append"),
    ]);

    // Nothing was left half done.
    world.gate.open_for(1);
    assert_eq!(awaited(world.send("root", "POST", "/users", SLOW)).await.status(), 201);
    assert_eq!(world.last().await.flow().ending(), CallOutcome::Ok);
}

async fn of_update(world: &World) {
    let last = world.last().await;
    assert_eq!((last.flow().ending(), last.flow().entity_id().as_str()), (CallOutcome::Cancelled, "1"));
    // How far the handler came, nobody knows: what is cached may be old.
    last.assert_steps([
        (Step::Metadata, "record"),
        (Step::Cache, "invalidate 1, all_users () -> invalidated"),
        (Step::Graph, "relate failed flow"),
        (Step::Event, "emit user_updated.failed null"),
        (Step::Nexus, "register user.error"),
        (Step::Audit, "append"),
    ]);
    assert_eq!(world.send("bob", "GET", "/users/1", "").await.body(), ADA_1);
}

async fn disconnected_http_client_leaves_the_error_flow(kind: Kind) {
    on(kind, async |world| {
        goes_over_http(world, "POST /users").await;
        of_create(world).await;
    })
    .await;
    with_ada_on(kind, async |world| {
        goes_over_http(world, "PUT /users/1").await;
        of_update(world).await;
    })
    .await;
}

async fn disconnected_grpc_client_leaves_the_error_flow(kind: Kind) {
    let [name, email] = ["bob", "slow@example.org"].map(ToOwned::to_owned);
    on(kind, async |world| {
        let new = by(world, "root", CreateUser { name: name.clone(), email: email.clone() });
        let mut client = world.grpc.clone();
        let call = tokio::spawn(async move { client.create(new).await });
        world.gate.reached().await;
        call.abort();
        of_create(world).await;
    })
    .await;
    with_ada_on(kind, async |world| {
        let user = by(world, "root", UserMessage { id: 1, name: name.clone(), email: email.clone() });
        let mut client = world.grpc.clone();
        let call = tokio::spawn(async move { client.update(user).await });
        world.gate.reached().await;
        call.abort();
        of_update(world).await;
    })
    .await;
}
