//! Flows per second of one entity, to the end, compared with as many flows of one entity each: those of an entity run in order.
//!
//! `cargo bench -p graceful-benches-durable --bench entity` prints the table, for both stores. The variants take turns; the figures are medians.

mod place;

use std::time::{Duration, Instant};

use graceful::{
    Orchestrator, OrchestratorBuilder, RelaySettings,
    backends::{FlowState, FlowStore, memory},
    orchestrate,
};
use graceful_benches::{load::rate, user::User};
use sqlx::PgConnection;
use tokio::task::JoinSet;

use self::place::{execute, median, within_schema};

const FLOWS: u64 = 5_000;
const ROUNDS: usize = 5;

#[orchestrate(pattern = "user", id = user.id, event = "user_updated", delivery = "durable")]
async fn update_user(user: User) -> Result<User, graceful::Code> {
    Ok(user)
}

/// How many flows are stored and completed per second.
async fn completed<S: FlowStore + Clone>(
    store: S,
    entities: u64,
    with: fn(OrchestratorBuilder, S) -> OrchestratorBuilder,
) -> f64 {
    let relay = RelaySettings::default().concurrency(256).concurrency_per_handler(256);
    let builder = Orchestrator::builder().service("users").events(memory::Events::new()).relay(relay);
    let orchestrator = with(builder, store.clone()).build().expect("it is complete");
    let (begun, mut calling) = (Instant::now(), JoinSet::new());
    for number in 0..FLOWS {
        let user = User::sample(number % entities, true, graceful_benches::user::JSON);
        calling.spawn(orchestrator.scope(update_user(user)));
        if calling.len() >= 64 {
            calling.join_next().await;
        }
    }
    while calling.join_next().await.is_some() {}
    // A query that a busy server does not answer in time is asked again.
    while store.count(FlowState::Queued.into(), 1).await.map_or(true, |queued| queued.number > 0) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    rate(FLOWS, begun)
}

fn print(store: &str, one: Vec<f64>, many: Vec<f64>) {
    let (one, many) = (median(one), median(many));
    println!("| {store} | {many:.0} | {one:.0} | {:.2} |", one / many);
}

async fn in_sqlite() {
    let completed_of = async |entities| {
        let dir = tempfile::tempdir().expect("a directory");
        let store = graceful_sqlite::Store::open(dir.path().join("graceful.db")).await.expect("a store");
        completed(store, entities, OrchestratorBuilder::flows).await
    };
    let (mut one, mut many) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        many.push(completed_of(FLOWS).await);
        one.push(completed_of(1).await);
    }
    print("SQLite", one, many);
}

async fn in_postgres(connection: &mut PgConnection, url: &str) {
    graceful_postgres::Store::migrate(url).await.expect("tables");
    let mut completed_of = async |entities| {
        execute(connection, "TRUNCATE graceful_flows").await;
        let store = graceful_postgres::Store::connect(url).await.expect("a store");
        completed(store, entities, OrchestratorBuilder::flows).await
    };
    let (mut one, mut many) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        many.push(completed_of(FLOWS).await);
        one.push(completed_of(1).await);
    }
    print("PostgreSQL", one, many);
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    println!(
        "| store | one flow of each entity | all of one entity | ratio (goal 0.5) |\n| --- | --- | --- | --- |"
    );
    runtime.block_on(in_sqlite());
    runtime.block_on(within_schema("bench_entity", in_postgres));
}
