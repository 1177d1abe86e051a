//! The `metadata` step updates the entity's counters and its chain of flows with the same function on both arms.

use graceful::{Code, Step, backends::MetadataStore as _, orchestrate};
use graceful_tests::{UserError, World, ada};
use serde_json::{Value, json};

step!(Metadata metadata, |user| [] [cache = user.id, event = "user_updated"]);
backend!(Metadata);

#[tokio::test]
async fn ok_increments_the_score() {
    let world = World::new();
    world.run(crate::steps::update(ada(), None)).await.unwrap();

    let (report, result) = world.last(Step::Metadata);
    let (flow, metadata) = (report.flow(), world.metadata(&world.entity()).await.unwrap());
    assert_eq!(result, "normalised");
    assert_eq!((metadata.state, metadata.previous, metadata.next), (flow.id(), None, None));
    assert_eq!((metadata.score, metadata.error_count), (1, 0));
    assert_eq!((metadata.last_success, &metadata.last_error), (Some(flow.timestamp()), &None));
    assert_eq!((metadata.updated_at, metadata.related.as_slice()), (flow.timestamp(), [].as_slice()));
    assert_eq!(flow.metadata(), Some(&*metadata), "the steps after it see it");
}

#[tokio::test]
async fn err_increments_the_error_count() {
    let world = World::new();
    world.run(crate::steps::update(ada(), Some(UserError::Missing))).await.unwrap_err();

    let (report, result) = world.last(Step::Metadata);
    let (flow, metadata) = (report.flow(), world.metadata(&world.entity()).await.unwrap());
    assert_eq!(result, "normalised");
    assert_eq!((metadata.state, metadata.previous, metadata.next), (flow.id(), None, None));
    assert_eq!((metadata.score, metadata.error_count), (0, 1));
    let last_error = metadata.last_error.as_ref().unwrap();
    assert_eq!((metadata.last_success, last_error.at), (None, flow.timestamp()));
    assert_eq!(last_error.code, Code::NotFound);
    assert_eq!((metadata.updated_at, metadata.related.as_slice()), (flow.timestamp(), [].as_slice()));
    assert_eq!(flow.metadata(), Some(&*metadata), "the steps after it see it");
}

#[tokio::test]
async fn chain_links_flows_of_both_arms_in_both_directions() {
    let world = World::new();
    for error in [None, Some(UserError::Broken), None] {
        drop(world.run(crate::steps::update(ada(), error)).await);
    }
    let ids: Vec<_> = world.reports.all().iter().map(|report| report.flow().id()).collect();
    let [first, second, third] = ids[..] else { panic!("three flows") };
    let mut links = Vec::new();
    for id in ids {
        let state = world.backends.metadata.state(id).await.unwrap().unwrap();
        links.push((state.previous, state.next));
    }
    assert_eq!(links, [(None, Some(second)), (Some(first), Some(third)), (Some(second), None)]);

    let metadata = world.metadata(&world.entity()).await.unwrap();
    assert_eq!((metadata.score, metadata.error_count), (2, 1));
    assert!(metadata.last_error.as_ref().unwrap().at <= metadata.last_success.unwrap());
}

#[tokio::test]
async fn entities_have_separate_chains() {
    let world = World::new();
    world.run(crate::steps::update(ada(), None)).await.unwrap();
    world.run(crate::steps::update(graceful_tests::User { id: 7, ..ada() }, None)).await.unwrap();
    let other = world.metadata(&world.orchestrator.key("user", 7)).await.unwrap();
    assert_eq!((other.previous, other.score), (None, 1));
}

mod declared {
    use super::*;

    #[orchestrate(pattern = "user", id = 42, metadata = fields)]
    async fn describe(fields: Value, error: Option<Code>) -> Result<(), Code> {
        drop(fields);
        error.map_or(Ok(()), Err)
    }

    #[orchestrate(pattern = "user", id = 42, metadata(value = json!({ "length": result.len() })))]
    async fn of_the_result(text: &str) -> Result<String, Code> {
        Ok(text.to_owned())
    }

    async fn fields(world: &World) -> Value {
        json!(world.metadata(&world.entity()).await.unwrap().fields)
    }

    #[tokio::test]
    async fn fields_are_merged_from_flow_to_flow_on_both_arms() {
        let world = World::new();
        world.run(describe(json!({"plan": {"name": "free", "seats": 1}, "x": [1]}), None)).await.unwrap();
        let declared = json!({"plan": {"seats": 2}, "x": [2]});
        world.run(describe(declared.clone(), Some(Code::Internal))).await.unwrap_err();
        assert_eq!(fields(&world).await, json!({"plan": {"name": "free", "seats": 2}, "x": [2]}));
        assert_eq!(json!(world.reports.last().flow().declared_metadata()), declared);
    }

    #[tokio::test]
    async fn metadata_fields_can_be_made_from_the_result() {
        let world = World::new();
        world.run(of_the_result("four")).await.unwrap();
        assert_eq!(fields(&world).await, json!({"length": 4}));
    }
}
