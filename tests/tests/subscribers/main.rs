//! Subscribers of an event log in memory.

mod attempts;
mod killed;
mod order;
mod parked;
mod paused;
mod processes;
mod purged;
mod sqlite;
mod start;
mod stuck;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use graceful::{
    Code, Orchestrator, OrchestratorBuilder,
    backends::{EventLog as _, memory},
    orchestrate,
};
use tokio::sync::watch;

/// What the subscribers of one test have handled, in the order in which they ended.
#[derive(Clone)]
struct Handled(Arc<watch::Sender<Vec<(String, u64)>>>);

impl Handled {
    fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Vec::new())))
    }

    fn add(&self, entity: &str, number: u64) {
        self.0.send_modify(|handled| handled.push((entity.to_owned(), number)));
    }

    fn all(&self) -> Vec<(String, u64)> {
        self.0.borrow().clone()
    }

    async fn wait_for(&self, events: usize) {
        let mut handled = self.0.subscribe();
        awaited(handled.wait_for(|handled| handled.len() >= events)).await.unwrap();
    }

    /// The numbers of each entity.
    fn by_entity(&self) -> BTreeMap<String, Vec<u64>> {
        let mut by_entity = BTreeMap::<_, Vec<_>>::new();
        for (entity, number) in self.all() {
            by_entity.entry(entity).or_default().push(number);
        }
        by_entity
    }
}

/// Waits for what must happen.
async fn awaited<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("it does not happen")
}

/// An event log, the state of subscribers, and an orchestrator that emits to the log.
struct Program {
    log: memory::EventLog,
    orchestrator: Orchestrator,
}

impl Program {
    fn new() -> Self {
        Self::with(memory::EventLog::new(), |builder| builder)
    }

    fn with(log: memory::EventLog, change: impl FnOnce(OrchestratorBuilder) -> OrchestratorBuilder) -> Self {
        let builder = Orchestrator::builder().service("users").events(log.clone());
        Self { log, orchestrator: change(builder).in_memory().build().unwrap() }
    }

    /// Emits events of these entities with these numbers.
    async fn emit(&self, events: impl IntoIterator<Item = (String, u64)>) {
        for (user, number) in events {
            self.orchestrator.scope(update_user(user, number)).await.unwrap();
        }
    }

    async fn newest(&self) -> u64 {
        self.log.span().await.unwrap().newest
    }
}

#[orchestrate(pattern = "user", id = user, event = "user_updated")]
async fn update_user(user: String, number: u64) -> Result<u64, Code> {
    Ok(number)
}

/// Events of so many entities, by turns.
fn by_turns(entities: u64, events: u64) -> impl Iterator<Item = (String, u64)> {
    (0..events).flat_map(move |number| (0..entities).map(move |entity| (entity.to_string(), number)))
}

/// A number that is looked at from outside.
#[derive(Clone, Default)]
struct Gauge(Arc<Mutex<(usize, usize)>>);

impl Gauge {
    fn begin(&self) {
        let mut gauge = self.0.lock().unwrap();
        gauge.0 += 1;
        gauge.1 = gauge.1.max(gauge.0);
    }

    /// Runs until the guard is dropped, as a handler that may be stopped.
    fn running(&self) -> Running {
        self.begin();
        Running(self.clone())
    }

    fn end(&self) {
        self.0.lock().unwrap().0 -= 1;
    }

    fn now(&self) -> usize {
        self.0.lock().unwrap().0
    }

    fn most(&self) -> usize {
        self.0.lock().unwrap().1
    }
}

struct Running(Gauge);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.end();
    }
}
