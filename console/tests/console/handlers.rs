//! The page of the handlers, and the charts of the overview.

use graceful::{Code, Orchestrator, RelaySettings, StepError, backends::memory, orchestrate};
use graceful_console::{
    Console,
    access::{Access, Permission},
    measurements::Measurements,
};
use http::StatusCode;

use crate::site::Site;

#[orchestrate(pattern = "parcel", id = id, cache = id, audit(required))]
async fn weigh_parcel(id: u64) -> Result<u64, StepError> {
    if id == 0 { Err(StepError::new("<b>no</b> parcel")) } else { Ok(id) }
}

#[orchestrate(pattern = "parcel", delivery = "durable", name = "orders::send_parcel")]
async fn send_parcel() -> Result<(), Code> {
    Ok(())
}

/// A service that has called its handlers.
async fn measured() -> (Orchestrator, Measurements) {
    let measurements = Measurements::default();
    let observed = measurements.clone();
    let builder = Orchestrator::builder().service("orders").in_memory().flows(memory::Flows::new());
    let builder = builder.relay(RelaySettings::off()).on_report(move |report| observed.observe(report));
    let orchestrator = builder.build().unwrap();
    let calls = async {
        weigh_parcel(1).await.unwrap();
        weigh_parcel(2).await.unwrap();
        weigh_parcel(0).await.unwrap_err();
        send_parcel().await.unwrap();
    };
    orchestrator.scope(calls).await;
    (orchestrator, measurements)
}

fn site(orchestrator: &Orchestrator, measurements: &Measurements, access: Access) -> Site {
    let console = Console::new(orchestrator, move |_| std::future::ready(access.clone()));
    Site::of(console.measurements(measurements))
}

fn found(shown: &serde_json::Value, name: &str) -> serde_json::Value {
    let handlers = shown["handlers"].as_array().unwrap();
    handlers.iter().find(|handler| handler["name"] == name).unwrap().clone()
}

#[test]
async fn handlers_are_shown_with_both_arms_side_by_side() {
    let (orchestrator, measurements) = measured().await;
    let site = site(&orchestrator, &measurements, Access::act("ada", Permission::ALL));
    let weigh = found(&site.json("handlers").await, "weigh_parcel");
    assert_eq!((&weigh["durable"], &weigh["required"]), (&false.into(), &serde_json::json!(["audit"])));
    assert_eq!(
        (&weigh["measured"][0]["ok"]["flows"], &weigh["measured"][0]["err"]["flows"]),
        (&2.into(), &1.into())
    );
    let identity = weigh["identity"].as_str().unwrap();
    let page = site.page("handlers").await;
    for text in [
        &*format!("href=\"handlers?handler={}\"", identity.replace("::", "%3A%3A")),
        &format!("{}</bdi>:{}", weigh["file"].as_str().unwrap(), weigh["line"]),
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let page = site.page(&format!("handlers?handler={identity}")).await;
    for text in
        ["<strong>audit</strong> required", "<strong>cache</strong> declared", "data-column=\"err: p95\""]
    {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("act/pause"), "only a durable handler can be paused: {page}");
    assert_eq!(site.get("handlers?handler=%3Cscript%3E").await.status, StatusCode::NOT_FOUND);
}

#[test]
async fn durable_handler_is_paused_by_its_page() {
    let (orchestrator, measurements) = measured().await;
    let site = site(&orchestrator, &measurements, Access::act("ada", [Permission::Pause]));
    let path = "handlers?handler=orders::send_parcel";
    let page = site.page(path).await;
    for text in ["href=\"flows?handler=orders%3A%3Asend_parcel\"", "href=\"groups?handler=", "act/pause"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let token = site.token(path).await;
    let fields =
        [("token", &*token), ("kind", "handler"), ("name", "orders::send_parcel"), ("reason", "carrier")];
    assert_eq!(site.post("act/pause", &fields).await.status, StatusCode::SEE_OTHER);
    let page = site.page(path).await;
    assert!(page.contains("act/resume") && !page.contains("act/pause"), "{page}");
}

#[test]
async fn overview_has_charts_without_styles() {
    let (orchestrator, measurements) = measured().await;
    let reading = site(&orchestrator, &measurements, Access::read("ada"));
    let page = reading.page("").await;
    for text in [
        "<svg class=\"chart ok\" role=\"img\"",
        "<title>Success flows in the last 10 minutes: 2",
        "<details>",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("style=") && page.len() < 60_000, "{}: {page}", page.len());
    assert_eq!(reading.json("overview").await["throughput"]["ok"].as_array().unwrap().len(), 60);
}

#[test]
async fn measurements_are_hidden_from_operators_of_some_tenants() {
    let (orchestrator, measurements) = measured().await;
    let site = site(&orchestrator, &measurements, Access::act("eve", Permission::ALL).tenants(["evil"]));
    assert!(!site.page("").await.contains("<svg"));
    assert!(site.json("overview").await["throughput"].is_null());
    assert_eq!(found(&site.json("handlers").await, "weigh_parcel")["measured"], serde_json::json!([]));
    let page = site.page("handlers?handler=orders::send_parcel").await;
    assert!(!page.contains("act/pause") && page.contains("Measurements concern all tenants"), "{page}");
}
