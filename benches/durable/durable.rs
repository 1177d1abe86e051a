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
    Orchestrator, OrchestratorBuilder, RelaySettings,
    backends::{
        AttemptOutcome, FlowQuery, FlowState, FlowStore, Lane, QueuedFlow, Room, Timestamp, Uuid, memory,
    },
    orchestrate,
};
use graceful_benches::{
    load::{per_second, rate},
    user::User,
};
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

/// In a file that does not exist yet. `steps` configures those that the relay runs.
async fn by_graceful(
    file: &Path,
    (tasks, calls): (u64, u64),
    relay: RelaySettings,
    steps: fn(OrchestratorBuilder) -> OrchestratorBuilder,
) -> f64 {
    let store = Store::open(file).await.unwrap();
    let orchestrator = Orchestrator::builder().service("users").flows(store.clone()).relay(relay);
    let orchestrator = steps(orchestrator).build().unwrap();
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
    rate(calls, begun)
}

/// A row, and the channel of the task that waits for its commit.
type Row = (Vec<u8>, String, Vec<u8>, i64, oneshot::Sender<()>);

async fn connect(file: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .synchronous(sqlx::sqlite::SqliteSynchronous::Full);
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// An empty outbox in a new file, with the same columns.
async fn outbox(file: &Path) -> SqliteConnection {
    let mut connection = connect(file).await;
    sqlx::raw_sql(
        "CREATE TABLE outbox (seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, entity TEXT NOT NULL, handler TEXT NOT NULL, \
         body BLOB NOT NULL, state INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL) STRICT; \
         CREATE INDEX outbox_due ON outbox (due) WHERE state = 0; \
         CREATE INDEX outbox_entity ON outbox (entity, seq) WHERE state = 0",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    connection
}

/// The code of a competent developer: one task that commits the rows that have arrived.
async fn by_hand(mut connection: SqliteConnection, (tasks, calls): (u64, u64), body: Vec<u8>) -> f64 {
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

/// The same with a relay, which claims 100 rows, publishes them, and marks them in one statement.
async fn by_hand_to_the_end(file: &Path, load: (u64, u64), body: Vec<u8>) -> f64 {
    let writing = outbox(file).await;
    let mut connection = connect(file).await;
    let begun = Instant::now();
    let relay = tokio::spawn(async move {
        let mut done = 0;
        while done < load.1 {
            let claimed: Vec<(i64, Vec<u8>)> = sqlx::query_as(
                "UPDATE outbox SET attempts = attempts + 1, due = ?1 + 30000000 WHERE seq IN \
                 (SELECT seq FROM outbox WHERE state = 0 AND due <= ?1 ORDER BY due LIMIT 100) RETURNING seq, body",
            )
            .bind(Timestamp::now().as_microsecond())
            .fetch_all(&mut connection)
            .await
            .unwrap();
            if claimed.is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
                continue;
            }
            // The body is the envelope.
            for (_, body) in &claimed {
                std::hint::black_box(body);
            }
            let mut mark =
                QueryBuilder::<Sqlite>::new("UPDATE outbox SET state = 1 WHERE state = 0 AND seq IN (");
            let mut claims = mark.separated(", ");
            for (seq, _) in &claimed {
                claims.push_bind(*seq);
            }
            mark.push(")");
            done += mark.build().persistent(false).execute(&mut connection).await.unwrap().rows_affected();
        }
    });
    by_hand(writing, load, body).await;
    relay.await.unwrap();
    rate(load.1, begun)
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
    for load in [(1, 4_000), (64, 64_000)] {
        let mut rates = [const { Vec::new() }; 5];
        // Alternately, so that other load affects all alike.
        for _ in 0..5 {
            let dir = tempfile::tempdir().unwrap();
            let (body, file) = (body(dir.path()).await, |name| dir.path().join(name));
            rates[0].push(by_hand(outbox(&file("hand")).await, load, body.clone()).await);
            rates[1].push(
                by_graceful(&file("stored"), load, RelaySettings::off(), OrchestratorBuilder::in_memory)
                    .await,
            );
            rates[2].push(by_hand_to_the_end(&file("hand to the end"), load, body).await);
            let published = |builder: OrchestratorBuilder| builder.events(memory::Events::new());
            let relay = RelaySettings::default().concurrency(256).concurrency_per_handler(256);
            rates[3].push(by_graceful(&file("to the end"), load, relay, published).await);
        }
        let dir = tempfile::tempdir().unwrap();
        let (file, relay) = (dir.path().join("eight"), RelaySettings::default());
        rates[4].push(by_graceful(&file, load, relay, OrchestratorBuilder::in_memory).await);
        let [hand, stored, hand_to_the_end, to_the_end, eight] =
            rates.map(|rates| rates.into_iter().fold(0.0, f64::max));
        let print = |by: &str, rate: f64, hand: f64| {
            println!("| {} | {by} | {rate:.0} | {:.2} |", load.0, rate / hand);
        };
        print("bare sqlx, batched", hand, hand);
        print("graceful", stored, hand);
        print("bare sqlx and a relay, to the end", hand_to_the_end, hand_to_the_end);
        print("graceful, to the end", to_the_end, hand_to_the_end);
        print("graceful, to the end of eight steps", eight, hand);
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
