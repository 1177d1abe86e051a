//! The ends of writes that the cache has not confirmed: they are repeated in the background until it does.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use tokio::runtime::Handle;

use super::log::END;
use crate::{
    backends::{End, Reply},
    key::{Key, KeySpace},
    locks::unpoisoned,
    marks::{HOLD_EXPIRY, Held, Mark, Write},
    pipeline::{Orchestrator, WeakOrchestrator},
    step::StepError,
};

/// Beyond this number of entities, one end per pattern is kept.
const MAX_ENTITIES: usize = 100_000;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How long a repeated end may take.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The entities that must get a fresh mark, each with the token of the last write that held it.
#[derive(Debug, Default)]
pub(crate) struct PendingEnds(Mutex<Pending>);

#[derive(Debug, Default)]
struct Pending {
    ends: BTreeMap<Key, Mark>,
    is_running: bool,
}

impl PendingEnds {
    fn lock(&self) -> MutexGuard<'_, Pending> {
        unpoisoned(self.0.lock())
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().ends.len()
    }

    /// Adds the entities of a write. Returns whether a task must be started.
    fn add(&self, write: &Write) -> bool {
        let mut pending = self.lock();
        for key in write.changes() {
            let key = if pending.ends.len() < MAX_ENTITIES { key.clone() } else { key.of_pattern() };
            pending.ends.insert(key, write.token);
        }
        if pending.ends.len() >= MAX_ENTITIES {
            let patterns = pending.ends.iter().map(|(key, token)| (key.of_pattern(), *token));
            pending.ends = patterns.collect();
        }
        !std::mem::replace(&mut pending.is_running, true)
    }

    /// The next end, in turn, so that one that always fails delays no other.
    fn next(&self, after: Option<&Key>) -> Option<(Key, Mark)> {
        let mut pending = self.lock();
        let later =
            after.and_then(|after| pending.ends.range((Bound::Excluded(after), Bound::Unbounded)).next());
        let next = later.or_else(|| pending.ends.first_key_value());
        let next = next.map(|(key, token)| (key.clone(), *token));
        pending.is_running = next.is_some();
        next
    }

    /// The task has ended; the next end starts another one.
    fn stopped(&self) {
        self.lock().is_running = false;
    }

    /// Removes an end that was confirmed, unless another write has replaced it.
    fn confirmed(&self, key: &Key, token: Mark) {
        let mut pending = self.lock();
        if pending.ends.get(key) == Some(&token) {
            pending.ends.remove(key);
        }
    }
}

impl Orchestrator {
    /// Repeats the end of a write in the background until the cache confirms it.
    pub(crate) fn repeat_end(&self, write: &Write) {
        if !self.0.read_through.ends.add(write) {
            return;
        }
        match self.runtime() {
            Some(runtime) => drop(runtime.spawn(repeat(self.downgrade()))),
            None => {
                self.0.read_through.ends.stopped();
                tracing::error!(target: "graceful::cache", "the end of a write was not confirmed, and there is no runtime to repeat it in");
            }
        }
    }

    /// Holds entities that a write without an end has changed: they are not cached until the hold expires.
    pub(crate) fn hold_for_a_while(&self, write: &Write) {
        if let Some(protocol) = self.protocol() {
            self.confirm_later("a hold of what was touched", write, protocol.hold(write, HOLD_EXPIRY));
        }
    }

    /// Ends a write whose step did not: a hook ran in its place, or an argument has no value.
    pub(crate) fn end_later(&self, write: &Write, held: Option<&Held>) {
        if let Some(protocol) = self.protocol() {
            let reply = protocol.end(write, held, End::Invalidate);
            self.confirm_later(END, write, reply);
        }
    }

    /// Does not wait for the cache. What it does not confirm is invalidated as soon as it answers.
    pub(crate) fn confirm_later<T: Send + Unpin + 'static>(
        &self,
        what: &'static str,
        write: &Write,
        reply: Reply<T>,
    ) {
        match reply {
            Reply::Ready(Some(Err(error))) => self.unended(what, write, &error),
            Reply::Ready(_) => {}
            reply @ Reply::Pending(_) => {
                // Without a runtime it is finished where the cache's own tasks run, and nobody hears of a failure.
                let Some(runtime) = self.runtime().cloned().or_else(|| Handle::try_current().ok()) else {
                    return;
                };
                let (orchestrator, write) = (self.clone(), write.clone());
                runtime.spawn(async move {
                    if let Err(error) = reply.await {
                        orchestrator.unended(what, &write, &error);
                    }
                });
            }
        }
    }

    /// Counts and logs what the cache has not confirmed, and repeats the end in the background.
    #[cold]
    pub(crate) fn unended(&self, what: &'static str, write: &Write, error: &StepError) {
        self.unconfirmed(what, write, error);
        self.repeat_end(write);
    }

    /// The number of ends that the cache has not confirmed.
    pub(crate) fn pending_ends(&self) -> usize {
        self.0.read_through.ends.len()
    }
}

async fn repeat(orchestrator: WeakOrchestrator) {
    /// Its runtime may end before its work.
    struct Task(WeakOrchestrator);

    impl Drop for Task {
        fn drop(&mut self) {
            if let Some(orchestrator) = self.0.upgrade() {
                orchestrator.0.read_through.ends.stopped();
            }
        }
    }

    let task = Task(orchestrator);
    let (mut pause, mut last) = (FIRST_PAUSE, None);
    loop {
        let Some(orchestrator) = task.0.upgrade() else { return };
        let Some((key, token)) = orchestrator.0.read_through.ends.next(last.as_ref()) else { return };
        match end(&orchestrator, &key, token).await {
            Ok(()) => {
                orchestrator.0.read_through.ends.confirmed(&key, token);
                pause = FIRST_PAUSE;
            }
            Err(error) => {
                orchestrator.cache_failed("the repeated end of a write", key.pattern(), &error);
                drop(orchestrator);
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
        last = Some(key);
    }
}

/// A cache that never answers delays the ends of no other entity.
async fn end(orchestrator: &Orchestrator, key: &Key, token: Mark) -> Result<(), StepError> {
    let Some(cache) = orchestrator.protocol() else { return Ok(()) };
    let reply = match key.space() {
        KeySpace::Pattern => cache.invalidate_pattern(key),
        _ => {
            let mut write = Write::new(vec![key.clone()], Vec::new());
            write.token = token;
            cache.end(&write, None, End::Invalidate).map(drop)
        }
    };
    let unanswered = |_| StepError::new(format_args!("the cache did not answer within {LONGEST_WAIT:?}"));
    tokio::time::timeout(LONGEST_WAIT, reply).await.map_err(unanswered)?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(id: usize) -> Write {
        Write::new(vec![Key::new("users", None, "user", id.to_string())], Vec::new())
    }

    #[test]
    fn entity_is_pending_once_until_its_last_end_is_confirmed() {
        let pending = PendingEnds::default();
        let (first, second) = (write(1), write(1));
        assert!(pending.add(&first), "the task is started");
        assert!(!pending.add(&second), "the task runs");
        assert_eq!(pending.len(), 1);
        let key = &first.changes()[0];
        pending.confirmed(key, first.token);
        assert_eq!(pending.len(), 1);
        pending.confirmed(key, second.token);
        assert_eq!((pending.len(), pending.next(None)), (0, None));
        assert!(pending.add(&first), "the task had ended");
    }

    #[test]
    fn ends_take_turns() {
        let pending = PendingEnds::default();
        let (first, second) = (write(1), write(2));
        pending.add(&first);
        pending.add(&second);
        let key = |after| pending.next(after).unwrap().0;
        let (one, two) = (&first.changes()[0], &second.changes()[0]);
        assert_eq!((&key(None), &key(Some(one)), &key(Some(two))), (one, two, one));
    }

    #[test]
    fn too_many_entities_become_one_end_per_pattern() {
        let pending = PendingEnds::default();
        for id in 0..MAX_ENTITIES + 10 {
            pending.add(&write(id));
        }
        assert!(pending.len() < 20);
        assert!(pending.lock().ends.keys().any(|key| key.space() == KeySpace::Pattern));
    }
}
