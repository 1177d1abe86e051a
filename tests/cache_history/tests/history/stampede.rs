//! Four processes with 200 callers each read one entry that has expired.

use std::{
    future::poll_fn,
    pin::Pin,
    process::Stdio,
    task::{Context, Poll},
    time::Duration,
};

use graceful_tests::{
    gate::{awaited, until},
    servers::{Server, unique},
};
use redis::{AsyncCommands as _, aio::MultiplexedConnection};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

const PROCESSES: usize = 4;
const CALLERS: u64 = 200;

struct Process {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Process {
    async fn start(server: &Server, service: &str, load: Duration) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stampede_child"))
            .args([&format!("redis://{}", server.address()), service, &load.as_millis().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut process = Self { child, input, output };
        assert_eq!(process.loads_until_done().await, 0);
        process
    }

    async fn go(&mut self) {
        self.input.write_all(b"go\n").await.unwrap();
    }

    async fn line(&mut self) -> String {
        awaited(self.output.next_line()).await.unwrap().expect("the process has ended")
    }

    /// How many loads have begun until all callers have their answer.
    async fn loads_until_done(&mut self) -> usize {
        let mut loads = 0;
        while self.line().await != "done" {
            loads += 1;
        }
        loads
    }
}

async fn started(server: &Server, load: Duration) -> Vec<Process> {
    let service = unique("stampede");
    let mut processes = Vec::new();
    for _ in 0..PROCESSES {
        processes.push(Process::start(server, &service, load).await);
    }
    processes
}

/// Lets all processes read at once; how many loads there were.
async fn loads(processes: &mut [Process]) -> usize {
    for process in &mut *processes {
        process.go().await;
    }
    let mut loads = 0;
    for process in processes {
        loads += process.loads_until_done().await;
    }
    loads
}

#[test(requires("redis-server"), flavor = "multi_thread", worker_threads = 2)]
async fn expired_entry_is_loaded_once_by_four_processes() {
    let server = Server::redis(&["--save", ""]).await;
    let mut processes = started(&server, Duration::from_millis(100)).await;
    assert_eq!(loads(&mut processes).await, 1, "nothing is cached yet");
    let client = redis::Client::open(format!("redis://{}", server.address())).unwrap();
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    // The entry expires by the clock of the server; its marks do as well.
    let has_expired = async |mut connection: MultiplexedConnection| {
        connection.scan_match::<_, String>("*entry*").await.unwrap().next_item().await.is_none()
    };
    until(|| has_expired(connection.clone())).await;
    assert_eq!(loads(&mut processes).await, 1);
}

#[test(requires("redis-server"), flavor = "multi_thread", worker_threads = 2)]
async fn killed_leader_costs_each_process_at_most_one_load() {
    let server = Server::redis(&["--save", ""]).await;
    // The load takes longer than the lease lasts, so the leader has to extend it.
    let mut processes = started(&server, Duration::from_millis(1_500)).await;
    for process in &mut processes {
        process.go().await;
    }
    let leader = {
        let lines = processes.iter_mut().map(|process| Box::pin(process.line()));
        first(lines.collect()).await
    };
    let mut killed = processes.remove(leader);
    killed.child.kill().await.unwrap();
    let mut loads = Vec::new();
    for mut process in processes {
        loads.push(process.loads_until_done().await);
    }
    assert!(loads.iter().all(|&loads| loads <= 1), "{loads:?}");
    assert!(loads.contains(&1), "nobody has loaded after the leader was killed");
    // Each caller looks up at first, and after that one of each process asks every 25 ms. If all of them asked, it would be a hundred
    // times as often.
    let scripts = scripts(&server).await;
    let expected = PROCESSES as u64 * (CALLERS + 2 * 1_500 / 25);
    assert!(scripts < 10 * expected, "{scripts} scripts, where about {expected} do");
}

/// How many scripts the server has run.
async fn scripts(server: &Server) -> u64 {
    let client = redis::Client::open(format!("redis://{}", server.address())).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let statistics: String =
        redis::cmd("INFO").arg("commandstats").query_async(&mut connection).await.unwrap();
    let calls = |line: &str| line.strip_prefix("cmdstat_evalsha:calls=")?.split(',').next()?.parse().ok();
    statistics.lines().find_map(calls).unwrap_or_else(|| panic!("no scripts in {statistics}"))
}

/// The index of the first future that is ready.
async fn first<F: Future + Unpin>(mut futures: Vec<F>) -> usize {
    let is_ready = |cx: &mut Context<'_>, future: &mut F| Pin::new(future).poll(cx).is_ready();
    poll_fn(|cx| match futures.iter_mut().position(|future| is_ready(cx, future)) {
        Some(index) => Poll::Ready(index),
        None => Poll::Pending,
    })
    .await
}
