//! Operations on many flows beside relays, other operators and dying processes; pauses.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
    time::Duration,
};

use graceful::{
    Orchestrator, RelaySettings,
    backends::{Action, FlowState, FlowStore},
    operations::{self, Selection},
};
use graceful_tests::gate::until;
use serde_json::Value;

use crate::{
    service::{builder, command, json, run},
    stores::{Postgres, Sqlite, queue},
};

/// The service in this process; its relay gives each flow one attempt, and knows none of the stored handlers.
async fn relay(url: &str) -> Orchestrator {
    let settings = RelaySettings::default().attempts(1).poll(Duration::from_millis(50));
    builder(url).await.unwrap().relay(settings).build().unwrap()
}

/// Dead letters, by one statement.
fn dead_letters(number: u32) -> String {
    format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {number}) \
         INSERT INTO graceful_flows (id, entity, handler, body, head, due, stored_at, state, ended_at, attempts) \
         SELECT unhex(printf('%032x', n)), 'orders::parcel:' || n, 'orders::ship', x'7b7d', 0, n, n, 2, n, 1 FROM numbers"
    )
}

#[test(flavor = "multi_thread")]
async fn operation_whose_flows_fail_again_stops_after_a_hundred() {
    let sqlite = Sqlite::new();
    drop(sqlite.store().await);
    sqlite.execute(&dead_letters(10_000)).await;
    let url = sqlite.url();
    let service = relay(&url).await;
    until(async || !json(&url, &["relays"])["relays"].as_array().unwrap().is_empty()).await;
    let ended = run(&url, &["resubmit", "--all", "--yes", "--json"]);
    let unknown =
        "no relay that is alive knows the handler orders::ship of 10000 flows: they will fail again";
    assert!(ended.stderr.contains(unknown), "{ended:?}");
    let done = ended.json();
    assert_eq!(
        (ended.code, &done["state"], &done["selected"]),
        (3, &"stopped".into(), &10_000.into()),
        "{ended:?}"
    );
    assert_eq!((done["failed_flows"].as_array().unwrap().len(), &done["left"]), (100, &9900.into()));
    service.shutdown(Duration::from_secs(30)).await;
    let untouched = "SELECT count(*) FROM graceful_flows WHERE state = 2 AND resubmitted = 0";
    let untouched: i64 =
        sqlx::query_scalar(untouched).fetch_one(&mut sqlite.connection().await).await.unwrap();
    assert_eq!(untouched, 9900);
    let text = run(&url, &["operations", "list"]);
    assert!(text.stdout.contains("stopped after 100 failures in a row"), "{text:?}");
}

#[test(flavor = "multi_thread")]
async fn operation_of_a_killed_process_is_ended_by_a_relay() {
    let sqlite = Sqlite::new();
    drop(sqlite.store().await);
    sqlite.execute(&dead_letters(3000)).await;
    let url = sqlite.url();
    let mut process = command(&url, &["discard", "--all", "--yes"]);
    let mut process = process.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let id = lines.next().unwrap().unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "discard: 500 of 3000");
    process.kill().unwrap();
    process.wait().unwrap();
    let operation = &json(&url, &["operations", "list"])["operations"][0];
    assert_eq!(id, format!("operation {}", operation["operation"].as_str().unwrap()));
    assert_eq!(operation["state"], "running");
    assert!(operation["left"].as_u64().unwrap() > 0, "{operation}");
    // Its lease ends.
    sqlite.execute("UPDATE graceful_operations SET lease_until = 0").await;
    let service = relay(&url).await;
    until(async || json(&url, &["operations", "list"])["operations"][0]["state"] == "completed").await;
    let operation = &json(&url, &["operations", "list"])["operations"][0];
    assert_eq!((&operation["done"], &operation["skipped"]), (&3000.into(), &0.into()));
    let recorded = json(&url, &["audit", "operations"]);
    assert_eq!(recorded["operations"].as_array().unwrap().len(), 1, "{recorded}");
    service.shutdown(Duration::from_secs(30)).await;
}

#[test(flavor = "multi_thread")]
async fn operation_that_nobody_has_confirmed_is_not_run() {
    let sqlite = Sqlite::new();
    drop(sqlite.store().await);
    sqlite.execute(&dead_letters(3)).await;
    let (url, service) = (sqlite.url(), builder(&sqlite.url()).await.unwrap().build().unwrap());
    let selection = Selection::Filter(FlowState::Dead.into());
    let prepared = operations::prepare(&service, Action::Discard, &selection, "ada").await.unwrap();
    let id = prepared.operation.id.to_string();
    let refused = run(&url, &["operations", "run", &id]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("nobody has confirmed this operation"), "{refused:?}");
    assert_eq!(json(&url, &["operations", "cancel", &id])["state"], "cancelled");
    assert_eq!(run(&url, &["operations", "run", &id]).code, 3);
    assert_eq!(json(&url, &["lag"])["dead"]["number"], 3);
}

async fn pauses(url: &str, store: &std::sync::Arc<dyn FlowStore>) {
    let service = relay(url).await;
    assert_eq!(json(url, &["pauses"])["pauses"], Value::Array(Vec::new()));
    queue(store, 1..2).await;
    until(async || json(url, &["lag"])["dead"]["number"] == 1).await;
    let paused = run(url, &["pause", "handler=orders::ship", "--why", "the depot burns", "--as", "ada"]);
    assert_eq!(paused.code, 0, "{paused:?}");
    until(async || !json(url, &["relays"])["relays"].as_array().unwrap().is_empty()).await;
    let wrong = run(url, &["pause", "handler=pay", "--why", "a typo"]);
    let suspected = "no relay that is alive knows the handler pay; did you mean cli::service::pay?";
    assert!(wrong.stderr.contains(suspected), "{wrong:?}");
    assert_eq!(run(url, &["resume", "handler=pay"]).code, 0);
    queue(store, 2..12).await;
    let again = run(url, &["pause", "handler=orders::ship", "--why", "it still burns"]);
    assert!(again.stdout.starts_with("already: handler orders::ship paused by ada since"), "{again:?}");
    for subcommand in ["lag", "flows", "health"] {
        let ended = run(url, &[subcommand]);
        let all = format!("{}{}", ended.stdout, ended.stderr);
        assert!(all.contains("handler orders::ship paused by ada since"), "{subcommand}: {ended:?}");
    }
    let doctor = run(url, &["doctor"]);
    assert_eq!(doctor.code, 4, "{doctor:?}");
    assert!(doctor.stdout.contains("the depot burns") && doctor.stdout.contains("`resume`"), "{doctor:?}");
    let listed = json(url, &["pauses"]);
    assert_eq!(
        (&listed["pauses"][0]["operator"], &listed["pauses"][0]["name"]),
        (&"ada".into(), &"orders::ship".into())
    );
    let flows = json(url, &["flows", "state=queued"]);
    let flows = flows["flows"].as_array().unwrap();
    assert_eq!(flows.len(), 10, "all of them wait");
    assert!(flows.iter().all(|flow| flow["attempts"] == 0));
    assert_eq!(json(url, &["resume", "handler=orders::ship", "--as", "bob"])["changed"], true);
    until(async || json(url, &["lag"])["dead"]["number"] == 11).await;
    let waiting = run(url, &["pause", "relays", "--why", "the whole town burns", "--as", "ada"]);
    assert_eq!(waiting.stdout, "paused relays: 0 queued flows wait\n");
    queue(store, 20..22).await;
    assert_eq!(json(url, &["flows", "state=queued"])["flows"].as_array().unwrap().len(), 2);
    assert_eq!(run(url, &["resume", "relays"]).stdout, "resumed relays\n");
    until(async || json(url, &["lag"])["dead"]["number"] == 13).await;
    assert_eq!(run(url, &["resume", "relays"]).stdout, "relays: not paused\n");
    let recorded = json(url, &["audit", "operations"]);
    let recorded = recorded["operations"].as_array().unwrap();
    let [_, _, resumed, _, _, paused] = recorded.as_slice() else { panic!("{recorded:?}") };
    assert_eq!((&resumed["action"], &resumed["actor"]), (&"resume".into(), &"bob".into()));
    assert_eq!(paused["message"], "paused handler orders::ship: the depot burns");
    service.shutdown(Duration::from_secs(30)).await;
}

#[test(flavor = "multi_thread")]
async fn paused_handler_and_relays_wait_on_sqlite() {
    let sqlite = Sqlite::new();
    let store = sqlite.store().await;
    pauses(&sqlite.url(), &store).await;
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn paused_handler_and_relays_wait_on_postgres() {
    let postgres = Postgres::new().await;
    let store = postgres.store().await;
    pauses(&postgres.url(), &store).await;
    postgres.drop().await;
}
