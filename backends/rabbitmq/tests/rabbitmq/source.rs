//! The exchange as a source of subscribers: the copy of its events has their order, whatever happens to connections, channels and queues.

use std::{sync::Arc, time::Duration};

use graceful::backends::Selection;
use graceful_rabbitmq::{Events, Filter, Source, routing_key};
use graceful_testing::conformance;
use graceful_tests::{
    Link, Proxy,
    copied::{Copied, next, open},
    gate::{Gate, awaited, until},
    servers::Server,
};
use tokio::task::JoinHandle;

use super::{Rabbit, read::Emitter};

const SUBSCRIBER: &str = "shop::on_said";

fn selection() -> Selection {
    Selection::new(SUBSCRIBER, "said", "user")
}

fn filter() -> Filter {
    Filter::new().pattern("user").event("said")
}

/// An emitter that knows the subscriber, so that events wait for it.
async fn emitter(rabbit: &Rabbit) -> Emitter {
    let emitter = Emitter::new(rabbit).await;
    Events::connect(&rabbit.url()).await.unwrap().subscriber(SUBSCRIBER, &filter()).await.unwrap();
    emitter
}

async fn source(rabbit: &Rabbit) -> Source {
    Source::connect(&rabbit.url()).await.unwrap()
}

/// Ends the copy, after which the broker has an acknowledgement of every event.
async fn all_acknowledged(rabbit: &Rabbit, copying: JoinHandle<()>) {
    let queue = rabbit.queue(SUBSCRIBER);
    until(async || rabbit.state(&queue).await.0 == 0).await;
    let mut reading = open(&source(rabbit).await, selection()).await;
    copying.abort();
    // What was not acknowledged would come now.
    let next = tokio::time::timeout(Duration::from_millis(300), reading.next()).await;
    assert!(next.is_err(), "the broker has not had an acknowledgement of every event");
}

async fn clean(rabbit: Rabbit) {
    for queue in [SUBSCRIBER, "shop::on_said.poison"] {
        rabbit.delete_queue(&rabbit.queue(queue)).await;
    }
    rabbit.clean().await;
}

/// The server goes with the many queues.
#[test(requires("rabbitmq-server"))]
async fn source_conforms() {
    let server = Server::rabbitmq("").await;
    conformance::event_source(async || Rabbit::at(server.address()).await.events().await).await;
}

#[test(requires(RabbitMq))]
async fn events_wait_for_a_subscriber_that_the_url_of_the_emitter_names() {
    let rabbit = Rabbit::connect().await;
    let url = format!("{}&subscriber=shop%3A%3Aon_said:{}", rabbit.url(), routing_key(&filter()));
    let events = Events::connect(&url).await.unwrap();
    let emitter = Emitter::of(events);
    emitter.say(0).await;
    assert_eq!(next(&mut open(&source(&rabbit).await, selection()).await).await, [0]);
    clean(rabbit).await;
}

#[test(requires(RabbitMq))]
async fn event_that_an_earlier_filter_has_selected_is_acknowledged_and_not_returned() {
    let rabbit = Rabbit::connect().await;
    Events::connect(&rabbit.url()).await.unwrap().subscriber(SUBSCRIBER, &Filter::new()).await.unwrap();
    let emitter = Emitter::new(&rabbit).await;
    let copied = Copied::default();
    let copying = copied.copy(source(&rabbit).await, selection());
    for number in 0..3 {
        emitter.emit("sung", 100).await;
        emitter.say(number).await;
    }
    emitter.emit("sung", 100).await;
    copied.wait_for(3).await;
    all_acknowledged(&rabbit, copying).await;
    assert_eq!(copied.numbers(), [0, 1, 2]);
    clean(rabbit).await;
}

#[test(requires(RabbitMq))]
async fn deleted_queue_ends_the_reading_and_is_declared_again() {
    let rabbit = Rabbit::connect().await;
    let emitter = emitter(&rabbit).await;
    let copied = Copied::default();
    let copying = copied.copy(source(&rabbit).await, selection());
    let queue = rabbit.queue(SUBSCRIBER);
    for number in 0..3 {
        emitter.say(number).await;
        copied.wait_for(number + 1).await;
        rabbit.delete_queue(&queue).await;
        until(async || rabbit.state_if_any(&queue).await.is_some_and(|(_, consumers)| consumers == 1)).await;
    }
    assert_eq!(copied.numbers(), [0, 1, 2]);
    copying.abort();
    clean(rabbit).await;
}

/// The client says then that it has sent nothing.
#[test(requires(RabbitMq))]
async fn acknowledgement_on_an_ended_channel_is_an_error_and_the_event_comes_again_before_later_ones() {
    let rabbit = Rabbit::connect().await;
    let emitter = emitter(&rabbit).await;
    let proxy = Proxy::to(rabbit.address).await;
    let source = Source::connect(&rabbit.url_at(proxy.address())).await.unwrap();
    let mut reading = open(&source, selection()).await;
    emitter.say(0).await;
    assert_eq!(next(&mut reading).await, [0]);
    proxy.set(Link::Reset).await;
    let queue = rabbit.queue(SUBSCRIBER);
    until(async || rabbit.state(&queue).await == (1, 0)).await;
    awaited(reading.acknowledge()).await.unwrap_err();
    drop(reading);
    emitter.say(1).await;
    proxy.set(Link::Up).await;
    let copied = Copied::default();
    let copying = copied.copy(source, selection());
    copied.wait_for(2).await;
    all_acknowledged(&rabbit, copying).await;
    assert_eq!(copied.numbers(), [0, 1]);
    clean(rabbit).await;
}

/// The broker closes the channel of a process that stores a batch for too long.
#[test(requires("rabbitmq-server"))]
async fn closed_channel_is_opened_again() {
    let server = Server::rabbitmq("consumer_timeout = 1000\n").await;
    // It looks once a minute otherwise.
    server.rabbitmqctl(&["eval", "application:set_env(rabbit, channel_tick_interval, 300)."]).await;
    let rabbit = Rabbit::at(server.address()).await;
    let emitter = emitter(&rabbit).await;
    emitter.say(0).await;
    let (copied, gate) = (Copied::default(), Arc::new(Gate::closed()));
    let copying = copied.copy_through(source(&rabbit).await, selection(), Arc::clone(&gate));
    let queue = rabbit.queue(SUBSCRIBER);
    until(async || rabbit.state(&queue).await == (0, 1)).await;
    // The channel is closed, and the event is in the queue again.
    until(async || rabbit.state(&queue).await == (1, 0)).await;
    gate.open_for(1_000);
    emitter.say(1).await;
    copied.wait_for(2).await;
    assert_eq!(copied.numbers(), [0, 1]);
    copying.abort();
}

#[test(requires("rabbitmq-server"))]
async fn restarted_broker_is_read_on_and_at_most_a_batch_is_not_acknowledged() {
    const WAITING: usize = 1_000;
    let mut server = Server::rabbitmq("").await;
    let rabbit = Rabbit::at(server.address()).await;
    let emitter = emitter(&rabbit).await;
    for number in 0..WAITING {
        emitter.say(number).await;
    }
    let (copied, gate) = (Copied::default(), Arc::new(Gate::closed()));
    let copying = copied.copy_through(source(&rabbit).await, selection(), Arc::clone(&gate));
    let queue = rabbit.queue(SUBSCRIBER);
    gate.reached().await;
    until(async || rabbit.state(&queue).await == (744, 1)).await;
    server.kill();
    server.start_again().await;
    let rabbit = Rabbit::of(server.address(), rabbit.exchange.clone()).await;
    until(async || rabbit.state_if_any(&queue).await == Some((1_000, 0))).await;
    // The first batch is stored, and cannot be acknowledged any more.
    gate.open_for(1);
    until(async || rabbit.state(&queue).await == (744, 1)).await;
    gate.open_for(1_000);
    copied.wait_for(WAITING).await;
    assert_eq!(copied.numbers(), (0..WAITING).collect::<Vec<_>>());
    copying.abort();
}

/// Each of six connections is cut in six ways while events arrive, in another order each.
#[test(requires(RabbitMq), flavor = "multi_thread", worker_threads = 2)]
async fn cut_off_again_and_again_the_copy_has_each_event_in_order() {
    let connections: Vec<_> = (0..Link::FAULTS.len()).map(|first| tokio::spawn(cut_off(first))).collect();
    for connection in connections {
        connection.await.unwrap();
    }
}

async fn cut_off(first: usize) {
    let rabbit = Rabbit::connect().await;
    let emitter = emitter(&rabbit).await;
    let proxy = Proxy::to(rabbit.address).await;
    let source = Source::connect(&rabbit.url_at(proxy.address())).await.unwrap();
    let (copied, mut said) = (Copied::default(), 0);
    let copying = copied.copy(source, selection());
    for round in 0..Link::FAULTS.len() {
        let fault = Link::FAULTS[(first + round) % Link::FAULTS.len()];
        for link in [Link::Up, fault, Link::Up] {
            proxy.set(link).await;
            for _ in 0..20 {
                emitter.say(said).await;
                said += 1;
            }
        }
        copied.wait_for(said).await;
    }
    all_acknowledged(&rabbit, copying).await;
    assert_eq!(copied.numbers(), (0..said).collect::<Vec<_>>());
    clean(rabbit).await;
}
