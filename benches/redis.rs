//! `cargo bench -p graceful-benches --features redis --bench redis`: a hit on Redis beside a manual `GET`, and the round trips of a write.
//!
//! It starts a server of its own, so that nobody else's commands are counted.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use graceful::{Orchestrator, orchestrate};
use graceful_benches::{
    load::per_second,
    user::{JSON, User, UserError, store},
};
use redis::{AsyncTypedCommands as _, aio::MultiplexedConnection};

/// Many short rounds in turns, so that other load affects both alike.
const ROUNDS: usize = 41;

/// The number of concurrent callers, and the number of calls in a round.
const LOADS: [(u64, u64); 2] = [(1, 1000), (64, 6400)];

const WRITES: u64 = 100;

#[orchestrate(pattern = "account", cache(key = id, read))]
async fn account(id: u64) -> Result<User, UserError> {
    store(User::sample(id, true, JSON))
}

#[orchestrate(pattern = "account", cache = user.id)]
async fn save_account(user: User) -> Result<User, UserError> {
    store(user)
}

/// Nobody reads this pattern through the cache, so a write only puts.
#[orchestrate(pattern = "note", cache = user.id)]
async fn save_note(user: User) -> Result<User, UserError> {
    store(user)
}

struct Server {
    process: Child,
    directory: std::path::PathBuf,
    url: String,
}

impl Server {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let directory = env::temp_dir().join(format!("graceful-bench-redis-{port}"));
        fs::create_dir_all(&directory).unwrap();
        let mut process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()])
            .arg("--dir")
            .arg(&directory)
            .stdout(Stdio::piped())
            .spawn()
            .expect("redis-server is installed");
        let mut log = BufReader::new(process.stdout.take().unwrap()).lines();
        assert!(log.any(|line| line.unwrap().contains("Ready to accept connections")), "it has not started");
        Self { process, directory, url: format!("redis://127.0.0.1:{port}") }
    }

    async fn connect(&self) -> MultiplexedConnection {
        redis::Client::open(&*self.url).unwrap().get_multiplexed_async_connection().await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        fs::remove_dir_all(&self.directory).unwrap();
    }
}

async fn get(mut connection: MultiplexedConnection, id: u64) -> Option<User> {
    let mut get = redis::cmd("GET");
    get.arg(format!("users::account:{id}"));
    let value: Option<Vec<u8>> = get.query_async(&mut connection).await.unwrap();
    value.and_then(|value| serde_json::from_slice(&value).ok())
}

/// The same from the names that a hit asks for, with the marks of the entity and of its pattern.
async fn get_with_marks(mut connection: MultiplexedConnection, id: u64) -> Option<User> {
    let mut get = redis::cmd("MGET");
    get.arg(format!("users::account:{id}"));
    get.arg(format!("graceful:users::account:{id}/mark")).arg("graceful:users::account::pattern/mark");
    let values: [Option<Vec<u8>>; 3] = get.query_async(&mut connection).await.unwrap();
    let [Some(value), Some(_), Some(_)] = values else { return None };
    serde_json::from_slice(&value).ok()
}

async fn hits(orchestrator: &Orchestrator, mut connection: MultiplexedConnection) {
    let callers = LOADS.iter().map(|(tasks, _)| *tasks).max().unwrap_or_default();
    for id in 0..callers {
        orchestrator.scope(account(id)).await.unwrap();
        let value = serde_json::to_string(&User::sample(id, true, JSON)).unwrap();
        connection.set(format!("users::account:{id}"), value).await.unwrap();
    }
    println!("| callers at once | by | calls a second | ratio | middle half of the rounds |");
    println!("| --- | --- | --- | --- | --- |");
    for (tasks, calls) in LOADS {
        let mut rates = [const { Vec::new() }; 3];
        for round in 0..=ROUNDS {
            let (one, other, scope) = (connection.clone(), connection.clone(), orchestrator.clone());
            let manual = per_second(tasks, calls, move |task, _| {
                let got = get(one.clone(), task);
                async move { assert!(got.await.is_some()) }
            });
            let manual = manual.await;
            let marked = per_second(tasks, calls, move |task, _| {
                let got = get_with_marks(other.clone(), task);
                async move { assert!(got.await.is_some()) }
            });
            let marked = marked.await;
            let hit = per_second(tasks, calls, move |task, _| {
                let read = scope.scope(account(task));
                async move { assert!(read.await.is_ok()) }
            });
            let hit = hit.await;
            // The first round warms up.
            if round > 0 {
                for (rates, rate) in rates.iter_mut().zip([manual, marked, hit]) {
                    rates.push(rate);
                }
            }
        }
        for (name, of) in
            ["manual `GET`", "manual `MGET`, with two marks", "graceful, hit"].iter().zip(&rates)
        {
            let ratios = of.iter().zip(&rates[0]).map(|(rate, manual)| rate / manual).collect();
            let ([_, rate, _], [low, ratio, high]) = (quartiles(of.clone()), quartiles(ratios));
            println!("| {tasks} | {name} | {rate:.0} | {ratio:.2} | {low:.2} to {high:.2} |");
        }
    }
    let stats = orchestrator.cache_stats("account").unwrap();
    assert_eq!(stats.misses, callers, "every other read was a hit");
}

/// The first quartile, the median and the third quartile.
fn quartiles(mut of: Vec<f64>) -> [f64; 3] {
    of.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| of[quarter * (of.len() - 1) / 4])
}

/// The number of scripts that run on the server for each call. Each is one round trip; what a script calls is none.
async fn round_trips<F: Future<Output: Send>>(
    connection: &mut MultiplexedConnection,
    call: impl Fn(User) -> F,
) -> f64 {
    // The server gets to know the scripts first.
    drop(call(User::sample(WRITES, true, JSON)).await);
    let () = redis::cmd("CONFIG").arg("RESETSTAT").query_async(connection).await.unwrap();
    for id in 0..WRITES {
        drop(call(User::sample(id, true, JSON)).await);
    }
    let stats: String = redis::cmd("INFO").arg("commandstats").query_async(connection).await.unwrap();
    let calls: BTreeMap<&str, f64> = stats.lines().filter_map(count).collect();
    #[expect(clippy::cast_precision_loss, reason = "few")]
    let writes = WRITES as f64;
    calls["evalsha"] / writes
}

/// `cmdstat_evalsha:calls=100,usec=…`
fn count(line: &str) -> Option<(&str, f64)> {
    let (command, stats) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
    Some((command, stats.split(',').next()?.parse().ok()?))
}

fn main() {
    let server = Server::start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let cache = graceful_redis::Cache::connect(&server.url).await.unwrap();
        let orchestrator = Orchestrator::builder().service("users").cache(cache).build().unwrap();
        let mut connection = server.connect().await;
        hits(&orchestrator, connection.clone()).await;
        let put = round_trips(&mut connection, |user| orchestrator.scope(save_note(user))).await;
        let held = round_trips(&mut connection, |user| orchestrator.scope(save_account(user))).await;
        println!("round trips of a write: {put:.2} for a put alone, {held:.2} if the pattern is read through the cache");
    });
}
