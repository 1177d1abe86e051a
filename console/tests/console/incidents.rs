//! The pages of review jobs and alerts, and their actions.

use std::{sync::Arc, time::Duration};

use graceful::{
    Flow, Incident,
    backends::{IncidentCursor, IncidentFilter, Job, JobChange, Page, Reply, STORM_LIMIT, Scheduler, memory},
};
use graceful_console::access::{Access, Permission};
use graceful_tests::faulty::{Fault, Faulty};
use http::StatusCode;

use crate::{
    site::Site,
    users::{HOSTILE, ada, builder, faulty, form, orchestrator, pairs, recorded, update, without},
};

const FIELDS: [&str; 4] = ["token", "key", "owner", "seen"];

#[test]
async fn job_and_alert_are_shown_with_hostile_texts() {
    for id in HOSTILE {
        let orchestrator = orchestrator();
        update(&orchestrator, "", id, Some("<script>\u{202e}")).await;
        let site = Site::new(&orchestrator, ada());
        for path in ["jobs", "alerts", "entity?pattern=user&id=x", "audit", "alerts?state=resolved"] {
            let page = site.page(path).await;
            assert!(
                !page.contains("<script>a")
                    && !page.contains("<script>\u{202e}")
                    && !page.contains('\u{202e}'),
                "{page}"
            );
        }
        let name = orchestrator.key("user", id).to_string();
        assert_eq!(site.json("jobs").await["jobs"][0]["entity"], *name);
        assert_eq!(site.json("alerts").await["alerts"][0]["entity"], *name);
    }
}

#[test]
async fn alert_is_resolved_and_recorded_once() {
    let orchestrator = orchestrator();
    update(&orchestrator, "", "42", Some("disk full")).await;
    let site = Site::new(&orchestrator, ada());
    let page = site.page("alerts").await;
    let fields = form(&page, "resolve-alert", &FIELDS);
    let done = site.post("act/resolve-alert", &pairs(&fields)).await;
    assert!(site.page(done.target()).await.contains("The alert of users::user:42 is resolved."));
    assert_eq!(site.json("alerts").await["alerts"].as_array().unwrap().len(), 0);
    assert_eq!(site.json("alerts?state=resolved").await["alerts"][0]["entity"], "users::user:42");
    let again = site.post("act/resolve-alert", &pairs(&fields)).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.body);

    let records = recorded(&orchestrator).await;
    let [again, first] = &records[..] else { panic!("{records:?}") };
    assert_eq!((&*first.0, &*first.1, &*first.2), ("resolve_alert", "ada", "OK"));
    assert!(first.3.starts_with("resolve the alert of users::user:42"), "{first:?}");
    assert_eq!(first.4, ["operator"]);
    assert_eq!((&*again.2, again.3.contains("the alert is resolved by now")), ("ABORTED", true), "{again:?}");
}

#[test]
async fn alert_that_has_fired_again_is_not_resolved() {
    let orchestrator = orchestrator();
    update(&orchestrator, "", "42", Some("disk full")).await;
    let site = Site::new(&orchestrator, ada());
    let fields = form(&site.page("alerts").await, "resolve-alert", &FIELDS);
    update(&orchestrator, "", "42", Some("disk full")).await;
    let answer = site.post("act/resolve-alert", &pairs(&fields)).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.body.contains("has fired again since"), "{}", answer.body);
    assert_eq!(site.json("alerts").await["alerts"][0]["count"], 2);
}

#[test]
async fn job_is_completed_or_postponed() {
    let orchestrator = orchestrator();
    update(&orchestrator, "", "42", Some("disk full")).await;
    let site = Site::new(&orchestrator, ada().unverified());
    let due = site.json("jobs").await["jobs"][0]["due"].clone();
    let fields = form(&site.page("jobs").await, "postpone-job", &FIELDS);
    let mut postponed = pairs(&fields);
    postponed.push(("minutes", "600"));
    let done = site.post("act/postpone-job", &postponed).await;
    assert!(site.page(done.target()).await.contains("is due in 10 h 0 min"));
    assert_ne!(site.json("jobs").await["jobs"][0]["due"], due);
    // The page is from before.
    assert_eq!(site.post("act/complete-job", &pairs(&fields)).await.status, StatusCode::CONFLICT);
    let fields = form(&site.page("jobs").await, "complete-job", &FIELDS);
    site.post("act/complete-job", &pairs(&fields)).await.target();
    assert_eq!(site.json("jobs").await["jobs"].as_array().unwrap().len(), 0);

    let records = recorded(&orchestrator).await;
    let actions: Vec<_> = records.iter().map(|record| (&*record.0, &*record.2)).collect();
    assert_eq!(actions, [("complete_job", "OK"), ("complete_job", "ABORTED"), ("postpone_job", "OK")]);
    assert!(records.iter().all(|record| record.4 == ["operator", "unverified"]), "{records:?}");
}

#[test]
async fn action_needs_its_permission_and_tenant() {
    let orchestrator = orchestrator();
    update(&orchestrator, "acme", "42", Some("disk full")).await;
    let actions = [
        ("alerts", "resolve-alert", Permission::Alerts),
        ("jobs", "complete-job", Permission::Jobs),
        ("jobs", "postpone-job", Permission::Jobs),
    ];
    for (page, action, permission) in actions {
        let fields = form(&Site::new(&orchestrator, ada()).page(page).await, action, &FIELDS);
        let mut sent = pairs(&fields);
        if action == "postpone-job" {
            sent.push(("minutes", "1"));
        }
        let path = format!("act/{action}");
        let site = Site::new(&orchestrator, without(permission));
        assert!(!site.page(page).await.contains(&path));
        assert_eq!(site.post(&path, &sent).await.status, StatusCode::FORBIDDEN, "{action}");
        assert_eq!(
            Site::new(&orchestrator, Access::read("ada")).post(&path, &sent).await.status,
            StatusCode::FORBIDDEN
        );
        let other = Site::new(&orchestrator, ada().tenants(["other"])).post(&path, &sent).await;
        assert_eq!(other.status, StatusCode::NOT_FOUND, "{}", other.body);
    }
    // The right one, of the same tenant.
    let site = Site::new(&orchestrator, ada().tenants(["acme"]));
    let fields = form(&site.page("jobs").await, "complete-job", &FIELDS);
    assert_eq!(
        site.post("act/complete-job", &pairs(&fields)).await.target().split('&').next(),
        Some("jobs?tenant=acme")
    );
}

#[test]
async fn lists_show_the_tenants_of_the_operator_only() {
    let orchestrator = orchestrator();
    for tenant in ["acme", "other", ""] {
        update(&orchestrator, tenant, "42", Some("disk full")).await;
    }
    let site = Site::new(&orchestrator, Access::read("ada").tenants(["acme"]));
    for (path, list) in [("jobs", "jobs"), ("alerts", "alerts"), ("audit", "records")] {
        let shown = site.json(path).await;
        let entities: Vec<_> = shown[list].as_array().unwrap().iter().map(|shown| &shown["entity"]).collect();
        assert_eq!(entities, ["users:acme:user:42"], "{path}");
        assert_eq!(site.get(&format!("{path}?tenant=other")).await.status, StatusCode::FORBIDDEN);
    }
    let all = Site::new(&orchestrator, Access::read("ada"));
    assert_eq!(all.json("jobs?entity=users:other:user:42").await["jobs"].as_array().unwrap().len(), 1);
}

#[test]
async fn storm_says_so_and_pages_end() {
    let orchestrator = orchestrator();
    for id in 0..STORM_LIMIT + 5 {
        update(&orchestrator, "", &id.to_string(), Some("disk full")).await;
    }
    let site = Site::new(&orchestrator, ada());
    for path in ["jobs", "alerts"] {
        let page = site.page(path).await;
        assert!(page.contains("storm") && page.contains("further entities of the pattern"), "{page}");
    }
    assert_eq!(site.get("jobs?after=x").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(site.get("jobs?entty=x").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(site.get("alerts?state=x").await.status, StatusCode::BAD_REQUEST);
}

#[test]
async fn store_that_fails_is_a_problem_of_its_page() {
    let site = Site::new(&faulty(Fault::FailsLater), ada());
    for path in ["jobs", "alerts", "audit"] {
        let answer = site.get(path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(answer.body.contains("the backend failed"), "{path}");
    }
}

#[test]
async fn action_without_a_record_says_so() {
    let failing = Faulty(Fault::Fails);
    let orchestrator = builder().audit(failing).build().unwrap();
    update(&orchestrator, "", "42", Some("disk full")).await;
    let site = Site::new(&orchestrator, ada());
    let fields = form(&site.page("jobs").await, "complete-job", &FIELDS);
    let answer = site.post("act/complete-job", &pairs(&fields)).await.is(503);
    assert!(answer.body.contains("it was done, but the audit log has no record of it"), "{}", answer.body);
    assert!(site.json("jobs").await["jobs"].as_array().unwrap().is_empty());
}

/// A scheduler whose jobs somebody else completes at the same time.
#[derive(Debug)]
struct Raced(memory::Scheduler);

impl Scheduler for Raced {
    fn open(&self, flow: &Arc<Flow>, after: Duration) -> Reply<JobChange> {
        self.0.open(flow, after)
    }

    fn complete(&self, _: &Incident) -> Reply<JobChange> {
        Reply::ready(JobChange::NotOpen)
    }

    fn jobs(
        &self,
        filter: IncidentFilter,
        after: Option<IncidentCursor>,
        limit: usize,
    ) -> Reply<Page<Job, IncidentCursor>> {
        self.0.jobs(filter, after, limit)
    }

    fn poll(&self, limit: usize, hold: Duration) -> Reply<Vec<Job>> {
        self.0.poll(limit, hold)
    }

    fn finish(&self, job: &Job) -> Reply<bool> {
        self.0.finish(job)
    }

    fn postpone(&self, job: &Job, after: Option<Duration>, error: &str) -> Reply<bool> {
        self.0.postpone(job, after, error)
    }

    fn reschedule(&self, _: &Incident, _: Duration) -> Reply<bool> {
        Reply::ready(false)
    }
}

#[test]
async fn record_of_an_action_that_came_too_late_says_so() {
    let orchestrator = builder().scheduler(Raced(memory::Scheduler::new())).build().unwrap();
    update(&orchestrator, "", "42", Some("disk full")).await;
    let site = Site::new(&orchestrator, ada());
    let page = site.page("jobs").await;
    let mut fields = form(&page, "complete-job", &FIELDS);
    site.post("act/complete-job", &pairs(&fields)).await.is(409);
    fields.push(("minutes", "5".to_owned()));
    site.post("act/postpone-job", &pairs(&fields)).await.is(409);
    let codes: Vec<_> =
        recorded(&orchestrator).await.into_iter().map(|record| (record.0, record.2)).collect();
    let expected = [("postpone_job", "ABORTED"), ("complete_job", "ABORTED")];
    assert_eq!(codes, expected.map(|(action, code)| (action.to_owned(), code.to_owned())));
}
