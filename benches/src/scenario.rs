//! The scenarios by name: which steps run after the handler, and who wrote them.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use graceful::{OrchestratorBuilder, backends::memory};
use tokio::{sync::mpsc::Receiver, task::JoinHandle};

use crate::{
    annotated::{self, with_audit_and_alerts, with_cache_and, with_the_steps_of_the_go_package},
    by_hand::{self, Moka, QuickCache},
    entity::{Account, Entity},
    nine,
    reads::{self, MokaLoader},
    tight,
    user::{User, UserError},
    wire::Wire,
};

/// A call as a server has it.
pub type Call<T> = Pin<Box<dyn Future<Output = Result<T, UserError>> + Send>>;

/// A handler with its service set up.
pub struct Handler<T> {
    /// The future is boxed, as a server calls its handlers.
    pub call: Box<dyn Fn(T) -> Call<T>>,
    pub spawn: Box<dyn Fn(T) -> JoinHandle<Result<T, UserError>>>,
    /// Consumes the events.
    pub drain: Box<dyn FnMut()>,
}

/// A handler by what it updates.
pub enum Running {
    User(Handler<User>),
    Number(Handler<u64>),
    Account(Handler<Account>),
}

impl From<Handler<User>> for Running {
    fn from(handler: Handler<User>) -> Self {
        Self::User(handler)
    }
}

impl From<Handler<u64>> for Running {
    fn from(handler: Handler<u64>) -> Self {
        Self::Number(handler)
    }
}

impl From<Handler<Account>> for Running {
    fn from(handler: Handler<Account>) -> Self {
        Self::Account(handler)
    }
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
/// The body awaits once, and holds its value meanwhile.
pub const AWAITS: &str = "none, awaits";
const EVENT: &str = "event";
pub const CACHED: &str = "cache + event";
/// With a number as the value, so that the costs show that do not depend on it.
pub const FIXED: &str = "cache + event, u64";
/// With a key of 36 characters.
pub const UUID: &str = "cache + event, UUID key";
/// The event is serialised, up to the bytes that a socket would send.
pub const WIRE: &str = "cache + event, to the wire";
pub const FIXED_WIRE: &str = "cache + event, u64, to the wire";
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
    scenario(AWAITS, BARE, || plain(annotated::bare_that_awaits)),
    scenario(AWAITS, GRACEFUL, || plain(annotated::cached_that_awaits)),
    scenario(EVENT, BY_HAND, || {
        let (service, events) = by_hand::Service::new(QuickCache::default());
        running(move |user: User| service.event(user), consumer(events))
    }),
    scenario(EVENT, GRACEFUL, || orchestrated(annotated::event, |builder| builder)),
    scenario(CACHED, BY_HAND, || {
        let (service, events) = by_hand::Service::new(QuickCache::default());
        running(move |user: User| service.cache_and_event(user), consumer(events))
    }),
    scenario(CACHED, "by hand, moka", || {
        let (service, events) = by_hand::Service::new(Moka::default());
        running(move |user: User| service.cache_and_event(user), consumer(events))
    }),
    scenario(CACHED, "the limit", || {
        let (service, events) = tight::Service::new();
        running(move |user: User| service.cache_and_event(user), consumer(events))
    }),
    scenario(CACHED, GRACEFUL, || orchestrated(annotated::cached, |builder| builder)),
    scenario(FIXED, BY_HAND, || {
        let (service, events) = by_hand::Service::new(QuickCache::default());
        running(move |value: u64| service.cache_and_event(value), consumer(events))
    }),
    scenario(FIXED, GRACEFUL, || orchestrated(annotated::number, |builder| builder)),
    scenario(UUID, BY_HAND, || {
        let (service, events) = by_hand::Service::new(QuickCache::default());
        running(move |account: Account| service.cache_and_event(account), consumer(events))
    }),
    scenario(UUID, GRACEFUL, || orchestrated(annotated::account, |builder| builder)),
    scenario(WIRE, BY_HAND, || {
        let (service, _) = by_hand::Service::new(QuickCache::default());
        plain(move |user: User| service.cache_and_publish(user))
    }),
    scenario(WIRE, GRACEFUL, || wired(annotated::cached)),
    scenario(FIXED_WIRE, BY_HAND, || {
        let (service, _) = by_hand::Service::new(QuickCache::default());
        plain(move |value: u64| service.cache_and_publish(value))
    }),
    scenario(FIXED_WIRE, GRACEFUL, || wired(annotated::number)),
    scenario(AUDITED, BY_HAND, || {
        let (service, events) = by_hand::Service::new(QuickCache::default());
        running(move |user: User| service.audit_and_alert_too(user), consumer(events))
    }),
    scenario(AUDITED, "by hand, moka", || {
        let (service, events) = by_hand::Service::new(Moka::default());
        running(move |user: User| service.audit_and_alert_too(user), consumer(events))
    }),
    scenario(AUDITED, "the limit", || {
        let (service, events) = tight::Service::new();
        running(move |user: User| service.audit_and_alert_too(user), consumer(events))
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

fn running<T, H, F>(handler: H, drain: impl FnMut() + 'static) -> Running
where
    T: Entity,
    H: Fn(T) -> F + Copy + 'static,
    F: Future<Output = Result<T, UserError>> + Send + 'static,
    Handler<T>: Into<Running>,
{
    let handler = Handler {
        call: Box::new(move |value| Box::pin(handler(value))),
        spawn: Box::new(move |value| tokio::spawn(handler(value))),
        drain: Box::new(drain),
    };
    handler.into()
}

fn plain<T, H, F>(handler: H) -> Running
where
    T: Entity,
    H: Fn(T) -> F + Copy + 'static,
    F: Future<Output = Result<T, UserError>> + Send + 'static,
    Handler<T>: Into<Running>,
{
    running(handler, || {})
}

/// The handler in a process whose orchestrator has a cache, a channel of events and the backends that `add` adds.
fn orchestrated<T, H, F>(handler: H, add: fn(OrchestratorBuilder) -> OrchestratorBuilder) -> Running
where
    T: Entity,
    H: Fn(T) -> F + Copy + 'static,
    F: Future<Output = Result<T, UserError>> + Send + 'static,
    Handler<T>: Into<Running>,
{
    let events = memory::Events::new();
    let mut inbox = events.subscribe();
    install(add(with_cache_and(events)));
    running(handler, move || while inbox.try_recv().is_ok() {})
}

/// The handler in a process whose orchestrator has a cache, and sends its events.
fn wired<T, H, F>(handler: H) -> Running
where
    T: Entity,
    H: Fn(T) -> F + Copy + 'static,
    F: Future<Output = Result<T, UserError>> + Send + 'static,
    Handler<T>: Into<Running>,
{
    install(with_cache_and(Wire));
    plain(handler)
}

fn install(builder: OrchestratorBuilder) {
    let orchestrator = builder.build().expect("every handler has what it asks for");
    orchestrator.install().expect("one scenario a process");
}

fn consumer<E: 'static>(mut events: Receiver<E>) -> impl FnMut() {
    move || while events.try_recv().is_ok() {}
}

/// Polls without an executor, because nothing here waits, and an executor would add to the counts.
pub fn polled<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
