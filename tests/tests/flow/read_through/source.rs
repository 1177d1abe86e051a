//! A source that answers when a test lets it.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex},
    task::Poll,
};

use graceful_tests::gate::awaited;
use tokio::sync::{Semaphore, watch};

use super::UserError;

/// Each load waits for a permit of the gate. It counts its loads.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub gate: Arc<Semaphore>,
    loads: Arc<watch::Sender<u64>>,
    answer: Arc<Mutex<Result<u64, UserError>>>,
}

impl Source {
    pub fn new(answer: Result<u64, UserError>) -> Self {
        let gate = Arc::new(Semaphore::new(0));
        Self { gate, loads: Arc::default(), answer: Arc::new(Mutex::new(answer)) }
    }

    /// Sets the answer of the loads that have not ended.
    pub fn answer(&self, answer: Result<u64, UserError>) {
        *self.answer.lock().unwrap() = answer;
    }

    pub async fn load(&self) -> Result<u64, UserError> {
        self.loads.send_modify(|loads| *loads += 1);
        self.gate.acquire().await.unwrap().forget();
        self.answer.lock().unwrap().clone()
    }

    /// How many loads have begun.
    pub fn loads(&self) -> u64 {
        *self.loads.borrow()
    }

    /// Waits until so many loads have begun.
    pub async fn until_loads(&self, count: u64) {
        awaited(self.loads.subscribe().wait_for(|loads| *loads >= count)).await.unwrap();
    }
}

/// Polls a future once, which is not ready then.
pub(super) async fn poll_once<F: Future>(mut future: Pin<&mut F>) {
    assert!(poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await.is_pending());
}

/// Lets the other tasks of the test's thread run until it holds, which must be soon. Time that is paused does not advance.
pub(super) async fn yield_until(holds: impl Fn() -> bool) {
    for _ in 0..100_000 {
        if holds() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it does not hold, although all tasks have run");
}
