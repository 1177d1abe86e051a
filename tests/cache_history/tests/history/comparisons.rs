//! The usual ways to cache violate the rule, and the checker finds it; in a cache without a fault it finds none.

use std::sync::Arc;

use graceful::backends::memory;
use graceful_tests_cache_history::{
    link::Shared,
    report::Report,
    run::{read_at_rest, run},
    source::{Pace, Source},
    system::{System, cached::WithAttribute, locked::Locked, manual::Manual, moka::Moka},
    workload::Plan,
};

const SEED: u64 = 23;
const OPERATIONS: u64 = 4_000;

/// In one process.
pub async fn report<S: System>(plan: &Plan, system: impl FnOnce(&Arc<Source>) -> S) -> Report {
    report_at(plan, Pace::default(), system).await
}

/// In one process, with bodies that take this long.
pub async fn report_at<S: System>(plan: &Plan, pace: Pace, system: impl FnOnce(&Arc<Source>) -> S) -> Report {
    let (shared, source) = world(plan, pace);
    let system = system(&source);
    checked(plan, &shared, &source, system).await
}

/// The checker of a run, and how its calls reach the database.
pub fn world(plan: &Plan, pace: Pace) -> (Shared, Arc<Source>) {
    let shared = Shared::new(plan.seed);
    let source = Source::here(&shared, pace, plan.seed);
    (shared, source)
}

/// Makes the calls of a plan.
pub async fn checked<S: System>(plan: &Plan, shared: &Shared, source: &Arc<Source>, system: S) -> Report {
    let system = Arc::new(system);
    run(source, &system, plan).await;
    read_at_rest(source, &system, plan).await;
    shared.report()
}

#[test(start_paused = true)]
async fn moka_with_invalidation_after_writes_returns_stale_values() {
    report(&Plan::new(SEED, OPERATIONS), Moka::new).await.assert_violated();
}

#[test(start_paused = true)]
async fn cached_attribute_with_removal_after_writes_returns_stale_values() {
    report(&Plan::new(SEED, OPERATIONS), WithAttribute::new).await.assert_violated();
}

#[test(start_paused = true)]
async fn values_put_by_hand_are_stale() {
    let manual = |source: &Arc<Source>| Manual::new(source, "history", memory::Cache::new());
    report(&Plan::new(SEED, OPERATIONS), manual).await.assert_violated();
}

#[test(start_paused = true)]
async fn cache_behind_one_lock_is_never_stale() {
    report(&Plan::new(SEED, OPERATIONS), Locked::new).await.assert_holds();
}

/// Not repeatable, but with threads that run at the same time.
#[test(flavor = "multi_thread", worker_threads = 2)]
async fn cache_behind_one_lock_is_never_stale_in_several_threads() {
    report(&Plan::new(SEED, OPERATIONS), Locked::new).await.assert_holds();
}

#[test(start_paused = true)]
async fn run_with_the_same_seed_is_repeated() {
    let manual = |source: &Arc<Source>| Manual::new(source, "history", memory::Cache::new());
    let first = report(&Plan::new(SEED, OPERATIONS), manual).await;
    let second = report(&Plan::new(SEED, OPERATIONS), manual).await;
    assert_eq!(first, second);
    let other = report(&Plan::new(SEED + 1, OPERATIONS), manual).await;
    assert_ne!(Report { seed: SEED, ..other }, first);
}
