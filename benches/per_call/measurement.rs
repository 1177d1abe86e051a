//! The child process: it runs one case, and measures it.

use std::{hint::black_box, time::Instant};

use graceful_benches::{
    STALE_AFTER,
    counting::allocations,
    entity::Entity,
    reads::Reader,
    scenario::{HIT, Handler, MISS, Running, Scenario, polled},
    user::UserError,
};
use serde::{Deserialize, Serialize};

use crate::Case;

/// The number of entities. It is small, so that the 32 flows that are retained of each exist before the measurement starts.
const ENTITIES: u64 = 50;
const WARM_UP: u64 = 40 * ENTITIES;
/// More than the caches hold.
const FULL: u64 = 15_000;

/// The figures per call that a child process reports.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// `None` if several threads share the work.
    pub allocations: Option<f64>,
    pub nanoseconds: f64,
}

/// Only the instructions of this function and of [`measured_read`] are counted.
#[inline(never)]
fn measured<T>(handler: &mut Handler<T>, value: T) -> Result<T, UserError> {
    let outcome = polled((handler.call)(value));
    (handler.drain)();
    outcome
}

#[inline(never)]
fn measured_read<T>(read: &dyn Fn(u64) -> T, id: u64) -> T {
    read(id)
}

/// Runs one case the given number of times, and prints its figures.
pub fn run(case: &Case, calls: u64) {
    let measured = if case.steps == HIT { hits(case, calls) } else { flows(case, calls) };
    println!("{}", serde_json::to_string(&measured).expect("numbers"));
}

fn flows(case: &Case, calls: u64) -> Measured {
    match (Scenario::find(&case.steps, &case.by).expect("the parent knows them").start)() {
        Running::User(handler) => flows_of(handler, case, calls),
        Running::Number(handler) => flows_of(handler, case, calls),
        Running::Account(handler) => flows_of(handler, case, calls),
    }
}

fn flows_of<T: Entity>(mut handler: Handler<T>, case: &Case, calls: u64) -> Measured {
    // A cache that misses is full before the measurement starts.
    for n in 0..if case.steps == MISS { FULL } else { WARM_UP } {
        unmeasured(&mut handler, sample(case, n, case.ok));
    }
    if case.tasks == 1 { one_by_one(handler, case, calls) } else { at_once(handler, case, calls) }
}

fn hits(case: &Case, calls: u64) -> Measured {
    match Reader::start(&case.by, case.payload).expect("the parent knows them") {
        Reader::Users(read) => read_one_by_one(&*read, calls),
        Reader::Numbers(read) => read_one_by_one(&*read, calls),
    }
}

fn read_one_by_one<T>(read: &dyn Fn(u64) -> T, calls: u64) -> Measured {
    for n in 0..WARM_UP {
        drop(read(n % ENTITIES));
    }
    let mut allocated = 0;
    let batches = (0..calls / ENTITIES).map(|_| {
        let mut values = Vec::with_capacity(usize::try_from(ENTITIES).expect("few"));
        let (start, before) = (Instant::now(), allocations());
        for id in 0..ENTITIES {
            values.push(measured_read(read, black_box(id)));
        }
        allocated += allocations() - before;
        start.elapsed().as_secs_f64()
    });
    let nanoseconds = median(batches.collect()) * 1e9 / per(ENTITIES);
    Measured { allocations: Some(per(allocated) / per(calls)), nanoseconds }
}

/// Each miss is of an entity of its own, and the others repeat a few.
fn sample<T: Entity>(case: &Case, n: u64, succeeds: bool) -> T {
    let id = if case.steps == MISS { n } else { n % ENTITIES };
    black_box(T::sample(id, succeeds, case.payload))
}

fn unmeasured<T>(handler: &mut Handler<T>, value: T) {
    drop(polled((handler.call)(value)));
    (handler.drain)();
}

fn one_by_one<T: Entity>(mut handler: Handler<T>, case: &Case, calls: u64) -> Measured {
    let mut allocated = 0;
    let batches = (0..calls / ENTITIES).map(|batch| {
        if !case.ok {
            // A failure follows a success, so there is a cached value to invalidate, and an alert and a job to open.
            (0..ENTITIES).for_each(|n| unmeasured(&mut handler, sample(case, n, true)));
            // Spins instead of sleeping, because a sleep would empty the processor's caches.
            let stale = Instant::now() + STALE_AFTER;
            while Instant::now() <= stale {}
        }
        let first = FULL + batch * ENTITIES;
        let values: Vec<T> = (first..first + ENTITIES).map(|n| sample(case, n, case.ok)).collect();
        let mut outcomes = Vec::with_capacity(values.len());
        let (start, before) = (Instant::now(), allocations());
        for value in values {
            outcomes.push(measured(&mut handler, value));
        }
        // The box of the future is the server's.
        allocated += allocations() - before - ENTITIES;
        start.elapsed().as_secs_f64()
    });
    let nanoseconds = median(batches.collect()) * 1e9 / per(ENTITIES);
    Measured { allocations: Some(per(allocated) / per(calls)), nanoseconds }
}

fn at_once<T: Entity>(mut handler: Handler<T>, case: &Case, calls: u64) -> Measured {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let batches = (0..calls / case.tasks).map(|_| {
        let values: Vec<T> = (0..case.tasks).map(|n| sample(case, n, case.ok)).collect();
        runtime.block_on(async {
            let start = Instant::now();
            let tasks: Vec<_> = values.into_iter().map(|value| (handler.spawn)(value)).collect();
            for task in tasks {
                drop(task.await.expect("no handler panics"));
            }
            (handler.drain)();
            start.elapsed().as_secs_f64()
        })
    });
    Measured { allocations: None, nanoseconds: median(batches.collect()) * 1e9 / per(case.tasks) }
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

#[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]
pub fn per(count: u64) -> f64 {
    count as f64
}
