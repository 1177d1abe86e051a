//! The questions of an operator, after a night with three causes of failures.

use serde_json::Value;

use crate::{
    service::{json, run, serve},
    stores::{Postgres, Sqlite},
};

const PAYMENTS: usize = 300;

/// The group whose error contains a text.
fn group<'a>(groups: &'a Value, text: &str) -> &'a Value {
    let groups = groups["groups"].as_array().unwrap();
    groups.iter().find(|group| group["error"].as_str().unwrap().contains(text)).unwrap()
}

async fn answers(url: &str) {
    serve(url, PAYMENTS, false, 300).await;

    // How much is lying there, and from which causes, since when?
    let lag = json(url, &["lag"]);
    assert_eq!((&lag["dead"]["number"], &lag["queued"]["number"]), (&300.into(), &0.into()), "{lag}");
    let groups = json(url, &["groups"]);
    assert_eq!(groups["groups"].as_array().unwrap().len(), 3, "{groups}");
    let refused = group(&groups, "connection refused");
    assert_eq!((&refused["dead"]["number"], &refused["step"]), (&100.into(), &"event".into()), "{refused}");
    for time in ["first", "last"] {
        assert!(refused[time].as_str().unwrap().ends_with('Z'), "{refused}");
    }
    let text = run(url, &["groups"]);
    assert!(text.stdout.contains("os error 111") && text.stdout.contains("\\u{202e}"), "{text:?}");
    assert!(!text.stdout.contains(['\u{202e}', '\u{1b}']), "{text:?}");

    // Which flows have this cause? What happened to one of them?
    let filter = format!("group={}", refused["group"].as_str().unwrap());
    let dead = json(url, &["dead", &filter, "--limit", "1000"]);
    let flows = dead["flows"].as_array().unwrap();
    assert_eq!((flows.len(), &dead["next"]), (100, &Value::Null));
    let page = json(url, &["dead", &filter, "--limit", "60"]);
    let next = json(url, &["dead", &filter, "--after", page["next"].as_str().unwrap()]);
    assert_eq!(next["flows"].as_array().unwrap().len(), 40);
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
    let done = json(url, &["resubmit", &filter, "--yes", "--as", "ada"]);
    assert_eq!((&done["done"], &done["selected"]), (&100.into(), &100.into()), "{done}");
    assert_eq!(json(url, &["lag"])["dead"]["number"], 200);
    serve(url, 0, true, 200).await;
    assert_eq!(
        json(url, &["flows", "state=completed", "--limit", "1000"])["flows"].as_array().unwrap().len(),
        100
    );
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
    assert_eq!((&details["done"], &details["filter"]), (&100.into(), &format!("state=dead {filter}").into()));
    assert_eq!(details["actor"]["verified"], false);
    let listed = json(url, &["audit", "list", "actor=ada", "since=1h"]);
    let [record] = &listed["records"].as_array().unwrap()[..] else { panic!("one record: {listed}") };
    assert_eq!((&record["handler"], &record["message"]), (&"resubmit".into(), &operation["message"]));
    let page = json(url, &["audit", "list", "--limit", "1"]);
    assert_eq!(&page["records"][0], record, "the newest");
    let next = json(url, &["audit", "list", "--limit", "1000", "--after", page["next"].as_str().unwrap()]);
    let older = next["records"].as_array().unwrap();
    assert_eq!((older.len(), &next["next"]), (PAYMENTS, &Value::Null), "one record of each payment");
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
