//! What an [`EventLog`] must do.

use std::{future::Future as _, pin::pin, sync::Arc, task::Poll, time::Duration};

use graceful::{
    __private010::Sample,
    Code, Context, Event, Payload, Text,
    backends::{
        EventLog, Join, LogPage, LogQuery, LogSpan, LoggedEvent, NewSubscriber, Progress, ReaderId,
        ReceivedEvent, Subscriptions, entity_hash,
    },
};
use tokio::task::JoinSet;
use uuid::Uuid;

/// Checks the promises of [`EventLog`], apart from those of [retention](event_log_retention).
///
/// # Panics
/// One of them is broken.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use graceful::backends::memory;
/// use graceful_testing::conformance;
/// conformance::event_log(async || memory::EventLog::new()).await;
/// # });
/// ```
pub async fn event_log<S: EventLog>(fresh: impl AsyncFn() -> S) {
    empty_log_has_no_events(fresh().await).await;
    events_are_read_in_their_order_as_they_were_emitted(fresh().await).await;
    event_with_any_text_comes_back_unchanged(fresh().await).await;
    repeated_event_is_appended_once(fresh().await).await;
    limit_counts_rows_that_do_not_match(fresh().await).await;
    filters_select_by_event_pattern_and_service(fresh().await).await;
    partitions_select_by_entity(fresh().await).await;
    reader_that_goes_on_misses_no_concurrent_event(fresh().await).await;
    appended_is_ready_after_an_event_and_not_before(fresh().await).await;
    log_of_the_emitter_is_the_same(fresh().await).await;
}

/// Checks how long the [`EventLog`] of a store keeps events: for 7 days, and until all registered subscribers have read them, at most 30 days. `elapse` makes so
/// much time go by for a log, by moving every time that it has written into the past.
///
/// # Panics
/// One of the promises is broken.
pub async fn event_log_retention<S: EventLog + Subscriptions>(
    fresh: impl AsyncFn() -> S,
    elapse: impl AsyncFn(&S, Duration),
) {
    young_events_are_not_purged(fresh().await, &elapse).await;
    purge_deletes_at_most_a_thousand_of_the_oldest(fresh().await, &elapse).await;
    position_of_a_purged_event_is_not_used_again(fresh().await, &elapse).await;
    events_are_kept_until_subscribers_of_the_log_have_read_them(fresh().await, &elapse).await;
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The event of a user.
fn user(id: &str) -> Event {
    Sample::new(id, Code::Ok, 1).event("user_updated")
}

async fn emit<S: EventLog>(log: &S, events: &[Event]) {
    for event in events {
        log.emit(event.clone()).await.expect("an event is emitted");
    }
}

async fn read<S: EventLog>(log: &S, query: LogQuery) -> LogPage {
    log.read(query).await.expect("a log is read")
}

async fn all<S: EventLog>(log: &S) -> Vec<LoggedEvent> {
    read(log, LogQuery::new(0, 10_000)).await.events
}

async fn span<S: EventLog>(log: &S) -> LogSpan {
    log.span().await.expect("a log is read")
}

fn decoded(event: &LoggedEvent) -> ReceivedEvent {
    serde_json::from_slice(&event.body).expect("an envelope")
}

fn names(page: &LogPage) -> Vec<String> {
    page.events.iter().map(|event| decoded(event).name).collect()
}

async fn empty_log_has_no_events<S: EventLog>(log: S) {
    assert_eq!(span(&log).await, LogSpan::new(0, 0));
    assert_eq!(read(&log, LogQuery::new(0, 10)).await, LogPage::new(Vec::new(), 0));
    assert_eq!(read(&log, LogQuery::new(7, 10)).await, LogPage::new(Vec::new(), 7));
    assert_eq!(log.purge().await.expect("a log is purged"), 0);
}

async fn events_are_read_in_their_order_as_they_were_emitted<S: EventLog>(log: S) {
    let events: Vec<_> = ["1", "2", "1", "3"].map(user).into();
    emit(&log, &events).await;
    let logged = all(&log).await;
    assert!(logged.is_sorted_by(|one, next| one.position < next.position), "{logged:?}");
    let bodies: Vec<_> = logged.iter().map(|event| std::str::from_utf8(&event.body).unwrap()).collect();
    assert_eq!(bodies, events.iter().map(|event| event.to_json().unwrap()).collect::<Vec<_>>());
    assert_eq!(span(&log).await, LogSpan::new(0, logged[3].position));
    let rest = read(&log, LogQuery::new(logged[1].position, 10)).await;
    assert_eq!(rest, LogPage::new(logged[2..].to_vec(), logged[3].position));
    let end = logged[3].position;
    assert_eq!(read(&log, LogQuery::new(end, 10)).await, LogPage::new(Vec::new(), end));
}

async fn event_with_any_text_comes_back_unchanged<S: EventLog>(log: S) {
    let strange = "a\0\\b/%'\"é\u{1F980}";
    let payload = Payload::of(strange).expect("a text can be serialised");
    let sample = |id: &str| Sample::new(id, Code::Ok, 1).payload(payload.clone(), false);
    let events = [
        sample(strange).pattern(strange).service(strange).event(strange),
        sample("1").context(Context::new().tenant(strange)).event("a"),
        sample(&strange.repeat(500)).event("a"),
        Sample::new("", Code::Ok, 1).without_entity(strange).event("a"),
        Sample::new("1", Code::Internal, 1).event("a"),
    ];
    emit(&log, &events).await;
    let logged = all(&log).await;
    assert_eq!(logged.len(), events.len());
    for (logged, event) in logged.iter().zip(&events) {
        assert_eq!(std::str::from_utf8(&logged.body).unwrap(), event.to_json().unwrap());
        assert_eq!(logged.entity, entity_hash(&decoded(logged)), "{event:?}");
    }
    let mut query = LogQuery::new(0, 10);
    (query.event, query.pattern, query.service) =
        (Some(strange.into()), Some(strange.into()), Some(strange.into()));
    assert_eq!(read(&log, query).await.events, logged[..1]);
}

async fn repeated_event_is_appended_once<S: EventLog>(log: S) {
    let events: Vec<_> = ["1", "2"].map(user).into();
    emit(&log, &events).await;
    emit(&log, &events[..1]).await;
    let mut again = JoinSet::new();
    let log = Arc::new(log);
    let third = user("3");
    for event in std::iter::repeat_n(&third, 10).chain(&events) {
        let (log, event) = (Arc::clone(&log), event.clone());
        again.spawn(async move { log.emit(event).await });
    }
    for emitted in again.join_all().await {
        emitted.expect("a repeated event is no failure");
    }
    let ids: Vec<_> = all(&*log).await.iter().map(|event| decoded(event).id).collect();
    assert_eq!(ids, [&events[0], &events[1], &third].map(|event| event.id().to_string()));
}

async fn limit_counts_rows_that_do_not_match<S: EventLog>(log: S) {
    let others: Vec<_> = (0..9).map(|id| user(&id.to_string())).collect();
    emit(&log, &others).await;
    emit(&log, &[Sample::new("9", Code::Ok, 1).event("user_deleted")]).await;
    let positions: Vec<_> = all(&log).await.iter().map(|event| event.position).collect();
    let mut query = LogQuery::new(0, 4);
    query.event = Some(Text::new_static("user_deleted"));
    for (read_to, found) in [(3, 0), (7, 0), (9, 1)] {
        let page = read(&log, query.clone()).await;
        assert_eq!((page.read_to, page.events.len()), (positions[read_to], found));
        query.after = page.read_to;
    }
}

async fn filters_select_by_event_pattern_and_service<S: EventLog>(log: S) {
    let sample = |service: &'static str, pattern: &'static str| {
        Sample::new("1", Code::Ok, 1).service(service).pattern(pattern)
    };
    emit(
        &log,
        &[
            sample("users", "user").event("a"),
            sample("users", "order").event("b"),
            sample("orders", "order").event("c"),
            sample("orders", "order").event("a"),
        ],
    )
    .await;
    let select =
        async |event: Option<&'static str>, pattern: Option<&'static str>, service: Option<&'static str>| {
            let mut query = LogQuery::new(0, 10);
            query.event = event.map(Text::new_static);
            query.pattern = pattern.map(Text::new_static);
            query.service = service.map(Text::new_static);
            names(&read(&log, query).await)
        };
    assert_eq!(select(None, None, None).await, ["a", "b", "c", "a"]);
    assert_eq!(select(Some("a"), None, None).await, ["a", "a"]);
    assert_eq!(select(None, Some("order"), None).await, ["b", "c", "a"]);
    assert_eq!(select(None, None, Some("users")).await, ["a", "b"]);
    assert_eq!(select(Some("a"), Some("order"), Some("orders")).await, ["a"]);
    assert_eq!(select(Some("A"), None, None).await, Vec::<String>::new());
}

async fn partitions_select_by_entity<S: EventLog>(log: S) {
    let events: Vec<_> = (0..100).map(|id| user(&id.to_string())).collect();
    emit(&log, &events).await;
    let all = all(&log).await;
    let partition = |event: &&LoggedEvent| u32::try_from(event.entity & 31).expect("it is below 32");
    for partitions in [1 << 31, 1, 0b1010, u32::MAX - 1, 0] {
        let mut query = LogQuery::new(0, 1000);
        query.partitions = partitions;
        let page = read(&log, query).await;
        let expected = all.iter().filter(|event| partitions >> partition(event) & 1 == 1);
        assert_eq!(page.events, expected.cloned().collect::<Vec<_>>(), "{partitions:b}");
        assert_eq!(page.read_to, all[99].position);
    }
}

async fn reader_that_goes_on_misses_no_concurrent_event<S: EventLog>(log: S) {
    const EMITTERS: usize = 8;
    const EACH: usize = 50;
    let log = Arc::new(log);
    let mut emitters = JoinSet::new();
    for emitter in 0..EMITTERS {
        let log = Arc::clone(&log);
        emitters.spawn(async move {
            for number in 0..EACH {
                log.emit(user(&format!("{emitter}-{number}"))).await.expect("an event is emitted");
                tokio::task::yield_now().await;
            }
        });
    }
    let (mut seen, mut after) = (Vec::new(), 0);
    while seen.len() < EMITTERS * EACH {
        log.appended(after).await.expect("a log can be waited for");
        let page = read(&*log, LogQuery::new(after, 7)).await;
        assert!(page.read_to > after, "after `appended` there is an event");
        seen.extend(page.events);
        after = page.read_to;
    }
    assert_eq!(seen, all(&*log).await);
    emitters.join_all().await;
}

async fn appended_is_ready_after_an_event_and_not_before<S: EventLog>(log: S) {
    let mut waiting = pin!(log.appended(0));
    let is_ready = std::future::poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx).is_ready())).await;
    assert!(!is_ready, "nothing was appended");
    emit(&log, &[user("1")]).await;
    waiting.await.expect("a log can be waited for");
    log.appended(0).await.expect("it was appended before");
    let newest = span(&log).await.newest;
    let mut waiting = pin!(log.appended(newest));
    let is_ready = std::future::poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx).is_ready())).await;
    assert!(!is_ready, "nothing was appended after it");
}

async fn log_of_the_emitter_is_the_same<S: EventLog>(log: S) {
    emit(&log, &[user("1")]).await;
    let same = log.log().expect("an event log is the log of its emitter");
    assert_eq!(same.read(LogQuery::new(0, 10)).await.unwrap().events, all(&log).await);
    same.appended(0).await.expect("a log can be waited for");
}

async fn young_events_are_not_purged<S: EventLog>(log: S, elapse: &impl AsyncFn(&S, Duration)) {
    emit(&log, &["1", "2"].map(user)).await;
    elapse(&log, 6 * DAY).await;
    assert_eq!(log.purge().await.unwrap(), 0);
    elapse(&log, DAY).await;
    emit(&log, &[user("3")]).await;
    let before = all(&log).await;
    assert_eq!(log.purge().await.unwrap(), 2);
    assert_eq!(all(&log).await, before[2..]);
    assert_eq!(span(&log).await, LogSpan::new(before[1].position, before[2].position));
    assert_eq!(log.purge().await.unwrap(), 0);
    assert_eq!(span(&log).await.purged_to, before[1].position, "it is remembered");
}

async fn purge_deletes_at_most_a_thousand_of_the_oldest<S: EventLog>(
    log: S,
    elapse: &impl AsyncFn(&S, Duration),
) {
    let log = Arc::new(log);
    let mut emitters = JoinSet::new();
    for id in 0..1_100 {
        let log = Arc::clone(&log);
        emitters.spawn(async move { log.emit(user(&id.to_string())).await.expect("an event is emitted") });
    }
    emitters.join_all().await;
    elapse(&log, 8 * DAY).await;
    let before = all(&*log).await;
    assert_eq!(log.purge().await.unwrap(), 1_000);
    assert_eq!(all(&*log).await, before[1_000..]);
    assert_eq!(log.purge().await.unwrap(), 100);
    assert_eq!(log.purge().await.unwrap(), 0);
    let newest = before[1_099].position;
    assert_eq!(span(&*log).await, LogSpan::new(newest, newest));
}

async fn position_of_a_purged_event_is_not_used_again<S: EventLog>(
    log: S,
    elapse: &impl AsyncFn(&S, Duration),
) {
    let event = user("1");
    emit(&log, std::slice::from_ref(&event)).await;
    let position = all(&log).await[0].position;
    elapse(&log, 8 * DAY).await;
    assert_eq!(log.purge().await.unwrap(), 1);
    emit(&log, &[event]).await;
    let again = all(&log).await;
    assert!(again[0].position > position, "a reader that has read the first event reads the second");
}

async fn events_are_kept_until_subscribers_of_the_log_have_read_them<S: EventLog + Subscriptions>(
    log: S,
    elapse: &impl AsyncFn(&S, Duration),
) {
    emit(&log, &["1", "2", "3"].map(user)).await;
    let positions: Vec<_> = all(&log).await.iter().map(|event| event.position).collect();
    log.register(NewSubscriber::new("shop::on_user", 0)).await.expect("a subscriber is registered");
    let mut of_a_broker = NewSubscriber::new("shop::on_order", 0);
    of_a_broker.reads_log = false;
    log.register(of_a_broker).await.expect("a subscriber is registered");
    let reader = ReaderId::new("shop::on_user", Uuid::from_u128(1));
    let held = log.join(reader.clone(), Join::new(60 * DAY, 0, false)).await.expect("a process joins").held;
    assert_eq!(held, u32::MAX);
    elapse(&log, 8 * DAY).await;
    assert_eq!(log.purge().await.unwrap(), 0, "nothing was read");
    let mut progress: Vec<_> =
        (0..32).map(|number| Progress::new(number, positions[1], positions[1])).collect();
    progress[7] = Progress::new(7, positions[0], positions[1]);
    log.advance(reader, progress, Vec::new()).await.expect("progress is recorded");
    assert_eq!(log.purge().await.unwrap(), 1, "a partition has not read the second event");
    elapse(&log, 21 * DAY).await;
    assert_eq!(log.purge().await.unwrap(), 0);
    elapse(&log, 2 * DAY).await;
    assert_eq!(log.purge().await.unwrap(), 2, "they are 30 days old");
    assert_eq!(span(&log).await, LogSpan::new(positions[2], positions[2]));
}
