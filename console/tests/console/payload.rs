//! Revealing the payload of a flow.

use graceful::{Context, Orchestrator, RelaySettings, StepError, backends::memory, orchestrate};
use graceful_console::access::{Access, Permission};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    site::Site,
    users::{ada, builder, recorded, without},
};

#[orchestrate(pattern = "secret", id = 7, event = off, delivery = "durable")]
async fn store_secret(payload: Value) -> Result<Value, StepError> {
    Ok(payload)
}

/// The id of a flow of the tenant `acme` with this payload.
async fn stored(orchestrator: &Orchestrator, payload: Value) -> String {
    let handler = Context::new().tenant("acme").scope(store_secret(payload));
    orchestrator.scope(handler).await.unwrap();
    let flows = Site::new(orchestrator, Access::read("ada")).json("flows").await;
    flows["flows"][0]["id"].as_str().unwrap().to_owned()
}

#[test]
async fn payload_is_revealed_and_recorded() {
    let orchestrator = builder().build().unwrap();
    let id = stored(&orchestrator, json!({ "text": "</pre><script>\u{202e}", "lines": [1, 2] })).await;
    let site = Site::new(&orchestrator, ada().tenants(["acme"]));
    let token = site.token(&format!("flow?id={id}")).await;
    assert!(!site.page(&format!("flow?id={id}")).await.contains("lines"), "it is hidden");
    let shown = site.post("act/reveal", &[("token", &token), ("id", &id)]).await;
    assert_eq!(
        (shown.status, &shown.headers["cache-control"]),
        (StatusCode::OK, &"no-store".parse().unwrap())
    );
    assert!(shown.body.contains("&lt;/pre&gt;&lt;script&gt;"), "{}", shown.body);
    assert!(shown.body.contains("  &quot;lines&quot;: [\n    1,"), "{}", shown.body);
    assert!(!shown.body.contains('\u{202e}') && !shown.body.contains("<script>\\"), "{}", shown.body);
    let records = recorded(&orchestrator).await;
    assert_eq!((&*records[0].0, &*records[0].1), ("reveal_payload", "ada"));
    assert!(records[0].3.contains(&id) && records[0].3.contains("users:acme:secret:7"), "{records:?}");
}

#[test]
async fn long_payload_is_cut() {
    let orchestrator = builder().build().unwrap();
    let id = stored(&orchestrator, "é".repeat(100_000).into()).await;
    let site = Site::new(&orchestrator, ada());
    let token = site.token("audit").await;
    let shown = site.post("act/reveal", &[("token", &token), ("id", &id)]).await;
    assert!(
        shown.body.contains("Only the first 64 KiB") && shown.body.len() < 80_000,
        "{}",
        shown.body.len()
    );
}

#[test]
async fn payload_is_not_revealed_without_permission_record_or_tenant() {
    let orchestrator = builder().build().unwrap();
    let id = stored(&orchestrator, "hidden".into()).await;
    let token = Site::new(&orchestrator, ada()).token("audit").await;
    let refused = [
        (Access::read("ada"), StatusCode::FORBIDDEN),
        (without(Permission::Reveal), StatusCode::FORBIDDEN),
        (ada().tenants(["other"]), StatusCode::NOT_FOUND),
    ];
    for (access, status) in refused {
        let answer =
            Site::new(&orchestrator, access).post("act/reveal", &[("token", &token), ("id", &id)]).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert!(!answer.body.contains("hidden"));
    }

    // Without an audit log, nobody would know.
    let builder = Orchestrator::builder().service("users").flows(memory::Flows::new());
    let orchestrator = builder.relay(RelaySettings::off()).build().unwrap();
    let id = stored(&orchestrator, "hidden".into()).await;
    let site = Site::new(&orchestrator, ada());
    let token = site.token(&format!("flow?id={id}")).await;
    let answer = site.post("act/reveal", &[("token", &token), ("id", &id)]).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        answer.body.contains("there is no audit log") && !answer.body.contains("hidden"),
        "{}",
        answer.body
    );
}
