//! Only a success of the same handler for the same entity closes the alert and the review job that a failure opened.

use graceful::{
    Code, Failure, Incident, OrchestrationConfig, Step, Success,
    backends::{Alert, Job},
    orchestrate,
};
use graceful_tests::World;

#[orchestrate(pattern = "order", id = id)]
async fn pay(id: u64, error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(id), Err)
}

#[orchestrate(pattern = "order", id = id)]
async fn read(id: u64, error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(id), Err)
}

const BROKEN: Option<Code> = Some(Code::Internal);

/// The incidents that alerts and jobs are open for: the same ones.
async fn open(world: &World) -> Vec<Incident> {
    let sorted = |mut incidents: Vec<_>| {
        incidents.sort();
        incidents
    };
    let alerts = sorted(world.open_alerts().await.iter().map(Alert::incident).collect());
    assert_eq!(sorted(world.jobs().await.iter().map(Job::incident).collect()), alerts);
    alerts
}

async fn owners(world: &World) -> Vec<String> {
    open(world).await.iter().map(|incident| incident.owner().to_string()).collect()
}

/// What became of the steps that open and close incidents.
#[track_caller]
fn closed(world: &World) -> bool {
    let (alert, schedule) = (world.last(Step::Alert).1, world.last(Step::Schedule).1);
    match (&*alert, &*schedule) {
        ("resolved", "completed") => true,
        ("no open alert", "no open job") => false,
        both => panic!("{both:?}"),
    }
}

#[tokio::test]
async fn success_of_another_handler_closes_nothing() {
    let world = World::new();
    world.run(pay(42, BROKEN)).await.unwrap_err();
    world.run(read(42, None)).await.unwrap();
    assert!(!closed(&world));
    assert_eq!(
        open(&world).await,
        [Incident::new(world.orchestrator.key("order", 42), "flow::steps::incidents::pay")]
    );
    world.run(pay(7, None)).await.unwrap();
    assert!(!closed(&world));

    world.run(pay(42, None)).await.unwrap();
    assert!(closed(&world));
    assert_eq!(open(&world).await, []);
}

#[tokio::test]
async fn failures_of_two_handlers_are_two_incidents() {
    let world = World::new();
    world.run(pay(42, BROKEN)).await.unwrap_err();
    world.run(read(42, BROKEN)).await.unwrap_err();
    world.run(pay(42, BROKEN)).await.unwrap_err();
    assert_eq!(world.last(Step::Alert).1, "fired again");
    assert_eq!(world.last(Step::Schedule).1, "bumped");
    assert_eq!(owners(&world).await, ["flow::steps::incidents::pay", "flow::steps::incidents::read"]);
    world.run(read(42, None)).await.unwrap();
    assert_eq!(owners(&world).await, ["flow::steps::incidents::pay"]);
}

#[orchestrate(pattern = "order", id = id, was = ["flow::steps::incidents::pay", "flow::steps::incidents::read"])]
async fn settle(id: u64, error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(id), Err)
}

#[tokio::test]
async fn success_of_a_renamed_handler_closes_what_was_opened_under_its_former_identities() {
    let world = World::new();
    world.run(pay(42, BROKEN)).await.unwrap_err();
    world.run(read(42, BROKEN)).await.unwrap_err();
    world.run(settle(42, BROKEN)).await.unwrap_err();
    world.run(pay(7, BROKEN)).await.unwrap_err();
    assert_eq!(open(&world).await.len(), 4);
    world.run(settle(42, None)).await.unwrap();
    assert!(closed(&world));
    assert_eq!(
        open(&world).await,
        [Incident::new(world.orchestrator.key("order", 7), "flow::steps::incidents::pay")]
    );
    world.run(settle(42, None)).await.unwrap();
    assert!(!closed(&world));
}

mod shared {
    use super::*;

    #[orchestrate(pattern = "order", id = id, incident = "payment")]
    async fn pay(id: u64, error: Option<Code>) -> Result<u64, Code> {
        error.map_or(Ok(id), Err)
    }

    struct Terminal;

    #[orchestrate(pattern = "order", incident = "payment")]
    impl Terminal {
        #[orchestrate(id = id)]
        async fn pay(&self, id: u64) -> Result<u64, Code> {
            Ok(id)
        }

        #[orchestrate(id = id, incident = "refund")]
        async fn refund(&self, id: u64) -> Result<u64, Code> {
            Ok(id)
        }
    }

    #[tokio::test]
    async fn incident_is_closed_by_a_handler_that_shares_it() {
        let world = World::new();
        world.run(pay(42, BROKEN)).await.unwrap_err();
        world.run(super::pay(42, None)).await.unwrap();
        world.run(Terminal.refund(42)).await.unwrap();
        assert_eq!(owners(&world).await, ["payment"]);
        world.run(Terminal.pay(42)).await.unwrap();
        assert!(closed(&world));
    }
}

/// Handlers of one name, and the identity of each.
mod identities {
    use std::fmt::Debug;

    use super::*;

    struct Card;
    struct Cash<T>(T);

    trait Till {
        async fn pay(&self) -> Result<(), Code>;
        fn given(&self) -> Result<(), Code>;
    }

    impl Card {
        #[orchestrate(pattern = "order", id = 42)]
        async fn pay(&self) -> Result<(), Code> {
            Err(Code::Internal)
        }
    }

    impl<T: Debug> Cash<T> {
        #[orchestrate(pattern = "order", id = 42)]
        async fn pay<U: Debug>(&self, _: U) -> Result<(), Code> {
            Err(Code::Internal)
        }
    }

    impl Till for Card {
        #[orchestrate(pattern = "order", id = 42)]
        async fn pay(&self) -> Result<(), Code> {
            Err(Code::Internal)
        }

        #[orchestrate(pattern = "order", id = 42)]
        fn given(&self) -> Result<(), Code> {
            Err(Code::Internal)
        }
    }

    impl<T: Debug> Till for Cash<T> {
        #[orchestrate(pattern = "order", id = 42)]
        async fn pay(&self) -> Result<(), Code> {
            Err(Code::Internal)
        }

        fn given(&self) -> Result<(), Code> {
            Err(Code::Internal)
        }
    }

    #[orchestrate(pattern = "order", id = 42, name = "the till")]
    async fn named() -> Result<(), Code> {
        Err(Code::Internal)
    }

    #[tokio::test]
    async fn methods_of_one_name_have_incidents_of_their_own() {
        let world = World::new();
        world.run(Card.pay()).await.unwrap_err();
        world.run(Cash(1_u8).pay("euro")).await.unwrap_err();
        world.run(Till::pay(&Card)).await.unwrap_err();
        world.run(async { Till::given(&Card) }).await.unwrap_err();
        let owners = owners(&world).await;
        assert_eq!(owners.len(), 4, "{owners:?}");
        for owner in &owners {
            assert!(owner.contains("flow::steps::incidents::identities::"), "{owner}");
            assert!(owner.ends_with("::pay") || owner.ends_with("::given"), "{owner}");
        }
    }

    #[tokio::test]
    async fn generics_of_a_call_are_no_part_of_the_identity() {
        let world = World::new();
        world.run(Cash(1_u8).pay("euro")).await.unwrap_err();
        world.run(Cash("one").pay(1.5)).await.unwrap_err();
        assert_eq!(owners(&world).await.len(), 1);
        world.run(Till::pay(&Cash(1_u8))).await.unwrap_err();
        world.run(Till::pay(&Cash("one"))).await.unwrap_err();
        assert_eq!(owners(&world).await.len(), 2);
    }

    #[tokio::test]
    async fn name_is_the_identity() {
        let world = World::new();
        world.run(named()).await.unwrap_err();
        assert_eq!(owners(&world).await, ["the till"]);
    }
}

mod without_an_entity {
    use super::*;

    #[orchestrate(pattern = "order")]
    async fn create(error: Option<Code>) -> Result<u64, Code> {
        error.map_or(Ok(42), Err)
    }

    #[orchestrate(pattern = "order")]
    async fn list() -> Result<u64, Code> {
        Ok(1)
    }

    /// The entity has no name before the body runs.
    #[orchestrate(pattern = "order", id = result)]
    async fn import(error: Option<Code>) -> Result<u64, Code> {
        error.map_or(Ok(42), Err)
    }

    #[tokio::test]
    async fn incident_is_the_handlers_alone() {
        let world = World::new();
        world.run(create(BROKEN)).await.unwrap_err();
        world.run(import(BROKEN)).await.unwrap_err();
        world.run(list()).await.unwrap();
        assert!(!closed(&world));
        assert_eq!(open(&world).await.len(), 2);
        // An entity that is called as the handler is.
        world.run(pay_text("create")).await.unwrap();
        assert!(!closed(&world));
        world.run(import(None)).await.unwrap();
        assert!(closed(&world));
        world.run(create(None)).await.unwrap();
        assert!(closed(&world));
    }

    #[orchestrate(pattern = "order", id = id, incident = "flow::steps::incidents::without_an_entity::create")]
    async fn pay_text(id: &str) -> Result<usize, Code> {
        Ok(id.len())
    }
}

#[tokio::test]
async fn manual_path_closes_what_its_own_handler_opened() {
    let world = World::new();
    let order = OrchestrationConfig::new("order").id(42).on(&world.orchestrator);
    let [pay, read] = ["pay", "read"].map(|handler| order.clone().handler(handler));
    let fail = async |config: &OrchestrationConfig| {
        Failure::wrap(Code::Internal, "", "broken").orchestrate(config).await;
    };
    let succeed = async |config: &OrchestrationConfig| {
        Success::wrap(Code::Ok, "", "fine").orchestrate(config).await;
        closed(&world)
    };
    fail(&pay).await;
    assert!(!succeed(&read).await);
    assert!(!succeed(&pay.clone().name("another")).await);
    assert!(succeed(&pay).await);

    let [pay, read] = [pay, read].map(|config| config.incident("shared"));
    fail(&pay).await;
    assert!(succeed(&read).await);
}
