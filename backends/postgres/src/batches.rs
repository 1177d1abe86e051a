//! Calls that write rows. Those that arrive while a statement is under way are written together by the next statement; a lone call is written at
//! once.
//!
//! One task writes as long as calls wait, so no call depends on whether the caller of another one polls or drops its reply.

use std::{
    collections::VecDeque,
    marker::PhantomData,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use graceful::{
    StepError,
    backends::{BoxFuture, Reply},
};
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

use super::{Failed, Store};

/// The limit of rows per statement, so that a backlog after a slow phase does not overload the server.
const ROWS: usize = 1000;

/// The limit of bytes per statement. A larger row is written alone.
const BYTES: usize = 4 << 20;

/// A row that is written in a batch.
pub(super) trait Batched: Send + Sync + Sized + 'static {
    type Answer: Send + 'static;

    /// The calls of this kind that wait.
    fn batches(store: &Store) -> &Batches<Self>;

    /// The approximate size of the row.
    fn bytes(&self) -> usize {
        0
    }

    /// How long a call may take, including the time that it waits for an earlier statement.
    fn time_limit(_store: &Store) -> Option<Duration> {
        None
    }

    /// Writes rows in their order within this time, all or none, and returns the answer of each.
    fn write(
        store: Store,
        rows: Vec<Arc<Self>>,
        limit: Duration,
    ) -> BoxFuture<Result<Vec<Self::Answer>, Failed>>;
}

/// The calls that wait for their statement.
pub(super) struct Batches<T: Batched>(Mutex<Queue<T>>);

struct Queue<T: Batched> {
    waiting: VecDeque<Call<T>>,
    is_written: bool,
}

struct Call<T: Batched> {
    row: Arc<T>,
    deadline: Option<Instant>,
    answer: oneshot::Sender<Result<T::Answer, StepError>>,
}

impl<T: Batched> Default for Batches<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Batched> Default for Queue<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), is_written: false }
    }
}

impl<T: Batched> Batches<T> {
    fn queue(&self) -> MutexGuard<'_, Queue<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Batched> Queue<T> {
    /// Takes the next batch.
    fn take(&mut self) -> Vec<Call<T>> {
        let (mut rows, mut bytes) = (0, 0);
        for call in self.waiting.iter().take(ROWS) {
            bytes += call.row.bytes();
            if bytes > BYTES && rows > 0 {
                break;
            }
            rows += 1;
        }
        self.waiting.drain(..rows).collect()
    }
}

impl<T: Batched> Call<T> {
    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= Instant::now())
    }

    fn answer(self, answer: Result<T::Answer, StepError>) {
        // A caller that was dropped needs no answer.
        let _ = self.answer.send(answer);
    }
}

impl Store {
    /// Writes a row; the reply is ready after the commit.
    pub(super) fn write<T: Batched>(&self, row: T) -> Reply<T::Answer> {
        let deadline = T::time_limit(self).map(|limit| Instant::now() + limit);
        let (answer, answered) = oneshot::channel();
        let is_written = {
            let mut queue = T::batches(self).queue();
            queue.waiting.push_back(Call { row: Arc::new(row), deadline, answer });
            std::mem::replace(&mut queue.is_written, true)
        };
        if !is_written {
            self.runtime.spawn(Writing { store: self.clone(), done: false, kind: PhantomData::<T> }.run());
        }
        let answered = async {
            answered.await.unwrap_or_else(|_| {
                Err(StepError::new("the runtime that the store was connected in has ended"))
            })
        };
        let Some(deadline) = deadline else { return Reply::pending(answered) };
        let _entered = self.runtime.enter();
        let answered = timeout_at(deadline, answered);
        let store = self.clone();
        Reply::pending(async move { answered.await.unwrap_or_else(|_| Err(store.no_answer().into())) })
    }
}

/// Writes rows until none waits. If it is dropped with its runtime, its waiting callers get an error.
struct Writing<T: Batched> {
    store: Store,
    done: bool,
    kind: PhantomData<T>,
}

impl<T: Batched> Writing<T> {
    async fn run(mut self) {
        while let Some(calls) = self.next() {
            self.write(calls).await;
        }
    }

    /// The next batch.
    fn next(&mut self) -> Option<Vec<Call<T>>> {
        let mut queue = T::batches(&self.store).queue();
        let calls = queue.take();
        self.done = calls.is_empty();
        queue.is_written = !self.done;
        (!self.done).then_some(calls)
    }

    /// Writes calls together. If the server refuses the statement, because of a single row perhaps, it writes each half of them.
    async fn write(&self, calls: Vec<Call<T>>) {
        let mut parts = vec![calls];
        while let Some(part) = parts.pop() {
            let mut part = self.in_time(part);
            let rows = part.iter().map(|call| Arc::clone(&call.row)).collect::<Vec<_>>();
            if rows.is_empty() {
                continue;
            }
            // A statement that no caller waits for any longer must not delay the next one.
            let last = part.iter().filter_map(|call| call.deadline).max();
            let limit =
                last.map_or(self.store.timeout, |last| last.saturating_duration_since(Instant::now()));
            match T::write(self.store.clone(), rows, limit).await {
                Ok(answers) => {
                    for (call, answer) in part.into_iter().zip(answers) {
                        call.answer(Ok(answer));
                    }
                }
                Err(failed) if part.len() > 1 && !failed.is_unavailable => {
                    let second = part.split_off(part.len() / 2);
                    parts.extend([second, part]);
                }
                Err(failed) => {
                    let error = StepError::from(failed);
                    for call in part {
                        call.answer(Err(error.clone()));
                    }
                }
            }
        }
    }

    /// Without the calls that have waited too long: their callers have got an error already.
    fn in_time(&self, calls: Vec<Call<T>>) -> Vec<Call<T>> {
        let (late, calls): (Vec<_>, Vec<_>) = calls.into_iter().partition(Call::is_late);
        for call in late {
            call.answer(Err(self.store.no_answer().into()));
        }
        calls
    }
}

impl<T: Batched> Drop for Writing<T> {
    fn drop(&mut self) {
        if !self.done {
            *T::batches(&self.store).queue() = Queue::default();
        }
    }
}
