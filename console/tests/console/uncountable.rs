//! A store whose counts never answer, as those of huge tables.

use std::time::Duration;

use graceful::{
    Orchestrator, RelaySettings,
    backends::{
        ActionResult, AttemptOutcome, Claim, ClaimId, Count, FailedAttempt, FailureGroups, FlowFilter,
        FlowQuery, FlowState, FlowStore, FlowSummary, Lag, LiveRelay, Operations, Page, QueuedFlow, Reply,
        Room, StoredFlow, Uuid, memory,
    },
};
use graceful_console::access::{Access, Permission};

use crate::{
    site::{Site, token},
    stored::{SHIP, kill, queue},
};

#[derive(Debug)]
struct Uncountable(memory::Flows);

macro_rules! forward {
    ($($method:ident($($name:ident: $argument:ty),*) -> $answer:ty;)*) => {$(
        fn $method(&self, $($name: $argument),*) -> Reply<$answer> {
            self.0.$method($($name),*)
        }
    )*};
}

impl FlowStore for Uncountable {
    forward! {
        enqueue(a: QueuedFlow) -> ();
        claim(a: Room, b: Duration) -> Vec<Claim>;
        extend(a: Vec<ClaimId>, b: Duration) -> ();
        record_outcome(a: ClaimId, b: AttemptOutcome) -> bool;
        get(a: Uuid) -> Option<StoredFlow>;
        flows(a: FlowQuery) -> Page<FlowSummary>;
        attempts(a: Uuid) -> Vec<FailedAttempt>;
        resubmit(a: Uuid) -> ActionResult;
        discard(a: Uuid, b: FlowState) -> ActionResult;
        postpone(a: Uuid, b: Duration) -> ActionResult;
        purge(a: FlowState, b: Duration) -> u64;
        relays() -> Vec<LiveRelay>;
    }

    fn count(&self, _: FlowFilter, _: u64) -> Reply<Count> {
        Reply::pending(std::future::pending())
    }

    fn groups(&self, _: FlowFilter, _: u64) -> Reply<FailureGroups> {
        Reply::pending(std::future::pending())
    }

    fn lag(&self, _: u64) -> Reply<Lag> {
        Reply::pending(std::future::pending())
    }

    fn operations(&self) -> Option<&dyn Operations> {
        self.0.operations()
    }
}

#[test(start_paused = true)]
async fn pages_and_operations_need_no_count() {
    let builder =
        Orchestrator::builder().service("orders").in_memory().flows(Uncountable(memory::Flows::new()));
    let orchestrator = builder.relay(RelaySettings::off()).build().unwrap();
    for number in 1..8 {
        queue(&orchestrator, number, &format!("orders::parcel:{number}"), SHIP).await;
    }
    kill(&orchestrator, "disk full").await;
    let site = Site::new(&orchestrator, Access::act("ada", Permission::ALL));
    let page = site.page("/").await;
    assert!(page.contains("<span data-live=\"dead\">–</span>"), "{page}");
    for path in
        ["flows", "flows?state=dead", "groups", "operations", "settings", "entity?entity=orders::parcel:1"]
    {
        site.page(path).await;
    }
    let flows = site.page("flows?state=dead").await;
    let prepared = site.post("act/discard", &[("token", &token(&flows)), ("state", "dead")]).await;
    let operation = prepared.target().to_owned();
    let (page, id) = (site.page(&operation).await, operation.split_once("id=").unwrap().1);
    let fields = [("token", &*token(&page)), ("id", id), ("number", "7")];
    let done = site.post("act/run-discard", &fields).await;
    assert_eq!(site.json(done.target()).await["done"], 7);
}
