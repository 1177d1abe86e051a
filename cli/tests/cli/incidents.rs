//! Pages of open alerts and review jobs, with the summary of a storm.

use graceful::{Code, Failure, OrchestrationConfig, Orchestrator, backends::STORM_LIMIT};
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
