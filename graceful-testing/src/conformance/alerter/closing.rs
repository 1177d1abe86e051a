//! Alerts that an operator closes.

use std::sync::Arc;

use graceful::{
    __private010::Sample,
    Code, Flow, Severity,
    backends::{AlertChange, Alerter, STORM_LIMIT, Timestamp},
};
use tokio::task::JoinSet;

use super::{failed, fire, open, resolve, resolved, singles_and_summary};

async fn close<S: Alerter>(alerts: &S, flow: &Flow) -> AlertChange {
    alerts.close(&flow.incident()).await.expect("an alert is closed")
}

pub(super) async fn closed_alert_is_resolved_once<S: Alerter>(alerts: S) {
    let of = |handler, code| Sample::new("1", code, 1).handler(handler).flow();
    let [pay, read] = ["pay", "read"].map(|handler| of(handler, Code::Internal));
    assert_eq!(close(&alerts, &pay).await, AlertChange::NotOpen);
    fire(&alerts, &pay, Severity::Error).await;
    fire(&alerts, &read, Severity::Error).await;
    assert_eq!(close(&alerts, &pay).await, AlertChange::Resolved);
    assert_eq!(close(&alerts, &pay).await, AlertChange::NotOpen);
    assert_eq!(resolve(&alerts, &of("pay", Code::Ok)).await, AlertChange::NotOpen);
    let (open, resolved) = (open(&alerts).await, resolved(&alerts, 9).await);
    assert_eq!((open.len(), open[0].incident()), (1, read.incident()));
    assert_eq!((resolved.len(), resolved[0].incident()), (1, pay.incident()));
    let at = resolved[0].resolved_at.expect("it is resolved");
    assert!(at.duration_since(Timestamp::now()).abs().as_hours() < 1, "at the present time: {at}");
    assert_eq!(fire(&alerts, &pay, Severity::Error).await, AlertChange::Opened);
}

pub(super) async fn summary_can_be_closed<S: Alerter>(alerts: S) {
    for id in 0..STORM_LIMIT + 3 {
        fire(&alerts, &failed(id, 1), Severity::Error).await;
    }
    let beyond = failed(STORM_LIMIT, 2);
    assert_eq!(close(&alerts, &beyond).await, AlertChange::NotOpen, "it has no alert of its own");
    let storm = beyond.incident().storm(Code::Internal);
    assert_eq!(alerts.close(&storm).await.expect("it is closed"), AlertChange::Resolved);
    assert_eq!(alerts.close(&storm).await.expect("none is open"), AlertChange::NotOpen);
    let (singles, summary) = singles_and_summary(&alerts).await;
    assert_eq!((singles.len(), summary), (STORM_LIMIT, None));
    let closed = resolved(&alerts, 9).await;
    assert_eq!((closed.len(), closed[0].summary, closed[0].count), (1, true, 3));
    assert_eq!(fire(&alerts, &beyond, Severity::Error).await, AlertChange::Opened);
    assert_eq!(singles_and_summary(&alerts).await.1.map(|summary| summary.count), Some(1));
}

pub(super) async fn last_closed_alert_of_a_storm_ends_it<S: Alerter>(alerts: S) {
    for id in 0..STORM_LIMIT + 3 {
        fire(&alerts, &failed(id, 1), Severity::Error).await;
    }
    for id in 0..STORM_LIMIT {
        assert_eq!(close(&alerts, &failed(id, 1)).await, AlertChange::Resolved);
    }
    assert_eq!(open(&alerts).await, []);
    let newest = &resolved(&alerts, 1).await[0];
    assert_eq!((newest.summary, newest.count, newest.resolved_at.is_some()), (true, 3, true));
}

pub(super) async fn concurrent_closing_of_a_summary_loses_no_flow<S: Alerter>(alerts: S) {
    for id in 0..STORM_LIMIT {
        fire(&alerts, &failed(id, 1), Severity::Error).await;
    }
    let (alerts, mut tasks) = (Arc::new(alerts), JoinSet::new());
    for task in 0..4 {
        let alerts = Arc::clone(&alerts);
        tasks.spawn(async move {
            for id in 0..15 {
                let flow = failed(STORM_LIMIT + task * 15 + id, 1);
                fire(&*alerts, &flow, Severity::Error).await;
                if id % 3 == 0 {
                    alerts.close(&flow.incident().storm(Code::Internal)).await.expect("it is closed");
                }
            }
        });
    }
    tasks.join_all().await;
    let (open, resolved) = (open(&*alerts).await, resolved(&*alerts, 1000).await);
    let summaries = open.iter().chain(&resolved).filter(|alert| alert.summary);
    assert_eq!(summaries.map(|summary| summary.count).sum::<u64>(), 60);
}
