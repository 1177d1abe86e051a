//! The page of the failures.

use graceful::backends::{FlowFilter, FlowState};
use graceful_console::access::{Access, Permission};
use http::StatusCode;

use crate::{
    silent::Silent,
    site::Site,
    stored::{SHIP, dead, id, kill, orchestrator, queue, store},
};

#[test]
async fn groups_of_failures_lead_to_their_flows() {
    let orchestrator = orchestrator();
    dead(&orchestrator, 1..4).await;
    queue(&orchestrator, 4, "orders::parcel:4", "orders::pay").await;
    kill(&orchestrator, "<script>alert('\u{202e}')</script> & \"quotes\"").await;
    let site = Site::new(&orchestrator, Access::read("ada"));

    let shown = site.json("groups").await;
    let groups = shown["groups"].as_array().unwrap();
    assert_eq!((groups.len(), &shown["more"]), (2, &false.into()), "{shown}");
    assert_eq!((&groups[0]["handler"], &groups[0]["dead"]["number"]), (&SHIP.into(), &3.into()));
    let group = groups[0]["group"].as_str().unwrap();
    let page = site.page("groups").await;
    for text in [
        &format!("href=\"flows?state=dead&amp;group={group}\""),
        &format!("<span data-live=\"dead-{group}\">3</span>"),
        &format!("<a class=\"id\" href=\"flow?id={}\">", id(4)),
        "&lt;script&gt;alert('\\u{202e}')&lt;/script&gt; &amp; &quot;quotes&quot;",
        "UNAVAILABLE",
        ">event<",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("<script>alert") && !page.contains("method=\"post\""), "{page}");

    let of_pay = site.json("groups?handler=orders::pay").await;
    assert_eq!(of_pay["groups"].as_array().unwrap().len(), 1);
    assert_eq!(site.get("groups?hadler=x").await.status, StatusCode::BAD_REQUEST);
    let flows = site.json(&format!("flows?state=dead&group={group}")).await;
    assert_eq!(flows["flows"].as_array().unwrap().len(), 3);
}

#[test]
async fn group_is_resubmitted_as_a_whole() {
    let orchestrator = orchestrator();
    dead(&orchestrator, 1..4).await;
    queue(&orchestrator, 4, "orders::parcel:4", "orders::pay").await;
    kill(&orchestrator, "no bank").await;
    let site = Site::new(&orchestrator, Access::act("ada", [Permission::Flows]));
    let page = site.page("groups").await;
    assert!(page.contains("action=\"act/resubmit\"") && !page.contains("action=\"act/discard\""), "{page}");

    let group = site.json("groups").await["groups"][0]["group"].as_str().unwrap().to_owned();
    let token = site.token("groups").await;
    let fields = [("token", &*token), ("state", "dead"), ("group", &group)];
    let prepared = site.post("act/resubmit", &fields).await;
    let shown = site.json(prepared.target()).await;
    assert_eq!((&shown["selected"], &shown["state"]), (&3.into(), &"prepared".into()), "{shown}");
    assert_eq!(site.post("act/discard", &fields).await.status, StatusCode::FORBIDDEN);

    let operation = shown["operation"].as_str().unwrap();
    let run = site.post("act/run-resubmit", &[("token", &token), ("id", operation), ("number", "3")]).await;
    assert_eq!(site.json(run.target()).await["state"], "completed");
    let queued = store(&orchestrator).count(FlowFilter::from(FlowState::Queued), 10).await.unwrap();
    assert_eq!(queued.number, 3);
}

#[test]
async fn groups_of_other_tenants_are_hidden() {
    let orchestrator = orchestrator();
    queue(&orchestrator, 1, "orders:acme:parcel:1", SHIP).await;
    kill(&orchestrator, "acme's secret").await;
    queue(&orchestrator, 2, "orders:evil:parcel:2", SHIP).await;
    kill(&orchestrator, "evil's secret").await;
    let site = Site::new(&orchestrator, Access::act("eve", Permission::ALL).tenants(["evil"]));
    let page = site.page("groups").await;
    assert!(page.contains("evil's secret") && !page.contains("acme"), "{page}");
    assert!(page.contains("<input type=\"hidden\" name=\"tenant\" value=\"evil\">"), "{page}");
    assert_eq!(site.json("groups").await["groups"].as_array().unwrap().len(), 1);
    assert_eq!(site.get("groups?tenant=acme").await.status, StatusCode::FORBIDDEN);
}

#[test(start_paused = true)]
async fn page_of_failures_is_shown_without_an_answer_of_the_store() {
    for silent in [Silent::Fails, Silent::Hangs] {
        let site = Site::new(&silent.orchestrator(), Access::act("ada", Permission::ALL));
        assert!(site.page("groups").await.contains("– The store does not answer."));
        assert_eq!(site.json("groups").await["groups"], serde_json::Value::Null);
    }
}
