//! The cache in memory, in one process.

use std::sync::Arc;

use graceful::backends::memory;
use graceful_tests_cache_history::{
    source::{Pace, Source},
    system::{read_through::ReadThrough, transactional::Transactional},
    workload::Plan,
};

use crate::{
    comparisons::{checked, report, report_at, world},
    plan,
};

fn read_through(source: &Arc<Source>) -> ReadThrough {
    ReadThrough::new(source, "history", memory::Cache::new())
}

#[test(start_paused = true)]
async fn reads_through_the_cache_in_memory_are_never_stale() {
    report(&plan(10_000), read_through).await.assert_holds();
}

#[test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_through_the_cache_in_memory_are_never_stale_in_several_threads() {
    report(&plan(10_000), read_through).await.assert_holds();
}

/// With more tasks, several wait for one load, and Tokio wakes them in an order that it chooses at random.
#[test(start_paused = true)]
async fn history_of_two_tasks_is_repeated_by_its_seed() {
    let plan = Plan { tasks: 2, ..plan(2_000) };
    assert_eq!(report(&plan, read_through).await, report(&plan, read_through).await);
}

/// Some bodies take longer than a hold lasts, and longer than readers wait for a load.
///
/// No call is cancelled: a commit that lands after its call was dropped and its hold has expired is a documented limit.
#[test(start_paused = true)]
async fn reads_are_never_stale_while_bodies_take_longer_than_a_hold_lasts() {
    let plan = Plan { cancelled: 0, entities: 8, ..plan(10_000) };
    let pace = Pace { sleeps_one_in: 50, sleep: 0..=100_000_000, ..Pace::default() };
    report_at(&plan, pace, read_through).await.assert_holds();
}

/// A hold is set before the commit, and the relay ends it.
#[test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_are_never_stale_after_writes_in_a_transaction() {
    let directory = tempfile::tempdir().unwrap();
    let plan = plan(3_000);
    let (shared, source) = world(&plan, Pace::default());
    let system = Transactional::new(&source, memory::Cache::new(), directory.path()).await;
    checked(&plan, &shared, &source, system).await.assert_holds();
}
