//! Subscribers and their parked events.

use std::sync::Arc;

use graceful::{
    Orchestrator,
    backends::{Join, NewSubscriber, ParkedEvent, ReaderId, Subscriptions, Uuid},
};
use serde_json::{Value, json as object};

use crate::{
    service::{builder, json, run},
    stores::{Postgres, Sqlite},
};

const SUBSCRIBER: &str = "orders::on_order";

/// The parked events 10, 11 and 12 of one entity, 13 of another, and one that is no event.
async fn parked(url: &str) -> (Orchestrator, Arc<dyn Subscriptions>, ReaderId) {
    let orchestrator = builder(url).await.unwrap().build().unwrap();
    let subscriptions = orchestrator.subscriptions().unwrap();
    subscriptions.register(NewSubscriber::new(SUBSCRIBER, 5)).await.unwrap();
    let reader = ReaderId::new(SUBSCRIBER, Uuid::from_u128(1));
    subscriptions
        .join(reader.clone(), Join::new(std::time::Duration::from_secs(600), 0, false))
        .await
        .unwrap();
    for (position, entity, attempts) in [(10, 5, 3), (11, 5, 0), (12, 5, 0), (13, 6, 3)] {
        let event = object!({
            "specversion": "1.0", "id": format!("e{position}"), "source": "orders", "type": "ordered",
            "subject": format!("order/{entity}"), "data": { "secret": "visa 4711" },
        });
        let error = if attempts > 0 { "UNAVAILABLE: no stock\n" } else { "" };
        let event = ParkedEvent::new(position, entity, event.to_string().into_bytes(), attempts, error);
        assert!(subscriptions.park(reader.clone(), event).await.unwrap());
    }
    let no_event = ParkedEvent::new(14, 7, *b"secret", 1, "not a CloudEvent");
    assert!(subscriptions.park(reader.clone(), no_event).await.unwrap());
    (orchestrator, subscriptions, reader)
}

fn positions(url: &str, arguments: &[&str]) -> Vec<(u64, String)> {
    let listed = json(url, &[&["subscribers", "parked", SUBSCRIBER], arguments].concat());
    let one =
        |event: &Value| (event["position"].as_u64().unwrap(), event["state"].as_str().unwrap().to_owned());
    listed["parked"].as_array().unwrap().iter().map(one).collect()
}

async fn subscribers_are_listed_and_acted_on(url: &str) {
    let (orchestrator, subscriptions, reader) = parked(url).await;
    let listed = json(url, &["subscribers", "list"]);
    assert_eq!(
        listed["subscribers"][0],
        object!({ "subscriber": SUBSCRIBER, "source": "event log", "handled_to": 5, "behind": 0, "processes": 1, "parked": 5, "is_paused": false })
    );
    let text = run(url, &["subscribers", "parked", SUBSCRIBER]);
    assert!(text.stdout.contains("UNAVAILABLE: no stock\\n") && text.stdout.contains("order/5"), "{text:?}");
    assert!(
        !text.stdout.contains("visa 4711") && !text.stdout.contains("secret"),
        "no data is shown: {text:?}"
    );
    let state = |position, state: &str| (position, state.to_owned());
    let failed = |position| state(position, "failed");
    let all = [failed(10), state(11, "waits"), state(12, "waits"), failed(13), failed(14)];
    assert_eq!(positions(url, &[]), all);
    assert_eq!(positions(url, &["--after", "10", "--limit", "2"]), all[1..3]);
    let doctor = run(url, &["doctor"]);
    assert!(
        doctor.stdout.contains("problem: subscribers: 5 events of orders::on_order are parked"),
        "{doctor:?}"
    );

    let act = |arguments: &[&str]| {
        let ended = run(url, &[&["subscribers"], arguments, &["--as", "ada"]].concat());
        (ended.code, ended.stdout)
    };
    let said = |code, text: &str| (code, format!("{text}\n"));
    assert_eq!(
        act(&["resubmit", SUBSCRIBER, "11"]),
        said(2, "event 11 waits behind event 10 of its entity: resubmit or discard that one")
    );
    assert_eq!(
        act(&["resubmit", SUBSCRIBER, "10"]),
        said(0, "event 10 runs again, and after it the later ones of its entity")
    );
    assert_eq!(positions(url, &["--limit", "1"]), [state(10, "resubmitted")]);
    assert_eq!(
        act(&["resubmit", SUBSCRIBER, "9"]),
        said(2, "event 9 is not parked: it was handled, discarded, or never parked")
    );
    assert_eq!(act(&["discard", SUBSCRIBER, "13", "--yes"]), said(0, "discarded event 13"));
    assert_eq!(act(&["discard", SUBSCRIBER, "13", "--yes"]), said(2, "event 13 is not parked"));
    assert_eq!(act(&["skip", SUBSCRIBER, "8", "--yes"]), said(0, "orders::on_order goes on after event 8"));
    assert_eq!(
        act(&["unregister", SUBSCRIBER, "--yes"]),
        said(2, "orders::on_order is not unregistered, because a process reads it")
    );
    for unasked in
        [&["discard", SUBSCRIBER, "14"][..], &["skip", SUBSCRIBER, "8"], &["unregister", SUBSCRIBER]]
    {
        let refused = run(url, &[&["subscribers"], unasked].concat());
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.stderr.contains("--yes"), "nobody can answer: {refused:?}");
    }
    for unknown in [&["skip", "orders::on_ordr", "8", "--yes"][..], &["parked", "orders::on_ordr"]] {
        let unknown = run(url, &[&["subscribers"], unknown].concat());
        assert_eq!(unknown.code, 2, "{unknown:?}");
        assert!(unknown.stderr.contains("no subscriber `orders::on_ordr` is registered"), "{unknown:?}");
    }
    let target = format!("subscriber={SUBSCRIBER}");
    assert_eq!(run(url, &["pause", &target, "--why", "a test", "--as", "ada"]).code, 0);
    assert_eq!(json(url, &["subscribers", "list"])["subscribers"][0]["is_paused"], true);
    let listed = run(url, &["subscribers", "list"]);
    assert!(listed.stderr.contains("paused by ada"), "{listed:?}");
    assert_eq!(run(url, &["resume", &target, "--as", "ada"]).code, 0);

    subscriptions.release(reader, u32::MAX).await.unwrap();
    let doctor = run(url, &["doctor"]);
    assert!(doctor.stdout.contains("no process reads the events of orders::on_order"), "{doctor:?}");
    assert_eq!(act(&["unregister", SUBSCRIBER, "--yes"]), said(0, "unregistered orders::on_order"));
    assert_eq!(json(url, &["subscribers", "list"])["subscribers"], Value::Array(Vec::new()));

    let recorded = json(url, &["audit", "operations"]).to_string();
    for act in
        ["resubmitted event 10", "discarded event 13", "goes on after event 8", "unregistered subscriber"]
    {
        assert_eq!(recorded.matches(act).count(), 1, "{act}: {recorded}");
    }
    drop(orchestrator);
}

#[test(flavor = "multi_thread")]
async fn subscribers_of_sqlite_are_listed_and_acted_on() {
    subscribers_are_listed_and_acted_on(&Sqlite::new().url()).await;
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn subscribers_of_postgres_are_listed_and_acted_on() {
    let postgres = Postgres::new().await;
    postgres.store().await;
    subscribers_are_listed_and_acted_on(&postgres.url()).await;
    postgres.drop().await;
}
