//! The page of the settings.

use graceful::{
    Code, OrchestrationConfig, Orchestrator, Success,
    backends::{RelayInfo, memory},
};
use graceful_console::access::{Access, Permission};
use http::StatusCode;

use crate::{
    silent::Silent,
    site::Site,
    stored::{SHIP, id, orchestrator, store},
};

#[test]
async fn settings_name_backends_relays_patterns_and_permissions() {
    let orchestrator = orchestrator();
    let mut relay = RelayInfo::new(id(1), "orders", vec![SHIP.to_owned()]);
    "<host>".clone_into(&mut relay.host);
    store(&orchestrator).announce(relay).await.unwrap();
    let config = OrchestrationConfig::new("parcel").id("42").on(&orchestrator);
    Success::wrap(Code::Ok, "parcel sent", &"x").orchestrate(&config).await;

    let site = Site::new(&orchestrator, Access::act("ada", [Permission::Jobs]));
    let shown = site.json("settings").await;
    assert_eq!(shown["permissions"], serde_json::json!(["jobs"]));
    assert_eq!((&shown["backends"]["audit"], &shown["backends"]["durable"]), (&true.into(), &true.into()));
    assert_eq!((&shown["read_only"], &shown["health"]["status"]), (&false.into(), &"ready".into()));
    assert_eq!(shown["patterns"][0]["pattern"], "parcel", "{shown}");
    let page = site.page("settings").await;
    for text in [
        "<bdi>staging</bdi>",
        env!("CARGO_PKG_VERSION"),
        "&lt;host&gt;",
        SHIP,
        "href=\"flows?pattern=parcel\"",
        "You are <bdi>ada</bdi>",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
}

#[test]
async fn settings_concern_all_tenants() {
    let site = Site::new(&orchestrator(), Access::act("eve", Permission::ALL).tenants(["evil"]));
    for path in ["settings", "api/v1/settings"] {
        assert_eq!(site.get(path).await.status, StatusCode::FORBIDDEN);
    }
}

#[test]
async fn service_without_a_store_has_settings() {
    let orchestrator = Orchestrator::builder().cache(memory::Cache::new()).build().unwrap();
    let site = Site::new(&orchestrator, Access::read("ada"));
    let shown = site.json("settings").await;
    assert_eq!((&shown["backends"]["cache"], &shown["backends"]["durable"]), (&true.into(), &false.into()));
    assert!(!site.page("settings").await.contains("expires after"));
    for path in ["groups", "operations", "api/v1/groups", "api/v1/operations"] {
        assert_eq!(site.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[test(start_paused = true)]
async fn settings_are_shown_without_an_answer_of_the_store() {
    for silent in [Silent::Fails, Silent::Hangs] {
        let site = Site::new(&silent.orchestrator(), Access::act("ada", Permission::ALL));
        let shown = site.json("settings").await;
        assert!(shown["read_only"].is_null() && shown["relays"].is_null(), "{shown}");
        assert_eq!(shown["health"]["status"], "unavailable");
        assert!(site.page("settings").await.contains("<dd>–</dd>"));
    }
}

#[test]
async fn service_without_durable_flows_has_no_pages_of_them() {
    let orchestrator = graceful::Orchestrator::in_memory();
    let site = Site::new(&orchestrator, Access::act("ada", Permission::ALL));
    for path in ["", "handlers", "jobs", "alerts", "audit", "entity", "graph", "settings"] {
        let page = site.page(path).await;
        for of_flows in ["\"flows\"", "\"groups\"", "\"operations\"", "\"flows?state="] {
            assert!(!page.contains(&format!("href={of_flows}")), "{path}, {of_flows}: {page}");
        }
    }
    let answer = site.get("flows").await.is(404);
    assert!(answer.body.contains("give its orchestrator a store of flows"), "{}", answer.body);
}
