//! `stampede_child URL SERVICE LOAD_MS`: for each line of its input, 200 callers read one entry at once. Each load prints `load` when it begins; when
//! all callers have their answer, it prints `done`.

use std::time::Duration;

use graceful::{Orchestrator, StepError, orchestrate};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    task::JoinSet,
};

const CALLERS: usize = 200;

#[orchestrate(pattern = "hot", cache(key = (), read, unwritten, ttl = "1s"))]
async fn read(load: Duration) -> Result<u64, StepError> {
    println!("load");
    tokio::time::sleep(load).await;
    Ok(7)
}

#[tokio::main]
async fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [url, service, load] = &arguments[..] else { panic!("usage: stampede_child URL SERVICE LOAD_MS") };
    let load = Duration::from_millis(load.parse().expect("LOAD_MS is a number"));
    let cache = graceful_redis::Cache::connect(url).await.expect("the server answers");
    // A machine that is busy is not a server that is unavailable.
    let cache = cache.timeout(Duration::from_secs(10));
    let orchestrator = Orchestrator::builder().service(&**service).cache(cache).build().expect("a cache");
    println!("done");
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(_)) = lines.next_line().await {
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            callers.spawn(orchestrator.scope(read(load)));
        }
        for answer in callers.join_all().await {
            assert_eq!(answer.expect("the load does not fail"), 7);
        }
        println!("done");
    }
}
