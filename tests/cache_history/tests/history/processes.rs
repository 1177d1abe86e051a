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
const OPERATIONS: u64 = 4_000;
/// With less, the server's own buffers leave no place for entries.
const MEMORY: u64 = 300 * 1024;
const LEAST_MEMORY: u64 = 4 * 1024;

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
    let mut spare = MEMORY;
    if fault == Fault::Evict {
        world.limit_memory(spare).await;
    }
    while shared.progress() < plan.operations {
        world.suffer(fault).await;
        // How much memory the server needs for its own depends on its connections.
        if fault == Fault::Evict && world.evicted().await == 0 {
            spare = (spare / 4).max(LEAST_MEMORY);
            world.limit_memory(spare).await;
        }
    }
    for worker in &mut world.workers {
        worker.done().await;
    }
    if fault == Fault::Evict {
        assert!(world.evicted().await > 0, "nothing was evicted");
    }
    for worker in &mut world.workers {
        worker.read_at_rest().await;
    }
    shared.report()
}

/// The calls of each process, and how long they take.
fn chosen(fault: Fault) -> (Plan, Pace) {
    let plan = plan(OPERATIONS);
    if fault == Fault::None {
        return (plan, Pace::default());
    }
    // The processes use the same entities for longer than a fault lasts. So fewer calls may be of unknown outcome, which hold their
    // entities. If a write holds nothing and its end is lost, old values are served: that is a documented limit.
    let plan = Plan { entities: 32, epoch: 2_000, cancelled: 0, lost: 1, without_hold: false, ..plan };
    match fault {
        Fault::Restart => (Plan { epoch: u64::MAX, lost: 0, ..plan }, Pace::default()),
        Fault::Stop if !is_long() => {
            let slow = Pace { sleeps_one_in: 2, sleep: 0..=50_000, ..Pace::default() };
            (Plan { epoch: u64::MAX, lost: 0, tasks: 16, ..plan }, slow)
        }
        _ => (plan, Pace::default()),
    }
}

#[test(requires("redis-server"), flavor = "multi_thread", worker_threads = 2)]
async fn reads_in_two_processes_are_never_stale() {
    report(Kind::ReadThrough, Fault::None).await.assert_holds();
}

#[test(requires("redis-server"), flavor = "multi_thread", worker_threads = 2)]
async fn reads_are_never_stale_when_connections_are_cut() {
    report(Kind::ReadThrough, Fault::Cut).await.assert_holds();
}

#[test(requires("redis-server"), flavor = "multi_thread", worker_threads = 2)]
async fn reads_are_never_stale_when_connections_stall() {
    report(Kind::ReadThrough, Fault::Stall).await.assert_holds();
}

#[test(requires("redis-server"), flavor = "multi_thread", worker_threads = 2)]
async fn reads_are_never_stale_when_connections_are_slow() {
    report(Kind::ReadThrough, Fault::Delay).await.assert_holds();
}

#[test(requires("redis-server"), flavor = "multi_thread", worker_threads = 2)]
async fn reads_are_never_stale_when_the_server_restarts_from_a_snapshot() {
    report(Kind::ReadThrough, Fault::Restart).await.assert_holds();
}

#[test(requires("redis-server"), flavor = "multi_thread", worker_threads = 2)]
async fn reads_are_never_stale_when_the_server_evicts() {
    report(Kind::ReadThrough, Fault::Evict).await.assert_holds();
}

#[test(requires("redis-server"), flavor = "multi_thread", worker_threads = 2)]
async fn reads_are_never_stale_when_a_process_is_stopped_for_longer_than_a_hold() {
    report(Kind::ReadThrough, Fault::Stop).await.assert_holds();
}

#[test(requires("redis-server"), flavor = "multi_thread", worker_threads = 2)]
async fn reads_are_never_stale_when_processes_are_killed() {
    report(Kind::ReadThrough, Fault::Kill).await.assert_holds();
}

/// The checker sees the calls of both processes.
#[test(requires("redis-server"), flavor = "multi_thread", worker_threads = 2)]
async fn values_put_by_hand_in_two_processes_are_stale() {
    report(Kind::Manual, Fault::None).await.assert_violated();
}
