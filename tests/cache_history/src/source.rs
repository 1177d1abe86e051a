//! How bodies reach the database: with a pause on either side, so that calls interleave.

use std::{
    ops::RangeInclusive,
    sync::{Arc, Mutex},
    time::Duration,
};

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{
    call::{Call, Caller, Ending},
    data::{Failure, Fate, Order, Orders, Subject, User, Write, Written},
    link::{Client, Reply, Request, Shared},
};

tokio::task_local! {
    /// The call that runs.
    static CALL: u64;
}

/// Runs a call, so that the checker is told which loads are its own.
pub async fn within_call<T>(operation: u64, call: impl Future<Output = T>) -> T {
    CALL.scope(operation, call).await
}

/// How long a pause is. Each is chosen at random.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pace {
    /// How often a pause yields to other tasks.
    pub yields: RangeInclusive<u32>,
    /// One pause of this many sleeps.
    pub sleeps_one_in: u32,
    /// How long it sleeps, in microseconds.
    pub sleep: RangeInclusive<u64>,
    /// One load of this many fails.
    pub fails_one_in: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { yields: 0..=3, sleeps_one_in: 64, sleep: 0..=2_000, fails_one_in: 200 }
    }
}

#[derive(Debug)]
enum Link {
    Here(Shared),
    There(Client),
}

/// The database and the checker, as one process sees them.
#[derive(Debug)]
pub struct Source {
    link: Link,
    pace: Pace,
    random: Mutex<Rng>,
    /// How many commits are in flight.
    in_flight: watch::Sender<usize>,
}

impl Source {
    /// In the process of the checker.
    pub fn here(shared: &Shared, pace: Pace, seed: u64) -> Arc<Self> {
        Self::new(Link::Here(shared.clone()), pace, seed)
    }

    /// In another process.
    pub fn there(client: Client, pace: Pace, seed: u64) -> Arc<Self> {
        Self::new(Link::There(client), pace, seed)
    }

    fn new(link: Link, pace: Pace, seed: u64) -> Arc<Self> {
        let random = Mutex::new(Rng::with_seed(seed));
        Arc::new(Self { link, pace, random, in_flight: watch::Sender::new(0) })
    }

    async fn ask(&self, request: Request) -> Reply {
        match &self.link {
            Link::Here(shared) => shared.ask(request),
            Link::There(client) => client.ask(request).await,
        }
    }

    pub async fn begin(&self, caller: Caller, call: Call, at_rest: bool) -> u64 {
        match self.ask(Request::Begin { caller, call, at_rest }).await {
            Reply::Begun(operation) => operation,
            other => panic!("{other:?}"),
        }
    }

    pub async fn end(&self, operation: u64, ending: Ending) {
        self.ask(Request::End { operation, ending }).await;
    }

    /// How many calls of all processes have begun.
    pub async fn progress(&self) -> u64 {
        match self.ask(Request::Progress).await {
            Reply::Progress(operations) => operations,
            other => panic!("{other:?}"),
        }
    }

    pub async fn user(&self, id: u64) -> Result<Option<User>, Failure> {
        match self.load(Subject::User(id)).await? {
            Reply::User(user) => Ok(user),
            other => panic!("{other:?}"),
        }
    }

    pub async fn order(&self, id: u64) -> Result<Option<Order>, Failure> {
        match self.load(Subject::Order(id)).await? {
            Reply::Order(order) => Ok(order),
            other => panic!("{other:?}"),
        }
    }

    pub async fn orders(&self, customer: u64) -> Result<Orders, Failure> {
        match self.load(Subject::Orders(customer)).await? {
            Reply::Orders(orders) => Ok(orders),
            other => panic!("{other:?}"),
        }
    }

    /// What a load returns is perhaps old by then: that is what a cache must cope with.
    async fn load(&self, subject: Subject) -> Result<Reply, Failure> {
        self.pause().await;
        if self.random.lock().unwrap().u32(..self.pace.fails_one_in) == 0 {
            return Err(Failure::Unavailable);
        }
        let call = CALL.try_with(|operation| *operation).ok();
        let reply = self.ask(Request::Load { call, subject }).await;
        self.pause().await;
        Ok(reply)
    }

    /// The body of a writer. If it is dropped, its commit may still be in flight, and then it lands later.
    pub async fn write(self: &Arc<Self>, operation: u64, write: Write) -> Result<Written, Failure> {
        self.pause().await;
        match write.fate {
            Fate::Refused => return Err(Failure::Refused),
            Fate::LostBefore => return Err(Failure::Unavailable),
            Fate::Succeeds | Fate::LostAfter => {}
        }
        let in_flight = InFlight::new(self);
        let committed = tokio::spawn(async move {
            let source = &in_flight.0;
            source.pause().await;
            source.ask(Request::Commit { operation, write }).await
        });
        let Reply::Committed(version) = committed.await.unwrap() else { panic!("not a reply to a commit") };
        self.pause().await;
        match write.fate {
            Fate::LostAfter => Err(Failure::Unavailable),
            _ => Ok(Written { write, version }),
        }
    }

    /// Waits until no commit is in flight.
    pub async fn at_rest(&self) {
        self.in_flight.subscribe().wait_for(|in_flight| *in_flight == 0).await.unwrap();
    }

    async fn pause(&self) {
        let (yields, sleep) = {
            let mut random = self.random.lock().unwrap();
            let sleeps = random.u32(..self.pace.sleeps_one_in) == 0;
            (random.u32(self.pace.yields.clone()), sleeps.then(|| random.u64(self.pace.sleep.clone())))
        };
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
        if let Some(micros) = sleep {
            tokio::time::sleep(Duration::from_micros(micros)).await;
        }
    }
}

/// Counts one commit in flight, as long as it lives.
struct InFlight(Arc<Source>);

impl InFlight {
    fn new(source: &Arc<Source>) -> Self {
        source.in_flight.send_modify(|in_flight| *in_flight += 1);
        Self(Arc::clone(source))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.send_modify(|in_flight| *in_flight -= 1);
    }
}
