//! Two processes share a cache on a server of the test's own.

use fastrand::Rng;
use graceful_tests::{
    proxy::Proxy,
    servers::{Server, unique},
};
use graceful_tests_cache_history::{
    link::Shared,
    process::{Job, Kind, Worker},
    report::Report,
    source::Pace,
    workload::Plan,
};

use crate::{
    faults::{Fault, World},
    is_long, plan,
};

const CHILD: &str = env!("CARGO_BIN_EXE_history_child");
const OPERATIONS: u64 = 8_000;
/// With less, the server's own buffers leave no place for entries.
const MEMORY: u64 = 300 * 1024;

async fn report(kind: Kind, fault: Fault) -> Report {
    let (plan, pace) = chosen(fault);
    let shared = Shared::new(plan.seed);
    let checker = shared.serve().await;
    let server = Server::redis(&["--save", ""]).await;
    let service = unique("history");
    let (mut proxies, mut workers) = (Vec::new(), Vec::new());
    for process in 0..2 {
        let proxy = Proxy::to(server.address()).await;
        let cache = format!("redis://{}", proxy.address());
        let plan = Plan { process, ..plan.clone() };
        let job = Job { kind, plan, pace: pace.clone(), checker, cache, service: service.clone() };
        workers.push(Worker::start(CHILD, job).await);
        proxies.push(proxy);
    }
    let mut world = World { server, proxies, workers, random: Rng::with_seed(plan.seed) };
    if fault == Fault::Evict {
        world.limit_memory(MEMORY).await;
    }
    while shared.progress() < plan.operations {
        world.suffer(fault).await;
    }
    for worker in &mut world.workers {
        worker.done().await;
    }
    for worker in &mut world.workers {
        worker.read_at_rest().await;
    }
    shared.report()
}

/// The calls of each process, and how long they take.
fn chosen(fault: Fault) -> (Plan, Pace) {
    let plan = plan(OPERATIONS);
    if fault != Fault::Stop {
        return (plan, Pace::default());
    }
    // The processes use the same entities for longer than a process is stopped, and no call of unknown outcome holds one of them.
    let stopped = Plan { entities: 64, epoch: u64::MAX, cancelled: 0, lost: 0, tasks: 16, ..plan };
    if is_long() {
        return (stopped, Pace::default());
    }
    let slow = Pace { sleeps_one_in: 2, sleep: 0..=50_000, ..Pace::default() };
    (stopped, slow)
}

#[test(requires("redis-server"), flavor = "multi_thread", worker_threads = 2)]
async fn values_put_by_hand_in_two_processes_are_stale() {
    report(Kind::Manual, Fault::None).await.assert_violated();
}
#[test(requires("redis-server"), flavor = "multi_thread", worker_threads = 2)]
async fn all_faults() {
    for fault in
        [Fault::Cut, Fault::Stall, Fault::Delay, Fault::Restart, Fault::Evict, Fault::Stop, Fault::Kill]
    {
        let start = std::time::Instant::now();
        let report = report(Kind::Manual, fault).await;
        eprintln!("{fault:?} {:?} {}", start.elapsed(), report.to_string().lines().next().unwrap());
    }
}
