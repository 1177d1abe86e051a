//! Events per second of one process with one subscriber of an event log in PostgreSQL.
//!
//! - *With 50 ms of work* it is compared with the bound: concurrency / work.
//! - *Without work* it is compared with a loop by hand that fetches a batch of the same rows, as large as the largest of the subscriber,
//!   decodes and handles each event, and then stores its position, in the same run: once decoding the same `EventData`, once only its result.
//!
//! `cargo bench -p graceful-benches-subscribers` prints the table. It needs PostgreSQL on its standard port.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use graceful::{
    Code, EventData, Orchestrator, RelaySettings, State,
    backends::{EventLog as _, NewSubscriber, Subscriptions as _},
    orchestrate, subscribe,
};
use graceful_postgres::Store;
use serde::Deserialize;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use tokio::{sync::Notify, task::JoinSet};

const URL: &str = "postgres://postgres@127.0.0.1:5432/test";

const ENTITIES: usize = 2_000;
const FAST: usize = 300_000;
const SLOW: usize = 4_000;
const WORK: Duration = Duration::from_millis(50);
const CONCURRENCY: u32 = 32;
const ROUNDS: usize = 5;

#[orchestrate(pattern = "user", id = user, event = "user_updated")]
async fn update_user(user: usize, number: usize) -> Result<usize, Code> {
    Ok(number)
}

/// Counts events, and notifies at the last one.
#[derive(Clone)]
struct Counted(Arc<(AtomicUsize, Notify)>);

impl Counted {
    fn to(events: usize) -> Self {
        Self(Arc::new((events.into(), Notify::new())))
    }

    fn add(&self) {
        if self.0.0.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.1.notify_one();
        }
    }
}

#[subscribe(event = "user_updated", pattern = "user")]
async fn fast(event: EventData<usize>, State(counted): State<Counted>) -> Result<(), Code> {
    std::hint::black_box(event.result);
    counted.add();
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user")]
async fn slow(event: EventData<usize>, State(counted): State<Counted>) -> Result<(), Code> {
    std::hint::black_box(event.result);
    tokio::time::sleep(WORK).await;
    counted.add();
    Ok(())
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run());
}

async fn run() {
    let schema = format!("subscribers_{}", std::process::id());
    let mut owner = PgConnection::connect(URL).await.expect("PostgreSQL runs");
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA {schema}")))
        .execute(&mut owner)
        .await
        .expect("a schema");
    let url = format!("{URL}?options[search_path]={schema}");
    Store::migrate(&url).await.expect("tables");
    let store = Store::connect(&url).await.expect("a store");
    emit(&store).await;
    let pool = PgPool::connect(&url).await.expect("a pool");
    // Without statistics the query of the loop by hand sorts the whole table.
    sqlx::raw_sql("CREATE TABLE positions (position bigint); INSERT INTO positions VALUES (0); ANALYZE")
        .execute(&pool)
        .await
        .expect("a table");
    let (mut ours, mut by_hand, mut only_result) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        by_hand.push(per_second(FAST, loop_by_hand(&pool, whole)).await);
        ours.push(per_second(FAST, subscribed(&store, "subscribers::fast", FAST)).await);
        only_result.push(per_second(FAST, loop_by_hand(&pool, part)).await);
    }
    let (ours, by_hand, only_result) = (median(ours), median(by_hand), median(only_result));
    println!("without work: {ours:.0}/s, by hand {by_hand:.0}/s, ratio {:.2} (goal 0.7)", ours / by_hand);
    println!("by hand, decoding only the result: {only_result:.0}/s, ratio {:.2}", ours / only_result);
    let worked = per_second(SLOW, subscribed(&store, "subscribers::slow", SLOW)).await;
    let bound = f64::from(CONCURRENCY) / WORK.as_secs_f64();
    println!("with 50 ms: {worked:.0}/s of at most {bound:.0}/s, ratio {:.2} (goal 0.9)", worked / bound);
    drop(store);
    pool.close().await;
    sqlx::raw_sql(AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE")))
        .execute(&mut owner)
        .await
        .expect("it is dropped");
}

async fn emit(store: &Store) {
    let orchestrator =
        Orchestrator::builder().service("users").events(store.clone()).build().expect("it is complete");
    let mut emitting = JoinSet::new();
    for number in 0..FAST {
        emitting.spawn(orchestrator.scope(update_user(number % ENTITIES, number)));
        if emitting.len() >= 512 {
            emitting.join_next().await;
        }
    }
    while emitting.join_next().await.is_some() {}
    assert!(store.span().await.expect("a span").newest >= FAST as u64);
}

/// Handles so many events from the beginning of the log.
async fn subscribed(store: &Store, path: &str, events: usize) {
    store.unregister(path.into()).await.expect("nobody reads");
    store.register(NewSubscriber::new(path, 0)).await.expect("it is registered");
    let builder = Orchestrator::builder().service("users").flows(store.clone()).events(store.clone());
    let orchestrator = builder.relay(RelaySettings::off()).build().expect("it is complete");
    let counted = Counted::to(events);
    let subscribers = orchestrator.subscribers().only(path).provide(counted.clone());
    subscribers.run_until(counted.0.1.notified()).await.expect("it runs");
}

/// The same event for the handler.
#[derive(Deserialize)]
struct Whole {
    data: EventData<usize>,
}

/// Only what the handler uses.
#[derive(Deserialize)]
struct Part {
    data: PartOfData,
}

#[derive(Deserialize)]
struct PartOfData {
    result: usize,
}

fn whole(payload: &str) -> usize {
    let event: Whole = serde_json::from_str(payload).expect("an event");
    std::hint::black_box(event.data).result
}

fn part(payload: &str) -> usize {
    let event: Part = serde_json::from_str(payload).expect("an event");
    event.data.result
}

/// What a subscriber by hand does.
async fn loop_by_hand(pool: &PgPool, decode: fn(&str) -> usize) {
    let (mut position, mut handled) = (0_i64, 0);
    while handled < FAST {
        let rows: Vec<(i64, String)> = sqlx::query_as(
            "SELECT position, payload FROM graceful_events WHERE position > $1 AND type = 'user_updated' \
             AND aggregatetype = 'user' ORDER BY position LIMIT 1024",
        )
        .bind(position)
        .fetch_all(pool)
        .await
        .expect("rows");
        for (at, payload) in rows {
            std::hint::black_box(decode(&payload));
            (position, handled) = (at, handled + 1);
        }
        sqlx::query("UPDATE positions SET position = $1")
            .bind(position)
            .execute(pool)
            .await
            .expect("it is stored");
    }
}

async fn per_second(events: usize, work: impl Future<Output = ()>) -> f64 {
    let began = Instant::now();
    work.await;
    #[expect(clippy::cast_precision_loss, reason = "there are not so many")]
    let events = events as f64;
    events / began.elapsed().as_secs_f64()
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}
