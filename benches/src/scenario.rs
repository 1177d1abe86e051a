//! The scenarios by name: which steps run after the handler, and who wrote them.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use graceful::{OrchestratorBuilder, backends::memory};
use tokio::{sync::mpsc::Receiver, task::JoinHandle};

use crate::{
    annotated::{self, with_audit_and_alerts, with_cache_and, with_the_steps_of_the_go_package},
    by_hand::{self, Moka, QuickCache},
    nine,
    reads::{self, MokaLoader},
    tight,
    user::{User, UserError},
};

type Outcome = Result<User, UserError>;

/// A handler with its service set up.
pub struct Running {
    /// One call. The handler is polled without an executor, because it does not wait, and an executor would add to the counts.
    pub call: Box<dyn Fn(User) -> Outcome>,
    pub spawn: Box<dyn Fn(User) -> JoinHandle<Outcome>>,
    /// Consumes the events.
    pub drain: Box<dyn FnMut()>,
}

#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    pub steps: &'static str,
    pub by: &'static str,
    pub start: fn() -> Running,
}

const fn scenario(steps: &'static str, by: &'static str, start: fn() -> Running) -> Scenario {
    Scenario { steps, by, start }
}

/// Who wrote the steps.
pub const GRACEFUL: &str = "graceful";
pub const BY_HAND: &str = "by hand";
pub const MOKA_LOADS: &str = "by hand, moka get_with";
pub const BARE: &str = "bare";
pub const INSTRUMENTED: &str = "tracing::instrument(err)";

pub const NONE: &str = "none";
const EVENT: &str = "event";
pub const CACHED: &str = "cache + event";
pub const AUDITED: &str = "cache + event + audit + alert";
/// Cache, metadata, event, graph, schedule and nexus.
const GO_PACKAGE: &str = "the Go package's six";
const NINE: &str = "all nine steps";
/// Of a handler that reads through the cache; see [`reads::Reader`].
pub const HIT: &str = "read, hit";
/// The same, by a handler that loads and stores.
pub const MISS: &str = "read, miss";

pub const SCENARIOS: &[Scenario] = &[
    scenario(NONE, BARE, || plain(annotated::bare)),
    scenario(NONE, INSTRUMENTED, || plain(annotated::instrumented)),
    scenario(NONE, GRACEFUL, || plain(annotated::cached)),
    scenario(EVENT, BY_HAND, || {
        let (service, events) = by_hand::Service::new(QuickCache::default());
        running(move |user| service.event(user), consumer(events))
    }),
    scenario(EVENT, GRACEFUL, || orchestrated(annotated::event, |builder| builder)),
    scenario(CACHED, BY_HAND, || {
        let (service, events) = by_hand::Service::new(QuickCache::default());
        running(move |user| service.cache_and_event(user), consumer(events))
    }),
    scenario(CACHED, "by hand, moka", || {
        let (service, events) = by_hand::Service::new(Moka::default());
        running(move |user| service.cache_and_event(user), consumer(events))
    }),
    scenario(CACHED, "the limit", || {
        let (service, events) = tight::Service::new();
        running(move |user| service.cache_and_event(user), consumer(events))
    }),
    scenario(CACHED, GRACEFUL, || orchestrated(annotated::cached, |builder| builder)),
    scenario(AUDITED, BY_HAND, || {
        let (service, events) = by_hand::Service::new(QuickCache::default());
        running(move |user| service.audit_and_alert_too(user), consumer(events))
    }),
    scenario(AUDITED, "by hand, moka", || {
        let (service, events) = by_hand::Service::new(Moka::default());
        running(move |user| service.audit_and_alert_too(user), consumer(events))
    }),
    scenario(AUDITED, "the limit", || {
        let (service, events) = tight::Service::new();
        running(move |user| service.audit_and_alert_too(user), consumer(events))
    }),
    scenario(AUDITED, GRACEFUL, || orchestrated(annotated::cached, with_audit_and_alerts)),
    scenario(GO_PACKAGE, BY_HAND, || {
        let (service, events) = nine::Service::new();
        running(move |user| service.six(user), consumer(events))
    }),
    scenario(GO_PACKAGE, GRACEFUL, || orchestrated(annotated::cached, with_the_steps_of_the_go_package)),
    scenario(NINE, BY_HAND, || {
        let (service, events) = nine::Service::new();
        running(move |user| service.all(user), consumer(events))
    }),
    scenario(NINE, GRACEFUL, || {
        orchestrated(annotated::nine, |builder| {
            with_the_steps_of_the_go_package(with_audit_and_alerts(builder))
        })
    }),
    scenario(MISS, MOKA_LOADS, || {
        let cache: &MokaLoader = Box::leak(Box::default());
        plain(move |user| cache.loaded(user))
    }),
    scenario(MISS, GRACEFUL, || {
        reads::install();
        plain(reads::loaded)
    }),
];

impl Scenario {
    pub fn find(steps: &str, by: &str) -> Option<&'static Self> {
        SCENARIOS.iter().find(|scenario| scenario.steps == steps && scenario.by == by)
    }
}

fn running<H, F>(handler: H, drain: impl FnMut() + 'static) -> Running
where
    H: Fn(User) -> F + Copy + 'static,
    F: Future<Output = Outcome> + Send + 'static,
{
    Running {
        call: Box::new(move |user| poll_once(handler(user))),
        spawn: Box::new(move |user| tokio::spawn(handler(user))),
        drain: Box::new(drain),
    }
}

fn plain<H, F>(handler: H) -> Running
where
    H: Fn(User) -> F + Copy + 'static,
    F: Future<Output = Outcome> + Send + 'static,
{
    running(handler, || {})
}

/// The handler in a process whose orchestrator has a cache, a channel of events and the backends that `add` adds.
fn orchestrated<H, F>(handler: H, add: fn(OrchestratorBuilder) -> OrchestratorBuilder) -> Running
where
    H: Fn(User) -> F + Copy + 'static,
    F: Future<Output = Outcome> + Send + 'static,
{
    let events = memory::Events::new();
    let mut inbox = events.subscribe();
    let orchestrator = add(with_cache_and(&events)).build().expect("every handler has what it asks for");
    orchestrator.install().expect("one scenario a process");
    running(handler, move || while inbox.try_recv().is_ok() {})
}

fn consumer<E: 'static>(mut events: Receiver<E>) -> impl FnMut() {
    move || while events.try_recv().is_ok() {}
}

/// Polls without an executor, because nothing here waits, and an executor would add to the counts.
pub fn poll_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing here has to wait"),
    }
}
