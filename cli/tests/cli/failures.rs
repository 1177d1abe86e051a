//! Actions on a store that refuses some changes.

use std::time::Duration;

use graceful::{
    RelaySettings,
    backends::{Action, FlowState},
    operations::{self, Selection},
};
use graceful_tests::gate::until;

use crate::{
    service::{builder, json, run},
    stores::{Sqlite, id, kill, queue},
};

#[test(flavor = "multi_thread")]
async fn action_ends_after_a_hundred_failures_in_a_row() {
    let sqlite = Sqlite::new();
    let store = sqlite.store().await;
    queue(&store, 1..151).await;
    kill(&store).await;
    sqlite
        .execute(
            "CREATE TRIGGER broken BEFORE UPDATE ON graceful_flows BEGIN SELECT RAISE(FAIL, 'broken'); END",
        )
        .await;
    let url = sqlite.url();
    let ended = run(&url, &["resubmit", "--all", "--yes", "--json"]);
    let done = ended.json();
    assert_eq!((ended.code, &done["state"]), (1, &"stopped".into()), "{ended:?}");
    assert_eq!((done["skipped_flows"].as_array().unwrap().len(), &done["left"]), (100, &50.into()));
    assert!(done["skipped_flows"][0]["reason"].as_str().unwrap().contains("broken"), "{done}");
    assert_eq!(json(&url, &["lag"])["dead"]["number"], 150);
    let operations = json(&url, &["audit", "operations"]);
    assert_eq!(operations["operations"][0]["details"]["skipped"], 100, "{operations}");
}

#[test(flavor = "multi_thread")]
async fn flow_that_cannot_be_changed_does_not_end_an_action() {
    let sqlite = Sqlite::new();
    let store = sqlite.store().await;
    queue(&store, 1..11).await;
    kill(&store).await;
    let bad = id(5).simple();
    let trigger = format!(
        "CREATE TRIGGER broken BEFORE UPDATE ON graceful_flows WHEN lower(hex(OLD.id)) = '{bad}' BEGIN
           SELECT RAISE(FAIL, 'broken'); END"
    );
    sqlite.execute(&trigger).await;
    let ended = run(&sqlite.url(), &["discard", "--all", "--yes", "--json"]);
    let done = ended.json();
    assert_eq!((ended.code, &done["done"], &done["state"]), (3, &9.into(), &"completed".into()));
    assert_eq!(done["skipped_flows"][0]["id"], id(5).to_string());
}

/// The process of the operator dies, or cannot append the record: a relay does.
#[test(flavor = "multi_thread")]
async fn cancelled_operation_without_its_record_is_recorded_by_a_relay() {
    let sqlite = Sqlite::new();
    let store = sqlite.store().await;
    queue(&store, 1..4).await;
    kill(&store).await;
    let url = sqlite.url();
    let service = builder(&url).await.unwrap().relay(RelaySettings::off()).build().unwrap();
    let selection = Selection::Filter(FlowState::Dead.into());
    let prepared = operations::prepare(&service, Action::Discard, &selection, "ada").await.unwrap();
    let id = operations::start(&service, prepared.operation.id).await.unwrap().id.to_string();
    sqlite
        .execute("CREATE TRIGGER full BEFORE INSERT ON graceful_audit BEGIN SELECT RAISE(FAIL, 'full'); END")
        .await;
    let cancelled = run(&url, &["operations", "cancel", &id, "--as", "bob"]);
    assert_eq!(cancelled.code, 3, "{cancelled:?}");
    assert!(
        cancelled.stderr.contains("the operation is cancelled, but not in the audit log"),
        "{cancelled:?}"
    );
    assert_eq!(json(&url, &["operations", "show", &id])["cancelled_by"], "bob");
    sqlite.execute("DROP TRIGGER full; UPDATE graceful_operations SET lease_until = 0").await;
    let service = builder(&url).await.unwrap().build().unwrap();
    until(async || !json(&url, &["audit", "operations"])["operations"].as_array().unwrap().is_empty()).await;
    let recorded = &json(&url, &["audit", "operations"])["operations"][0];
    assert_eq!(
        (&recorded["details"]["state"], &recorded["details"]["cancelled_by"]),
        (&"cancelled".into(), &"bob".into())
    );
    service.shutdown(Duration::from_secs(30)).await;
}

#[test(flavor = "multi_thread")]
async fn pause_without_its_audit_record_is_done_in_part() {
    let sqlite = Sqlite::new();
    drop(sqlite.store().await);
    let url = sqlite.url();
    sqlite
        .execute("CREATE TRIGGER full BEFORE INSERT ON graceful_audit BEGIN SELECT RAISE(FAIL, 'full'); END")
        .await;
    let paused = run(&url, &["pause", "relays", "--why", "a test"]);
    assert_eq!(paused.code, 3, "{paused:?}");
    assert!(paused.stderr.contains("error: paused, but not in the audit log"), "{paused:?}");
    assert_eq!(json(&url, &["pauses"])["pauses"].as_array().unwrap().len(), 1);
    let resumed = run(&url, &["resume", "relays"]);
    assert_eq!(resumed.code, 3, "{resumed:?}");
    assert!(resumed.stderr.contains("error: resumed, but not in the audit log"), "{resumed:?}");
    assert_eq!(run(&url, &["resume", "relays"]).stdout, "relays: not paused\n");
}

#[test(flavor = "multi_thread")]
async fn audit_log_that_was_changed_fails_its_verification() {
    let sqlite = Sqlite::new();
    let store = sqlite.store().await;
    queue(&store, 1..2).await;
    kill(&store).await;
    let url = sqlite.url();
    assert_eq!(json(&url, &["discard", "--all", "--yes", "--as", "mallory"])["done"], 1);
    assert_eq!(run(&url, &["audit", "verify"]).code, 0);
    sqlite.execute("UPDATE graceful_audit SET record = replace(record, 'mallory', 'alice')").await;
    let ended = run(&url, &["audit", "verify"]);
    assert_eq!((ended.code, &*ended.stdout), (1, ""));
    assert!(ended.stderr.contains("tampered with at record 1"), "{ended:?}");
}

#[test(flavor = "multi_thread")]
async fn action_without_its_audit_record_is_done_in_part() {
    let sqlite = Sqlite::new();
    let store = sqlite.store().await;
    queue(&store, 1..2).await;
    kill(&store).await;
    sqlite
        .execute("CREATE TRIGGER full BEFORE INSERT ON graceful_audit BEGIN SELECT RAISE(FAIL, 'full'); END")
        .await;
    let ended = run(&sqlite.url(), &["discard", "--all", "--yes", "--json"]);
    assert_eq!((ended.code, &ended.json()["done"]), (3, &1.into()), "{ended:?}");
    assert!(ended.stderr.contains("not in the audit log"), "{ended:?}");
    sqlite.execute("UPDATE graceful_operations SET lease_until = 0").await;
    let unrecorded = ended.json()["operation"].as_str().unwrap().to_owned();
    assert_eq!(run(&sqlite.url(), &["operations", "run", &unrecorded]).code, 3, "the log is full still");
    // When the log works again, anybody ends the operation with its record.
    sqlite.execute("DROP TRIGGER full").await;
    sqlite.execute("UPDATE graceful_operations SET lease_until = 0").await;
    let operation = ended.json()["operation"].as_str().unwrap().to_owned();
    assert_eq!(json(&sqlite.url(), &["operations", "run", &operation])["state"], "completed");
    let operations = json(&sqlite.url(), &["audit", "operations"]);
    assert_eq!(operations["operations"][0]["details"]["operation"], *operation, "{operations}");
}
