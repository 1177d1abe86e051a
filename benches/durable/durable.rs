//! Durable flows per second, compared with the same rows written by bare `sqlx` in batches; and the cost of a flow with different numbers
//! of rows in the store.
//!
//! `cargo bench -p graceful-benches-durable` prints both tables. The times depend on the machine and its disk; the ratio in one run is
//! comparable.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use graceful::{
    Orchestrator, RelaySettings,
    backends::{AttemptOutcome, FlowQuery, FlowState, FlowStore, Lane, QueuedFlow, Room, Timestamp, Uuid},
    orchestrate,
};
use graceful_benches::{load::per_second, user::User};
use graceful_sqlite::Store;
use sqlx::{Connection as _, QueryBuilder, Sqlite, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};

#[orchestrate(pattern = "user", id = user.id, event = "user_updated", delivery = "durable")]
async fn update_user(user: User) -> Result<User, graceful::Code> {
    Ok(user)
}

fn user(id: u64) -> User {
    User::sample(id, true, graceful_benches::user::JSON)
}

async fn by_graceful(dir: &Path, tasks: u64, calls: u64, relay: RelaySettings) -> f64 {
    let store = Store::open(dir.join("graceful.db")).await.unwrap();
    let orchestrator = Orchestrator::builder().service("users").flows(store.clone()).relay(relay);
    let orchestrator = orchestrator.in_memory().build().unwrap();
    let calling = orchestrator.clone();
    let begun = Instant::now();
    let per_second = per_second(tasks, calls, move |task, _| {
        let call = calling.scope(update_user(user(task)));
        async move { drop(call.await) }
    });
    let per_second = per_second.await;
    if relay == RelaySettings::off() {
        return per_second;
    }
    while store.count(FlowState::Queued.into(), 1).await.unwrap().number > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let calls = calls as f64;
    calls / begun.elapsed().as_secs_f64()
}

/// A row, and the channel of the task that waits for its commit.
type Row = (Vec<u8>, String, Vec<u8>, i64, oneshot::Sender<()>);

/// The code of a competent developer: one task that commits the rows that have arrived, and an outbox with the same columns.
async fn by_hand(dir: &Path, tasks: u64, calls: u64, body: Vec<u8>) -> f64 {
    let options = SqliteConnectOptions::new()
        .filename(dir.join("by_hand.db"))
        .create_if_missing(true)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .synchronous(sqlx::sqlite::SqliteSynchronous::Full);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(
        "CREATE TABLE outbox (seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, entity TEXT NOT NULL, handler TEXT NOT NULL, \
         body BLOB NOT NULL, state INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL) STRICT; \
         CREATE INDEX outbox_due ON outbox (due) WHERE state = 0; \
         CREATE INDEX outbox_entity ON outbox (entity, seq) WHERE state = 0",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    let (rows, mut received) = mpsc::channel::<Row>(1024);
    let writer = tokio::spawn(async move {
        let mut batch = Vec::new();
        while received.recv_many(&mut batch, 256).await > 0 {
            let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
            let mut query =
                QueryBuilder::<Sqlite>::new("INSERT INTO outbox (id, entity, handler, body, due) ");
            query.push_values(&batch, |mut row, (id, entity, body, due, _)| {
                row.push_bind(&**id)
                    .push_bind(&**entity)
                    .push_bind("update_user")
                    .push_bind(&**body)
                    .push_bind(*due);
            });
            query.build().persistent(batch.len() == 1).execute(&mut *transaction).await.unwrap();
            transaction.commit().await.unwrap();
            for (.., waiting) in batch.drain(..) {
                let _ = waiting.send(());
            }
        }
    });
    let per_second = per_second(tasks, calls, move |task, _| {
        let (rows, body) = (rows.clone(), body.clone());
        async move {
            // The value is serialised first.
            drop(serde_json::to_vec(&user(task)).unwrap());
            let (waiting, committed) = oneshot::channel();
            let (id, now) = (uuid::Uuid::now_v7().as_bytes().to_vec(), Timestamp::now().as_microsecond());
            rows.send((id, format!("users::user:{task}"), body, now, waiting)).await.unwrap();
            committed.await.unwrap();
        }
    })
    .await;
    writer.await.unwrap();
    per_second
}

/// The body of a flow as it is stored, so that both write the same bytes.
async fn body(dir: &Path) -> Vec<u8> {
    let store = Store::open(dir.join("body.db")).await.unwrap();
    let builder = Orchestrator::builder().service("users").flows(store.clone()).relay(RelaySettings::off());
    builder.in_memory().build().unwrap().scope(update_user(user(1))).await.unwrap();
    let queued = store.flows(FlowQuery::new(FlowState::Queued, 1)).await.unwrap().items.remove(0);
    store.get(queued.id).await.unwrap().unwrap().body
}

async fn flows_per_second() {
    println!("| handlers at once | by | flows a second | ratio |\n| --- | --- | --- | --- |");
    for (tasks, calls) in [(1, 4_000), (64, 64_000)] {
        let (mut hand, mut graceful) = (Vec::new(), Vec::new());
        // Alternately, so that other load affects both alike.
        for _ in 0..5 {
            let dir = tempfile::tempdir().unwrap();
            let body = body(dir.path()).await;
            hand.push(by_hand(dir.path(), tasks, calls, body).await);
            graceful.push(by_graceful(dir.path(), tasks, calls, RelaySettings::off()).await);
        }
        let dir = tempfile::tempdir().unwrap();
        let to_the_end = by_graceful(dir.path(), tasks, calls, RelaySettings::default()).await;
        let best = |of: &[f64]| of.iter().copied().fold(0.0, f64::max);
        let (hand, graceful) = (best(&hand), best(&graceful));
        println!("| {tasks} | bare sqlx, batched | {hand:.0} | 1.00 |");
        println!("| {tasks} | graceful | {graceful:.0} | {:.2} |", graceful / hand);
        println!(
            "| {tasks} | graceful, to the end of eight steps | {to_the_end:.0} | {:.2} |",
            to_the_end / hand
        );
    }
}

/// Microseconds to store, claim and complete a flow, with the given number of completed rows and as many that wait behind one another.
async fn with_rows(rows: u32) -> f64 {
    const FLOWS: u32 = 2_000;
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().join("graceful.db")).await.unwrap();
    let mut connection =
        SqliteConnection::connect(&format!("sqlite://{}", store.path().display())).await.unwrap();
    // Half of the rows are completed; half wait behind a flow of their entity that is not due, as after an outage.
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {rows}) \
         INSERT INTO graceful_flows (id, entity, handler, body, state, head, due, ended_at) \
         SELECT randomblob(16), 'waiting ' || (n % 100), '', zeroblob(600), n % 2, n <= 200 AND n % 2 = 0, \
         iif(n <= 200, 9000000000000000, 0), iif(n % 2, 1, NULL) FROM n"
    )))
    .execute(&mut connection)
    .await
    .unwrap();
    let begun = Instant::now();
    let mut working = JoinSet::new();
    for task in 0..8_u32 {
        let store = store.clone();
        working.spawn(async move {
            for number in 0..FLOWS / 8 {
                let id = Uuid::from_u128(u128::from(task * FLOWS + number));
                let entity = format!("entity {task}/{number}");
                let flow = QueuedFlow::new(id, entity, "", Lane::default(), vec![b' '; 600]);
                store.enqueue(flow).await.unwrap();
                for claim in store.claim(Room::of(8), Duration::from_secs(30)).await.unwrap() {
                    store.record_outcome(claim.claim_id(), AttemptOutcome::Completed).await.unwrap();
                }
            }
        });
    }
    working.join_all().await;
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(FLOWS)
}

async fn flat() {
    println!("\n| rows in the store | microseconds a flow: stored, claimed, settled |\n| --- | --- |");
    for rows in [1_000, 10_000, 100_000, 1_000_000] {
        let mut best = f64::MAX;
        for _ in 0..3 {
            best = best.min(with_rows(rows).await);
        }
        println!("| {rows} | {best:.0} |");
    }
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(flows_per_second());
    runtime.block_on(flat());
}
