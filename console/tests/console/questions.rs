//! Ten questions of an operator at night, each answered in at most three requests.

use std::cell::Cell;

use graceful::{
    Orchestrator, RelaySettings, StepError,
    backends::{FlowFilter, FlowState, PauseTarget, memory},
    operations, orchestrate,
};
use graceful_console::{
    Console,
    access::{Access, Permission},
    measurements::Measurements,
};
use graceful_tests::gate::until;
use tempfile::TempDir;

use crate::{
    site::{Answer, Site},
    users,
};

#[orchestrate(pattern = "parcel", id = id, event = no_mailbox, delivery = "durable")]
async fn post_parcel(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

async fn no_mailbox(flow: &graceful::Flow) -> Result<(), StepError> {
    Err(StepError::new(format_args!("no mailbox at 10.0.0.{}", flow.entity_id())))
}

/// A question, with the number of requests for its answer.
struct Question<'s>(&'s Site, Cell<u32>);

impl<'s> Question<'s> {
    fn to(site: &'s Site) -> Self {
        Self(site, Cell::new(0))
    }

    async fn get(&self, path: &str) -> String {
        self.asked();
        self.0.page(path).await
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.asked();
        self.0.post(path, fields).await
    }

    fn asked(&self) {
        self.1.set(self.1.get() + 1);
        assert!(self.1.get() <= 3, "the answer needs more than three requests");
    }
}

/// The first link of a page that begins so.
fn link(page: &str, beginning: &str) -> String {
    let (_, rest) =
        page.split_once(&format!("href=\"{beginning}")).unwrap_or_else(|| panic!("{beginning}: {page}"));
    format!("{beginning}{}", rest.split('"').next().unwrap()).replace("&amp;", "&")
}

#[track_caller]
fn says(page: &str, texts: &[&str]) {
    for text in texts {
        assert!(page.contains(text), "{text}: {page}");
    }
}

/// Two dead letters for one reason, one of which ada has resubmitted; a failed user whose alert has closed; another whose alert is open.
async fn service() -> (TempDir, Orchestrator, Measurements) {
    let dir = tempfile::tempdir().unwrap();
    let audit = graceful_sqlite::Store::open(dir.path().join("audit.db")).await.unwrap();
    let measurements = Measurements::default();
    let observed = measurements.clone();
    let builder = Orchestrator::builder()
        .service("users")
        .audit(audit)
        .in_memory()
        .log_errors(false)
        .flows(memory::Flows::new());
    let builder = builder.relay(RelaySettings::default().attempts(1)).reads("user");
    let orchestrator = builder.on_report(move |report| observed.observe(report)).build().unwrap();
    let dead = async |number| {
        let flows = orchestrator.flows().unwrap();
        until(async || {
            let filter = FlowFilter::from(FlowState::Dead);
            flows.count(filter, 10).await.unwrap().number == number
        })
        .await;
    };
    orchestrator.scope(post_parcel(1)).await.unwrap();
    orchestrator.scope(post_parcel(2)).await.unwrap();
    dead(2).await;
    users::update(&orchestrator, "", "42", Some("disk full")).await;
    users::update(&orchestrator, "", "42", None).await;
    users::update(&orchestrator, "", "43", Some("disk full")).await;
    let load = || async { Ok::<_, StepError>("ada".to_owned()) };
    orchestrator.read_through("user", 44).load(load).await.unwrap();
    (dir, orchestrator, measurements)
}

#[test(flavor = "multi_thread")]
async fn questions_are_answered_in_three_requests() {
    let (_dir, orchestrator, measurements) = service().await;
    let console = Console::new(&orchestrator, async |_| Access::act("ada", Permission::ALL));
    let site = Site::of(console.measurements(&measurements));

    // Why is the cache of 44 old?
    let question = Question::to(&site);
    says(&question.get("entity?pattern=user&id=44").await, &["age", "the value is hidden"]);

    // What else failed for the same reason, since a time?
    let question = Question::to(&site);
    let dead = question.get("flows?state=dead").await;
    let group = link(&dead, "flows?group=");
    let same = question.get(&format!("{group}&since=2h")).await;
    says(&same, &["10.0.0.1", "10.0.0.2"]);

    // Which flow fails, in which step, and with which trace?
    let question = Question::to(&site);
    let dead = question.get("flows?state=dead").await;
    let flow = link(&dead, "flow?id=");
    says(&question.get(&flow).await, &["Failed step", "event", "correlation id"]);

    // Who resubmitted it?
    let id = flow.split_once("id=").unwrap().1.to_owned();
    let selection = operations::Selection::Ids(vec![id.parse().unwrap()]);
    let action = graceful::backends::Action::Resubmit;
    let prepared = operations::prepare(&orchestrator, action, &selection, "bob").await.unwrap();
    operations::start(&orchestrator, prepared.operation.id).await.unwrap();
    operations::run(&orchestrator, prepared.operation.id, |_| ()).await.unwrap();
    let question = Question::to(&site);
    says(&question.get(&flow).await, &["Operations on this flow", "<bdi>bob</bdi>"]);

    // Did the alert close by itself?
    let question = Question::to(&site);
    says(&question.get("entity?pattern=user&id=42").await, &["resolved by itself"]);

    // What is broken right now?
    let question = Question::to(&site);
    says(&question.get("").await, &["Failing", "no mailbox at", "users::user:43"]);

    // Which step is slow or fails on the error arm?
    let question = Question::to(&site);
    let handlers = question.get("handlers").await;
    let handler = link(&handlers, "handlers?handler=console%3A%3Ausers%3A%3Aupdate_user");
    says(&question.get(&handler).await, &["err: p95", "ok: p95"]);

    // What waits for a pause, who has made it, and why?
    let target = PauseTarget::Handler("users::none".to_owned());
    operations::pause(&orchestrator, target, "carol", "the broker is replaced").await.unwrap();
    let question = Question::to(&site);
    says(&question.get("operations").await, &["carol", "the broker is replaced", "users::none"]);

    // Does a relay live, and where?
    let question = Question::to(&site);
    says(&question.get("settings").await, &["Live relays", &std::process::id().to_string()]);

    // What did bob do, and is the log complete?
    let question = Question::to(&site);
    let audit = question.get("audit?actor=bob").await;
    says(&audit, &["resubmit"]);
    let token = crate::site::token(&audit);
    let verified = question.post("act/verify-chain", &[("token", &token)]).await.is(200);
    says(&verified.body, &["The audit chain is intact"]);
}
