//! The threads of a subscriber. Each running handler has a plain thread of its own, so that one that never returns from `poll` occupies
//! no worker of the runtime, and does not keep the process from ending.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
};

use super::job::{Done, Handling, Job};
use crate::locks::unpoisoned;

/// How many threads may be added for handlers that do not return.
const MOST_STUCK: usize = 8;

/// A handler that runs for so much longer than its time budget does not return from `poll`.
const GRACE: Duration = Duration::from_secs(5);

pub(super) struct Workers {
    queue: Arc<Queue>,
    handling: Arc<Handling>,
    done: mpsc::UnboundedSender<Done>,
    slots: Vec<Arc<Slot>>,
}

struct Queue {
    state: Mutex<State>,
    ready: Condvar,
}

struct State {
    /// The jobs that no thread has begun, each with what changes when it must stop.
    jobs: VecDeque<(Job, watch::Receiver<u32>)>,
    idle: usize,
    /// An idle thread was notified, and has not woken yet.
    is_waking: bool,
    threads: usize,
    /// How many threads there may be.
    allowed: usize,
    stuck: usize,
    is_closed: bool,
}

/// What a thread does.
#[derive(Debug, Default)]
pub(super) struct Slot(Mutex<Running>);

#[derive(Debug, Default)]
struct Running {
    event: Option<(i64, u64, Instant)>,
    is_stuck: bool,
}

impl Slot {
    /// Returns the time.
    pub(super) fn begin(&self, entity: i64, position: u64) -> Instant {
        let now = Instant::now();
        unpoisoned(self.0.lock()).event = Some((entity, position, now));
        now
    }

    /// Its handler has returned; what follows is a matter of the store.
    pub(super) fn returned(&self) {
        unpoisoned(self.0.lock()).event = None;
    }

    /// Returns whether it was stuck.
    fn end(&self) -> bool {
        std::mem::take(&mut *unpoisoned(self.0.lock())).is_stuck
    }
}

impl Workers {
    pub(super) fn new(handling: Arc<Handling>, concurrency: usize) -> (Self, mpsc::UnboundedReceiver<Done>) {
        let (done, receiver) = mpsc::unbounded_channel();
        let state = State {
            jobs: VecDeque::new(),
            idle: 0,
            is_waking: false,
            threads: 0,
            allowed: concurrency,
            stuck: 0,
            is_closed: false,
        };
        let queue = Arc::new(Queue { state: Mutex::new(state), ready: Condvar::new() });
        (Self { queue, handling, done, slots: Vec::new() }, receiver)
    }

    /// Queues jobs, in the runtime in which this is called.
    ///
    /// # Errors
    /// A thread could not be started. The jobs run all the same, on fewer threads, if there is one.
    pub(super) fn push(&mut self, jobs: Vec<Job>) -> io::Result<()> {
        let stop = &self.handling.stop;
        let jobs = jobs.into_iter().map(|job| (job, stop.subscribe()));
        unpoisoned(self.queue.state.lock()).jobs.extend(jobs);
        self.start_missing()
    }

    /// Starts threads for the jobs that wait, as many as are allowed.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub(super) fn start_missing(&mut self) -> io::Result<()> {
        let mut state = unpoisoned(self.queue.state.lock());
        let waiting = state.jobs.len();
        let missing = waiting.saturating_sub(state.idle).min(state.allowed.saturating_sub(state.threads));
        state.threads += missing;
        self.queue.wake_one(state);
        for started in 0..missing {
            if let Err(error) = self.start() {
                let mut state = unpoisoned(self.queue.state.lock());
                state.threads -= missing - started;
                return if state.threads == 0 { Err(error) } else { Ok(()) };
            }
        }
        Ok(())
    }

    fn start(&mut self) -> io::Result<()> {
        let slot = Arc::new(Slot::default());
        let thread = Thread {
            queue: Arc::clone(&self.queue),
            handling: Arc::clone(&self.handling),
            done: self.done.clone(),
            slot: Arc::clone(&slot),
            runtime: Handle::current(),
        };
        std::thread::Builder::new().name("graceful-events".to_owned()).spawn(move || thread.run())?;
        self.slots.retain(|slot| Arc::strong_count(slot) > 1);
        self.slots.push(slot);
        Ok(())
    }

    /// Reports handlers that have not returned long after their time budget, and allows threads for other events in their place. Returns the entities.
    pub(super) fn find_stuck(&self, budget: Duration) -> Vec<i64> {
        let mut found = Vec::new();
        for slot in &self.slots {
            // Before the slot, so that the thread cannot end the job in between.
            let mut state = unpoisoned(self.queue.state.lock());
            let mut running = unpoisoned(slot.0.lock());
            let Some((entity, position, since)) = running.event else { continue };
            if running.is_stuck || since.elapsed() < budget.saturating_add(GRACE) {
                continue;
            }
            running.is_stuck = true;
            drop(running);
            found.push(entity);
            state.stuck += 1;
            let is_replaced = state.stuck <= MOST_STUCK;
            if is_replaced {
                state.allowed += 1;
            }
            drop(state);
            tracing::error!(
                target: "graceful::subscriber",
                subscriber = self.handling.subscriber.identity, position, is_replaced,
                "a handler does not return from `poll` long after its time budget: it blocks its entity; run blocking code by `spawn_blocking`"
            );
        }
        found
    }

    /// Takes back the jobs that have not begun.
    pub(super) fn take_back(&self) -> Vec<Job> {
        unpoisoned(self.queue.state.lock()).jobs.drain(..).map(|(job, _)| job).collect()
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        let mut state = unpoisoned(self.queue.state.lock());
        state.is_closed = true;
        state.jobs.clear();
        drop(state);
        self.queue.ready.notify_all();
        // Handlers that run are dropped at their next await.
        self.handling.stop.send_modify(|stop| *stop += 1);
    }
}

struct Thread {
    queue: Arc<Queue>,
    handling: Arc<Handling>,
    done: mpsc::UnboundedSender<Done>,
    slot: Arc<Slot>,
    runtime: Handle,
}

impl Thread {
    fn run(self) {
        let Self { queue, handling, done, slot, runtime } = self;
        runtime.block_on(async move {
            while let Some((job, mut stopped)) = queue.next() {
                let ended = handling.run(job, &mut stopped, &slot).await;
                let was_stuck = slot.end();
                // The subscriber may have stopped meanwhile.
                let _ = done.send(ended);
                if was_stuck && !queue.is_needed() {
                    return;
                }
            }
        });
    }
}

impl Queue {
    /// Waits for a job. `None` if there will be none.
    fn next(&self) -> Option<(Job, watch::Receiver<u32>)> {
        let mut state = unpoisoned(self.state.lock());
        loop {
            if state.is_closed {
                state.threads -= 1;
                return None;
            }
            if let Some(job) = state.jobs.pop_front() {
                self.wake_one(state);
                return Some(job);
            }
            state.idle += 1;
            state = unpoisoned(self.ready.wait(state));
            state.idle -= 1;
            state.is_waking = false;
        }
    }

    /// Wakes a thread if a job waits. One thread wakes the next: where handlers are quick, few threads wake, as each costs more than a handler.
    fn wake_one(&self, mut state: MutexGuard<'_, State>) {
        if !state.jobs.is_empty() && state.idle > 0 && !state.is_waking {
            state.is_waking = true;
            drop(state);
            self.ready.notify_one();
        }
    }

    /// A thread that was stuck goes on; the one that has replaced it is one too many.
    fn is_needed(&self) -> bool {
        let mut state = unpoisoned(self.state.lock());
        if state.stuck <= MOST_STUCK {
            state.allowed -= 1;
        }
        state.stuck -= 1;
        let is_needed = state.threads <= state.allowed;
        if !is_needed {
            state.threads -= 1;
        }
        is_needed
    }
}
