//! What was recorded so far, and whose call it is that a backend gets.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use graceful::{
    FlowReport, Key, Step, StepError,
    backends::{ReceivedEvent, Reply},
};
use tokio::sync::watch;
use uuid::Uuid;

use super::{Answer, Effect, Recorded, answered::Answered};

#[derive(Debug)]
pub(super) struct Log {
    effects: Mutex<Vec<(Uuid, Effect)>>,
    failures: Mutex<BTreeMap<Step, StepError>>,
    /// The entities that were answered from the cache.
    hits: Mutex<Vec<Key>>,
    /// The events that were emitted.
    events: Mutex<Vec<Arc<ReceivedEvent>>>,
    ended: watch::Sender<Vec<FlowReport>>,
    /// The durable flows that have not ended.
    stored: watch::Sender<HashSet<Uuid>>,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            effects: Mutex::default(),
            failures: Mutex::default(),
            hits: Mutex::default(),
            events: Mutex::default(),
            ended: watch::Sender::new(Vec::new()),
            stored: watch::Sender::new(HashSet::new()),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Log {
    pub(super) fn ended(&self, report: &FlowReport) {
        self.ended.send_modify(|ended| ended.push(report.clone()));
        self.stored.send_if_modified(|stored| stored.remove(&report.flow().id()));
    }

    /// A flow goes into the durable store; one that cannot be stored runs at once, and ends all the same.
    pub(super) fn stored(&self, flow: Uuid) {
        self.stored.send_modify(|stored| {
            stored.insert(flow);
        });
    }

    pub(super) fn is_settled(&self) -> bool {
        self.stored.borrow().is_empty()
    }

    /// Waits until no durable flow is on its way.
    pub(super) async fn settled(&self) {
        // It is there as long as its sender is, which is `self`.
        let _ = self.stored.subscribe().wait_for(HashSet::is_empty).await;
    }

    pub(super) async fn until(&self, count: usize) {
        // It is there as long as its sender is, which is `self`.
        let _ = self.ended.subscribe().wait_for(|ended| ended.len() >= count).await;
    }

    pub(super) fn recorded(&self) -> Vec<Recorded> {
        let reports = self.ended.borrow().clone();
        let effects = locked(&self.effects);
        let of = |flow| {
            effects.iter().filter(move |(of, _)| *of == flow).map(|(_, effect)| effect.clone()).collect()
        };
        reports.into_iter().map(|report| Recorded { effects: of(report.flow().id()), report }).collect()
    }

    pub(super) fn emitted(&self, event: ReceivedEvent) {
        locked(&self.events).push(Arc::new(event));
    }

    pub(super) fn events(&self) -> Vec<Arc<ReceivedEvent>> {
        locked(&self.events).clone()
    }

    pub(super) fn hit(&self, entity: Key) {
        locked(&self.hits).push(entity);
    }

    pub(super) fn hits(&self) -> Vec<Key> {
        locked(&self.hits).clone()
    }

    pub(super) fn fail(&self, step: Step, error: Option<StepError>) {
        let mut failures = locked(&self.failures);
        match error {
            Some(error) => failures.insert(step, error),
            None => failures.remove(&step),
        };
    }

    /// Fails if the step's backend is made to.
    pub(super) fn answer<T>(&self, step: Step, make: impl FnOnce() -> Reply<T>) -> Reply<T> {
        let failure = locked(&self.failures).get(&step).cloned();
        failure.map_or_else(make, Reply::failed)
    }

    /// Records a call of a step, and its answer when it comes. A call outside of a step is not recorded.
    pub(super) fn record<T: Answered + Send + 'static>(
        self: &Arc<Self>,
        call: impl FnOnce() -> String,
        make: impl FnOnce() -> Reply<T>,
    ) -> Reply<T> {
        let Some((step, flow)) = graceful::calling::current() else { return make() };
        let index = {
            let mut effects = locked(&self.effects);
            effects.push((flow, Effect { step, call: call(), answer: Answer::None }));
            effects.len() - 1
        };
        let reply = self.answer(step, make);
        let log = Arc::clone(self);
        let answered = move |result: &Result<T, StepError>| {
            locked(&log.effects)[index].1.answer = match result {
                Ok(value) => Answer::Done(value.shown()),
                Err(error) => Answer::Failed(error.clone()),
            };
        };
        match reply {
            Reply::Ready(result) => {
                result.as_ref().inspect(|result| answered(result));
                Reply::Ready(result)
            }
            Reply::Pending(future) => Reply::pending(async move {
                let result = future.await;
                answered(&result);
                result
            }),
        }
    }
}
