//! The `audit` step appends a record of every flow.

use graceful::{CallOutcome, Code, Payload, Step, orchestrate};
use graceful_tests::{User, UserError, World, ada};
use serde_json::json;

step!(Audit audit, |user| [] [cache = user.id, event = "user_updated"]);
backend!(Audit);
by_path!(Audit audit, |user| [cache = user.id, event = "user_updated"]);

#[tokio::test]
async fn ok_appends_a_record_of_the_flow() {
    let world = World::new();
    world.run(crate::steps::update(ada(), None)).await.unwrap();

    let (report, result) = world.last(Step::Audit);
    assert_eq!(result, "appended");
    let records = world.records().await;
    let [record] = &records[..] else { panic!("one record: {records:?}") };
    assert_eq!((record.flow, record.at), (report.flow().id(), report.flow().timestamp()));
    assert_eq!((record.ending, record.code, &*record.message), (CallOutcome::Ok, Code::Ok, "user updated"));
    assert_eq!((&record.entity, &*record.handler), (&world.entity(), "update"));
    assert_eq!(record.event.as_deref(), Some("user_updated"));
    assert_eq!(record.payload_sha256, Some(Payload::of(&ada()).unwrap().sha256()));
}

#[tokio::test]
async fn err_appends_a_record_of_the_flow() {
    let world = World::new();
    world.run(crate::steps::update(ada(), Some(UserError::Missing))).await.unwrap_err();

    let (report, result) = world.last(Step::Audit);
    assert_eq!(result, "appended");
    let records = world.records().await;
    let [record] = &records[..] else { panic!("one record: {records:?}") };
    assert_eq!((record.flow, record.at), (report.flow().id(), report.flow().timestamp()));
    assert_eq!((record.ending, record.code), (CallOutcome::Err, Code::NotFound));
    assert_eq!(record.message, "no such user");
    assert_eq!((&record.entity, &*record.handler), (&world.entity(), "update"));
    assert_eq!((record.payload_sha256, &record.payload), (None, &None));
}

#[orchestrate(pattern = "user", id = user.id, metadata = user, audit(payload))]
async fn with_payload(user: User) -> Result<User, UserError> {
    Ok(user)
}

#[orchestrate(pattern = "user", id = user.id, metadata = user, cache(key = user.id, value = user), event(name = "user_updated", payload = user))]
async fn without_payload(user: User) -> Result<User, UserError> {
    Ok(user)
}

#[tokio::test]
async fn payload_is_recorded_only_where_declared() {
    let world = World::new();
    world.run(without_payload(ada())).await.unwrap();
    let all = format!("{}", json!(world.records().await));
    assert!(!all.contains("Ada"), "{all}");

    world.run(with_payload(ada())).await.unwrap();
    let record = world.records().await.remove(0);
    assert_eq!(record.payload.unwrap().decode::<User>().unwrap(), ada());
    assert_eq!(record.payload_sha256, Some(Payload::of(&ada()).unwrap().sha256()));
}
