//! The alert rules.

use std::collections::BTreeSet;

use graceful::Code;

use crate::prometheus::Prometheus;

const RULES: &str = include_str!("../../../../docs/monitoring/alerts.yaml");

/// The rules, so that an alert fires as soon as its condition holds.
pub fn without_delay() -> String {
    let lines = RULES.lines().map(|line| match line.trim_start().starts_with("for: ") {
        true => "        for: 0s",
        false => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A rule about a metric that does not exist would never fire, and nothing would say so.
pub async fn each_metric_exists(prometheus: &Prometheus) {
    let rules = prometheus.rules().await;
    let metrics: BTreeSet<&str> = rules.iter().flat_map(|rule| metrics_in(&rule.query)).collect();
    assert!(metrics.len() > 4, "{metrics:?}");
    for metric in metrics {
        prometheus.until_sampled(&format!("count by (job) ({metric})")).await;
    }
}

/// The names in a query that are metrics of `graceful`.
fn metrics_in(query: &str) -> impl Iterator<Item = &str> {
    let words = query.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with("graceful_"))
}

/// `sum` would count what all processes see of one store once for each process; and while the store is down a gauge may show what was before.
#[test]
fn gauges_of_the_store_are_combined_by_max_and_only_while_it_is_up() {
    let lines = RULES.lines().filter_map(|line| Some(line.trim().strip_prefix("expr: ")?.to_owned()));
    for query in lines.chain(crate::dashboard::queries()) {
        for gauge in crate::OF_THE_STORE {
            let is_safe =
                query.starts_with("max") && query.contains("and on (job, instance) graceful_store_up == 1)");
            assert!(!query.contains(gauge) || is_safe, "{query}");
        }
    }
}

#[test]
fn rules_and_dashboard_name_the_codes_of_server_faults() {
    let faults = Code::ALL.into_iter().filter(|code| code.is_server_fault());
    let faults = faults.map(Code::as_str).collect::<BTreeSet<_>>();
    for (place, text) in [("rules", RULES), ("dashboard", crate::dashboard::DASHBOARD)] {
        let codes = text.split("code=~").nth(1).unwrap_or_else(|| panic!("no code in the {place}"));
        let codes = codes.trim_start_matches(['\\', '"']).split(['\\', '"']).next().unwrap();
        assert_eq!(codes.split('|').collect::<BTreeSet<_>>(), faults, "{place}");
    }
}
