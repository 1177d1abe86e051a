//! The page of one operation.

use graceful::{
    Orchestrator,
    backends::{Action, ActionResult, FlowFilter, FlowState, OperationState, Uuid},
    operations::{self, Operator, Selection},
};
use graceful_console::{
    Console,
    access::{Access, Permission},
};
use http::StatusCode;

use crate::{
    silent::Silent,
    site::Site,
    stored::{SHIP, dead, id, kill, orchestrator, queue, store},
};

async fn prepared(orchestrator: &Orchestrator, action: Action, selection: Selection) -> Uuid {
    let operator = Operator::verified("ada");
    operations::prepare(orchestrator, action, &selection, operator).await.unwrap().operation.id
}

fn all() -> Selection {
    Selection::Filter(FlowFilter::from(FlowState::Dead))
}

async fn state(orchestrator: &Orchestrator, id: Uuid) -> OperationState {
    store(orchestrator).operations().unwrap().operation(id).await.unwrap().unwrap().state
}

#[test]
async fn operation_is_confirmed_by_its_number() {
    let orchestrator = orchestrator();
    dead(&orchestrator, 1..13).await;
    let operation = prepared(&orchestrator, Action::Resubmit, all()).await;
    let site = Site::new(&orchestrator, Access::act("ada", [Permission::Flows]));
    let path = format!("operation?id={operation}");
    let page = site.page(&path).await;
    for text in [
        "Resubmits 12 dead flows",
        "action=\"act/run-resubmit\"",
        "inputmode=\"numeric\"",
        "autocomplete=\"off\"",
        "… and 2 more",
        "entity?entity=orders%3A%3Aparcel%3A1\"",
        "It can be confirmed until <time",
        "action=\"act/cancel-resubmit\"",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("name=\"environment\"") && !page.contains("older than"), "{page}");
    let shown = site.json(&path).await;
    assert_eq!(shown["samples"].as_array().unwrap().len(), 10, "{shown}");
    assert_eq!(shown["samples"][0]["flow"]["handler"], SHIP);

    let (token, id) = (site.token(&path).await, operation.to_string());
    for number in ["", "11", "12x", "012 "] {
        let fields = [("token", &*token), ("id", &id), ("number", number)];
        assert_eq!(site.post("act/run-resubmit", &fields).await.status, StatusCode::BAD_REQUEST, "{number}");
    }
    let fields = [("token", &*token), ("id", &id), ("number", "12")];
    assert_eq!(site.post("act/run-postpone", &fields).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(state(&orchestrator, operation).await, OperationState::Prepared);
    let page = site.page(site.post("act/run-resubmit", &fields).await.target()).await;
    assert!(page.contains("resubmitted 12 of 12 flows, 12 not tried yet"), "{page}");
    assert!(!page.contains("act/run-") && !page.contains("act/cancel"), "{page}");
    assert_eq!(state(&orchestrator, operation).await, OperationState::Completed);
}

#[test]
async fn one_flow_is_resubmitted_by_a_click_and_discarded_by_its_number() {
    let orchestrator = orchestrator();
    dead(&orchestrator, 1..2).await;
    let site = Site::new(&orchestrator, Access::act("ada", Permission::ALL));
    let hidden = "<input type=\"hidden\" name=\"number\" value=\"1\">";
    let one = || Selection::Ids(vec![id(1)]);
    let resubmit = prepared(&orchestrator, Action::Resubmit, one()).await;
    assert!(site.page(&format!("operation?id={resubmit}")).await.contains(hidden));
    let discard = prepared(&orchestrator, Action::Discard, one()).await;
    let page = site.page(&format!("operation?id={discard}")).await;
    assert!(!page.contains(hidden) && page.contains("Discards 1 flow:"), "{page}");
}

#[test]
async fn discard_has_its_own_permission() {
    let orchestrator = orchestrator();
    dead(&orchestrator, 1..3).await;
    let operation = prepared(&orchestrator, Action::Discard, all()).await;
    let (path, id) = (format!("operation?id={operation}"), operation.to_string());
    let site = Site::new(&orchestrator, Access::act("ada", [Permission::Flows]));
    let page = site.page(&path).await;
    assert!(
        !page.contains("act/run-discard") && page.contains("the permission `discard` is needed"),
        "{page}"
    );
    let token = site.token("flows").await;
    let fields = [("token", &*token), ("id", &id), ("number", "2")];
    assert_eq!(site.post("act/run-discard", &fields).await.status, StatusCode::FORBIDDEN);
    assert_eq!(site.post("act/run-resubmit", &fields).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(state(&orchestrator, operation).await, OperationState::Prepared);

    let site = Site::new(&orchestrator, Access::act("ada", [Permission::Discard]));
    assert!(site.page(&path).await.contains("act/run-discard"));
    let done = site.post("act/run-discard", &fields).await;
    assert_eq!(site.json(done.target()).await["done"], 2);
}

#[test]
async fn production_asks_for_the_environment() {
    let orchestrator = orchestrator();
    dead(&orchestrator, 1..2).await;
    let operation = prepared(&orchestrator, Action::Resubmit, all()).await;
    let access = Access::act("ada", [Permission::Flows]);
    let console = Console::new(&orchestrator, move |_| std::future::ready(access.clone())).production();
    let site = Site::of(console);
    let (path, id) = (format!("operation?id={operation}"), operation.to_string());
    let page = site.page(&path).await;
    assert!(page.contains("name=\"environment\"") && page.contains("<bdi>staging</bdi>"), "{page}");
    let token = site.token(&path).await;
    let fields =
        |environment| [("token", &*token), ("id", &*id), ("number", "1"), ("environment", environment)];
    for wrong in ["", "production"] {
        let answer = site.post("act/run-resubmit", &fields(wrong)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    let done = site.post("act/run-resubmit", &fields("staging ")).await;
    assert_eq!(site.json(done.target()).await["state"], "completed");
}

#[test]
async fn production_without_a_name_asks_for_the_word() {
    let builder = Orchestrator::builder().in_memory().flows(graceful::backends::memory::Flows::new());
    let orchestrator = builder.relay(graceful::RelaySettings::off()).build().unwrap();
    dead(&orchestrator, 1..3).await;
    let operation = prepared(&orchestrator, Action::Resubmit, all()).await;
    let access = Access::act("ada", [Permission::Flows]);
    let site =
        Site::of(Console::new(&orchestrator, move |_| std::future::ready(access.clone())).production());
    let (path, id) = (format!("operation?id={operation}"), operation.to_string());
    let token = site.token(&path).await;
    let fields = [("token", &*token), ("id", &id), ("number", "2"), ("environment", "production")];
    assert_eq!(site.post("act/run-resubmit", &fields[..3]).await.status, StatusCode::BAD_REQUEST);
    let pause = [("token", &*token), ("kind", "relays"), ("reason", "a test")];
    let pausing = Console::new(&orchestrator, async |_| Access::act("ada", Permission::ALL)).production();
    assert_eq!(Site::of(pausing).post("act/pause", &pause).await.status, StatusCode::BAD_REQUEST);
    let done = site.post("act/run-resubmit", &fields).await;
    assert_eq!(site.json(done.target()).await["state"], "completed");
}

#[test]
async fn older_flows_are_warned_of() {
    let orchestrator = orchestrator();
    dead(&orchestrator, 1..3).await;
    queue(&orchestrator, 9, "orders::parcel:1", SHIP).await;
    let claims =
        store(&orchestrator).claim(graceful::backends::Room::of(1), std::time::Duration::from_secs(9));
    let claim = claims.await.unwrap().remove(0);
    let completed = graceful::backends::AttemptOutcome::Completed;
    assert!(store(&orchestrator).record_outcome(claim.claim_id(), completed).await.unwrap());
    let operation = prepared(&orchestrator, Action::Resubmit, all()).await;
    let site = Site::new(&orchestrator, Access::read("ada"));
    let page = site.page(&format!("operation?id={operation}")).await;
    assert!(page.contains("1 of them are older than a completed flow"), "{page}");
    assert_eq!(site.json(&format!("operation?id={operation}")).await["older"], 1);
}

#[test]
async fn prepared_operation_is_cancelled() {
    let orchestrator = orchestrator();
    dead(&orchestrator, 1..3).await;
    let operation = prepared(&orchestrator, Action::Resubmit, all()).await;
    let id = operation.to_string();
    let site = Site::new(&orchestrator, Access::act("bob", [Permission::Flows]));
    let token = site.token("flows").await;
    let without = Site::new(&orchestrator, Access::act("bob", [Permission::Discard]));
    let fields = [("token", &*token), ("id", &id)];
    assert_eq!(without.post("act/cancel-resubmit", &fields).await.status, StatusCode::FORBIDDEN);
    let page = site.page(site.post("act/cancel-resubmit", &fields).await.target()).await;
    assert!(page.contains("(cancelled by bob)") && page.contains("<dt>cancelled by</dt>"), "{page}");
    assert_eq!(state(&orchestrator, operation).await, OperationState::Cancelled);
}

#[test]
async fn skipped_flows_are_shown_in_pages() {
    let orchestrator = orchestrator();
    dead(&orchestrator, 1..61).await;
    let operation = prepared(&orchestrator, Action::Resubmit, all()).await;
    for number in 1..59 {
        assert_eq!(store(&orchestrator).resubmit(id(number)).await.unwrap(), ActionResult::Done);
    }
    operations::start(&orchestrator, operation).await.unwrap();
    operations::run(&orchestrator, operation, |_| ()).await.unwrap();
    let site = Site::new(&orchestrator, Access::read("ada"));
    let path = format!("operation?id={operation}");
    let page = site.page(&path).await;
    for text in ["58 skipped", "skipped (58)", "Flows: skipped", &format!("flow?id={}", id(50))] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let next = format!("{path}&items=skipped&after={}", id(50));
    assert!(page.contains(&format!("rel=\"next\" href=\"{}\"", next.replace('&', "&amp;"))), "{page}");
    let second = site.json(&next).await;
    assert_eq!(second["items"]["skipped"]["items"].as_array().unwrap().len(), 8, "{second}");
    assert!(second["items"]["skipped"]["items"][0]["reason"].is_string(), "{second}");
    let waiting = site.json(&format!("{path}&items=waiting")).await;
    assert_eq!(waiting["items"]["waiting"]["items"].as_array().unwrap().len(), 2, "{waiting}");
    for wrong in ["&items=x", "&after=x", &format!("&after={}", id(1)), "&items=left&items=done", "&x=1"] {
        assert_eq!(site.get(&format!("{path}{wrong}")).await.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    for wrong in ["operation", "operation?id=x", "operation?id=.."] {
        assert_eq!(site.get(wrong).await.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    assert_eq!(site.get(&format!("operation?id={}", id(1))).await.status, StatusCode::NOT_FOUND);
}

#[test]
async fn operator_of_some_tenants_sees_no_operation_of_others() {
    let orchestrator = orchestrator();
    queue(&orchestrator, 1, "orders:acme:parcel:1", SHIP).await;
    queue(&orchestrator, 2, "orders:evil:parcel:<2>", SHIP).await;
    kill(&orchestrator, "no parcel service").await;
    let operation = prepared(&orchestrator, Action::Resubmit, all()).await;
    let path = format!("operation?id={operation}");
    let site = Site::new(&orchestrator, Access::act("eve", Permission::ALL).tenants(["evil"]));
    assert_eq!(site.get(&path).await.status, StatusCode::NOT_FOUND);
    let token = site.token("flows").await;
    let fields = [("token", &*token), ("id", &operation.to_string()), ("number", "2")];
    for action in ["act/run-resubmit", "act/cancel-resubmit"] {
        let fields = if action.contains("run") { &fields[..] } else { &fields[..2] };
        assert_eq!(site.post(action, fields).await.status, StatusCode::NOT_FOUND, "{action}");
    }
    // Somebody whose access was reduced since.
    let site = Site::new(&orchestrator, Access::act("ada", Permission::ALL).tenants(["evil"]));
    assert_eq!(site.get(&path).await.status, StatusCode::NOT_FOUND);
    let token = site.token("flows").await;
    let fields = [("token", &*token), ("id", &operation.to_string()), ("number", "2")];
    assert_eq!(site.post("act/run-resubmit", &fields).await.status, StatusCode::NOT_FOUND);
    let own = prepared(&orchestrator, Action::Resubmit, Selection::Ids(vec![id(2)])).await;
    assert!(site.page(&format!("operation?id={own}")).await.contains("&lt;2&gt;"));
}

#[test]
async fn only_its_operator_runs_an_operation_and_once() {
    let orchestrator = orchestrator();
    dead(&orchestrator, 1..3).await;
    let operation = prepared(&orchestrator, Action::Resubmit, all()).await;
    let id = operation.to_string();
    let run = async |access: Access| {
        let site = Site::new(&orchestrator, access);
        let token = site.token("flows").await;
        site.post("act/run-resubmit", &[("token", &token), ("id", &id), ("number", "2")]).await.status
    };
    let ada = Access::act("ada", [Permission::Flows]);
    assert_eq!(run(Access::act("bob", [Permission::Flows])).await, StatusCode::FORBIDDEN);
    assert_eq!(run(ada.clone().unverified()).await, StatusCode::FORBIDDEN);
    assert_eq!(state(&orchestrator, operation).await, OperationState::Prepared);
    assert_eq!(run(ada.clone()).await, StatusCode::SEE_OTHER);
    assert_eq!(run(ada).await, StatusCode::CONFLICT);
}

#[test(start_paused = true)]
async fn operation_of_a_store_that_fails_is_unavailable() {
    let site = Site::new(&Silent::Fails.orchestrator(), Access::act("ada", Permission::ALL));
    let answer = site.get(&format!("operation?id={}", id(1))).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.body.contains("the disk is gone"), "{}", answer.body);
}
