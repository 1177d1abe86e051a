//! The `graph` step relates the entity to its flow as succeeded, or as failed with the code.

use graceful::{
    Code, Step,
    backends::{KnowledgeGraph as _, Node},
    orchestrate,
};
use graceful_tests::{UserError, World, ada};

step!(Graph graph, |user| [] [cache = user.id, event = "user_updated"]);
backend!(Graph);
by_path!(Graph graph, |user| [cache = user.id, event = "user_updated"]);

#[tokio::test]
async fn ok_relates_the_entity_to_the_succeeded_flow() {
    let world = World::new();
    world.run(crate::steps::update(ada(), None)).await.unwrap();
    one_edge(&world, "succeeded", Code::Ok).await;
}

#[tokio::test]
async fn err_relates_the_entity_to_the_failed_flow_with_its_code() {
    let world = World::new();
    world.run(crate::steps::update(ada(), Some(UserError::Missing))).await.unwrap_err();
    one_edge(&world, "failed", Code::NotFound).await;
}

async fn one_edge(world: &World, relation: &str, code: Code) {
    let (report, result) = world.last(Step::Graph);
    assert_eq!(result, "related");
    let edges = world.edges(&world.entity()).await;
    let [edge] = &edges[..] else { panic!("one edge: {edges:?}") };
    assert_eq!(edge.subject, Node::Entity(world.entity()));
    assert_eq!((edge.relation.as_str(), edge.code), (relation, code));
    assert_eq!(edge.object, Node::Flow(report.flow().id()));
    assert_eq!(edge.at, report.flow().timestamp());
    assert_eq!(world.backends.graph.neighbours(&edge.object).await.unwrap(), edges, "from the other end");
}

mod options {
    use super::*;

    #[orchestrate(pattern = "user", id = 42, graph(relation = "joined", to = team, to_pattern = "team"))]
    async fn join(team: &str, error: Option<Code>) -> Result<usize, Code> {
        error.map_or(Ok(team.len()), Err)
    }

    #[orchestrate(pattern = "user", id = 42, graph(relation = "joined", to = "team/{result}"))]
    async fn join_the_result(team: u64) -> Result<u64, Code> {
        Ok(team)
    }

    #[orchestrate(pattern = "user", id = 42, graph(relation = "seen"))]
    async fn see() -> Result<(), Code> {
        Ok(())
    }

    async fn last_edge(world: &World) -> (String, Node) {
        let edge = world.edges(&world.entity()).await.pop().unwrap();
        (edge.relation.to_string(), edge.object)
    }

    #[tokio::test]
    async fn ok_with_relation_relates_the_entity_to_the_object() {
        let world = World::new();
        world.run(join("red", None)).await.unwrap();
        let red = Node::Entity(world.orchestrator.key("team", "red"));
        assert_eq!(last_edge(&world).await, ("joined".to_owned(), red.clone()));
        let edges = world.backends.graph.neighbours(&red).await.unwrap();
        assert_eq!(edges[0].subject, Node::Entity(world.entity()), "entity to entity");
        world.run(join_the_result(7)).await.unwrap();
        assert_eq!(
            last_edge(&world).await,
            ("joined".to_owned(), Node::Entity(world.orchestrator.key("", "team/7")))
        );
        world.run(see()).await.unwrap();
        let flow = world.reports.last().flow().id();
        assert_eq!(last_edge(&world).await, ("seen".to_owned(), Node::Flow(flow)));
    }

    #[tokio::test]
    async fn ok_with_relation_also_relates_the_flow() {
        let world = World::new();
        world.run(join("red", None)).await.unwrap();
        let edges = world.edges(&world.entity()).await;
        let relations: Vec<_> = edges.iter().map(|edge| edge.relation.as_str()).collect();
        assert_eq!(relations, ["succeeded", "joined"]);
    }

    #[tokio::test]
    async fn ok_with_an_empty_object_fails_the_step_and_relates_the_flow() {
        let world = World::new();
        world.run(join("", None)).await.unwrap();
        let (_, result) = world.last(Step::Graph);
        assert!(result.contains("the value of `to` is empty"), "{result}");
        assert_eq!(world.edges(&world.entity()).await.len(), 1);
    }

    #[tokio::test]
    async fn object_of_another_tenant_is_another_entity() {
        let world = World::new();
        let acme = graceful::Context::new().tenant("acme");
        world.run(acme.scope(join("red", None))).await.unwrap();
        let red = Node::Entity(world.orchestrator.key("team", "red"));
        assert_eq!(world.backends.graph.neighbours(&red).await.unwrap(), []);
    }

    #[tokio::test]
    async fn err_with_relation_relates_the_failed_flow() {
        let world = World::new();
        world.run(join("red", Some(Code::Internal))).await.unwrap_err();
        let flow = world.reports.last().flow().id();
        assert_eq!(last_edge(&world).await, ("failed".to_owned(), Node::Flow(flow)));
    }
}
