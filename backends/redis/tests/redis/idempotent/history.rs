//! Whatever fails, no body runs beside another one of the same key, or after an acknowledged answer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use graceful_tests::Proxy;

use super::*;
use crate::schedules::{self, Dice, make_all_calls, run_in_batches};

const BATCHES: u64 = 3;
const AT_ONCE: u64 = 10;
const KEYS: usize = 20;

/// What happened to the calls of a key.
#[derive(Default)]
struct Key {
    /// The body of a call runs.
    runs: bool,
    /// The answer of the first call that was acknowledged.
    acknowledged: Option<String>,
}

/// Some keys, which several processes use over links that fail.
struct Schedule {
    number: u64,
    /// Each process.
    processes: Vec<IdempotentCalls>,
    keys: Mutex<HashMap<usize, Key>>,
    /// How many answers were stored, how many were replayed, and how many calls failed.
    counts: [AtomicU64; 3],
}

const STORED: usize = 0;
const REPLAYED: usize = 1;
const FAILED: usize = 2;

impl schedules::Schedule for Schedule {
    const TASKS: u64 = 6;
    const CALLS: u64 = 60;
    const FAULTS_ONE_IN: usize = 4;
    const YIELDS: usize = 500;

    async fn call(self: &Arc<Self>, dice: &mut Dice) {
        let calls = &self.processes[dice.throw(self.processes.len())];
        let key = dice.throw(KEYS);
        // A handler that was renamed has two names, of which old processes know one.
        let (old, new) = (format!("{}:old:{key}", self.number), format!("{}:new:{key}", self.number));
        let call = if dice.throw(2) == 0 { call(&old) } else { named([&old, &new]) };
        match calls.claim(call.clone(), LONG).await {
            Ok(Claimed::New) => self.run(calls, key, call, dice).await,
            Ok(Claimed::Known(known)) => {
                if let CallState::Answered(StoredAnswer::Value(value)) = known.state {
                    self.acknowledge(key, &value.decode::<String>().unwrap());
                    self.count(REPLAYED);
                }
            }
            Err(_) => self.count(FAILED),
        }
    }
}

impl Schedule {
    fn count(&self, index: usize) {
        self.counts[index].fetch_add(1, Ordering::SeqCst);
    }

    fn of<T>(&self, key: usize, change: impl FnOnce(&mut Key) -> T) -> T {
        change(self.keys.lock().unwrap().entry(key).or_default())
    }

    fn acknowledge(&self, key: usize, value: &str) {
        self.of(key, |key| {
            let first = key.acknowledged.get_or_insert_with(|| value.to_owned());
            assert_eq!(first, value, "every caller gets the first answer");
        });
    }

    async fn run(&self, calls: &IdempotentCalls, key: usize, call: IdempotentCall, dice: &mut Dice) {
        self.of(key, |key| {
            assert_eq!(key.acknowledged, None, "a body runs after an acknowledged answer");
            assert!(!std::mem::replace(&mut key.runs, true), "two bodies run at once");
        });
        for _ in 0..dice.throw(20) {
            tokio::task::yield_now().await;
        }
        self.of(key, |key| key.runs = false);
        if dice.throw(3) == 0 {
            // An unconfirmed release is one that may still come.
            drop(calls.release(call).await);
            return;
        }
        let value = call.token.to_string();
        match calls.answer(answer(&call, &value)).await {
            Ok(stored) => {
                assert!(stored, "nobody else has claimed it");
                self.acknowledge(key, &value);
                self.count(STORED);
            }
            Err(_) => self.count(FAILED),
        }
    }
}

#[test(requires("redis-server"), flavor = "multi_thread", worker_threads = 2)]
async fn random_schedules_of_calls_and_faults_run_no_body_after_an_acknowledged_answer() {
    let server = Server::redis(&FIT).await;
    let address = server.address();
    let [stored, replayed, failed] = run_in_batches(BATCHES, AT_ONCE, |number| run(address, number)).await;
    assert!(
        stored > 200 && replayed > 500 && failed > 100,
        "{stored} answers stored, {replayed} replayed, {failed} calls failed: too few to say anything"
    );
}

async fn run(address: std::net::SocketAddr, number: u64) -> [u64; 3] {
    let proxies = [Proxy::to(address).await, Proxy::to(address).await];
    let mut processes = vec![IdempotentCalls::connect(&url(address)).await.unwrap().timeout(LONG)];
    for proxy in &proxies {
        let calls = IdempotentCalls::connect(&url(proxy.address())).await.unwrap();
        processes.push(calls.timeout(Duration::from_millis(15)));
    }
    let (keys, counts) = (Mutex::default(), Default::default());
    let schedule = Arc::new(Schedule { number, processes, keys, counts });
    make_all_calls(&schedule, number, &proxies).await;
    schedule.counts.each_ref().map(|count| count.load(Ordering::SeqCst))
}
