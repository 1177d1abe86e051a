//! One read: it is answered from the cache, or waits for the load of another call, or loads.

use std::{fmt, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{Found, ReadNames, State, address, looking_up::LookingUp};
use crate::{
    backends::{Hit, LookUp, ReadThrough, Reply},
    cache_stats::CacheOutcome,
    flights::{Leader, Load, Turn},
    flow::{Loading, Payload},
    handler::{HandlerSpec, Reads},
    marks::{EntryName, HOLD_EXPIRY, Lease, Seen},
    pipeline::{
        Orchestrator,
        read_through::{
            HeldPattern,
            body::{self, Body, BodyKind, Within},
        },
    },
    step::StepError,
};

const UNANSWERED: &str = "the cache did not answer";
const INSIDE_OF_A_WRITE: &str = "inside of a write";

/// A read that was not answered at once.
pub(crate) struct Call {
    pub(super) orchestrator: Orchestrator,
    pub(super) held: Arc<HeldPattern>,
    name: EntryName,
    pub(super) load: Load,
    pub(super) reads: Reads,
    /// When the call began, by the clock of the flights.
    pub(super) began: u64,
    within: Within,
}

/// What a call does.
pub(crate) enum Decision {
    /// It is answered.
    Hit(Found),
    /// Its body runs.
    Load(Box<Loaded>),
}

/// The load of a call.
pub(crate) struct Loaded {
    pub orchestrator: Orchestrator,
    /// What the step `cache` stores and shares, or the reason why nothing of it may be.
    pub loading: Result<Arc<Loading>, &'static str>,
    /// For how long its lease is taken, or extended.
    pub lease: Duration,
    /// The body, for look-ups inside of it.
    pub body: Arc<Body>,
    /// The entry that is refreshed: the answer if the body fails.
    pub stale: Option<Stale>,
}

/// An entry that is being refreshed.
pub(crate) struct Stale {
    value: Payload,
    orchestrator: Orchestrator,
    load: Load,
    /// How long after a failure no refresh is tried.
    pause: Duration,
}

impl Call {
    /// Asks the cache.
    pub(super) fn begin(orchestrator: &Orchestrator, spec: &'static HandlerSpec, names: &ReadNames) -> State {
        let Some(reads) = spec.read() else {
            return State::Plain("the handler does not read through the cache");
        };
        let Some((held, protocol)) = orchestrator.held(spec.pattern()) else {
            orchestrator.not_held(spec.handler(), spec.pattern());
            return State::Plain("the pattern is not read through the cache");
        };
        match names.entry(orchestrator, spec.pattern(), reads) {
            Ok(name) => Self::of(orchestrator, held, protocol, address(spec), name, reads),
            Err(reason) => State::Plain(reason),
        }
    }

    /// The same for a load without a declaration; `loader` tells it from loads of other types.
    pub(crate) fn of(
        orchestrator: &Orchestrator,
        held: &Arc<HeldPattern>,
        protocol: &dyn ReadThrough,
        loader: usize,
        name: EntryName,
        reads: Reads,
    ) -> State {
        let began = orchestrator.flights().began();
        let within = body::around(|| Load { handler: loader, entry: name.key() }, &name);
        if within.same_load {
            return State::Plain("inside of a load of the same entry");
        }
        let refresh = Duration::from_millis(reads.refresh_ms);
        let reply = match within.may_hit {
            true => protocol.hit(&name),
            false => Reply::ready(None),
        };
        match reply {
            Reply::Ready(Some(Ok(Some(hit)))) if refresh.is_zero() || hit.age < refresh => {
                held.counters.count(CacheOutcome::Hit);
                State::Hit(Found {
                    value: hit.entry.value,
                    entity: name.entity,
                    orchestrator: orchestrator.clone(),
                })
            }
            reply => {
                let (orchestrator, held) = (orchestrator.clone(), Arc::clone(held));
                let load = Load { handler: loader, entry: name.key() };
                State::Call(Box::new(Self { orchestrator, held, name, load, reads, began, within }), reply)
            }
        }
    }

    /// Waits for what the call needs to know. If it is dropped, nobody waits for it.
    pub(crate) async fn decide(self, reply: Reply<Option<Hit>>) -> Decision {
        let orchestrator = self.orchestrator.clone();
        let Some(protocol) = orchestrator.protocol() else { return self.alone(UNANSWERED) };
        let first = match reply.await {
            Ok(first) => first,
            Err(error) => return self.unanswered(&error),
        };
        let stale = match self.first(first) {
            Ok(stale) => stale,
            Err(decision) => return decision,
        };
        if self.within.write {
            return self.missed_inside_of_a_write();
        }
        let deadline = Instant::now() + Duration::from_millis(self.reads.wait_ms);
        let looked_up_at = orchestrator.flights().look_up();
        let seen = match (self.look_up(protocol, stale.is_some()).await, stale.as_ref()) {
            (Ok(LookUp::Hit(hit)), _) => return self.hit(hit),
            (Ok(LookUp::Missed(seen)), Some(_)) => seen,
            (Ok(LookUp::Missed(seen)), None) => {
                self.held.counters.count(CacheOutcome::Miss);
                seen
            }
            (Err(error), None) => return self.unanswered(&error),
            (Err(error), Some(stale)) => {
                self.failed(&error);
                return self.answered(stale.clone());
            }
        };
        let shared = self.is_storable(&seen).then(|| seen.clone());
        match orchestrator.flights().turn(&self.load, self.began, looked_up_at, shared) {
            Turn::Lead(leader) => self.lead(protocol, leader, seen, stale, deadline).await,
            Turn::Wait(wait) => {
                self.release(protocol, &seen);
                match stale {
                    // Another call refreshes the entry.
                    Some(stale) => self.answered(stale),
                    None => self.wait(protocol, wait, seen, deadline).await,
                }
            }
        }
    }

    /// What the first question told: an answer, or the entry that is to be refreshed.
    fn first(&self, hit: Option<Hit>) -> Result<Option<Payload>, Decision> {
        let Some(hit) = hit else { return Ok(None) };
        let refresh = Duration::from_millis(self.reads.refresh_ms);
        let is_due = !refresh.is_zero() && hit.age >= refresh;
        match is_due
            && !self.within.write
            && self.orchestrator.flights().may_refresh(&self.load, Instant::now())
        {
            true => Ok(Some(hit.entry.value)),
            false => Err(self.hit(hit)),
        }
    }

    pub(super) fn hit(&self, hit: Hit) -> Decision {
        self.answered(hit.entry.value)
    }

    fn answered(&self, value: Payload) -> Decision {
        self.held.counters.count(CacheOutcome::Hit);
        self.found(value)
    }

    pub(super) fn found(&self, value: Payload) -> Decision {
        let (entity, orchestrator) = (self.name.entity.clone(), self.orchestrator.clone());
        Decision::Hit(Found { value, entity, orchestrator })
    }

    pub(super) fn look_up(&self, protocol: &dyn ReadThrough, refreshes: bool) -> LookingUp<'_> {
        LookingUp::new(self.asked(protocol, refreshes), &self.orchestrator, &self.name)
    }

    fn asked(&self, protocol: &dyn ReadThrough, refreshes: bool) -> Reply<LookUp> {
        let lease = self.lease();
        let refresh = refreshes.then(|| Duration::from_millis(self.reads.refresh_ms));
        protocol.look_up(&self.name, HOLD_EXPIRY, Some(lease), refresh)
    }

    fn lease(&self) -> Duration {
        Duration::from_millis((self.reads.wait_ms / 2).max(1))
    }

    /// A replica may not have what was written before the youngest mark.
    pub(super) fn is_storable(&self, seen: &Seen) -> bool {
        !seen.held && seen.youngest >= Duration::from_millis(self.reads.lag_ms)
    }

    /// Decides for a caller that cannot wait: it shares no load.
    pub(super) fn decide_now(&self, reply: Reply<Option<Hit>>) -> Decision {
        let Some(protocol) = self.orchestrator.protocol().filter(|protocol| protocol.is_immediate()) else {
            // The check at start does not know the type behind an alias.
            self.orchestrator.cannot_wait(self.name.entity.pattern());
            self.held.counters.count(CacheOutcome::Unanswered);
            return self.alone("the handler is not `async`");
        };
        let first = match now(reply) {
            Ok(first) => first,
            Err(error) => return self.unanswered(&error),
        };
        let stale = match self.first(first) {
            Ok(stale) => stale,
            Err(decision) => return decision,
        };
        if self.within.write {
            return self.missed_inside_of_a_write();
        }
        match now(self.asked(protocol, stale.is_some())) {
            Ok(LookUp::Hit(hit)) => self.hit(hit),
            Ok(LookUp::Missed(seen)) => {
                if stale.is_none() {
                    self.held.counters.count(CacheOutcome::Miss);
                }
                self.loaded(Ok((seen, None)), stale)
            }
            Err(error) => self.unanswered(&error),
        }
    }

    /// The body runs, and for this reason nothing of it is stored or shared.
    fn alone(&self, reason: &'static str) -> Decision {
        self.loaded(Err(reason), None)
    }

    fn missed_inside_of_a_write(&self) -> Decision {
        self.held.counters.count(CacheOutcome::Miss);
        self.alone(INSIDE_OF_A_WRITE)
    }

    /// The same because the cache did not answer.
    #[cold]
    pub(super) fn unanswered(&self, error: &StepError) -> Decision {
        self.failed(error);
        self.held.counters.count(CacheOutcome::Unanswered);
        self.alone(UNANSWERED)
    }

    pub(super) fn failed(&self, error: &StepError) {
        self.orchestrator.cache_failed("a read", self.name.entity.pattern(), error);
    }

    pub(super) fn loaded(
        &self,
        load: Result<(Seen, Option<Leader<Payload>>), &'static str>,
        stale: Option<Payload>,
    ) -> Decision {
        let loading = load.map(|(seen, leader)| {
            let storable = self.is_storable(&seen);
            let counters = Arc::clone(&self.held.counters);
            Arc::new(Loading::new(self.name.clone(), seen, storable, counters, leader))
        });
        if stale.is_some() {
            self.held.counters.count(CacheOutcome::Refreshed);
        }
        let stale = stale.map(|value| Stale {
            value,
            orchestrator: self.orchestrator.clone(),
            load: self.load.clone(),
            pause: Duration::from_millis(self.reads.refresh_ms) / 10,
        });
        let body = Body::within(BodyKind::Loads(self.load.clone()));
        let (orchestrator, lease) = (self.orchestrator.clone(), self.lease());
        Decision::Load(Box::new(Loaded { orchestrator, loading, lease, body, stale }))
    }

    fn release(&self, protocol: &dyn ReadThrough, seen: &Seen) {
        if let Lease::Taken(lease) = seen.lease {
            drop(protocol.release(&self.name, lease));
        }
    }
}

impl Stale {
    /// The answer of a refresh whose body failed.
    pub(super) fn recall(self) -> Payload {
        let now = Instant::now();
        self.orchestrator.flights().refresh_failed(self.load, now, now + self.pause);
        self.value
    }
}

/// The reply, which must be ready at once.
fn now<T>(reply: Reply<T>) -> Result<T, StepError> {
    match reply {
        Reply::Ready(answer) => answer.expect("a reply is taken once"),
        Reply::Pending(_) => Err(StepError::new("the cache, which is said to answer at once, did not")),
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("name", &self.name).finish_non_exhaustive()
    }
}
