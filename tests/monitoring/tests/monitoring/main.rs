//! The alert rules and the dashboard of `docs/monitoring`, against a Prometheus.
//!
//! One service exports its metrics in three ways; each is a job of Prometheus. Every query must return a sample for each job, and every rule must
//! fire for each job.
#![allow(missing_docs, reason = "tests")]

#[macro_use(test)]
extern crate graceful_tests;

mod dashboard;
mod exporters;
mod prometheus;
mod rules;
mod service;

use std::process::ExitCode;

use self::{exporters::JOBS, prometheus::Prometheus, service::Service};

fn main() -> ExitCode {
    graceful_tests::harness::main()
}

/// It takes the values of other gauges away.
const STORE_DOWN: &str = "GracefulStoreDown";

/// It ends a minute after the last flow of an unknown handler.
const UNKNOWN_HANDLERS: &str = "GracefulUnknownHandlers";

const OF_THE_STORE: [&str; 7] = [
    "graceful_flows_queued",
    "graceful_flows_running",
    "graceful_flows_dead",
    "graceful_oldest_due_seconds",
    "graceful_pauses",
    "graceful_subscriber_parked_events",
    "graceful_subscriber_lag_events",
];

/// One test, because a process has one installed orchestrator, and what the first dead letter of its life does can be seen only once.
#[test(requires("prometheus", "redis-server", Postgres), flavor = "multi_thread")]
async fn every_rule_fires_and_every_query_of_the_dashboard_returns_a_sample() {
    let mut service = Service::start().await;
    let prometheus = Prometheus::of(&service, &rules::without_delay());
    prometheus.until_sampled("count(up == 1) == 3").await;

    let dead = r#"graceful_dead_letters_total{handler="pay"}"#;
    for job in JOBS {
        prometheus
            .until_sampled(&format!(r#"graceful_dead_letters_total{{handler="pay", job="{job}"}} == 0"#))
            .await;
    }
    assert_eq!(prometheus.firing().await, [], "nothing has happened");

    service.lose_one_flow().await;
    for job in JOBS {
        prometheus.until_fires("GracefulDeadLetter", job).await;
    }
    prometheus.until_sampled(&format!("count(increase({dead}[10m]) > 0) == 3")).await;
    assert_eq!(prometheus.values(dead).await, [1.0; 3], "it is the only one of this process");

    // Another one has never seen the counter at 0.
    let late = Prometheus::of(&service, &rules::without_delay());
    for job in JOBS {
        late.until_fires("GracefulDeadLetter", job).await;
    }
    drop(late);

    service.work().await;
    dashboard::each_query_returns_a_sample(&prometheus).await;
    exporters::names_are_those_of_opentelemetry(&service.metrics);

    service.receive_an_unknown_flow().await;
    for job in JOBS {
        prometheus.until_fires(UNKNOWN_HANDLERS, job).await;
    }

    service.break_down().await;
    rules::each_metric_exists(&prometheus).await;
    let rules = prometheus.rules().await;
    for apart in [STORE_DOWN, UNKNOWN_HANDLERS] {
        assert!(rules.iter().any(|rule| rule.name == apart));
    }
    for rule in rules.iter().filter(|rule| ![STORE_DOWN, UNKNOWN_HANDLERS].contains(&&*rule.name)) {
        for job in JOBS {
            prometheus.until_fires(&rule.name, job).await;
        }
    }

    service.lose_the_store().await;
    for job in JOBS {
        prometheus.until_fires(STORE_DOWN, job).await;
    }
    for gauge in OF_THE_STORE {
        // Only what is not a number differs from itself. The SDK of OpenTelemetry ignores such a value, so there the last one stays, and the rules
        // and the dashboard take it only while the store is up.
        prometheus.until_sampled(&format!("count(count by (job) ({gauge} != {gauge})) == 2")).await;
        prometheus
            .until_sampled(&format!("absent({gauge} and on (job, instance) graceful_store_up == 1)"))
            .await;
    }

    service.recover().await;
    prometheus.until_all("graceful_store_up", "== 1").await;
    prometheus.until_all("graceful_flows_dead", ">= 1").await;
    let mut empty =
        vec!["graceful_circuit_open", "graceful_background_flows", "graceful_cache_unended_writes"];
    empty.extend(
        OF_THE_STORE.iter().filter(|gauge| !gauge.ends_with("_dead") && !gauge.ends_with("_parked_events")),
    );
    for gauge in empty {
        prometheus.until_all(gauge, "== 0").await;
    }
    prometheus.until_all("graceful_subscriber_parked_events", "== 1").await;
    service.stop().await;
}
