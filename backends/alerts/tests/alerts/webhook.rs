//! Alerts are sent to a webhook, whose receiver can verify the signature of each request.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use graceful::{
    Code,
    backends::{AlertChange, Alerter as _, memory},
};
use graceful_alerts::webhook::{Builder, Webhook};
use graceful_tests::{
    raw_http::{Inbox, Request},
    requirement::program,
};
use serde_json::Value;

use crate::{saved, world};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn told(inbox: &Inbox) -> Builder {
    Webhook::builder(inbox.url("", "/hooks/alerts"), SECRET).timeout(Duration::from_secs(30))
}

/// Whether the reference library of the Standard Webhooks takes it for genuine.
fn is_verified(request: &Request, body: &str) -> bool {
    const VERIFY: &str = "
import json, sys
from standardwebhooks import Webhook, WebhookVerificationError
secret, body, headers = json.load(sys.stdin)
try:
    Webhook(secret).verify(body, headers)
except WebhookVerificationError:
    sys.exit(3)
";
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers: serde_json::Map<_, Value> =
        names.iter().map(|name| ((*name).to_owned(), request.header(name).into())).collect();
    let mut verifier =
        Command::new(program("python")).args(["-c", VERIFY]).stdin(Stdio::piped()).spawn().unwrap();
    serde_json::to_writer(verifier.stdin.take().unwrap(), &(SECRET, body, headers)).unwrap();
    match verifier.wait().unwrap().code() {
        Some(0) => true,
        Some(3) => false,
        code => panic!("the verifier ended with {code:?}"),
    }
}

fn data(request: &Request) -> (String, Value) {
    let body: Value = serde_json::from_str(&request.body).unwrap();
    (body["type"].as_str().unwrap().to_owned(), body["data"].clone())
}

#[test]
async fn err_and_ok_each_send_a_request() {
    let mut inbox = Inbox::open().await;
    let world = world(told(&inbox).build().unwrap());
    assert_eq!(saved(&world, 42, Some(Code::Internal)).await, "fired");
    let fired = inbox.next().await;
    assert!(fired.head.starts_with("POST /hooks/alerts "), "{}", fired.head);
    let (kind, firing) = data(&fired);
    assert_eq!(kind, "alert.firing");
    assert_eq!((&firing["code"], &firing["entity"]), (&"INTERNAL".into(), &"users::user:42".into()));
    assert_eq!(firing["handler"], "alerts::save");
    assert_eq!((&firing["resolved_at"], &firing["environment"]), (&Value::Null, &"test".into()));

    assert_eq!(saved(&world, 42, None).await, "resolved");
    let resolved = inbox.next().await;
    let (kind, right) = data(&resolved);
    assert_eq!((kind.as_str(), &right["since"]), ("alert.resolved", &firing["since"]));
    assert!(right["resolved_at"].is_string());
    assert_ne!(fired.header("webhook-id"), resolved.header("webhook-id"));
}

#[test]
async fn alert_that_an_operator_closes_is_sent_as_resolved_once() {
    let mut inbox = Inbox::open().await;
    let alerts = told(&inbox).build().unwrap();
    let world = world(alerts.clone());
    assert_eq!(saved(&world, 42, Some(Code::Internal)).await, "fired");
    let incident = world.reports.last().flow().incident();
    let (_, firing) = data(&inbox.next().await);
    assert_eq!(alerts.close(&incident).await.unwrap(), AlertChange::Resolved);
    let (kind, resolved) = data(&inbox.next().await);
    assert_eq!((kind.as_str(), &resolved["since"]), ("alert.resolved", &firing["since"]));
    assert_eq!(alerts.close(&incident).await.unwrap(), AlertChange::NotOpen);
    // The next request is that of another failure.
    assert_eq!(saved(&world, 42, Some(Code::Internal)).await, "fired");
    assert_eq!(data(&inbox.next().await).0, "alert.firing");
}

#[test]
async fn alert_that_another_process_closes_is_sent_as_resolved() {
    let mut inbox = Inbox::open().await;
    let store = memory::Alerts::new();
    let builder = told(&inbox).alert_store(store.clone()).retry_every(Duration::from_millis(50));
    let world = world(builder.build().unwrap());
    assert_eq!(saved(&world, 42, Some(Code::Internal)).await, "fired");
    assert_eq!(data(&inbox.next().await).0, "alert.firing");
    let incident = world.reports.last().flow().incident();
    assert_eq!(store.close(&incident).await.unwrap(), AlertChange::Resolved);
    assert_eq!(data(&inbox.next().await).0, "alert.resolved");
}

#[test]
async fn storm_is_one_notice_with_all_its_failures_and_a_lower_bound_of_entities() {
    let alert_store = memory::Alerts::new();
    let before = world(alert_store.clone());
    for id in 0..25 {
        saved(&before, id, Some(Code::Internal)).await;
    }
    let mut inbox = Inbox::open().await;
    let after = world(told(&inbox).alert_store(alert_store).build().unwrap());
    let (kind, firing) = data(&inbox.next().await);
    assert_eq!(kind, "alert.firing");
    assert_eq!((&firing["entities"], &firing["more_entities"]), (&20.into(), &true.into()));
    assert_eq!(firing["count"], 25);
    for id in 0..25 {
        saved(&after, id, None).await;
    }
    assert_eq!(data(&inbox.next().await).0, "alert.resolved");
}

#[test(requires(Python("standardwebhooks")))]
async fn each_request_is_verified_by_the_reference_library() {
    let mut inbox = Inbox::open().await;
    let world = world(told(&inbox).retry_every(Duration::from_millis(50)).build().unwrap());
    for (error, status) in [(Some(Code::Internal), 204), (None, 204), (Some(Code::Internal), 503)] {
        inbox.answers(status);
        saved(&world, 42, error).await;
        let request = inbox.next().await;
        assert!(is_verified(&request, &request.body), "{status}");
        assert!(!is_verified(&request, &request.body.replace("users", "admin")), "not what was signed");
    }
}

#[test]
async fn many_failures_of_one_group_send_one_request() {
    let mut inbox = Inbox::open().await;
    let world = world(told(&inbox).build().unwrap());
    for n in 0..200 {
        saved(&world, n % 10, Some(Code::Internal)).await;
    }
    for n in 0..10 {
        saved(&world, n, None).await;
    }
    let kinds: Vec<_> = inbox.rest().iter().map(|request| data(request).0).collect();
    assert_eq!(kinds, ["alert.firing", "alert.resolved"]);
}

#[test]
async fn refused_request_fails_the_step_and_is_retried_with_the_same_id() {
    let mut inbox = Inbox::open().await;
    inbox.answers(503);
    let world = world(told(&inbox).retry_every(Duration::from_millis(50)).build().unwrap());
    let result = saved(&world, 42, Some(Code::Internal)).await;
    assert!(result.contains("answered 503 Service Unavailable"), "{result}");
    let refused = inbox.next().await;
    inbox.answers(204);
    let taken = inbox.next().await;
    assert_eq!(taken.header("webhook-id"), refused.header("webhook-id"));
    assert_eq!(data(&taken).1, data(&refused).1);
    saved(&world, 42, None).await;
    // It may have been tried more than once before it was taken.
    while data(&inbox.next().await).0 != "alert.resolved" {}
}

#[test]
async fn ok_after_a_restart_resolves_the_alert_fired_before_it() {
    let mut inbox = Inbox::open().await;
    let alert_store = memory::Alerts::new();
    let before = world(told(&inbox).alert_store(alert_store.clone()).build().unwrap());
    saved(&before, 42, Some(Code::Internal)).await;
    let fired = inbox.next().await;
    drop(before);

    let after = world(told(&inbox).alert_store(alert_store).build().unwrap());
    // It cannot know that it was told: the id says that it is the same.
    let again = inbox.next().await;
    assert_eq!(again.header("webhook-id"), fired.header("webhook-id"));
    assert_eq!(saved(&after, 42, None).await, "resolved");
    assert_eq!(data(&inbox.next().await).0, "alert.resolved");
}

#[test]
async fn no_secret_is_shown() {
    let inbox = Inbox::open().await;
    inbox.answers(500);
    let url = inbox.url("ada:s3cret@", "/s3cret?token=s3cret");
    let alerts = Webhook::builder(url, "s3cret").timeout(Duration::from_secs(30)).build().unwrap();
    let shown = format!("{alerts:?}");
    let result = saved(&world(alerts), 42, Some(Code::Internal)).await;
    assert!(
        result.contains("500") && !result.contains("s3cret") && !shown.contains("s3cret"),
        "{result} {shown}"
    );
}

#[test]
fn invalid_secret_is_refused_without_showing_it() {
    for secret in ["", "whsec_", "whsec_s3cret!"] {
        let error = Webhook::builder("https://example.org", secret).build().unwrap_err().to_string();
        assert!(!error.contains("s3cret"), "{error}");
    }
}
