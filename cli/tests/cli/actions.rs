//! Actions: what is refused, what is skipped, and what is done.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use crate::{
    service::{Ended, command, json, run},
    stores::{Sqlite, id, kill, queue},
};

/// A URL of no store: a subcommand that is refused does not connect.
const NOWHERE: &str = "nowhere://";

#[test]
fn action_without_a_terminal_is_refused_at_once() {
    for action in
        [&["discard", "--all"][..], &["resubmit", "handler=pay"], &["postpone", "--all", "--by", "2h"]]
    {
        // An input that never ends: who reads it waits for ever.
        let mut process = command(NOWHERE, action);
        let mut process =
            process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let input = process.stdin.take();
        let ended = Ended::of(process.wait_with_output().unwrap());
        drop(input);
        assert_eq!((ended.code, &*ended.stdout), (2, ""), "{ended:?}");
        assert!(ended.stderr.contains("there is no terminal to answer it"), "{ended:?}");
        assert_eq!(run(NOWHERE, action).code, 2);
    }
}

#[test(flavor = "multi_thread")]
async fn mistake_in_the_arguments_is_refused_and_touches_nothing() {
    let sqlite = Sqlite::new();
    let store = sqlite.store().await;
    queue(&store, 1..11).await;
    kill(&store).await;
    let url = sqlite.url();
    let flow = id(1).to_string();
    for (arguments, text) in [
        (&["discard", "handlr=pay", "--yes"][..], "did you mean `handler`?"),
        (&["resubmit", "handler=", "--yes"], "the filter `handler` has no value"),
        (&["dead", "stat=queued"], "did you mean `state`?"),
        (&["dead", "state=queued"], "the filter `state` is given twice"),
        (&["flows", "dead"], "expected KEY=VALUE"),
        (&["discard", "--yes"], "to discard all dead flows: --all"),
        (&["discard", "--all", &flow, "--yes"], "cannot be used with"),
        (&["discard", &flow, "handler=pay", "--yes"], "either ids or a filter"),
        (&["postpone", "--all", "--by", "soon", "--yes"], "expected one such as `2h`"),
        (&["resubmit", "--all", "--yes", "--as", ""], "`--as` has no value"),
        (&["discrad", "--all", "--yes"], "a similar subcommand exists: 'discard'"),
        (&["flows", "--after", "junk"], "not a cursor"),
    ] {
        let ended = run(&url, arguments);
        assert_eq!((ended.code, &*ended.stdout), (2, ""), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(text), "{arguments:?}: {ended:?}");
    }
    let lag = json(&url, &["lag"]);
    assert_eq!((&lag["dead"]["number"], &lag["queued"]["number"]), (&10.into(), &0.into()));
    assert!(json(&url, &["audit", "operations"])["operations"].as_array().unwrap().is_empty());
}

#[test(flavor = "multi_thread")]
async fn action_that_skips_three_of_ten_is_done_in_part() {
    let sqlite = Sqlite::new();
    let store = sqlite.store().await;
    queue(&store, 1..8).await;
    kill(&store).await;
    queue(&store, 8..10).await;
    let url = sqlite.url();
    let ids: Vec<String> = (1..11).map(|number| id(number).to_string()).collect();
    let mut arguments = vec!["resubmit", "--yes", "--json", "--as", "ada"];
    arguments.extend(ids.iter().map(String::as_str));
    let ended = run(&url, &arguments);
    let done = ended.json();
    assert_eq!((ended.code, &done["done"], &done["left"]), (3, &7.into(), &0.into()), "{ended:?}");
    let skipped = done["skipped_flows"].as_array().unwrap();
    let reasons: Vec<_> = skipped.iter().map(|skipped| skipped["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["the flow is queued", "the flow is queued", "no such flow"]);
    let operations = json(&url, &["audit", "operations"]);
    let details = &operations["operations"][0]["details"];
    assert_eq!(
        (&details["skipped"], &details["flows"][0]),
        (&3.into(), &ids[0].as_str().into()),
        "{details}"
    );
    let operation = details["operation"].as_str().unwrap();
    assert!(run(&url, &["audit", "operations"]).stdout.contains(operation), "it leads to the operation");
    let shown = json(&url, &["operations", "show", operation]);
    assert_eq!(
        (&shown["skipped_flows"], &shown["operator"]),
        (&done["skipped_flows"], &"ada".into()),
        "{shown}"
    );
    let shown = json(&url, &["show", &ids[0]]);
    assert_eq!(shown["operations"][0]["operation"], operation, "the flow names the operation");

    let text =
        run(&url, &[&["resubmit", "--yes"], &*ids.iter().map(String::as_str).collect::<Vec<_>>()].concat());
    assert_eq!(text.code, 3);
    assert!(text.stdout.starts_with("resubmitted 0 of 10 flows, 10 skipped\n"), "{text:?}");
}

#[test(flavor = "multi_thread")]
async fn filter_of_an_action_selects_the_states_to_which_it_applies() {
    let sqlite = Sqlite::new();
    let store = sqlite.store().await;
    queue(&store, 1..4).await;
    kill(&store).await;
    queue(&store, 4..6).await;
    let url = sqlite.url();
    let done = json(&url, &["postpone", "handler=orders::ship", "--by", "2h", "--yes"]);
    assert_eq!((&done["done"], &done["selection"]), (&2.into(), &"state=queued handler=orders::ship".into()));
    assert_eq!(json(&url, &["discard", "--all", "--yes"])["done"], 3);
    let lag = json(&url, &["lag"]);
    assert_eq!((&lag["dead"]["number"], &lag["queued"]["number"]), (&0.into(), &2.into()));
    assert_eq!(json(&url, &["discard", "state=queued", "--yes"])["done"], 2);
    assert_eq!(json(&url, &["discard", "--all", "--yes"])["selected"], 0);
    let operations = json(&url, &["audit", "operations"]);
    assert_eq!(operations["operations"].as_array().unwrap().len(), 3, "one of each that selected flows");
}

#[test(flavor = "multi_thread")]
async fn interrupted_action_stops_between_two_flows_and_says_what_was_done() {
    let sqlite = Sqlite::new();
    queue(&sqlite.store().await, 1..5001).await;
    let url = sqlite.url();
    let mut process = command(&url, &["postpone", "--all", "--by", "2h", "--yes", "--json"]);
    let mut process = process.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("operation "));
    assert_eq!(lines.next().unwrap().unwrap(), "postpone: 500 of 5000");
    let sent = Command::new("kill").args(["-s", "INT", &process.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let ended = Ended::of(process.wait_with_output().unwrap());
    let done = ended.json();
    assert_eq!((ended.code, &done["state"]), (3, &"cancelled".into()), "{ended:?}");
    let (postponed, left) = (done["done"].as_u64().unwrap(), done["left"].as_u64().unwrap());
    assert!(postponed >= 500 && left > 0 && postponed + left == 5000, "{done}");
    let operations = json(&url, &["audit", "operations"]);
    assert_eq!(operations["operations"][0]["details"]["done"], postponed);
}
