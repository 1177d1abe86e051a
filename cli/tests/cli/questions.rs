//! The questions of an operator, after a night with three causes of failures.

use std::env;

use serde_json::Value;

use crate::{
    service::{json, run, serve},
    stores::{Postgres, Sqlite},
};

/// More of each cause than an operation may resubmit without a finished first attempt.
const PAYMENTS: usize = 600;

/// Another number of payments, for a longer run.
const VARIABLE: &str = "GRACEFUL_CLI_TESTS_PAYMENTS";

/// The group whose error contains a text.
fn group<'a>(groups: &'a Value, text: &str) -> &'a Value {
    let groups = groups["groups"].as_array().unwrap();
    groups.iter().find(|group| group["error"].as_str().unwrap().contains(text)).unwrap()
}

async fn answers(url: &str) {
    let payments = env::var(VARIABLE).map_or(PAYMENTS, |number| number.parse().unwrap());
    let (all, of_cause) = (payments as u64, payments as u64 / 3);
    serve(url, payments, false, all).await;

    // How much is lying there, and from which causes, since when?
    let lag = json(url, &["lag"]);
    assert_eq!((&lag["dead"]["number"], &lag["queued"]["number"]), (&all.into(), &0.into()), "{lag}");
    let groups = json(url, &["groups"]);
    assert_eq!(groups["groups"].as_array().unwrap().len(), 3, "{groups}");
    let refused = group(&groups, "connection refused");
    let number = (&refused["dead"]["number"], &refused["step"]);
    assert_eq!(number, (&of_cause.into(), &"event".into()), "{refused}");
    for time in ["first", "last"] {
        assert!(refused[time].as_str().unwrap().ends_with('Z'), "{refused}");
    }
    let text = run(url, &["groups"]);
    assert!(text.stdout.contains("os error 111") && text.stdout.contains("\\u{202e}"), "{text:?}");
    assert!(!text.stdout.contains(['\u{202e}', '\u{1b}']), "{text:?}");

    // Which flows have this cause? What happened to one of them?
    let filter = format!("group={}", refused["group"].as_str().unwrap());
    let dead = json(url, &["dead", &filter, "--limit", "100000"]);
    let flows = dead["flows"].as_array().unwrap();
    assert_eq!((flows.len() as u64, &dead["next"]), (of_cause, &Value::Null));
    let page = json(url, &["dead", &filter, "--limit", "60"]);
    let next = json(url, &["dead", &filter, "--limit", "100000", "--after", page["next"].as_str().unwrap()]);
    assert_eq!(next["flows"].as_array().unwrap().len() as u64, of_cause - 60);
    let one = flows[0]["id"].as_str().unwrap();
    let shown = json(url, &["show", one]);
    assert_eq!(shown["failed_attempts"].as_array().unwrap().len(), 1, "{shown}");
    assert_eq!(
        (&shown["call"]["pattern"], &shown["call"]["code"]),
        (&"order".into(), &"OK".into()),
        "{shown}"
    );
    let text = run(url, &["show", one]);
    assert!(text.stdout.contains("os error 111") && !text.stdout.contains("secret"), "{text:?}");

    // The cause is repaired: resubmit these flows, and no other.
    let resubmit = {
        let (url, filter) = (url.to_owned(), filter.clone());
        tokio::task::spawn_blocking(move || json(&url, &["resubmit", &filter, "--yes", "--as", "ada"]))
    };
    let ((), done) = tokio::join!(serve(url, 0, true, all - of_cause), resubmit);
    let done = done.unwrap();
    assert_eq!((&done["done"], &done["selected"]), (&of_cause.into(), &of_cause.into()), "{done}");
    let completed = json(url, &["flows", "state=completed", "--limit", "100000"]);
    assert_eq!(completed["flows"].as_array().unwrap().len() as u64, of_cause);
    let shown = json(url, &["show", one]);
    assert_eq!((&shown["state"], &shown["resubmitted"]), (&"completed".into(), &1.into()), "{shown}");

    // Who did that? Is the record genuine?
    let operations = json(url, &["audit", "operations"]);
    let operation = &operations["operations"][0];
    assert_eq!(operations["operations"].as_array().unwrap().len(), 1, "one record, not one of each flow");
    assert_eq!(
        (&operation["actor"], &operation["action"]),
        (&"ada".into(), &"resubmit".into()),
        "{operation}"
    );
    let details = &operation["details"];
    let selection = format!("state=dead {filter}");
    assert_eq!((&details["done"], &details["selection"]), (&of_cause.into(), &selection.into()));
    assert_eq!(details["verified"], false);
    let listed = json(url, &["audit", "list", "actor=ada", "since=1h"]);
    let [record] = &listed["records"].as_array().unwrap()[..] else { panic!("one record: {listed}") };
    assert_eq!((&record["handler"], &record["message"]), (&"resubmit".into(), &operation["message"]));
    let page = json(url, &["audit", "list", "--limit", "1"]);
    assert_eq!(&page["records"][0], record, "the newest");
    let next = json(url, &["audit", "list", "--limit", "100000", "--after", page["next"].as_str().unwrap()]);
    let older = next["records"].as_array().unwrap();
    assert_eq!((older.len(), &next["next"]), (payments, &Value::Null), "one record of each payment");
    assert_eq!(json(url, &["audit", "list", "actor=bob"])["records"], Value::Array(Vec::new()));
    let wrong = run(url, &["audit", "list", "acter=ada"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("did you mean `actor`?"), "{wrong:?}");
    let text = run(url, &["audit", "list", "entity=orders::graceful_operation:flows"]);
    assert!(text.stdout.starts_with("TIME") && text.stdout.contains("ada"), "{text:?}");
    let head = json(url, &["audit", "verify"])["head"].as_str().unwrap().to_owned();
    assert_eq!(run(url, &["audit", "verify", "--known", &head]).stdout.trim(), head);
    assert_eq!(run(url, &["audit", "verify", "--known", "7:ab"]).code, 1);

    // Is the service well? Is there anything else to do?
    assert_eq!(json(url, &["health"])["status"], "ready");
    let doctor = json(url, &["doctor"]);
    assert!(doctor["findings"].as_array().unwrap().iter().all(|finding| finding["ok"] == true), "{doctor}");
    assert_eq!(
        json(url, &["relays"])["relays"],
        Value::Array(Vec::new()),
        "it was withdrawn at the shutdown"
    );
    assert_eq!(json(url, &["jobs"])["jobs"], Value::Array(Vec::new()));
    assert_eq!(json(url, &["alerts"])["alerts"], Value::Array(Vec::new()));
}

#[test(flavor = "multi_thread")]
async fn questions_of_an_operator_are_answered_on_sqlite() {
    answers(&Sqlite::new().url()).await;
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn questions_of_an_operator_are_answered_on_postgres() {
    let postgres = Postgres::new().await;
    postgres.store().await;
    answers(&postgres.url()).await;
    postgres.drop().await;
}
