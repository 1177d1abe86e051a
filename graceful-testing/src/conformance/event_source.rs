//! What an [`EventSource`] must do.

use std::{future::IntoFuture, ops::Range, sync::Arc, time::Duration};

use graceful::{
    __private010::Sample,
    Code, Event,
    backends::{EventEmitter, EventReading, EventSource, ReceivedEvent, Selection},
};
use tokio::time::timeout;

/// Checks the promises of the [`EventSource`] of an emitter. `fresh` creates an emitter whose broker has no events and no subscribers. It must accept
/// an event that nobody reads.
///
/// A broker delivers some messages again only after a time, so the suite takes that time, a few times.
///
/// # Panics
/// One of them is broken.
///
/// ```no_run
/// # async fn example<E: graceful::backends::EventEmitter>(fresh: impl AsyncFn() -> E) {
/// use graceful_testing::conformance;
/// conformance::event_source(fresh).await;
/// # }
/// ```
pub async fn event_source<E: EventEmitter>(fresh: impl AsyncFn() -> E) {
    batches_have_the_order_of_the_events(fresh().await).await;
    new_subscriber_begins_with_the_next_event(fresh().await).await;
    at_most_a_batch_is_not_acknowledged(fresh().await).await;
    acknowledged_events_do_not_come_again(fresh().await).await;
    event_that_was_not_acknowledged_comes_again_before_later_events(fresh().await).await;
    second_reading_waits_for_what_the_first_has_not_acknowledged(fresh().await).await;
    dropped_wait_for_events_loses_none(fresh().await).await;
    selection_is_by_event_pattern_and_service(fresh().await).await;
    each_subscriber_gets_each_event(fresh().await).await;
    subscriber_with_any_identity_reads(fresh().await).await;
}

type Reading = Box<dyn EventReading>;

/// A part of a batch, so that some of it is delivered ahead.
const BATCH: usize = 4;

fn selection() -> Selection {
    let mut selection = Selection::new("shop::on_update", "user_updated", "user");
    selection.batch = BATCH;
    selection
}

fn source(events: &impl EventEmitter) -> Arc<dyn EventSource> {
    events.source().expect("the emitter has a source")
}

async fn open(source: &Arc<dyn EventSource>, selection: Selection) -> Reading {
    in_time(source.open(selection)).await.expect("a source is opened")
}

/// Opens and drops a reading, so that the broker stores events for the subscriber from now on.
async fn registered(events: &impl EventEmitter) -> Arc<dyn EventSource> {
    let source = source(events);
    drop(open(&source, selection()).await);
    source
}

/// The update of the user with this number.
fn update(number: u32) -> Sample {
    Sample::new(&number.to_string(), Code::Ok, 1)
}

async fn emit(events: &impl EventEmitter, event: Event) {
    in_time(events.emit(event)).await.expect("an event is emitted");
}

async fn emit_updates(events: &impl EventEmitter, numbers: Range<u32>) {
    for number in numbers {
        emit(events, update(number).event("user_updated")).await;
    }
}

fn numbers(batch: &[Vec<u8>]) -> Vec<u32> {
    let number = |body: &Vec<u8>| {
        let event: ReceivedEvent = serde_json::from_slice(body).expect("an envelope");
        let (_, id) =
            event.subject.as_deref().and_then(|subject| subject.split_once('/')).expect("a subject");
        id.parse().expect("a number")
    };
    batch.iter().map(number).collect()
}

async fn next(reading: &mut Reading) -> Vec<u32> {
    let batch = in_time(reading.next()).await.expect("events are read");
    assert!((1..=BATCH).contains(&batch.len()), "{} events in a batch of {BATCH}", batch.len());
    numbers(&batch)
}

async fn acknowledge(reading: &mut Reading) {
    in_time(reading.acknowledge()).await.expect("events are acknowledged");
}

/// Reads and acknowledges so many events.
async fn take(reading: &mut Reading, count: usize) -> Vec<u32> {
    let mut all = Vec::new();
    while all.len() < count {
        all.extend(next(reading).await);
        acknowledge(reading).await;
    }
    all
}

async fn in_time<F: IntoFuture>(future: F) -> F::Output {
    timeout(Duration::from_secs(60), future).await.expect("it comes within a minute")
}

/// Whether the reading has no event for now.
async fn is_idle(reading: &mut Reading) -> bool {
    timeout(Duration::from_millis(300), reading.next()).await.is_err()
}

fn all(numbers: Range<u32>) -> Vec<u32> {
    numbers.collect()
}

async fn batches_have_the_order_of_the_events(events: impl EventEmitter) {
    let mut reading = open(&source(&events), selection()).await;
    emit_updates(&events, 0..30).await;
    assert_eq!(take(&mut reading, 30).await, all(0..30));
    emit_updates(&events, 30..32).await;
    assert_eq!(take(&mut reading, 2).await, all(30..32));
    assert!(is_idle(&mut reading).await);
}

async fn new_subscriber_begins_with_the_next_event(events: impl EventEmitter) {
    emit_updates(&events, 0..3).await;
    let mut reading = open(&source(&events), selection()).await;
    emit_updates(&events, 3..6).await;
    assert_eq!(take(&mut reading, 3).await, all(3..6));
}

async fn at_most_a_batch_is_not_acknowledged(events: impl EventEmitter) {
    let source = registered(&events).await;
    emit_updates(&events, 0..10).await;
    let mut reading = open(&source, selection()).await;
    // Asserts the length of each batch.
    assert_eq!(take(&mut reading, 10).await, all(0..10));
}

async fn acknowledged_events_do_not_come_again(events: impl EventEmitter) {
    let source = registered(&events).await;
    emit_updates(&events, 0..10).await;
    let mut reading = open(&source, selection()).await;
    assert_eq!(take(&mut reading, 10).await, all(0..10));
    drop(reading);
    emit_updates(&events, 10..11).await;
    assert_eq!(take(&mut open(&source, selection()).await, 1).await, [10]);
}

/// A process dies with events that it has received, and others are emitted before the next process reads.
async fn event_that_was_not_acknowledged_comes_again_before_later_events(events: impl EventEmitter) {
    let source = registered(&events).await;
    emit_updates(&events, 0..2).await;
    let mut reading = open(&source, selection()).await;
    let first = next(&mut reading).await;
    assert_eq!(first[0], 0);
    drop(reading);
    emit_updates(&events, 2..8).await;
    let mut reading = open(&source, selection()).await;
    // Some are acknowledged, then it dies again.
    let second = next(&mut reading).await;
    acknowledge(&mut reading).await;
    let stored = u32::try_from(second.len()).unwrap_or(u32::MAX);
    assert_eq!(second, all(0..stored));
    let third = next(&mut reading).await;
    assert_eq!(third[0], stored);
    drop(reading);
    emit_updates(&events, 8..9).await;
    let mut reading = open(&source, selection()).await;
    assert_eq!(take(&mut reading, 9 - second.len()).await, all(stored..9));
}

/// A process has lost its lease without noticing it, while the next one reads already.
async fn second_reading_waits_for_what_the_first_has_not_acknowledged(events: impl EventEmitter) {
    let source = registered(&events).await;
    emit_updates(&events, 0..1).await;
    let mut first = open(&source, selection()).await;
    assert_eq!(next(&mut first).await, [0]);
    let mut second = open(&source, selection()).await;
    emit_updates(&events, 1..6).await;
    let reading = async {
        let batch = next(&mut second).await;
        acknowledge(&mut second).await;
        batch
    };
    let ending = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        drop(first);
    };
    let (mut read, ()) = tokio::join!(reading, ending);
    read.extend(take(&mut second, 6 - read.len()).await);
    assert_eq!(read, all(0..6));
}

async fn dropped_wait_for_events_loses_none(events: impl EventEmitter) {
    let source = registered(&events).await;
    let mut reading = open(&source, selection()).await;
    let reading_all = async {
        let mut read = Vec::new();
        while read.len() < 30 {
            let batch = tokio::select! {
                biased;
                batch = reading.next() => Some(batch.expect("events are read")),
                () = a_moment() => None,
            };
            if let Some(batch) = batch {
                read.extend(numbers(&batch));
                acknowledge(&mut reading).await;
            }
        }
        read
    };
    let (read, ()) = tokio::join!(in_time(reading_all), emit_updates(&events, 0..30));
    assert_eq!(read, all(0..30));
}

/// Mostly no longer than it takes to look whether anything else is ready.
async fn a_moment() {
    tokio::time::sleep(Duration::from_micros(fastrand::u64(0..20_000))).await;
}

async fn selection_is_by_event_pattern_and_service(events: impl EventEmitter) {
    let source = source(&events);
    let mut of_users = selection();
    of_users.service = Some("users".into());
    let mut of_any = selection();
    of_any.subscriber = "shop::on_any".into();
    let (mut of_users, mut of_any) = (open(&source, of_users).await, open(&source, of_any).await);
    emit(&events, update(0).event("user_updated.failed")).await;
    emit(&events, update(1).pattern("users").event("user_updated")).await;
    emit(&events, update(2).service("orders").event("user_updated")).await;
    emit(&events, update(3).event("user_updated")).await;
    assert_eq!(take(&mut of_users, 1).await, [3]);
    assert_eq!(take(&mut of_any, 2).await, [2, 3]);
    assert!(is_idle(&mut of_users).await && is_idle(&mut of_any).await);
}

async fn each_subscriber_gets_each_event(events: impl EventEmitter) {
    let source = source(&events);
    let mut other = selection();
    other.subscriber = "shop::on_other".into();
    let (mut one, mut other) = (open(&source, selection()).await, open(&source, other).await);
    emit_updates(&events, 0..3).await;
    assert_eq!(take(&mut one, 3).await, all(0..3));
    assert_eq!(take(&mut other, 3).await, all(0..3));
}

async fn subscriber_with_any_identity_reads(events: impl EventEmitter) {
    let source = source(&events);
    let long = "ä".repeat(300);
    let mut readings = Vec::new();
    for identity in ["shop::<impl Shop<'_>>::on_update", "shop.on_update", "*", ">", "%", "/", &*long] {
        let mut selection = selection();
        selection.subscriber = identity.to_owned().into();
        readings.push(open(&source, selection).await);
    }
    emit_updates(&events, 0..1).await;
    for mut reading in readings {
        assert_eq!(take(&mut reading, 1).await, [0]);
    }
}
