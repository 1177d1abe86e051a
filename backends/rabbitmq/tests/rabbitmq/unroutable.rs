//! Events that no queue takes are never a silent success.

use std::time::Duration;

use graceful::{
    Code, HealthStatus, Orchestrator, RelaySettings, Step,
    backends::{FlowFilter, FlowState, FlowStore as _, memory},
    orchestrate,
};
use graceful_rabbitmq::{Events, Filter, Subscriber};
use graceful_tests::{
    Link, Proxy, World,
    gate::{awaited, until},
    servers::RABBITMQ,
};
use lapin::{options::QueueDeclareOptions, types::FieldTable};

use super::{
    Rabbit,
    read::{next, read},
};

#[orchestrate(pattern = "user", id = id, event = "said", delivery = "durable")]
async fn say(id: u8, error: Option<Code>) -> Result<u8, Code> {
    error.map_or(Ok(id), Err)
}

#[orchestrate(pattern = "user", id = id, event = "said")]
async fn whisper(id: u8, error: Option<Code>) -> Result<u8, Code> {
    error.map_or(Ok(id), Err)
}

/// A relay that starts before any subscriber exists.
#[test(requires(RabbitMq), flavor = "multi_thread")]
async fn durable_flow_without_a_queue_is_retried_until_a_subscriber_connects() {
    let rabbit = Rabbit::connect().await;
    let flows = memory::Flows::new();
    let events = Events::connect(&rabbit.url()).await.unwrap();
    let relay = RelaySettings::default()
        .poll(Duration::from_millis(5))
        .backoff(Duration::from_millis(20), Duration::from_millis(50));
    let orchestrator = Orchestrator::builder()
        .service("users")
        .events(events.clone())
        .flows(flows.clone())
        .relay(relay)
        .build()
        .unwrap();
    orchestrator.scope(say(1, None)).await.unwrap();
    orchestrator.scope(say(2, Some(Code::Internal))).await.unwrap_err();
    until(async || events.unroutable() >= 4).await;
    assert_eq!(flows.count(FlowFilter::from(FlowState::Queued), 9).await.unwrap().number, 2);
    let health = orchestrator.health().await;
    assert_eq!(health.status, HealthStatus::Degraded);
    let place = format!(
        "no queue of RabbitMQ at {RABBITMQ} takes the events with the routing key `users.%.user.said"
    );
    assert!(health.reasons[0].starts_with(&place), "{health:?}");

    let filter = Filter::new().event("said");
    let subscriber = Subscriber::connect(&rabbit.url(), "reader", &filter).await.unwrap();
    let failed = Filter::new().event("said.failed");
    Subscriber::connect(&rabbit.url(), "other", &failed).await.unwrap();
    let (reading, mut handled) = read(subscriber, &memory::Inbox::new(), |_, _| Ok(()));
    assert_eq!(next(&mut handled).await, 1);
    until(async || flows.count(FlowFilter::from(FlowState::Queued), 9).await.unwrap().number == 0).await;
    reading.abort();
    orchestrator.shutdown(Duration::from_secs(10)).await;
    rabbit.clean().await;
}

#[test(requires(RabbitMq))]
async fn event_without_a_queue_fails_or_is_counted_as_the_url_says() {
    let rabbit = Rabbit::connect().await;
    let events = Events::connect(&rabbit.url()).await.unwrap();
    let world = World::with(|builder| builder.events(events.clone()));
    for error in [None, Some(Code::Internal)] {
        let _ = world.run(whisper(1, error)).await;
        let failed = world.last(Step::Event).1;
        assert!(
            failed.starts_with(&format!("FAILED: no queue of RabbitMQ at {RABBITMQ} takes the event")),
            "{failed}"
        );
    }
    assert_eq!(events.unroutable(), 2);

    let accepting = Events::connect(&format!("{}&unroutable=accept", rabbit.url())).await.unwrap();
    let world = World::with(|builder| builder.events(accepting.clone()));
    for error in [None, Some(Code::Internal)] {
        let _ = world.run(whisper(1, error)).await;
        assert_eq!(world.last(Step::Event).1, "emitted");
    }
    assert_eq!(accepting.unroutable(), 2);
    assert_eq!(world.orchestrator.health().await.status, HealthStatus::Degraded);
    rabbit.clean().await;
}

/// Each of many concurrent events is answered for itself: those with a queue succeed, and those without one fail.
#[test(requires(RabbitMq), flavor = "multi_thread", worker_threads = 2)]
async fn returned_event_is_never_confused_with_a_confirmed_one() {
    let rabbit = Rabbit::connect().await;
    let events = Events::connect(&rabbit.url()).await.unwrap().timeout(Duration::from_secs(30));
    let events = events.subscriber("reader", &Filter::new().event("said")).await.unwrap();
    let orchestrator = Orchestrator::builder().service("users").events(events.clone()).build().unwrap();
    let calls: Vec<_> = (0..400_usize)
        .map(|number| {
            let orchestrator = orchestrator.clone();
            tokio::spawn(async move {
                let event = if number % 3 == 0 { "sung" } else { "said" };
                let config = graceful::OrchestrationConfig::new("user")
                    .id(number)
                    .event(event)
                    .timeout(Step::Event, Duration::from_secs(30))
                    .on(&orchestrator);
                let report = graceful::Success::wrap(Code::Ok, event, &number).orchestrate(&config).await;
                (number, report.step(Step::Event).error().is_none())
            })
        })
        .collect();
    for call in calls {
        let (number, is_emitted) = awaited(call).await.unwrap();
        assert_eq!(is_emitted, number % 3 != 0, "{number}");
    }
    assert_eq!(events.unroutable(), 134);
    assert_eq!(rabbit.take(&rabbit.queue("reader")).await.len(), 266);
    rabbit.clean().await;
}

#[test(requires(RabbitMq))]
async fn deleted_queue_of_a_known_subscriber_is_declared_again() {
    let rabbit = Rabbit::connect().await;
    let url = format!("{}&subscriber=reader:users.*.user.said&subscriber=other:*.*.*.sung", rabbit.url());
    let events = Events::connect(&url).await.unwrap();
    let world = World::with(|builder| builder.service("users").events(events.clone()));
    rabbit.delete_queue(&rabbit.queue("reader")).await;
    world.run(whisper(1, None)).await.unwrap();
    assert_eq!((world.last(Step::Event).1.as_str(), events.unroutable()), ("emitted", 0));
    assert_eq!(rabbit.take(&rabbit.queue("reader")).await.len(), 1);
    rabbit.clean().await;
}

#[test(requires(RabbitMq))]
async fn queue_that_cannot_be_declared_after_a_reconnection_keeps_no_event_back() {
    let rabbit = Rabbit::connect().await;
    rabbit.tap().await;
    let proxy = Proxy::to(rabbit.address).await;
    let events =
        Events::connect(&format!("{}&subscriber=reader", rabbit.url_at(proxy.address()))).await.unwrap();
    let world = World::with(|builder| builder.service("users").events(events));
    let queue = rabbit.queue("reader");
    rabbit.delete_queue(&queue).await;
    let (options, arguments) = (QueueDeclareOptions::default(), FieldTable::default());
    rabbit.channel().await.queue_declare(queue.clone().into(), options, arguments).await.unwrap();
    proxy.set(Link::Reset).await;
    let reasons = async || world.orchestrator.health().await.reasons;
    until(async || !reasons().await.is_empty()).await;
    proxy.set(Link::Up).await;
    let text = format!("the queue `{queue}` of RabbitMQ at {} cannot be used: ", proxy.address());
    until(async || reasons().await.first().is_some_and(|why| why.starts_with(&text))).await;
    until(async || {
        world.run(whisper(1, None)).await.unwrap();
        world.last(Step::Event).1 == "emitted"
    })
    .await;
    rabbit.clean().await;
}
