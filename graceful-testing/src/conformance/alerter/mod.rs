//! What an [`Alerter`] must do.

mod closing;

use std::sync::Arc;

use graceful::{
    __private010::Sample,
    Code, Flow, Severity,
    backends::{Alert, AlertChange, Alerter, IncidentCursor, IncidentFilter, Page, STORM_LIMIT},
};
use tokio::task::JoinSet;

use super::{at, flow, incident_filters, long_names};

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
    open_alerts_have_pages(fresh().await).await;
    incident_filters::alerts(&fresh).await;
    closing::closed_alert_is_resolved_once(fresh().await).await;
    closing::summary_can_be_closed(fresh().await).await;
    closing::last_closed_alert_of_a_storm_ends_it(fresh().await).await;
    closing::concurrent_closing_of_a_summary_loses_no_flow(fresh().await).await;
    storm_is_counted_on_one_summary(fresh().await).await;
    storm_ends_with_its_last_single_alert(fresh().await).await;
    storms_of_other_codes_and_handlers_are_apart(fresh().await).await;
    concurrent_storm_has_the_limit_of_alerts_and_counts_the_rest(fresh().await).await;
}

async fn fire<S: Alerter>(alerts: &S, flow: &Arc<Flow>, severity: Severity) -> AlertChange {
    alerts.fire(flow, severity).await.expect("an alert fires")
}

async fn resolve<S: Alerter>(alerts: &S, flow: &Arc<Flow>) -> AlertChange {
    alerts.resolve(flow).await.expect("an alert is resolved")
}

async fn open<S: Alerter>(alerts: &S) -> Vec<Alert> {
    alerts.open(IncidentFilter::default(), None, 1000).await.expect("open alerts are listed").items
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

async fn open_alerts_have_pages<S: Alerter>(alerts: S) {
    // Of some, the time is the same.
    for (id, second) in [("e", 5), ("b", 2), ("c", 2), ("a", 2), ("d", 4)] {
        fire(&alerts, &flow(id, Code::Internal, second), Severity::Error).await;
    }
    let page = async |after: Option<IncidentCursor>, limit| -> Page<Alert, IncidentCursor> {
        alerts.open(IncidentFilter::default(), after, limit).await.expect("a page is read")
    };
    let first = page(None, 2).await;
    assert_eq!(ids(&first.items), ["a", "b"]);
    let cursor = first.next.expect("there are more");
    assert_eq!(cursor.to_string().parse(), Ok(cursor.clone()));
    // Neither a repeated alert nor a resolved one of the page before moves the next page.
    fire(&alerts, &flow("c", Code::Internal, 9), Severity::Error).await;
    resolve(&alerts, &flow("b", Code::Ok, 9)).await;
    let second = page(Some(cursor), 2).await;
    assert_eq!(ids(&second.items), ["c", "d"]);
    let last = page(second.next, 2).await;
    assert_eq!((ids(&last.items), last.next), (vec!["e"], None));
    assert_eq!(page(None, 4).await.next, None, "the limit is the number of alerts");
    assert_eq!(page(None, 0).await, Page { items: Vec::new(), next: None });
}

fn failed(id: usize, second: i64) -> Arc<Flow> {
    flow(&format!("{id:03}"), Code::Internal, second)
}

fn worked(id: usize) -> Arc<Flow> {
    flow(&format!("{id:03}"), Code::Ok, 100)
}

/// The single open alerts, and the summary.
async fn singles_and_summary<S: Alerter>(alerts: &S) -> (Vec<Alert>, Option<Alert>) {
    let (mut summaries, singles): (Vec<_>, Vec<_>) =
        open(alerts).await.into_iter().partition(|alert| alert.summary);
    assert!(summaries.len() < 2, "{summaries:?}");
    (singles, summaries.pop())
}

async fn storm_is_counted_on_one_summary<S: Alerter>(alerts: S) {
    for id in 0..STORM_LIMIT {
        assert_eq!(fire(&alerts, &failed(id, 1), Severity::Error).await, AlertChange::Opened);
    }
    assert_eq!(singles_and_summary(&alerts).await.1, None);
    let (first, last) = (failed(STORM_LIMIT, 2), failed(STORM_LIMIT + 1, 3));
    assert_eq!(fire(&alerts, &first, Severity::Error).await, AlertChange::Opened);
    assert_eq!(fire(&alerts, &first, Severity::Error).await, AlertChange::Repeated);
    assert_eq!(fire(&alerts, &last, Severity::Critical).await, AlertChange::Repeated);
    let (singles, summary) = singles_and_summary(&alerts).await;
    let summary = summary.expect("the summary is open");
    assert_eq!((singles.len(), summary.count), (STORM_LIMIT, 2), "a repeated flow is not counted again");
    assert_eq!(summary.incident(), first.incident().storm(Code::Internal));
    assert_eq!((summary.severity, summary.flow), (Severity::Critical, last.id()));
    assert_eq!((summary.fired_at, summary.last_fired_at), (at(2), at(3)));
    assert!(summary.message.contains("further") && summary.message.ends_with("INTERNAL"), "{summary:?}");
    // An entity with an alert of its own is not counted on the summary, and one that is has no alert to resolve.
    assert_eq!(fire(&alerts, &failed(0, 4), Severity::Error).await, AlertChange::Repeated);
    assert_eq!(resolve(&alerts, &worked(STORM_LIMIT)).await, AlertChange::NotOpen);
    let (singles, summary) = singles_and_summary(&alerts).await;
    assert_eq!((singles[0].count, summary.map(|summary| summary.count)), (2, Some(2)));
    // There is room for one more alert.
    assert_eq!(resolve(&alerts, &worked(1)).await, AlertChange::Resolved);
    assert_eq!(fire(&alerts, &failed(STORM_LIMIT, 5), Severity::Error).await, AlertChange::Opened);
    let (singles, summary) = singles_and_summary(&alerts).await;
    assert_eq!((singles.len(), summary.map(|summary| summary.count)), (STORM_LIMIT, Some(2)));
}

async fn storm_ends_with_its_last_single_alert<S: Alerter>(alerts: S) {
    for id in 0..STORM_LIMIT + 5 {
        fire(&alerts, &failed(id, 1), Severity::Error).await;
    }
    // An alert belongs to the storm of its first code.
    fire(&alerts, &flow("000", Code::DataLoss, 2), Severity::Error).await;
    for id in 1..STORM_LIMIT {
        assert_eq!(resolve(&alerts, &worked(id)).await, AlertChange::Resolved);
    }
    let (singles, summary) = singles_and_summary(&alerts).await;
    assert_eq!((singles.len(), summary.map(|summary| summary.count)), (1, Some(5)));
    assert_eq!(resolve(&alerts, &worked(0)).await, AlertChange::Resolved);
    assert_eq!(open(&alerts).await, []);
    let resolved = resolved(&alerts, 1000).await;
    assert_eq!(resolved.len(), STORM_LIMIT + 1);
    let summary = &resolved[0];
    assert_eq!((summary.summary, summary.count, summary.resolved_at), (true, 5, Some(at(100))));
    // The next storm begins anew.
    for id in 0..=STORM_LIMIT {
        assert_eq!(fire(&alerts, &failed(id, 200), Severity::Error).await, AlertChange::Opened);
    }
    assert_eq!(singles_and_summary(&alerts).await.1.map(|summary| summary.count), Some(1));
}

async fn storms_of_other_codes_and_handlers_are_apart<S: Alerter>(alerts: S) {
    let of = |id: usize, handler: &str, code| Sample::new(&id.to_string(), code, 1).handler(handler).flow();
    let storms = [("pay", Code::Internal), ("pay", Code::Unavailable), ("read", Code::Internal)];
    for (number, (handler, code)) in storms.into_iter().enumerate() {
        for id in 0..STORM_LIMIT + 2 {
            // Other entities of each storm, because an entity has one alert of a handler.
            fire(&alerts, &of(number * 100 + id, handler, code), Severity::Error).await;
        }
    }
    let open = open(&alerts).await;
    assert_eq!(open.len(), storms.len() * (STORM_LIMIT + 1));
    for (handler, code) in storms {
        let storm = of(0, handler, code).incident().storm(code);
        let summary = open.iter().find(|alert| alert.incident() == storm).expect("each has a summary");
        assert_eq!((summary.count, summary.code), (2, code));
    }
    for id in 0..STORM_LIMIT {
        resolve(&alerts, &Sample::new(&id.to_string(), Code::Ok, 2).handler("pay").flow()).await;
    }
    let left = self::open(&alerts).await;
    assert_eq!(left.len(), (storms.len() - 1) * (STORM_LIMIT + 1), "the other storms go on");
}

async fn concurrent_storm_has_the_limit_of_alerts_and_counts_the_rest<S: Alerter>(alerts: S) {
    let (alerts, mut firing) = (Arc::new(alerts), JoinSet::new());
    let each = 15;
    for task in 0..4 {
        let alerts = Arc::clone(&alerts);
        firing.spawn(async move {
            for id in 0..each {
                fire(&*alerts, &failed(task * each + id, 1), Severity::Error).await;
            }
        });
    }
    firing.join_all().await;
    let (singles, summary) = singles_and_summary(&*alerts).await;
    let counted = summary.expect("the summary is open").count;
    assert_eq!((singles.len(), counted), (STORM_LIMIT, (4 * each - STORM_LIMIT) as u64));
    let (alerts, mut resolving) = (Arc::clone(&alerts), JoinSet::new());
    for task in 0..4 {
        let alerts = Arc::clone(&alerts);
        resolving.spawn(async move {
            for id in 0..each {
                resolve(&*alerts, &worked(task * each + id)).await;
            }
        });
    }
    resolving.join_all().await;
    assert_eq!(open(&*alerts).await, []);
}
