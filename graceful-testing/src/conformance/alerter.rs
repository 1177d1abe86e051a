//! What an [`Alerter`] must do.

use std::sync::Arc;

use graceful::{
    __private010::Sample,
    Code, Flow, Severity,
    backends::{Alert, AlertChange, Alerter},
};
use tokio::task::JoinSet;

use super::{at, flow, long_names};

/// Checks the promises of [`Alerter`].
///
/// # Panics
/// One of them is broken.
///
/// ```
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
/// use graceful::backends::memory;
/// use graceful_testing::conformance;
/// conformance::alerter(async || memory::Alerts::new()).await;
/// # });
/// ```
pub async fn alerter<S: Alerter>(fresh: impl AsyncFn() -> S) {
    entity_has_at_most_one_open_alert_of_the_highest_severity(fresh().await).await;
    alert_of_another_handler_is_left_alone(fresh().await).await;
    repeated_flow_is_not_counted_again(fresh().await).await;
    resolved_alert_is_listed_and_the_next_one_is_new(fresh().await).await;
    open_alerts_are_by_first_firing_and_resolved_ones_newest_first(fresh().await).await;
    concurrent_firing_opens_one_alert_and_loses_nothing(fresh().await).await;
    long_names::entities_have_alerts(fresh().await).await;
}

async fn fire<S: Alerter>(alerts: &S, flow: &Arc<Flow>, severity: Severity) -> AlertChange {
    alerts.fire(flow, severity).await.expect("an alert fires")
}

async fn resolve<S: Alerter>(alerts: &S, flow: &Arc<Flow>) -> AlertChange {
    alerts.resolve(flow).await.expect("an alert is resolved")
}

async fn open<S: Alerter>(alerts: &S) -> Vec<Alert> {
    alerts.open().await.expect("open alerts are listed")
}

async fn resolved<S: Alerter>(alerts: &S, limit: usize) -> Vec<Alert> {
    alerts.resolved(limit).await.expect("resolved alerts are listed")
}

fn ids(alerts: &[Alert]) -> Vec<&str> {
    alerts.iter().map(|alert| alert.entity.id()).collect()
}

async fn entity_has_at_most_one_open_alert_of_the_highest_severity<S: Alerter>(alerts: S) {
    let flows = [(1, Code::Internal), (2, Code::DataLoss), (3, Code::Unknown)]
        .map(|(second, code)| flow("1", code, second));
    assert_eq!(fire(&alerts, &flows[0], Severity::Warning).await, AlertChange::Opened);
    assert_eq!(fire(&alerts, &flows[1], Severity::Critical).await, AlertChange::Repeated);
    assert_eq!(fire(&alerts, &flows[2], Severity::Error).await, AlertChange::Repeated);
    let (incident, last) = (flows[0].incident(), flows[2].id());
    let mut expected = Alert::new(&incident, Severity::Critical, Code::Unknown, last, at(1));
    (expected.environment, expected.message) = ("test".into(), "UNKNOWN".into());
    (expected.count, expected.last_fired_at) = (3, at(3));
    assert_eq!(open(&alerts).await, [expected]);
}

async fn repeated_flow_is_not_counted_again<S: Alerter>(alerts: S) {
    let failed = flow("1", Code::Internal, 1);
    assert_eq!(fire(&alerts, &failed, Severity::Error).await, AlertChange::Opened);
    assert_eq!(fire(&alerts, &failed, Severity::Error).await, AlertChange::Repeated);
    assert_eq!(open(&alerts).await[0].count, 1);
}

async fn alert_of_another_handler_is_left_alone<S: Alerter>(alerts: S) {
    let failed = |handler| Sample::new("1", Code::Internal, 1).handler(handler).flow();
    let worked = |handler| Sample::new("1", Code::Ok, 2).handler(handler).flow();
    fire(&alerts, &failed("pay"), Severity::Error).await;
    assert_eq!(resolve(&alerts, &worked("read")).await, AlertChange::NotOpen);
    assert_eq!(fire(&alerts, &failed("read"), Severity::Error).await, AlertChange::Opened);
    assert_eq!(resolve(&alerts, &worked("pay")).await, AlertChange::Resolved);
    assert_eq!(open(&alerts).await[0].incident(), failed("read").incident());
}

async fn resolved_alert_is_listed_and_the_next_one_is_new<S: Alerter>(alerts: S) {
    let (failed, worked) =
        (|second| flow("1", Code::Internal, second), |id, second| flow(id, Code::Ok, second));
    assert_eq!(resolve(&alerts, &worked("1", 1)).await, AlertChange::NotOpen);
    fire(&alerts, &failed(2), Severity::Error).await;
    assert_eq!(resolve(&alerts, &worked("2", 3)).await, AlertChange::NotOpen, "another entity's");
    assert_eq!(resolve(&alerts, &worked("1", 4)).await, AlertChange::Resolved);
    assert_eq!(resolve(&alerts, &worked("1", 5)).await, AlertChange::NotOpen);
    assert_eq!(open(&alerts).await, []);
    assert_eq!(resolved(&alerts, 9).await[0].resolved_at, Some(at(4)));
    assert_eq!(fire(&alerts, &failed(6), Severity::Error).await, AlertChange::Opened);
    assert_eq!((open(&alerts).await[0].count, resolved(&alerts, 9).await.len()), (1, 1));
}

async fn open_alerts_are_by_first_firing_and_resolved_ones_newest_first<S: Alerter>(alerts: S) {
    for (second, id) in [(3, "c"), (1, "a"), (2, "b"), (9, "a")] {
        fire(&alerts, &flow(id, Code::Internal, second), Severity::Error).await;
    }
    assert_eq!(ids(&open(&alerts).await), ["a", "b", "c"]);
    for (second, id) in [(10, "b"), (11, "c"), (12, "a")] {
        resolve(&alerts, &flow(id, Code::Ok, second)).await;
    }
    assert_eq!(ids(&resolved(&alerts, 2).await), ["a", "c"]);
}

const TASKS: u64 = 4;
const EACH: u64 = 25;

async fn concurrent_firing_opens_one_alert_and_loses_nothing<S: Alerter>(alerts: S) {
    let (alerts, mut firing) = (Arc::new(alerts), JoinSet::new());
    for _ in 0..TASKS {
        let alerts = Arc::clone(&alerts);
        firing.spawn(async move {
            let mut opened = 0;
            for _ in 0..EACH {
                let change = fire(&*alerts, &flow("1", Code::Internal, 1), Severity::Error).await;
                opened += u64::from(change == AlertChange::Opened);
            }
            opened
        });
    }
    let opened: u64 = firing.join_all().await.iter().sum();
    assert_eq!((opened, open(&*alerts).await[0].count), (1, TASKS * EACH));
    assert_eq!(resolve(&*alerts, &flow("1", Code::Ok, 2)).await, AlertChange::Resolved);
}
