//! Durable handlers beside an operator who asks questions, for both stores.
//!
//! `cargo bench -p graceful-benches-durable --bench operator` prints the calls per second of 64 handlers, whose flows a relay runs, alone and beside
//! an operator who asks one of twelve questions per second about 10,000 dead letters of three causes; and the median of the ratios of paired runs.
//! PostgreSQL is expected as for the bench `queries`.

#[path = "filled.rs"]
mod filled;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use graceful::{
    Orchestrator,
    backends::{FlowFilter, FlowQuery, FlowState, FlowStore, Uuid},
    orchestrate,
};
use graceful_benches::user::User;
use tokio::{task::JoinSet, time::interval};

use self::filled::Filled;

const PAIRS: usize = 7;
const HANDLERS: u64 = 64;
const TIME: Duration = Duration::from_secs(5);
const SCHEMA: &str = "graceful_bench_operator";

/// Dead letters of one handler, with three causes.
const ROW: [&str; 7] = [
    "'users::user:d' || n",
    "'users::update_user'",
    "2",
    "72057594037927936 + n % 3",
    "'event'",
    "'no space for ' || n",
    "-n",
];

#[orchestrate(pattern = "user", id = user.id, event = "user_updated", delivery = "durable")]
async fn update_user(user: User) -> Result<User, graceful::Code> {
    Ok(user)
}

/// Asks one question per second, until it is dropped.
async fn ask(store: Arc<dyn FlowStore>) {
    let mut seconds = interval(Duration::from_secs(1));
    let filter = |pairs: &[(&str, &str)]| FlowFilter::parse(pairs.iter().copied()).unwrap();
    let dead = FlowFilter::from(FlowState::Dead);
    let group = filter(&[("group", "0100000000000001"), ("state", "dead")]);
    for question in (0..12).cycle() {
        seconds.tick().await;
        match question {
            0 => drop(store.lag(100_000).await.unwrap()),
            1 => drop(store.groups(FlowFilter::default(), 10_000).await.unwrap()),
            2 => drop(store.groups(dead.clone(), 10_000).await.unwrap()),
            3 => drop(store.flows(FlowQuery::new(dead.clone(), 50)).await.unwrap()),
            4 => drop(store.flows(FlowQuery::new(group.clone(), 50)).await.unwrap()),
            5 => drop(store.count(group.clone(), 10_000).await.unwrap()),
            6 => drop(store.count(dead.clone(), 100_000).await.unwrap()),
            7 => drop(store.get(Uuid::from_u128(7)).await.unwrap()),
            8 => drop(store.attempts(Uuid::from_u128(7)).await.unwrap()),
            9 => drop(store.flows(FlowQuery::new(FlowState::Queued, 50)).await.unwrap()),
            10 => drop(store.flows(FlowQuery::new(filter(&[("since", "1h")]), 50)).await.unwrap()),
            _ => drop(store.operations().unwrap().list(None, 50).await.unwrap()),
        }
    }
}

/// Calls per second.
async fn run(orchestrator: &Orchestrator, beside_an_operator: bool) -> f64 {
    let (calls, begun) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let mut operator = JoinSet::new();
    if beside_an_operator {
        operator.spawn(ask(Arc::clone(orchestrator.flows().unwrap())));
    }
    let mut handlers = JoinSet::new();
    for handler in 0..HANDLERS {
        let (orchestrator, calls) = (orchestrator.clone(), Arc::clone(&calls));
        handlers.spawn(async move {
            while begun.elapsed() < TIME {
                let user = User::sample(handler, true, graceful_benches::user::JSON);
                orchestrator.scope(update_user(user)).await.unwrap();
                calls.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    handlers.join_all().await;
    let all = u32::try_from(calls.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
    f64::from(all) / begun.elapsed().as_secs_f64()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}

async fn compared(name: &str, store: impl FlowStore) {
    let orchestrator = Orchestrator::builder().service("users").flows(store).in_memory().build().unwrap();
    let (mut alone, mut beside, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    run(&orchestrator, false).await;
    for pair in 0..PAIRS {
        // In turn, so that what grows slowly is no advantage of one.
        let beside_first = pair % 2 == 0;
        let first = run(&orchestrator, beside_first).await;
        let second = run(&orchestrator, !beside_first).await;
        let (one, both) = if beside_first { (second, first) } else { (first, second) };
        alone.push(one);
        beside.push(both);
        ratios.push(both / one);
    }
    println!("| {name} | {:.0} | {:.0} | {:.3} |", median(alone), median(beside), median(ratios));
    orchestrator.shutdown(Duration::from_mins(1)).await;
}

fn main() {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        println!("| store | calls/s alone | beside an operator | ratio |\n| --- | --- | --- | --- |");
        let filled = Filled::new(SCHEMA, ROW, 10_000);
        let (_dir, store) = filled.sqlite().await;
        compared("SQLite", store).await;
        if let Some(store) = filled.postgres().await {
            compared("PostgreSQL", store).await;
        }
        filled::drop_schema(SCHEMA).await;
    });
}
