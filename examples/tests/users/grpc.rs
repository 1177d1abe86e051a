use graceful::{Code, Step};
use graceful_examples::users::{CreateUser, UserId, UserMessage};
use tonic::Request;
use tonic_types::StatusExt as _;

use super::{ADA_1, World, databases::Kind, json, on, with_ada_on};

on_each_database! {
    create_read_update_delete
    refused_call_is_a_status_with_details
}

/// A call of a handler by somebody.
pub fn by<T>(world: &World, who: &str, message: T) -> Request<T> {
    world.called();
    named(who, message)
}

/// The same for a call that no flow follows.
fn named<T>(who: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer token-of-{who}").parse().unwrap());
    request.metadata_mut().insert("x-request-id", "r-1".parse().unwrap());
    request
}

fn ada() -> UserMessage {
    UserMessage { id: 1, name: "ada".to_owned(), email: "ada@example.org".to_owned() }
}

async fn create_read_update_delete(kind: Kind) {
    on(kind, async |world| {
        let UserMessage { id: _, name, email } = ada();
        let created = world.grpc.clone().create(by(world, "root", CreateUser { name, email })).await.unwrap();
        assert_eq!(created.metadata().get("x-request-id").unwrap(), "r-1");
        assert_eq!(created.into_inner(), ada());
        world.last().await.assert_step(Step::Cache, "forget 1, invalidate (), user 1 -> invalidated");
        world.last().await.assert_step(Step::Event, &format!("emit user_created {ADA_1}"));

        // One core: what came by gRPC is there over HTTP.
        assert_eq!(json(&world.send("bob", "GET", "/users/1", "").await)["name"], "ada");
        let read = world.grpc.clone().read(named("bob", UserId { id: 1 })).await.unwrap();
        assert_eq!((read.into_inner(), world.recorder.hits().len()), (ada(), 1));

        let renamed = UserMessage { name: "ada-l".to_owned(), ..ada() };
        assert_eq!(
            world.grpc.clone().update(by(world, "ada", renamed.clone())).await.unwrap().into_inner(),
            renamed
        );
        world.grpc.clone().delete(by(world, "root", UserId { id: 1 })).await.unwrap();
        world.last().await.assert_step(Step::Event, "emit user_deleted null");
        assert_eq!(world.flows().await.len(), 4);
    })
    .await;
}

async fn refused_call_is_a_status_with_details(kind: Kind) {
    with_ada_on(kind, async |world| {
        for (who, id, code, message) in [
            ("nobody", 1, Code::Unauthenticated, "say who you are"),
            ("nobody", 7, Code::Unauthenticated, "say who you are"),
            ("bob", 1, Code::PermissionDenied, "you may not do that"),
            ("root", 7, Code::NotFound, "no user 7"),
        ] {
            let error =
                world.grpc.clone().update(by(world, who, UserMessage { id, ..ada() })).await.unwrap_err();
            assert_eq!((error.code() as i32, error.message()), (code as i32, message));
            let details = error.get_error_details();
            assert_eq!(details.error_info().unwrap().reason, code.as_str());
            assert_eq!(details.request_info().unwrap().request_id, "r-1");
            assert_eq!(world.last().await.flow().code(), code);
            world.last().await.assert_step(Step::Event, "emit user_updated.failed null");
        }
    })
    .await;
}
