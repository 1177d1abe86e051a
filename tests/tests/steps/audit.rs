//! `audit`: append a record of the flow, whatever it came to.

use graceful::{Code, Ending, Step};
use graceful_tests::{UserError, World, ada};

step!(Audit audit, |user| [] [cache = user.id, event = "user_updated"]);
backend!(Audit);
by_path!(Audit audit, |user| [cache = user.id, event = "user_updated"]);

#[tokio::test]
async fn on_ok_the_flow_is_on_record() {
    let world = World::new();
    world.run(crate::update(ada(), None)).await.unwrap();

    let (report, result) = world.last(Step::Audit);
    assert_eq!(result, "appended");
    let records = world.records().await;
    let [record] = &records[..] else { panic!("one record: {records:?}") };
    assert_eq!((record.id(), record.timestamp()), (report.flow().id(), report.flow().timestamp()));
    assert_eq!((record.ending(), record.code(), record.message()), (Ending::Ok, Code::Ok, "user updated"));
    assert_eq!((record.pattern(), record.entity(), record.handler()), ("user", world.entity(), "update"));
    assert_eq!(record.payload().as_json(), r#"{"id":42,"name":"Ada"}"#);
    assert_eq!(record.metadata().unwrap().score, 1);
}

#[tokio::test]
async fn on_err_the_flow_is_on_record() {
    let world = World::new();
    world.run(crate::update(ada(), Some(UserError::Missing))).await.unwrap_err();

    let (report, result) = world.last(Step::Audit);
    assert_eq!(result, "appended");
    let records = world.records().await;
    let [record] = &records[..] else { panic!("one record: {records:?}") };
    assert_eq!((record.id(), record.timestamp()), (report.flow().id(), report.flow().timestamp()));
    assert_eq!((record.ending(), record.code()), (Ending::Err, Code::NotFound));
    assert_eq!(record.message(), "no such user");
    assert_eq!((record.pattern(), record.entity(), record.handler()), ("user", world.entity(), "update"));
    assert!(record.payload().is_null());
    assert_eq!(record.metadata().unwrap().error_count, 1);
}
