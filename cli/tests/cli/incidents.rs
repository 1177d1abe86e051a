//! Pages of open alerts and review jobs, with the summary of a storm.

use graceful::{Code, Context, Failure, OrchestrationConfig, Orchestrator, backends::STORM_LIMIT};
use serde_json::Value;

use crate::{
    service::{json, run},
    stores::Sqlite,
};

fn ids(page: &Value, list: &str) -> Vec<(String, bool)> {
    let item =
        |item: &Value| (item["entity"].as_str().unwrap().to_owned(), item["summary"].as_bool().unwrap());
    page[list].as_array().unwrap().iter().map(item).collect()
}

#[test(flavor = "multi_thread")]
async fn pages_of_jobs_and_alerts_end_with_the_summary_of_a_storm() {
    let sqlite = Sqlite::new();
    let store = graceful_sqlite::Store::open(sqlite.url()).await.unwrap();
    let orchestrator =
        Orchestrator::builder().service("orders").alerts(store.clone()).scheduler(store).build().unwrap();
    for id in 0..STORM_LIMIT + 3 {
        let config = OrchestrationConfig::new("order").handler("pay").id(id).on(&orchestrator);
        Failure::wrap(Code::Internal, "disk full", "cause").orchestrate(&config).await;
    }
    let url = sqlite.url();
    for list in ["jobs", "alerts"] {
        let whole = ids(&json(&url, &[list]), list);
        assert_eq!(whole.len(), STORM_LIMIT + 1);
        assert_eq!(whole.last(), Some(&("orders::order:INTERNAL:storm".to_owned(), true)));
        assert!(whole[..STORM_LIMIT].iter().all(|(_, is_summary)| !is_summary), "{whole:?}");
        let first = json(&url, &[list, "--limit", "18"]);
        let second = json(&url, &[list, "--limit", "18", "--after", first["next"].as_str().unwrap()]);
        assert_eq!([ids(&first, list), ids(&second, list)].concat(), whole);
        assert_eq!(second["next"], Value::Null);

        let table = run(&url, &[list, "--limit", "1"]);
        assert_eq!((table.code, table.stdout.lines().count()), (0, 2), "{table:?}");
        assert!(table.stderr.contains("the next page: --after "), "{table:?}");
        let refused = run(&url, &[list, "--after", "tomorrow"]);
        assert_eq!((refused.code, &*refused.stdout), (2, ""), "{refused:?}");
    }
    let refused = run(&url, &["alerts", "--resolved", "--after", "1.a"]);
    assert_eq!(refused.code, 2, "{refused:?}");
}

#[test(flavor = "multi_thread")]
async fn jobs_and_alerts_and_audit_records_are_selected_by_tenant_and_entity() {
    let sqlite = Sqlite::new();
    let store = graceful_sqlite::Store::open(sqlite.url()).await.unwrap();
    let builder = Orchestrator::builder().service("orders").alerts(store.clone()).audit(store.clone());
    let orchestrator = builder.scheduler(store).build().unwrap();
    for (tenant, id) in [("acme", 1), ("acme", 2), ("ac", 1), ("", 1)] {
        let config = OrchestrationConfig::new("order").handler("pay").id(id).on(&orchestrator);
        let failed = async { Failure::wrap(Code::Internal, "disk full", "cause").orchestrate(&config).await };
        Context::new().tenant(tenant).scope(failed).await;
    }
    let url = sqlite.url();
    for (words, expected) in [
        (vec!["tenant=acme"], vec!["orders:acme:order:1", "orders:acme:order:2"]),
        (vec!["tenant=acme", "entity=orders:acme:order:2"], vec!["orders:acme:order:2"]),
        (vec!["tenant="], vec!["orders::order:1"]),
        (vec!["entity=orders:ac:order:1"], vec!["orders:ac:order:1"]),
    ] {
        for (subcommand, list) in
            [(&["jobs"][..], "jobs"), (&["alerts"], "alerts"), (&["audit", "list"], "records")]
        {
            let found = json(&url, &[subcommand, &words].concat());
            let found = found[list].as_array().unwrap().iter();
            let mut found: Vec<_> = found.map(|item| item["entity"].as_str().unwrap()).collect();
            found.sort_unstable();
            assert_eq!(found, expected, "{subcommand:?} {words:?}");
        }
    }
    for wrong in [&["jobs", "tenat=acme"][..], &["alerts", "acme"], &["alerts", "--resolved", "tenant=acme"]]
    {
        let refused = run(&url, wrong);
        assert_eq!((refused.code, &*refused.stdout), (2, ""), "{refused:?}");
    }
}
