//! The page of audit records, and the verification of their chain.

use graceful::{Orchestrator, RelaySettings};
use graceful_console::access::{Access, Permission};
use http::StatusCode;

use crate::{
    site::Site,
    users::{ada, orchestrator, recorded, update, without},
};

/// A service whose audit log has a chain.
async fn chained(folder: &tempfile::TempDir) -> Orchestrator {
    let url = format!("sqlite:{}?mode=rwc", folder.path().join("audit.db").display());
    let store = graceful_sqlite::Store::open(&url).await.unwrap();
    let builder = Orchestrator::builder().service("users").audit(store.clone()).flows(store);
    builder.relay(RelaySettings::off()).build().unwrap()
}

#[test(flavor = "multi_thread")]
async fn records_are_shown_with_their_checks() {
    let folder = tempfile::tempdir().unwrap();
    let orchestrator = chained(&folder).await;
    for id in ["1", "2"] {
        update(&orchestrator, "", id, None).await;
    }
    let site = Site::new(&orchestrator, ada());
    let shown = site.json("audit").await;
    assert_eq!(shown["records"][0]["check"], "intact", "{shown}");
    assert!(site.page("audit?entity=users::user:1").await.contains("intact"));
    assert_eq!(site.json("audit?actor=nobody").await["records"].as_array().unwrap().len(), 0);
    assert_eq!(site.get("audit?acter=x").await.status, StatusCode::BAD_REQUEST);

    let token = site.token("audit").await;
    let head = site.post("act/verify-chain", &[("token", &token), ("known", "")]).await;
    assert_eq!(head.status, StatusCode::OK, "{}", head.body);
    assert!(head.body.contains("The audit chain is intact"), "{}", head.body);
    assert_eq!(head.headers["cache-control"], "no-store");
    let wrong = site.post("act/verify-chain", &[("token", &token), ("known", "7:beef")]).await;
    assert_eq!(wrong.status, StatusCode::CONFLICT, "{}", wrong.body);
    let records = recorded(&orchestrator).await;
    assert_eq!((&*records[1].0, &*records[1].1, &*records[1].2), ("verify_chain", "ada", "OK"));
    assert_eq!((&*records[0].0, &*records[0].2), ("verify_chain", "ABORTED"));
}

#[test]
async fn pages_of_records_follow_each_other() {
    let orchestrator = orchestrator();
    for id in 0..60 {
        update(&orchestrator, "", &id.to_string(), None).await;
    }
    let site = Site::new(&orchestrator, Access::read("ada"));
    let first = site.json("audit").await;
    assert_eq!(first["records"].as_array().unwrap().len(), 50);
    let next = first["next"].as_str().unwrap();
    assert!(site.page("audit").await.contains(&format!("audit?after={next}")));
    let last = site.json(&format!("audit?after={next}")).await;
    assert_eq!((last["records"].as_array().unwrap().len(), &last["next"]), (10, &serde_json::Value::Null));
}

#[test]
async fn verification_needs_its_permission_and_all_tenants() {
    let orchestrator = orchestrator();
    let token = Site::new(&orchestrator, ada()).token("audit").await;
    for access in [Access::read("ada"), without(Permission::Verify), ada().tenants(["acme"])] {
        let site = Site::new(&orchestrator, access);
        assert!(!site.page("audit").await.contains("act/verify-chain"));
        assert_eq!(site.post("act/verify-chain", &[("token", &token)]).await.status, StatusCode::FORBIDDEN);
    }
}
