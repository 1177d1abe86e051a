//! A broker of the test's own, which is killed, low on memory, or strict.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use graceful::{
    Code, HealthStatus, OrchestrationConfig, Orchestrator, RelaySettings, Step, Success,
    backends::{FlowFilter, FlowQuery, FlowState, FlowStore as _, ReceivedEvent, memory},
    orchestrate,
};
use graceful_rabbitmq::{Events, Filter};
use graceful_tests::{
    World,
    gate::{awaited, until},
    servers::Server,
};
use tokio::sync::{Semaphore, mpsc};

use super::{
    Rabbit,
    read::{Emitter, all_answered, next, read, subscriber},
};

#[orchestrate(pattern = "user", id = id, event = "said", delivery = "durable")]
async fn store(id: usize, text: String) -> Result<String, Code> {
    Ok(text)
}

#[test(requires("rabbitmq-server"))]
async fn confirmed_events_survive_a_restart_and_a_kill_of_the_server_and_reading_goes_on() {
    const WAITING: usize = 300;
    let mut server = Server::rabbitmq("").await;
    let rabbit = Rabbit::at(server.address()).await;
    let events = Events::connect(&rabbit.url()).await.unwrap();
    let events = events.subscriber("reader", &Filter::new()).await.unwrap();
    let world = World::with(|builder| builder.service("users").events(events));
    let emitter = Emitter(world.orchestrator.clone());
    for number in 0..WAITING {
        emitter.say(number).await;
    }
    let (reading, mut handled) = read(subscriber(&rabbit).await, &memory::Inbox::new(), |_, _| Ok(()));
    let mut seen = vec![next(&mut handled).await];

    // Also, a queue that is killed before the server has written down that it exists would not come back.
    server.rabbitmqctl(&["stop_app"]).await;
    assert_ne!(emitter.emitted("said", WAITING).await, "emitted");
    assert_eq!(world.orchestrator.health().await.status, HealthStatus::Degraded);
    server.rabbitmqctl(&["start_app"]).await;
    until(async || emitter.emitted("said", WAITING + 1).await == "emitted").await;
    while !seen.contains(&(WAITING + 1)) {
        seen.push(next(&mut handled).await);
    }

    server.kill();
    assert_ne!(emitter.emitted("said", WAITING + 2).await, "emitted");
    server.start_again().await;
    until(async || emitter.emitted("said", WAITING + 3).await == "emitted").await;
    while !seen.contains(&(WAITING + 3)) {
        seen.push(next(&mut handled).await);
    }
    let rabbit = Rabbit::of(server.address(), rabbit.exchange.clone()).await;
    all_answered(&rabbit, reading).await;
    for number in 0..WAITING {
        let times = seen.iter().filter(|seen| **seen == number).count();
        assert_eq!(times, 1, "{number}");
    }
    assert_eq!(world.orchestrator.health().await.status, HealthStatus::Ready);
}

#[test(requires("rabbitmq-server"), flavor = "multi_thread", worker_threads = 2)]
async fn blocked_broker_fails_events_in_time_and_shows_in_health_while_subscribers_drain() {
    let server = Server::rabbitmq("").await;
    let rabbit = Rabbit::at(server.address()).await;
    let events = Events::connect(&rabbit.url()).await.unwrap();
    let events = events.subscriber("reader", &Filter::new()).await.unwrap();
    let world = World::with(|builder| builder.service("users").events(events));
    let emitter = Emitter(world.orchestrator.clone());
    for number in 0..20 {
        emitter.say(number).await;
    }

    server.rabbitmqctl(&["set_vm_memory_high_watermark", "0.0001"]).await;
    let failed = awaited(emitter.emitted("said", 20)).await;
    assert!(failed.starts_with("FAILED: "), "{failed}");
    let health = world.orchestrator.health().await;
    assert_eq!(health.status, HealthStatus::Degraded);
    let why = format!("RabbitMQ at {} blocks publishers: low on memory", server.address());
    assert_eq!(health.reasons, [&*why]);
    for number in 21..100 {
        assert_eq!(emitter.emitted("said", number).await, format!("FAILED: {why}"), "no call waits");
    }

    // Another connection reads.
    let (reading, mut handled) = read(subscriber(&rabbit).await, &memory::Inbox::new(), |_, _| Ok(()));
    for number in 0..20 {
        assert_eq!(next(&mut handled).await, number);
    }
    server.rabbitmqctl(&["set_vm_memory_high_watermark", "0.9"]).await;
    until(async || world.orchestrator.health().await.status == HealthStatus::Ready).await;
    emitter.say(100).await;
    // What has failed may have arrived.
    while next(&mut handled).await != 100 {}
    all_answered(&rabbit, reading).await;
}

/// The event of the middle flow is larger than the broker accepts.
#[test(requires("rabbitmq-server"), flavor = "multi_thread")]
async fn event_that_the_broker_cannot_take_is_a_dead_letter_at_once_and_its_neighbours_lose_no_attempt() {
    let server = Server::rabbitmq("max_message_size = 20000\n").await;
    let rabbit = Rabbit::at(server.address()).await;
    let events = rabbit.events().await;
    let flows = memory::Flows::new();
    let orchestrator = Orchestrator::builder()
        .service("users")
        .events(events)
        .flows(flows.clone())
        .relay(RelaySettings::default().poll(Duration::from_millis(5)))
        .build()
        .unwrap();
    for id in 0..60 {
        let length = if id % 20 == 7 { 30_000 } else { 10 };
        orchestrator.scope(store(id, "a".repeat(length))).await.unwrap();
    }
    let count = async |state: FlowState| flows.count(FlowFilter::from(state), 99).await.unwrap().number;
    until(async || count(FlowState::Queued).await == 0).await;
    let dead = flows.flows(FlowQuery::new(FlowState::Dead, 9)).await.unwrap().items;
    assert_eq!(dead.len(), 3);
    for flow in dead {
        let error = flow.error().unwrap();
        let why = format!("step `event`: RabbitMQ at {} refuses the event: ", server.address());
        assert!(error.starts_with(&why) && error.contains("20000"), "{error}");
        assert_eq!(flow.attempts, 1);
    }
    // The others were not attempted again.
    assert_eq!(rabbit.messages().await.len(), 57);
    orchestrator.shutdown(Duration::from_secs(10)).await;
}

/// The broker closes all connections while events are on their way: each of these is sent again.
#[test(requires("rabbitmq-server"), flavor = "multi_thread", worker_threads = 2)]
async fn event_on_a_connection_that_an_operator_closes_is_sent_again() {
    let server = Server::rabbitmq("").await;
    let rabbit = Rabbit::at(server.address()).await;
    let events = Events::connect(&rabbit.url()).await.unwrap().timeout(Duration::from_secs(30));
    let events = events.subscriber("reader", &Filter::new()).await.unwrap();
    let orchestrator = Orchestrator::builder().service("users").events(events).build().unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let emitting: Vec<_> = (0..8)
        .map(|number| {
            let (orchestrator, is_over) = (orchestrator.clone(), Arc::clone(&is_over));
            tokio::spawn(async move {
                let config = OrchestrationConfig::new("user")
                    .id(number)
                    .event("said")
                    .timeout(Step::Event, Duration::from_secs(30))
                    .on(&orchestrator);
                while !is_over.load(Ordering::SeqCst) {
                    let report = Success::wrap(Code::Ok, "said", &number).orchestrate(&config).await;
                    assert_eq!(report.step(Step::Event).to_string(), "emitted");
                }
            })
        })
        .collect();
    for _ in 0..2 {
        server.rabbitmqctl(&["close_all_connections", "maintenance"]).await;
    }
    is_over.store(true, Ordering::SeqCst);
    for emitting in emitting {
        awaited(emitting).await.unwrap();
    }
}

/// The broker closes the channel of a reader that keeps an event for too long.
#[test(requires("rabbitmq-server"))]
async fn closed_channel_is_opened_again() {
    let server = Server::rabbitmq("consumer_timeout = 1000\n").await;
    // It looks once a minute otherwise.
    server.rabbitmqctl(&["eval", "application:set_env(rabbit, channel_tick_interval, 300)."]).await;
    let rabbit = Rabbit::at(server.address()).await;
    let emitter = Emitter::new(&rabbit).await;
    emitter.say(1).await;
    emitter.say(2).await;
    let (begun, mut has_begun) = mpsc::unbounded_channel();
    let gate = Arc::new(Semaphore::new(0));
    let (slow, opened) = (subscriber(&rabbit).await, Arc::clone(&gate));
    let slow = tokio::spawn(async move {
        let handler = async |event: Arc<ReceivedEvent>, transaction| {
            begun.send(event.result::<usize>()?)?;
            _ = opened.acquire().await?;
            Ok(transaction)
        };
        slow.run(&memory::Inbox::new(), handler).await.unwrap();
    });
    assert_eq!(next(&mut has_begun).await, 1);
    // It gets the events when the broker has closed the channel of the other.
    let (reading, mut handled) = read(subscriber(&rabbit).await, &memory::Inbox::new(), |_, _| Ok(()));
    assert_eq!(next(&mut handled).await, 1);
    assert_eq!(next(&mut handled).await, 2);
    reading.stop().await;
    gate.add_permits(1);
    emitter.say(3).await;
    assert_eq!(next(&mut has_begun).await, 3);
    slow.abort();
}
