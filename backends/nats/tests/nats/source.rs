//! The stream as a source of subscribers: the copy of its events has their order, whatever happens to connections, consumers and processes.

use std::sync::Mutex;

use graceful::backends::Selection;
use graceful_nats::Source;
use graceful_testing::conformance;
use graceful_tests::{
    Link, Proxy,
    copied::{Copied, next, open},
    gate::{awaited, until},
};

use super::{Nats, read::Emitter};

/// The consumer of [`selection`].
const CONSUMER: &str = "shop=3A=3Aon_said";

fn selection() -> Selection {
    let mut selection = Selection::new("shop::on_said", "said", "user");
    selection.from_start = true;
    selection
}

async fn source(nats: &Nats) -> Source {
    Source::connect(&nats.url()).await.unwrap()
}

async fn all_acknowledged(nats: &Nats) {
    until(|| async {
        let info = nats.stream().await.consumer_info(CONSUMER).await;
        info.is_ok_and(|info| info.num_ack_pending == 0 && info.num_pending == 0)
    })
    .await;
}

#[test(requires(Nats))]
async fn source_conforms() {
    let streams = Mutex::new(Vec::new());
    conformance::event_source(async || {
        let nats = Nats::connect().await;
        let events = nats.events().await;
        streams.lock().unwrap().push(nats);
        events
    })
    .await;
    for nats in streams.into_inner().unwrap() {
        nats.clean().await;
    }
}

#[test(requires(Nats))]
async fn subscriber_from_the_start_gets_all_events_of_the_stream() {
    let nats = Nats::connect().await;
    let emitter = Emitter::new(&nats).await;
    for number in 0..3 {
        emitter.say(number).await;
    }
    let source = source(&nats).await;
    let mut reading = open(&source, selection()).await;
    let mut read = Vec::new();
    while read.len() < 3 {
        read.extend(next(&mut reading).await);
        reading.acknowledge().await.unwrap();
    }
    assert_eq!(read, [0, 1, 2]);
    nats.clean().await;
}

#[test(requires(Nats))]
async fn changed_selection_changes_the_consumer_and_not_where_it_is() {
    let nats = Nats::connect().await;
    let emitter = Emitter::new(&nats).await;
    emitter.say(0).await;
    let source = source(&nats).await;
    let mut reading = open(&source, selection()).await;
    assert_eq!(next(&mut reading).await, [0]);
    reading.acknowledge().await.unwrap();
    drop(reading);
    emitter.say(1).await;
    let mut changed = selection();
    (changed.from_start, changed.batch, changed.service) = (false, 7, Some("users".into()));
    let mut reading = open(&source, changed).await;
    assert_eq!(next(&mut reading).await, [1]);
    let info = nats.stream().await.consumer_info(CONSUMER).await.unwrap();
    assert_eq!(info.config.max_ack_pending, 7);
    assert_eq!(info.config.filter_subject, format!("{}.users.*.user.said", nats.stream));
    nats.clean().await;
}

#[test(requires(Nats))]
async fn renamed_subscriber_goes_on_where_it_was() {
    let nats = Nats::connect().await;
    let emitter = Emitter::new(&nats).await;
    let source = source(&nats).await;
    let mut reading = open(&source, selection()).await;
    emitter.say(0).await;
    assert_eq!(next(&mut reading).await, [0]);
    reading.acknowledge().await.unwrap();
    drop(reading);
    emitter.say(1).await;
    let mut renamed = Selection::new("shop::on_speech", "said", "user");
    renamed.was = vec!["shop::never".into(), "shop::on_said".into()];
    let mut reading = open(&source, renamed.clone()).await;
    assert_eq!(next(&mut reading).await, [1]);
    reading.acknowledge().await.unwrap();
    nats.stream().await.consumer_info(CONSUMER).await.unwrap_err();
    drop(reading);
    emitter.say(2).await;
    assert_eq!(next(&mut open(&source, renamed).await).await, [2]);
    nats.clean().await;
}

/// A process that has lost its lease, and does not know it, stores and acknowledges late what the next process has received again.
#[test(requires(Nats))]
async fn late_acknowledgement_of_another_process_blocks_nothing() {
    let nats = Nats::connect().await;
    let emitter = Emitter::new(&nats).await;
    emitter.say(0).await;
    let source = source(&nats).await;
    let mut first = open(&source, selection()).await;
    assert_eq!(next(&mut first).await, [0]);
    let mut second = open(&source, selection()).await;
    // Which of the two gets it again is up to the server.
    until(async || nats.stream().await.consumer_info(CONSUMER).await.unwrap().num_redelivered == 1).await;
    first.acknowledge().await.unwrap();
    drop(first);
    emitter.say(1).await;
    let mut read = next(&mut second).await;
    second.acknowledge().await.unwrap();
    if read == [0] {
        read = next(&mut second).await;
    }
    assert_eq!(read, [1]);
    nats.clean().await;
}

#[test(requires(Nats))]
async fn deleted_consumer_ends_the_reading_and_is_created_again() {
    let nats = Nats::connect().await;
    let emitter = Emitter::new(&nats).await;
    let copied = Copied::default();
    let copying = copied.copy(source(&nats).await, selection());
    for number in 0..3 {
        emitter.say(number).await;
        copied.wait_for(number + 1).await;
        nats.stream().await.delete_consumer(CONSUMER).await.unwrap();
        until(async || nats.stream().await.consumer_info(CONSUMER).await.is_ok()).await;
    }
    assert_eq!(copied.numbers(), [0, 1, 2]);
    copying.abort();
    nats.clean().await;
}

/// The acknowledgement does not reach the server.
#[test(requires(Nats))]
async fn lost_acknowledgement_is_an_error_and_the_event_comes_again() {
    let nats = Nats::connect().await;
    let emitter = Emitter::new(&nats).await;
    let proxy = Proxy::to(nats.address).await;
    let source = Source::connect(&nats.url_at(proxy.address())).await.unwrap();
    let mut reading = open(&source, selection()).await;
    emitter.say(0).await;
    assert_eq!(next(&mut reading).await, [0]);
    proxy.set(Link::HalfSent).await;
    awaited(reading.acknowledge()).await.unwrap_err();
    drop(reading);
    emitter.say(1).await;
    proxy.set(Link::Up).await;
    let copied = Copied::default();
    let copying = copied.copy(source, selection());
    copied.wait_for(2).await;
    all_acknowledged(&nats).await;
    assert_eq!(copied.numbers(), [0, 1]);
    copying.abort();
    nats.clean().await;
}

/// Each of six connections is cut in six ways while events arrive, in another order each.
#[test(requires(Nats), flavor = "multi_thread", worker_threads = 2)]
async fn cut_off_again_and_again_the_copy_has_each_event_in_order() {
    let connections: Vec<_> = (0..Link::FAULTS.len()).map(|first| tokio::spawn(cut_off(first))).collect();
    for connection in connections {
        connection.await.unwrap();
    }
}

async fn cut_off(first: usize) {
    let nats = Nats::connect().await;
    let emitter = Emitter::new(&nats).await;
    let proxy = Proxy::to(nats.address).await;
    let source = Source::connect(&nats.url_at(proxy.address())).await.unwrap();
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
    all_acknowledged(&nats).await;
    assert_eq!(copied.numbers(), (0..said).collect::<Vec<_>>());
    copying.abort();
    nats.clean().await;
}
