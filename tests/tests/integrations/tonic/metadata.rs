use graceful_tests::World;
use tonic::Request;

use super::{served, service::Id};

#[tokio::test]
async fn metadata_become_the_context() {
    let world = World::new();
    let (mut client, _) = served(&world).await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for id in [42, 1] {
        let mut request = Request::new(Id { id });
        for (name, value) in [
            ("x-request-id", "r-1"),
            ("x-correlation-id", "order-9"),
            ("x-tenant", "acme"),
            ("traceparent", trace),
            ("tracestate", "rojo=1"),
            ("tracestate", "congo=2"),
        ] {
            request.metadata_mut().append(name, value.parse().unwrap());
        }
        assert_eq!(client.get(request).await.is_ok(), id == 42);
        let flow = world.reports.last().flow().clone();
        assert_eq!((flow.tenant(), flow.correlation_id().as_str()), ("acme", "order-9"));
        assert_eq!(flow.context().unwrap().request_id.as_deref(), Some("r-1"));
        let event = serde_json::to_value(world.events().last().unwrap()).unwrap();
        assert_eq!(
            [&event["traceparent"], &event["tracestate"], &event["data"]["request_id"]],
            [trace, "rojo=1,congo=2", "r-1"]
        );
    }
}

#[tokio::test]
async fn request_id_is_generated_and_returned() {
    let world = World::new();
    let (mut client, _) = served(&world).await;
    let answer = client.get(Request::new(Id { id: 42 })).await.unwrap();
    let told = answer.metadata().get("x-request-id").unwrap().to_str().unwrap();
    let flow = world.reports.only().flow().clone();
    assert_eq!(flow.context().unwrap().request_id.as_deref(), Some(told));
}
