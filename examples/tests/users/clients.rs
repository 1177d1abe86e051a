//! Clients that go while the service waits for another one.

use graceful::{Code, Ending, Step};
use graceful_examples::users::CreateUser;
use graceful_tests::gate::awaited;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use tonic::Request;

use super::World;

const SLOW: &str = r#"{"name":"ada","email":"slow@example.org"}"#;

#[track_caller]
fn cancelled(world: &World) {
    let last = world.last();
    assert_eq!((last.flow().ending(), last.flow().code()), (Ending::Cancelled, Code::Cancelled));
    assert_eq!(last.flow().context().unwrap().user.as_deref(), Some("root"));
    last.assert_steps([
        (Step::Metadata, "record"),
        (Step::Graph, "relate failed flow"),
        (Step::Event, "emit user_created.failed null"),
        (Step::Nexus, "register user.error"),
        (Step::Audit, "append"),
    ]);
}

#[tokio::test]
async fn over_http() {
    let world = World::new().await;
    let mut client = TcpStream::connect(world.rest.address).await.unwrap();
    let head = "POST /users HTTP/1.1\r\nhost: x\r\nauthorization: Bearer token-of-root\r\ncontent-type: application/json";
    let request = format!("{head}\r\ncontent-length: {}\r\n\r\n{SLOW}", SLOW.len());
    client.write_all(request.as_bytes()).await.unwrap();
    world.gate.reached().await;
    drop(client);
    awaited(world.recorder.ended(1)).await;
    cancelled(&world);

    // Nothing was left half done.
    world.gate.open_for(1);
    assert_eq!(awaited(world.send("root", "POST", "/users", SLOW)).await.status(), 201);
}

#[tokio::test]
async fn over_grpc() {
    let world = World::new().await;
    let mut client = world.grpc.clone();
    let call = tokio::spawn(async move {
        let new = CreateUser { name: "ada".to_owned(), email: "slow@example.org".to_owned() };
        let mut request = Request::new(new);
        request.metadata_mut().insert("authorization", "Bearer token-of-root".parse().unwrap());
        client.create(request).await
    });
    world.gate.reached().await;
    call.abort();
    awaited(world.recorder.ended(1)).await;
    cancelled(&world);
}
