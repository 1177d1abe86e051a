//! The dashboard of Grafana.

use serde_json::Value;

use crate::{exporters::JOBS, prometheus::Prometheus};

pub const DASHBOARD: &str = include_str!("../../../../docs/monitoring/dashboard.json");

/// The panels with queries.
fn panels() -> Vec<Value> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    panels.filter(|panel| panel["type"] != "row").cloned().collect()
}

pub fn queries() -> Vec<String> {
    let targets = panels().into_iter().flat_map(|panel| panel["targets"].as_array().unwrap().clone());
    targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect()
}

/// As Grafana asks them, for each job alone.
pub async fn each_query_returns_a_sample(prometheus: &Prometheus) {
    let queries = queries();
    assert!(queries.len() > 10);
    for query in queries {
        for job in JOBS {
            let asked =
                query.replace("$__rate_interval", "1m").replace("$job", job).replace("$handler", ".*");
            assert!(!asked.contains('$'), "a variable that the dashboard does not declare: {asked}");
            prometheus.until_sampled(&asked).await;
        }
    }
}

/// A dashboard that names a data source of its author's shows nothing anywhere else.
#[test]
fn dashboard_takes_its_data_source_from_a_variable() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    assert_eq!((&variables[0]["name"], &variables[0]["type"]), (&"datasource".into(), &"datasource".into()));
    let source = serde_json::json!({"type": "prometheus", "uid": "${datasource}"});
    for variable in &variables[1..] {
        assert_eq!(variable["datasource"], source, "{}", variable["name"]);
    }
    for panel in panels() {
        assert_eq!(panel["datasource"], source, "{}", panel["title"]);
        for target in panel["targets"].as_array().unwrap() {
            assert_eq!(target["datasource"], source, "{}", panel["title"]);
        }
    }
}
