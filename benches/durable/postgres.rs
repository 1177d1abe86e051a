//! Durable flows per second in PostgreSQL, compared with an outbox by hand.
//!
//! - *Stored*: until each flow is on disk, compared with one `INSERT` for each call through a pool, and with batches of one writer.
//! - *To the end*: from the first call until every event is published and every row marked, compared with an outbox whose relay claims 100
//!   rows, publishes them, and marks them in one statement.
//!
//! `cargo bench -p graceful-benches-durable --bench postgres` prints the table. PostgreSQL is expected at its standard port or at the URL in
//! `GRACEFUL_BENCH_POSTGRES`; the bench creates a schema in it, and removes it. The variants take turns; the figures are medians.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use graceful::{
    Event, Orchestrator, RelaySettings,
    backends::{EventEmitter, FlowQuery, FlowState, FlowStore as _, Reply, Timestamp},
    orchestrate,
};
use graceful_benches::{
    load::{per_second, rate},
    user::User,
};
use graceful_postgres::Store;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool, postgres::PgPoolOptions};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

const SCHEMA: &str = "bench_durable_postgres";
const ROUNDS: usize = 5;
const CONNECTIONS: u32 = 10;

#[orchestrate(pattern = "user", id = user.id, event = "user_updated", delivery = "durable")]
async fn update_user(user: User) -> Result<User, graceful::Code> {
    Ok(user)
}

fn user(id: u64) -> User {
    User::sample(id, true, graceful_benches::user::JSON)
}

fn url() -> String {
    let server = std::env::var("GRACEFUL_BENCH_POSTGRES");
    let server = server.unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/test".to_owned());
    format!("{server}?options[search_path]={SCHEMA}")
}

/// Publishes events: their bytes exist, and are counted.
#[derive(Clone, Debug, Default)]
struct Published(Arc<AtomicU64>);

impl Published {
    fn publish(&self, event: &[u8]) {
        assert!(!event.is_empty());
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    async fn until(&self, events: u64) {
        while self.0.load(Ordering::Relaxed) < events {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl EventEmitter for Published {
    fn emit(&self, event: Event) -> Reply<()> {
        match event.to_json() {
            Ok(json) => {
                self.publish(json.as_bytes());
                Reply::ready(())
            }
            Err(error) => Reply::failed(graceful::StepError::caused_by(error)),
        }
    }
}

/// An empty store.
async fn store(connection: &mut PgConnection) -> Store {
    sqlx::raw_sql("TRUNCATE graceful_flows").execute(connection).await.unwrap();
    Store::connect(&url()).await.unwrap()
}

async fn graceful_stored(connection: &mut PgConnection, tasks: u64, calls: u64) -> f64 {
    let store = store(connection).await;
    let builder = Orchestrator::builder().service("users").flows(store).events(Published::default());
    let orchestrator = builder.relay(RelaySettings::off()).build().unwrap();
    per_second(tasks, calls, move |task, _| {
        let call = orchestrator.scope(update_user(user(task)));
        async move { drop(call.await) }
    })
    .await
}

async fn graceful_to_the_end(connection: &mut PgConnection, tasks: u64, calls: u64) -> f64 {
    let (store, published) = (store(connection).await, Published::default());
    let relay = RelaySettings::default().concurrency(256).concurrency_per_handler(256);
    let builder = Orchestrator::builder().service("users").flows(store.clone()).events(published.clone());
    let orchestrator = builder.relay(relay).build().unwrap();
    let (begun, calling) = (Instant::now(), orchestrator.clone());
    per_second(tasks, calls, move |task, number| {
        let call = calling.scope(update_user(user(task * 1_000_000 + number)));
        async move { drop(call.await) }
    })
    .await;
    published.until(calls).await;
    // A query that a busy server does not answer in time is asked again.
    while store.count(FlowState::Queued.into(), 1).await.map_or(true, |queued| queued.number > 0) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    rate(calls, begun)
}

/// The row of a call. The value is serialised first.
fn row(task: u64, body: &[u8]) -> (Uuid, String, Vec<u8>, i64) {
    drop(serde_json::to_vec(&user(task)).unwrap());
    (Uuid::now_v7(), format!("users::user:{task}"), body.to_vec(), Timestamp::now().as_microsecond())
}

/// An empty outbox, with the columns and indexes that its relay needs.
async fn outbox() -> PgPool {
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(&url()).await.unwrap();
    sqlx::raw_sql(
        "DROP TABLE IF EXISTS outbox; CREATE TABLE outbox (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id uuid NOT NULL UNIQUE, \
         entity text NOT NULL, handler text NOT NULL, body bytea NOT NULL, state smallint NOT NULL DEFAULT 0, \
         attempts int NOT NULL DEFAULT 0, due bigint NOT NULL); \
         CREATE INDEX outbox_due ON outbox (due, seq) WHERE state = 0; CREATE INDEX outbox_entity ON outbox (entity, seq) WHERE state = 0",
    )
    .execute(&pool)
    .await
    .unwrap();
    pool
}

async fn insert_each(pool: PgPool, tasks: u64, calls: u64, body: Arc<[u8]>) -> f64 {
    per_second(tasks, calls, move |task, _| {
        let (pool, body) = (pool.clone(), Arc::clone(&body));
        async move {
            let (id, entity, body, due) = row(task, &body);
            sqlx::query(
                "INSERT INTO outbox (id, entity, handler, body, due) VALUES ($1, $2, 'update_user', $3, $4)",
            )
            .bind(id)
            .bind(entity)
            .bind(body)
            .bind(due)
            .execute(&pool)
            .await
            .unwrap();
        }
    })
    .await
}

async fn insert_batches(pool: PgPool, tasks: u64, calls: u64, body: Arc<[u8]>) -> f64 {
    let (rows, mut received) = mpsc::channel::<(_, oneshot::Sender<()>)>(1024);
    let writer = tokio::spawn(async move {
        let mut batch = Vec::new();
        while received.recv_many(&mut batch, 256).await > 0 {
            let (mut ids, mut entities, mut bodies, mut times, mut waiting) =
                (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
            for ((id, entity, body, due), caller) in batch.drain(..) {
                ids.push(id);
                entities.push(entity);
                bodies.push(body);
                times.push(due);
                waiting.push(caller);
            }
            sqlx::query(
                "INSERT INTO outbox (id, entity, handler, body, due) SELECT id, entity, 'update_user', body, due \
                 FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::bigint[]) AS given (id, entity, body, due)",
            )
            .bind(ids)
            .bind(entities)
            .bind(bodies)
            .bind(times)
            .execute(&pool)
            .await
            .unwrap();
            for caller in waiting {
                let _ = oneshot::Sender::<()>::send(caller, ());
            }
        }
    });
    let rate = per_second(tasks, calls, move |task, _| {
        let (rows, body) = (rows.clone(), Arc::clone(&body));
        async move {
            let (waiting, committed) = oneshot::channel();
            rows.send((row(task, &body), waiting)).await.unwrap();
            committed.await.unwrap();
        }
    });
    let rate = rate.await;
    writer.await.unwrap();
    rate
}

/// The relay of the outbox.
async fn relay_by_hand(pool: PgPool, calls: u64, published: Published) {
    let mut done = 0;
    while done < calls {
        let claimed: Vec<(Uuid, Vec<u8>)> = sqlx::query_as(
            "WITH due AS (SELECT seq FROM outbox WHERE state = 0 AND due <= $1 ORDER BY due, seq LIMIT 100 FOR UPDATE SKIP LOCKED) \
             UPDATE outbox SET attempts = attempts + 1, due = $1 + 30000000 FROM due WHERE outbox.seq = due.seq RETURNING id, body",
        )
        .bind(Timestamp::now().as_microsecond())
        .fetch_all(&pool)
        .await
        .unwrap();
        if claimed.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        }
        // The body is the envelope.
        for (_, body) in &claimed {
            published.publish(body);
        }
        let ids: Vec<Uuid> = claimed.iter().map(|(id, _)| *id).collect();
        let mark = sqlx::query("UPDATE outbox SET state = 1 WHERE id = ANY ($1) AND state = 0").bind(ids);
        done += mark.execute(&pool).await.unwrap().rows_affected();
    }
}

async fn by_hand_to_the_end(tasks: u64, calls: u64, body: Arc<[u8]>) -> f64 {
    let pool = outbox().await;
    let begun = Instant::now();
    let relay = tokio::spawn(relay_by_hand(pool.clone(), calls, Published::default()));
    insert_each(pool, tasks, calls, body).await;
    relay.await.unwrap();
    rate(calls, begun)
}

/// The body of a flow as it is stored, so that all write the same bytes.
async fn body(connection: &mut PgConnection) -> Arc<[u8]> {
    let store = store(connection).await;
    let builder = Orchestrator::builder().service("users").flows(store.clone()).events(Published::default());
    let orchestrator = builder.relay(RelaySettings::off()).build().unwrap();
    orchestrator.scope(update_user(user(1))).await.unwrap();
    let queued = store.flows(FlowQuery::new(FlowState::Queued, 1)).await.unwrap().items.remove(0);
    store.get(queued.id).await.unwrap().unwrap().body.into()
}

fn print(tasks: u64, what: &str, mut rates: Vec<f64>, hand: f64) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    let median = rates[rates.len() / 2];
    let (low, high) = (rates[rates.len() / 4], rates[rates.len() * 3 / 4]);
    let ratio = if hand > 0.0 { median / hand } else { 1.0 };
    println!("| {tasks} | {what} | {median:.0} | {ratio:.2} | {low:.0} to {high:.0} |");
    median
}

async fn flows_per_second(connection: &mut PgConnection) {
    let body = body(connection).await;
    println!("A row has {} bytes of body.\n", body.len());
    println!(
        "| handlers at once | by | flows a second | ratio | middle half |\n| --- | --- | --- | --- | --- |"
    );
    for (tasks, calls) in [(1, 500), (64, 6_400)] {
        let mut rates = [const { Vec::new() }; 5];
        for _ in 0..ROUNDS {
            rates[0].push(insert_each(outbox().await, tasks, calls, Arc::clone(&body)).await);
            rates[1].push(insert_batches(outbox().await, tasks, calls, Arc::clone(&body)).await);
            rates[2].push(graceful_stored(connection, tasks, calls).await);
            rates[3].push(by_hand_to_the_end(tasks, calls, Arc::clone(&body)).await);
            rates[4].push(graceful_to_the_end(connection, tasks, calls).await);
        }
        let [each, batches, stored, hand_end, end] = rates;
        let hand = print(tasks, "one INSERT each", each, 0.0);
        print(tasks, "batches by hand", batches, hand);
        print(tasks, "graceful, stored", stored, hand);
        let hand = print(tasks, "outbox and relay by hand, to the end", hand_end, 0.0);
        print(tasks, "graceful, to the end", end, hand);
    }
}

async fn run() {
    let server = url();
    let mut connection = PgConnection::connect(&server).await.unwrap();
    let make = format!("DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}");
    sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut connection).await.unwrap();
    Store::migrate(&server).await.unwrap();
    flows_per_second(&mut connection).await;
    let drop = format!("DROP SCHEMA {SCHEMA} CASCADE");
    sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut connection).await.unwrap();
}

fn main() {
    tokio::runtime::Runtime::new().unwrap().block_on(run());
}
