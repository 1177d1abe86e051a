//! The filters of open alerts and of review jobs.

use std::{sync::Arc, time::Duration};

use graceful::{
    __private010::Sample,
    Code, Context, Flow, Incident, Severity,
    backends::{Alert, Alerter, IncidentCursor, IncidentFilter, Job, STORM_LIMIT, Scheduler},
};

const HOUR: Duration = Duration::from_secs(60 * 60);

fn failed(tenant: &str, id: &str, handler: &str, second: i64) -> Arc<Flow> {
    let context = Context::new();
    let context = if tenant.is_empty() { context } else { context.tenant(tenant) };
    Sample::new(id, Code::Internal, second).context(context).handler(handler).flow()
}

fn filter(pairs: &[(&str, &str)]) -> IncidentFilter {
    IncidentFilter::parse(pairs.iter().copied()).expect("a filter")
}

/// What a page contains, and the cursor of the next one.
type Page = (Vec<Incident>, Option<IncidentCursor>);

/// The functions of a store of alerts, or of one of jobs.
trait Store {
    async fn open(&self, flow: &Arc<Flow>);
    async fn page(&self, filter: IncidentFilter, after: Option<IncidentCursor>, limit: usize) -> Page;
}

struct Jobs<S>(S);

impl<S: Scheduler> Store for Jobs<S> {
    async fn open(&self, flow: &Arc<Flow>) {
        self.0.open(flow, HOUR).await.expect("a job is opened");
    }

    async fn page(&self, filter: IncidentFilter, after: Option<IncidentCursor>, limit: usize) -> Page {
        let page = self.0.jobs(filter, after, limit).await.expect("a page is read");
        (page.items.iter().map(Job::incident).collect(), page.next)
    }
}

struct Alerts<S>(S);

impl<S: Alerter> Store for Alerts<S> {
    async fn open(&self, flow: &Arc<Flow>) {
        self.0.fire(flow, Severity::Error).await.expect("an alert fires");
    }

    async fn page(&self, filter: IncidentFilter, after: Option<IncidentCursor>, limit: usize) -> Page {
        let page = self.0.open(filter, after, limit).await.expect("a page is read");
        (page.items.iter().map(Alert::incident).collect(), page.next)
    }
}

/// Reads all pages of this size.
async fn pages(store: &impl Store, pairs: &[(&str, &str)], size: usize) -> Vec<Incident> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let (incidents, next) = store.page(filter(pairs), after, size).await;
        assert!(incidents.len() == size || next.is_none(), "a page is full unless it is the last");
        all.extend(incidents);
        assert!(all.len() <= 100, "a page begins behind its cursor");
        if next.is_none() {
            return all;
        }
        after = next;
    }
}

async fn incidents_are_selected_by_tenant_and_entity(store: impl Store) {
    let long = "é".repeat(3000);
    let [long_a, long_b] = ["a", "b"].map(|end| long.clone() + end);
    // In no order; of some, the time is the same.
    let flows = [
        ("acme", "1", "pay", 5),
        ("", "1", "pay", 2),
        ("acme", "2", "pay", 2),
        ("acme", "1", "read", 3),
        ("ac", "1", "pay", 2),
        ("a:b", "1", "pay", 1),
        ("", "2", "", 4),
        ("acme", "3", "pay", 2),
        (&*long_a, "1", "pay", 8),
        (&*long_b, "1", "pay", 9),
    ]
    .map(|(tenant, id, handler, second)| failed(tenant, id, handler, second));
    for flow in &flows {
        store.open(flow).await;
    }
    let entity = "users:acme:user:1";
    for (pairs, expected) in [
        (vec![], vec![5, 1, 4, 2, 7, 3, 6, 0, 8, 9]),
        (vec![("tenant", "acme")], vec![2, 7, 3, 0]),
        (vec![("tenant", "")], vec![1, 6]),
        (vec![("tenant", "ac")], vec![4]),
        (vec![("tenant", "a:b")], vec![5]),
        (vec![("tenant", "a%3Ab")], vec![]),
        (vec![("tenant", "ACME")], vec![]),
        (vec![("tenant", "acme\0")], vec![]),
        (vec![("tenant", &*long_a)], vec![8]),
        (vec![("tenant", &*long_b)], vec![9]),
        (vec![("entity", entity)], vec![3, 0]),
        (vec![("entity", "users::user:1")], vec![1]),
        (vec![("entity", "users::user:2")], vec![6]),
        (vec![("entity", "users:acme:user")], vec![]),
        (vec![("entity", "users:acme:user:1#pay")], vec![]),
        (vec![("entity", "users\\\0")], vec![]),
        (vec![("tenant", "acme"), ("entity", entity)], vec![3, 0]),
        (vec![("tenant", ""), ("entity", entity)], vec![]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|place: usize| flows[place].incident()).collect();
        for size in [1, 2, 3, 100] {
            assert_eq!(pages(&store, &pairs, size).await, expected, "{pairs:?} {size}");
        }
    }
}

async fn summary_of_a_storm_has_no_tenant(store: impl Store) {
    let flows: Vec<_> = (0..STORM_LIMIT + 2)
        .map(|id| failed(if id % 2 == 0 { "acme" } else { "ac" }, &format!("{id:02}"), "pay", 1))
        .collect();
    for flow in &flows {
        store.open(flow).await;
    }
    let of_acme: Vec<_> = flows.iter().take(STORM_LIMIT).step_by(2).map(|flow| flow.incident()).collect();
    assert_eq!(pages(&store, &[("tenant", "acme")], 100).await, of_acme);
    let summary = flows[0].incident().storm(Code::Internal);
    assert_eq!(pages(&store, &[("tenant", "")], 100).await, std::slice::from_ref(&summary));
    assert_eq!(pages(&store, &[("entity", "users::user:INTERNAL:storm")], 100).await, [summary]);
}

pub(super) async fn jobs<S: Scheduler>(fresh: impl AsyncFn() -> S) {
    incidents_are_selected_by_tenant_and_entity(Jobs(fresh().await)).await;
    summary_of_a_storm_has_no_tenant(Jobs(fresh().await)).await;
}

pub(super) async fn alerts<S: Alerter>(fresh: impl AsyncFn() -> S) {
    incidents_are_selected_by_tenant_and_entity(Alerts(fresh().await)).await;
    summary_of_a_storm_has_no_tenant(Alerts(fresh().await)).await;
}
