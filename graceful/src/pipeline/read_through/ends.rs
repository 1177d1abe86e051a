//! The ends of writes that the cache has not confirmed: they are repeated in the background until it does.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    backends::End,
    cache_stats::CacheOutcome,
    key::{Key, KeySpace},
    marks::{Mark, Write},
    pipeline::{Orchestrator, WeakOrchestrator},
    step::StepError,
};

/// Beyond this number of entities, one end per pattern is kept.
const MAX_ENTITIES: usize = 100_000;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().ends.len()
    }

    /// Adds the entities of a write. Returns whether a task must be started.
    fn add(&self, write: &Write) -> bool {
        let mut pending = self.lock();
        for key in &write.changes {
            let key = if pending.ends.len() < MAX_ENTITIES { key.clone() } else { key.of_pattern() };
            pending.ends.insert(key, write.token);
        }
        if pending.ends.len() >= MAX_ENTITIES {
            let patterns = pending.ends.iter().map(|(key, token)| (key.of_pattern(), *token));
            pending.ends = patterns.collect();
        }
        !std::mem::replace(&mut pending.is_running, true)
    }

    fn first(&self) -> Option<(Key, Mark)> {
        let mut pending = self.lock();
        let first = pending.ends.first_key_value().map(|(key, token)| (key.clone(), *token));
        pending.is_running = first.is_some();
        first
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
        for key in &write.changes {
            if let Some((held, _)) = self.held(key.pattern()) {
                held.counters.count(CacheOutcome::Unconfirmed);
            }
        }
        if !self.0.read_through.ends.add(write) {
            return;
        }
        match self.runtime() {
            Some(runtime) => drop(runtime.spawn(repeat(self.downgrade()))),
            None => {
                tracing::error!(target: "graceful::cache", "the end of a write was not confirmed, and there is no runtime to repeat it in");
            }
        }
    }

    /// The same for a whole pattern.
    pub(crate) fn repeat_end_of_pattern(&self, pattern: &Key) {
        self.repeat_end(&Write::new(vec![pattern.clone()], Vec::new()));
    }

    /// The number of ends that the cache has not confirmed.
    pub(crate) fn pending_ends(&self) -> usize {
        self.0.read_through.ends.len()
    }
}

async fn repeat(orchestrator: WeakOrchestrator) {
    let mut pause = FIRST_PAUSE;
    loop {
        let Some(orchestrator) = orchestrator.upgrade() else { return };
        let Some((key, token)) = orchestrator.0.read_through.ends.first() else { return };
        match end(&orchestrator, &key, token).await {
            Ok(()) => {
                orchestrator.0.read_through.ends.confirmed(&key, token);
                pause = FIRST_PAUSE;
            }
            Err(_) => {
                drop(orchestrator);
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

async fn end(orchestrator: &Orchestrator, key: &Key, token: Mark) -> Result<(), StepError> {
    let Some(cache) = orchestrator.protocol() else { return Ok(()) };
    if key.space() == KeySpace::Pattern {
        return cache.invalidate_pattern(key).await;
    }
    let write = Write { token, ..Write::new(vec![key.clone()], Vec::new()) };
    cache.end(&write, None, End::Invalidate).await.map(drop)
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
        let key = &first.changes[0];
        pending.confirmed(key, first.token);
        assert_eq!(pending.len(), 1);
        pending.confirmed(key, second.token);
        assert_eq!((pending.len(), pending.first()), (0, None));
        assert!(pending.add(&first), "the task had ended");
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
