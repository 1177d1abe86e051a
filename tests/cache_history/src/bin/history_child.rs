//! `history_child JOB`: calls a cache, as the job says.

use graceful_tests_cache_history::process::Job;

fn main() {
    let job = std::env::args().nth(1).expect("usage: history_child JOB");
    let job: Job = serde_json::from_str(&job).expect("a job");
    tokio::runtime::Runtime::new().expect("a runtime").block_on(job.work());
}
