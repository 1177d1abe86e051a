//! The contract of the service: its lock, and its documents. None of them needs the store.

use std::fs;

use serde_json::Value;

use crate::service::{Ended, run};

/// No store is there, so a subcommand that opened one would fail.
const NOWHERE: &str = "sqlite:///nowhere/at/all.db";

/// Runs a subcommand with this lock.
fn with(lock: &str, arguments: &[&str]) -> Ended {
    run(NOWHERE, &[arguments, &["--lock", lock]].concat())
}

#[test]
fn check_compares_with_the_lock_and_accept_writes_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("graceful.lock");
    let lock = path.to_str().unwrap();
    let missing = with(lock, &["check"]);
    assert_eq!(missing.code, 1, "{missing:?}");
    assert!(
        missing.stderr.contains("write it by `graceful-cli accept --lock") && !path.exists(),
        "{missing:?}"
    );

    assert_eq!(with(lock, &["accept"]).code, 0);
    let locked = fs::read_to_string(&path).unwrap();
    assert!(locked.contains("handler cli::service::pay: durable\n"), "{locked}");
    let clean = with(lock, &["check"]);
    assert_eq!((clean.code, &*clean.stdout), (0, "the program is that of its lock\n"));

    fs::write(&path, format!("{locked}handler cli::service::refund: durable\nhandler cli::service::see\n"))
        .unwrap();
    let report = with(lock, &["check"]);
    assert_eq!(report.code, 1, "{report:?}");
    let lines: Vec<_> = report.stdout.lines().collect();
    assert!(
        lines[0].starts_with("error: ")
            && lines[0].contains("`graceful-cli accept 'handler cli::service::refund' --lock '"),
        "{lines:?}"
    );
    assert!(lines[1].starts_with("not locked: ") && lines.len() == 2, "{lines:?}");
    let json: Value = with(lock, &["check", "--json"]).json();
    assert_eq!(json["differences"][0]["fact"], "handler cli::service::refund");
    assert_eq!(json["differences"][0]["incompatible"], true);

    let refused = with(lock, &["accept"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert_eq!(with(lock, &["accept", "handler cli::service::refund"]).code, 0);
    assert_eq!(with(lock, &["accept"]).code, 0);
    assert_eq!(fs::read_to_string(&path).unwrap(), locked);
}

#[test]
fn catalogue_is_printed_in_each_format() {
    let text = run(NOWHERE, &["catalogue"]);
    assert!(
        text.code == 0 && text.stdout.contains("cli::service::pay\n  pattern order, durable\n"),
        "{text:?}"
    );
    let json = run(NOWHERE, &["catalogue", "json"]).json();
    assert_eq!(json["handlers"][0]["identity"], "cli::service::pay");
    assert!(run(NOWHERE, &["catalogue", "mermaid"]).stdout.starts_with("flowchart LR\n"));
}

#[test]
fn asyncapi_document_is_printed_with_the_addresses_of_the_broker() {
    let service = ["catalogue", "asyncapi", "--service", "orders", "--version", "1.2.0"];
    let document = run(NOWHERE, &service).json();
    assert_eq!((&document["asyncapi"], &document["info"]["title"]), (&"3.1.0".into(), &"orders".into()));
    assert_eq!(document["info"]["version"], "1.2.0");
    let channels = document["channels"].as_object().unwrap();
    assert!(
        !channels.is_empty() && channels.values().all(|channel| channel["parameters"]["tenant"].is_object())
    );

    let address = ["--protocol", "nats", "--address", "graceful.orders.{tenant}.{pattern}.{event}"];
    let document = run(NOWHERE, &[&service[..], &address].concat()).json();
    let addresses = |document: &Value| -> Vec<String> {
        let channels = document["channels"].as_object().unwrap().values();
        channels.map(|channel| channel["address"].as_str().unwrap().to_owned()).collect()
    };
    let expected = graceful_contract::AsyncApi::new("orders", "1.2.0")
        .address("nats", |pattern, event| {
            graceful_nats::channel_address("graceful", "orders", pattern, event)
        })
        .document(&graceful::catalogue::Catalogue::of_program());
    assert_eq!(addresses(&document), addresses(&expected));
    assert_eq!(document, expected);

    for wrong in [&service[..4], &["catalogue", "asyncapi"], &[&service[..], &address[..2]].concat()] {
        let refused = run(NOWHERE, wrong);
        assert_eq!((refused.code, &*refused.stdout), (2, ""), "{refused:?}");
    }
}
