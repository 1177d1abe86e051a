//! The page of the operations and of the pauses.

use std::sync::Arc;

use graceful::{
    Flow, Orchestrator, RelaySettings,
    backends::{
        Action, AuditCursor, AuditLog, AuditQuery, AuditRecord, FlowFilter, FlowState, Page, PauseTarget,
        Reply, Uuid, memory,
    },
    operations::{self, Operator, Selection},
};
use graceful_console::access::{Access, Permission};
use graceful_tests::gate::until;
use http::StatusCode;
use tokio::sync::Notify;

use crate::{
    silent::Silent,
    site::Site,
    stored::{SHIP, dead, orchestrator, queue, store},
};

async fn prepare(orchestrator: &Orchestrator, operator: &str) -> Uuid {
    let selection = Selection::Filter(FlowFilter::from(FlowState::Dead));
    operations::prepare(orchestrator, Action::Discard, &selection, Operator::verified(operator))
        .await
        .unwrap()
        .operation
        .id
}

#[test]
async fn operations_that_wait_come_first() {
    let orchestrator = orchestrator();
    dead(&orchestrator, 1..3).await;
    let waiting = prepare(&orchestrator, "<b>ada</b>").await;
    let ended = prepare(&orchestrator, "bob").await;
    operations::start(&orchestrator, ended).await.unwrap();
    operations::run(&orchestrator, ended, |_| ()).await.unwrap();

    let site = Site::new(&orchestrator, Access::read("ada"));
    let shown = site.json("operations").await;
    let ids: Vec<_> =
        shown["operations"].as_array().unwrap().iter().map(|shown| shown["operation"].clone()).collect();
    assert_eq!(ids, [waiting.to_string(), ended.to_string()]);
    let page = site.page("operations").await;
    for text in [
        "<bdi>&lt;b&gt;ada&lt;/b&gt;</bdi>",
        "<progress max=\"2\" value=\"2\"",
        "2 of 2",
        "0 of 2",
        "discarded 2 of 2 flows",
        "<bdi>state=dead</bdi>",
        &format!("href=\"operation?id={waiting}\""),
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("act/pause"), "{page}");
}

#[test]
async fn operations_have_pages() {
    let orchestrator = orchestrator();
    for _ in 0..51 {
        prepare(&orchestrator, "ada").await;
    }
    let site = Site::new(&orchestrator, Access::read("ada"));
    let first = site.json("operations").await;
    let next = first["next"].as_str().unwrap();
    assert_eq!(first["operations"].as_array().unwrap().len(), 50);
    assert!(site.page("operations").await.contains(&format!("href=\"operations?after={next}\"")));
    let second = site.json(&format!("operations?after={next}")).await;
    assert_eq!(second["operations"].as_array().unwrap().len(), 1);
    assert_eq!(site.get("operations?after=x").await.status, StatusCode::BAD_REQUEST);
}

#[test]
async fn operator_of_some_tenants_sees_own_operations_and_no_pauses() {
    let orchestrator = orchestrator();
    let (own, other) = (prepare(&orchestrator, "eve").await, prepare(&orchestrator, "ada").await);
    operations::pause(&orchestrator, PauseTarget::Relays, "ada", "acme's migration").await.unwrap();
    let site = Site::new(&orchestrator, Access::act("eve", Permission::ALL).tenants(["evil"]));
    let page = site.page("operations").await;
    assert!(page.contains(&own.to_string()) && !page.contains(&other.to_string()), "{page}");
    assert!(!page.contains("Pauses") && !page.contains("acme") && !page.contains("act/pause"), "{page}");
    let shown = site.json("operations").await;
    assert_eq!((shown["operations"].as_array().unwrap().len(), shown.get("pauses")), (1, None));
    let token = site.token("flows").await;
    for (action, fields) in [
        ("pause", &[("token", &*token), ("kind", "relays"), ("reason", "x")][..]),
        ("resume", &[("token", &token), ("kind", "relays")]),
    ] {
        assert_eq!(site.post(&format!("act/{action}"), fields).await.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(store(&orchestrator).operations().unwrap().pauses().await.unwrap().len(), 1);
}

#[test]
async fn handler_is_paused_and_resumed() {
    let orchestrator = orchestrator();
    queue(&orchestrator, 1, "orders::parcel:1", SHIP).await;
    queue(&orchestrator, 2, "orders::parcel:1", "orders::pay").await;
    let site = Site::new(&orchestrator, Access::act("ada", [Permission::Pause]));
    let token = site.token("operations").await;
    let fields =
        [("token", &*token), ("kind", "handler"), ("name", SHIP), ("reason", " the <i>carrier</i> moves ")];
    let paused = site.post("act/pause", &fields).await;
    let page = site.page(paused.target()).await;
    site.json(paused.target()).await;
    for text in [
        "role=\"status\"><bdi>Paused: handler orders::ship</bdi>",
        "<bdi>the &lt;i&gt;carrier&lt;/i&gt; moves</bdi>",
        "<span data-live=\"waiting-handler orders::ship\">1</span> of its own",
        "<span data-live=\"behind-handler orders::ship\">1</span> of other handlers",
        "concerns all processes",
        "href=\"api/v1/operations?notice=Paused",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let shown = site.json("operations").await;
    assert_eq!(shown["pauses"][0]["waiting_behind"]["number"], 1, "{shown}");

    let again = site.post("act/pause", &fields).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(
        again.body.contains("handler orders::ship: paused already, by ada: the &lt;i&gt;"),
        "{}",
        again.body
    );

    let fields = [("token", &*token), ("kind", "handler"), ("name", SHIP)];
    assert!(site.post("act/resume", &fields).await.target().starts_with("operations?notice=Resumed"));
    assert!(store(&orchestrator).operations().unwrap().pauses().await.unwrap().is_empty());
    assert_eq!(site.post("act/resume", &fields).await.status, StatusCode::CONFLICT);
}

#[test]
async fn pause_needs_the_permission_a_target_and_a_reason() {
    let orchestrator = orchestrator();
    let others = Permission::ALL.into_iter().filter(|permission| *permission != Permission::Pause);
    let site = Site::new(&orchestrator, Access::act("ada", others));
    let token = site.token("flows").await;
    for action in ["act/pause", "act/resume"] {
        let fields = [("token", &*token), ("kind", "relays"), ("reason", "x")];
        assert_eq!(site.post(action, &fields).await.status, StatusCode::FORBIDDEN);
    }
    assert!(!site.page("operations").await.contains("act/pause"));

    let site = Site::new(&orchestrator, Access::act("ada", [Permission::Pause]));
    let long = "x".repeat(1025);
    for (kind, name, reason, text) in [
        ("relays", "", "", "type a reason"),
        ("relays", "", " \n ", "type a reason"),
        ("relays", "", &*long, "longer than 1024 bytes"),
        ("relays", SHIP, "x", "no name"),
        ("handler", "", "x", "type the identity"),
        ("handler", " ", "x", "type the identity"),
        ("subscriber", &long, "x", "longer than 1024 bytes"),
        ("cache", "", "x", "`kind` is"),
        ("", "", "x", "`kind` is missing"),
    ] {
        let fields = [("token", &*token), ("kind", kind), ("name", name), ("reason", reason)];
        let answer = site.post("act/pause", &fields).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{kind} {name} {reason}");
        assert!(answer.body.contains(text), "{text}: {}", answer.body);
    }
    assert!(store(&orchestrator).operations().unwrap().pauses().await.unwrap().is_empty());
}

#[test]
async fn hostile_names_are_paused_shown_and_resumed() {
    let orchestrator = orchestrator();
    let site = Site::new(&orchestrator, Access::act("ada", [Permission::Pause]));
    let token = site.token("operations").await;
    let long = "k".repeat(1024);
    for name in
        ["<script>x</script>", "\"'&", "\u{202e}abc", &*long, "a/b", "..", "%2F", "#", "x&y", "😀", "a+b c"]
    {
        let fields = [("token", &*token), ("kind", "subscriber"), ("name", name), ("reason", name)];
        let page = site.page(site.post("act/pause", &fields).await.target()).await;
        assert!(!page.contains("<script>x") && !page.contains("\u{202e}<"), "{page}");
        let shown = site.json("operations").await;
        assert_eq!(shown["pauses"][0]["name"], name);
        let fields = [("token", &*token), ("kind", "subscriber"), ("name", name)];
        site.page(site.post("act/resume", &fields).await.target()).await;
        assert!(store(&orchestrator).operations().unwrap().pauses().await.unwrap().is_empty(), "{name}");
    }
}

#[test(start_paused = true)]
async fn page_of_operations_is_shown_without_an_answer_of_the_store() {
    for silent in [Silent::Fails, Silent::Hangs] {
        let site = Site::new(&silent.orchestrator(), Access::act("ada", Permission::ALL));
        let page = site.page("operations").await;
        assert_eq!(page.matches("– The store does not answer.").count(), 2, "{page}");
        let shown = site.json("operations").await;
        assert!(shown["operations"].is_null() && shown["pauses"].is_null(), "{shown}");
    }
}

#[test]
async fn many_pauses_leave_the_pages_short() {
    let orchestrator = orchestrator();
    let operations = store(&orchestrator).operations().unwrap();
    for number in 0..60 {
        let target = PauseTarget::Handler(format!("{number}{}", "n".repeat(1000)));
        assert!(operations.pause(target, "ada", &"r".repeat(1000)).await.unwrap());
    }
    let site = Site::new(&orchestrator, Access::read("ada"));
    let page = site.page("flows").await;
    assert!(page.contains("57 more are paused") && page.len() < 20_000, "{}", page.len());
    assert!(site.page("operations").await.len() < 400_000);
}

/// The audit log answers when the gate is open.
#[derive(Debug)]
struct Gated(Arc<memory::AuditLog>, Arc<Notify>);

impl AuditLog for Gated {
    fn append(&self, flow: &Arc<Flow>) -> Reply<()> {
        let (log, gate, flow) = (Arc::clone(&self.0), Arc::clone(&self.1), Arc::clone(flow));
        Reply::pending(async move {
            gate.notified().await;
            log.append(&flow).await
        })
    }

    fn query(&self, query: AuditQuery) -> Reply<Page<AuditRecord, AuditCursor>> {
        self.0.query(query)
    }
}

#[test]
async fn pause_of_a_client_that_is_gone_is_recorded() {
    let (log, gate) = (Arc::new(memory::AuditLog::new()), Arc::new(Notify::new()));
    let builder = Orchestrator::builder().service("orders").flows(memory::Flows::new());
    let builder = builder.audit(Gated(Arc::clone(&log), Arc::clone(&gate))).relay(RelaySettings::off());
    let orchestrator = builder.build().unwrap();
    let site = Site::new(&orchestrator, Access::act("ada", Permission::ALL));
    let token = site.token("operations").await;
    let fields = [("token", &*token), ("kind", "relays"), ("reason", "a test")];
    let operations = store(&orchestrator).operations().unwrap();
    let is_paused = until(async || !operations.pauses().await.unwrap().is_empty());
    tokio::select! {
        _ = site.post("act/pause", &fields) => panic!("the log does not answer"),
        () = is_paused => {}
    }
    gate.notify_one();
    until(async || {
        log.records(None, 10).await.unwrap().iter().any(|record| record.actor.as_deref() == Some("ada"))
    })
    .await;
}
