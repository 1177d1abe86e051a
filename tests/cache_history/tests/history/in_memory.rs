//! The cache in memory, in one process.

use std::sync::Arc;

use graceful::backends::memory;
use graceful_tests_cache_history::{source::Source, system::read_through::ReadThrough};

use crate::{comparisons::report, plan};

fn read_through(source: &Arc<Source>) -> ReadThrough {
    ReadThrough::new(source, "history", memory::Cache::new())
}

#[test(start_paused = true)]
async fn reads_through_the_cache_in_memory_are_never_stale() {
    report(&plan(20_000), read_through).await.assert_holds();
}

#[test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_through_the_cache_in_memory_are_never_stale_in_several_threads() {
    report(&plan(20_000), read_through).await.assert_holds();
}
