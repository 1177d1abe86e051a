//! The page of an entity.

use graceful::{
    Context, StepError,
    backends::{Action, FlowFilter},
    operations::{self, Selection},
    orchestrate,
};
use graceful_console::access::{Access, Permission};
use graceful_tests::faulty::Fault;
use http::StatusCode;
use serde_json::Value;

use crate::{
    site::Site,
    users::{HOSTILE, ada, builder, faulty, form, orchestrator, pairs, recorded, update, without},
};

fn kinds(shown: &Value) -> Vec<&str> {
    shown["timeline"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

fn event<'s>(shown: &'s Value, kind: &str) -> &'s Value {
    let events = shown["timeline"].as_array().unwrap();
    events.iter().find(|event| event["kind"] == kind).unwrap_or_else(|| panic!("{kind}: {shown:#}"))
}

#[test]
async fn form_asks_for_an_entity() {
    let orchestrator = orchestrator();
    let site = Site::new(&orchestrator, Access::read("ada"));
    let page = site.page("entity").await;
    assert!(page.contains("name=\"pattern\"") && page.contains("name=\"entity\""), "{page}");
    let answer = site.get("filter?page=entity&pattern=user&id=a%2Fb&tenant=").await;
    assert_eq!(answer.target(), "entity?pattern=user&id=a%2Fb");
    assert_eq!(site.json(answer.target()).await["entity"], "users::user:a%2Fb");
    assert_eq!(site.json("entity?pattern=user&id=1&tenant=acme").await["entity"], "users:acme:user:1");
    for wrong in
        ["entity?entity=user", "entity?pattern=user", "entity?entity=a::b:c&pattern=d", "entity?entiti=x"]
    {
        assert_eq!(site.get(wrong).await.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[test]
async fn what_all_stores_know_of_one_flow_is_one_event() {
    let orchestrator = orchestrator();
    update(&orchestrator, "", "42", None).await;
    update(&orchestrator, "", "42", Some("disk full")).await;
    let site = Site::new(&orchestrator, Access::read("ada"));
    let shown = site.json("entity?entity=users::user:42").await;
    let mut found = kinds(&shown);
    found.sort_unstable();
    assert_eq!(found, ["alert opened", "flow", "flow", "review job opened"], "{shown:#}");
    let failed = shown["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["kind"] == "flow" && event["failure"] == true);
    let failed = failed.unwrap();
    assert_eq!(failed["stores"], serde_json::json!(["audit", "graph", "nexus", "metadata"]));
    assert_eq!((&failed["actor"], &failed["check"]), (&"cleo".into(), &"unchained".into()));
    assert_eq!(shown["metadata"].as_array().unwrap().len(), 2);
    assert_eq!(shown["metadata"][0]["errors"], 1);
    let page = site.page("entity?entity=users::user:42").await;
    for text in ["disk full", "member_of", "unchained", "flow, failed", "audit?entity=users%3A%3Auser%3A42"] {
        assert!(page.contains(text), "{text}: {page}");
    }
}

/// Why is the cache of 42 old?
#[test]
async fn age_of_the_cached_value_is_explained() {
    let orchestrator = builder().reads("user").build().unwrap();
    let load = || async { Ok::<_, StepError>("secret value".to_owned()) };
    orchestrator.read_through("user", 42).load(load).await.unwrap();
    let site = Site::new(&orchestrator, ada());
    let shown = site.json("entity?entity=users::user:42").await;
    let entry = &shown["cache"]["entry"];
    assert!(entry["age_seconds"].as_f64().unwrap() < 60.0 && entry["bytes"] == 14, "{shown:#}");
    assert_eq!(shown["cache"]["read_through"]["filled"], 1);
    let page = site.page("entity?entity=users::user:42").await;
    assert!(page.contains("the value is hidden") && !page.contains("secret value"), "{page}");

    let fields = form(&page, "drop-cache", &["token", "key", "seen"]);
    let denied = Site::new(&orchestrator, without(Permission::Cache));
    assert!(!denied.page("entity?entity=users::user:42").await.contains("act/drop-cache"));
    assert_eq!(denied.post("act/drop-cache", &pairs(&fields)).await.status, StatusCode::FORBIDDEN);
    let other =
        Site::new(&orchestrator, ada().tenants(["acme"])).post("act/drop-cache", &pairs(&fields)).await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
    let done = site.post("act/drop-cache", &pairs(&fields)).await;
    assert!(site.page(done.target()).await.contains("No value is cached."));
    assert_eq!(site.post("act/drop-cache", &pairs(&fields)).await.status, StatusCode::CONFLICT);
    let records = recorded(&orchestrator).await;
    let codes: Vec<_> = records.iter().map(|record| (&*record.0, &*record.2)).collect();
    assert_eq!(codes, [("drop_cache", "ABORTED"), ("drop_cache", "OK"), ("drop_cache", "NOT_FOUND")]);
    let shown = site.json("entity?entity=users::user:42").await;
    assert!(kinds(&shown).contains(&"operator"), "{shown:#}");
}

/// Did the alert close by itself?
#[test]
async fn resolved_alert_says_by_whom() {
    let orchestrator = orchestrator();
    let site = Site::new(&orchestrator, ada());
    update(&orchestrator, "", "42", Some("disk full")).await;
    update(&orchestrator, "", "42", None).await;
    let shown = site.json("entity?entity=users::user:42").await;
    assert!(
        event(&shown, "alert resolved")["text"].as_str().unwrap().starts_with("resolved by itself"),
        "{shown:#}"
    );

    update(&orchestrator, "", "43", Some("disk full")).await;
    let fields = form(&site.page("alerts").await, "resolve-alert", &["token", "key", "owner", "seen"]);
    site.post("act/resolve-alert", &pairs(&fields)).await.target();
    let shown = site.json("entity?entity=users::user:43").await;
    assert_eq!(event(&shown, "alert resolved")["text"], "resolved by the operator ada");
    assert_eq!(event(&shown, "operator")["actor"], "ada");
    assert!(site.page("entity?entity=users::user:43").await.contains("resolved by the operator ada"));
}

#[orchestrate(pattern = "order", id = id, event = fail, delivery = "durable")]
async fn ship(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

async fn fail(_: &graceful::Flow) -> Result<(), StepError> {
    Err(StepError::new("no mailbox"))
}

/// Who resubmitted?
#[test]
async fn resubmission_says_by_whom() {
    let orchestrator = builder().relay(graceful::RelaySettings::default().attempts(1)).build().unwrap();
    orchestrator.scope(Context::new().tenant("acme").scope(ship(42))).await.unwrap();
    graceful_tests::gate::until(async || {
        let filter = FlowFilter::from(graceful::backends::FlowState::Dead);
        orchestrator.flows().unwrap().count(filter, 10).await.unwrap().number == 1
    })
    .await;
    let selection = Selection::Filter(FlowFilter::default());
    let prepared = operations::prepare(&orchestrator, Action::Resubmit, &selection, "bob").await.unwrap();
    operations::start(&orchestrator, prepared.operation.id).await.unwrap();
    operations::run(&orchestrator, prepared.operation.id, |_| ()).await.unwrap();
    let shown = Site::new(&orchestrator, Access::read("ada")).json("entity?entity=users:acme:order:42").await;
    assert_eq!(event(&shown, "operation")["actor"], "bob", "{shown:#}");
    // An operation may be on flows of other tenants.
    let shown = Site::new(&orchestrator, Access::read("ada").tenants(["acme"]))
        .json("entity?entity=users:acme:order:42")
        .await;
    assert!(!kinds(&shown).contains(&"operation"), "{shown:#}");
}

#[test]
async fn entities_with_hostile_and_long_names_are_found() {
    let orchestrator = orchestrator();
    let long = "k".repeat(1024);
    for id in HOSTILE.into_iter().chain([&*long]) {
        update(&orchestrator, "", id, Some("<script>")).await;
        let site = Site::new(&orchestrator, ada());
        let name = orchestrator.key("user", id).to_string();
        let path = format!("entity?entity={}", name.replace('%', "%25"));
        let shown = site.json(&path).await;
        assert_eq!(shown["entity"], *name);
        assert_eq!(shown["metadata"].as_array().unwrap().len(), 1, "{id}");
        let page = site.page(&path).await;
        assert!(
            !page.contains("<script>a") && !page.contains("<script><") && !page.contains('\u{202e}'),
            "{page}"
        );
        // The form finds it again, whatever its id is.
        let fields = form(&page, "complete-job", &["token", "key", "owner", "seen"]);
        assert_eq!(
            site.post("act/complete-job", &pairs(&fields)).await.status,
            StatusCode::SEE_OTHER,
            "{id}"
        );
    }
}

#[test(start_paused = true)]
async fn stores_that_fail_or_never_answer_are_dashes() {
    for fault in [Fault::Fails, Fault::FailsLater, Fault::Hangs] {
        let site = Site::new(&faulty(fault), ada());
        let page = site.page("entity?entity=users::user:42").await;
        for part in ["cache", "metadata", "alerts", "review jobs", "graph", "audit records", "nexus"] {
            assert!(page.contains(&format!("{part}: –, the store does not answer.")), "{part}: {page}");
        }
        let shown = site.json("entity?entity=users::user:42").await;
        assert_eq!((&shown["metadata"], &shown["jobs"]), (&Value::Null, &Value::Null));
    }
}
