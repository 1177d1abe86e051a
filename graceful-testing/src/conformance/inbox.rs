//! What an [`Inbox`] must do.

use std::{future::poll_fn, pin::pin, task::Poll};

use graceful::backends::{Inbox, InboxEntry, ReceivedEvent};

use super::long_names;

/// Checks the promises of [`Inbox`], of its notes; that its transactions hold what is written through them is not seen here.
///
/// # Panics
/// One of them is broken.
///
/// ```
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
/// use graceful::backends::memory;
/// use graceful_testing::conformance;
/// conformance::inbox(async || memory::Inbox::new()).await;
/// # });
/// ```
pub async fn inbox<I: Inbox>(fresh: impl AsyncFn() -> I) {
    event_is_first_once_for_each_consumer(fresh().await).await;
    dropped_transaction_is_not_handled(fresh().await).await;
    event_is_handled_by_one_at_a_time(fresh().await).await;
    attempts_are_counted_whatever_their_outcome(fresh().await).await;
    long_names::events_are_handled_once(fresh().await).await;
}

fn event(source: &str, id: &str) -> ReceivedEvent {
    let json = serde_json::json!({"specversion": "1.0", "id": id, "source": source, "type": "t"});
    serde_json::from_value(json).expect("it is an event")
}

async fn first<I: Inbox>(inbox: &I, consumer: &str, event: &ReceivedEvent) -> I::Transaction {
    match inbox.begin(consumer, event).await.expect("an event is noted") {
        InboxEntry::First(transaction) => transaction,
        InboxEntry::Again => panic!("it was not handled: {consumer}, {event:?}"),
    }
}

async fn is_handled<I: Inbox>(inbox: &I, consumer: &str, event: &ReceivedEvent) -> bool {
    let entry = inbox.begin(consumer, event).await.expect("an event is noted");
    matches!(entry, InboxEntry::Again)
}

/// Consumer, source and id; each differs from the others in one.
const NAMES: [(&str, &str, &str); 7] = [
    ("a", "s", "1"),
    ("b", "s", "1"),
    ("a", "t", "1"),
    ("a", "s", "2"),
    ("a", "s", "\0"),
    ("a", "s", "\\0"),
    ("a", "s", "é%'\""),
];

async fn event_is_first_once_for_each_consumer<I: Inbox>(inbox: I) {
    for (consumer, source, id) in NAMES {
        let transaction = first(&inbox, consumer, &event(source, id)).await;
        inbox.commit(transaction).await.expect("it is handled");
    }
    for (consumer, source, id) in NAMES {
        assert!(is_handled(&inbox, consumer, &event(source, id)).await, "{consumer} {source} {id}");
    }
}

async fn dropped_transaction_is_not_handled<I: Inbox>(inbox: I) {
    let event = event("s", "1");
    for _ in 0..3 {
        drop(first(&inbox, "a", &event).await);
    }
    let transaction = first(&inbox, "a", &event).await;
    inbox.commit(transaction).await.expect("it is handled");
    assert!(is_handled(&inbox, "a", &event).await);
}

/// Whoever comes second waits for the end of the first, or fails.
async fn event_is_handled_by_one_at_a_time<I: Inbox>(inbox: I) {
    let event = event("s", "1");
    let transaction = first(&inbox, "a", &event).await;
    let mut second = pin!(inbox.begin("a", &event));
    let entry = match poll_fn(|cx| Poll::Ready(second.as_mut().poll(cx))).await {
        Poll::Ready(entry) => entry,
        Poll::Pending => {
            inbox.commit(transaction).await.expect("it is handled");
            second.await
        }
    };
    assert!(!matches!(entry, Ok(InboxEntry::First(_))), "it is being handled, or was");
}

/// Where they are counted at all.
async fn attempts_are_counted_whatever_their_outcome<I: Inbox>(inbox: I) {
    for (consumer, source, id) in NAMES {
        let event = event(source, id);
        for attempt in 1..=3 {
            let counted = inbox.attempted(consumer, &event).await.expect("an attempt is counted");
            assert!(counted.is_none_or(|counted| counted == attempt), "{counted:?}, and it is {attempt}");
            drop(first(&inbox, consumer, &event).await);
        }
    }
}
