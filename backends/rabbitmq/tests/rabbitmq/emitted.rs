//! A queue holds the event when its handler has answered.

use std::{collections::HashSet, sync::Arc, time::Duration};

use graceful::{Code, Context, OrchestrationConfig, Step, Success, orchestrate};
use graceful_tests::{User, World, ada, gate::awaited};
use serde_json::json;

use super::Rabbit;

#[orchestrate(pattern = "user", id = user.id, event = "user_updated")]
async fn update(user: User, error: Option<Code>) -> Result<User, Code> {
    error.map_or(Ok(user), Err)
}

#[test(requires(RabbitMq))]
async fn emitted_event_of_each_arm_is_a_cloud_event_under_its_key_with_the_flow_id() {
    let rabbit = Rabbit::connect().await;
    let events = rabbit.events().await;
    let world = World::with(|builder| builder.service("us.ers").events(events));
    let call = async |error| Context::new().tenant("ac me").scope(world.run(update(ada(), error))).await;
    call(None).await.unwrap();
    call(Some(Code::Internal)).await.unwrap_err();

    let (messages, reports) = (rabbit.messages().await, world.reports.all());
    assert_eq!((messages.len(), reports.len()), (2, 2));
    for (message, report) in messages.iter().zip(&reports) {
        assert_eq!(report.step(Step::Event).to_string(), "emitted");
        let id = report.flow().id().to_string();
        assert_eq!((message.id.as_deref(), message.event["id"].as_str()), (Some(&*id), Some(&*id)));
        assert_eq!(message.content_type.as_deref(), Some("application/cloudevents+json"));
        assert_eq!(
            (&message.event["specversion"], &message.event["subject"]),
            (&json!("1.0"), &json!("user/42"))
        );
    }
    assert!(messages.iter().all(|message| message.persistent));
    assert_eq!(messages[0].key, "us%2Eers.ac%20me.user.user_updated");
    assert_eq!(messages[0].event["type"], "user_updated");
    assert_eq!(messages[0].event["data"]["result"], json!(ada()));
    assert_eq!(messages[1].key, "us%2Eers.ac%20me.user.user_updated%2Efailed");
    assert_eq!(messages[1].event["type"], "user_updated.failed");
    assert_eq!(messages[1].event["data"]["code"], "INTERNAL");
    rabbit.clean().await;
}

#[test(requires(RabbitMq), flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_events_are_each_confirmed() {
    let rabbit = Rabbit::connect().await;
    let events = rabbit.events().await;
    let world = Arc::new(World::with(|builder| builder.events(events.timeout(Duration::from_secs(30)))));
    // More than there are channels.
    let calls: Vec<_> = (0..500)
        .map(|number| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                let config = OrchestrationConfig::new("user").id(number).event("said");
                // The budget of a step is shorter than this machine may need for all.
                let config = config.timeout(Step::Event, Duration::from_secs(30)).on(&world.orchestrator);
                Success::wrap(Code::Ok, "said", &number).orchestrate(&config).await
            })
        })
        .collect();
    let mut confirmed = Vec::new();
    for call in calls {
        let report = call.await.unwrap();
        assert_eq!(report.step(Step::Event).to_string(), "emitted");
        confirmed.push(report.flow().id().to_string());
    }
    let ids: HashSet<_> = rabbit.messages().await.into_iter().map(|message| message.id.unwrap()).collect();
    assert!(confirmed.iter().all(|id| ids.contains(id)));
    assert_eq!(ids.len(), 500);
    rabbit.clean().await;
}

#[test(requires(RabbitMq))]
async fn emit_to_a_deleted_exchange_is_a_failure_and_keeps_the_connection() {
    let rabbit = Rabbit::connect().await;
    let events = rabbit.events().await;
    let world = World::with(|builder| builder.events(events));
    rabbit.delete_exchange().await;
    // More than a breaker would bear.
    for _ in 0..5 {
        world.run(update(ada(), None)).await.unwrap();
        let error = world.last(Step::Event).1;
        assert!(
            error.starts_with(&format!("FAILED: the exchange `{}` of RabbitMQ at ", rabbit.exchange)),
            "{error}"
        );
    }
    rabbit.tap().await;
    world.run(update(ada(), None)).await.unwrap();
    assert_eq!(world.last(Step::Event).1, "emitted");
    rabbit.clean().await;
}

/// A sync handler outside of any runtime cannot wait: its flow continues in the runtime of the orchestrator.
#[test(requires(RabbitMq))]
fn sync_handler_needs_no_runtime() {
    #[orchestrate(pattern = "user", id = user.id, event = "user_stored")]
    fn store(user: &User) -> Result<User, Code> {
        Ok(user.clone())
    }

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let rabbit = runtime.block_on(Rabbit::connect());
    let world = runtime.block_on(async {
        let events = rabbit.events().await;
        World::with(|builder| builder.events(events))
    });
    world.orchestrator.sync_scope(|| store(&ada())).unwrap();
    runtime.block_on(async {
        awaited(world.reports.until(1)).await;
        assert_eq!(world.last(Step::Event).1, "emitted");
        assert_eq!(rabbit.messages().await.len(), 1);
        rabbit.clean().await;
    });
}
