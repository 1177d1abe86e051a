//! Subscribers in two processes that are killed at any moment, of the event log and of brokers: with `tx` each event has one effect, each entity's events are handled in their order, and
//! an event that kills its process is parked without another.

mod service;

use std::{
    path::Path,
    process::{Child, Stdio},
    time::Duration,
};

use graceful::{Orchestrator, backends::Subscriptions as _};
use graceful_postgres::Store;
use graceful_tests::{
    killed,
    servers::{POSTGRES, Server, drop_schema, unique},
    soak,
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use tempfile::TempDir;

/// Where the events come from.
enum Source {
    Log,
    Nats(Server),
    RabbitMq(Server),
}

impl Source {
    /// The URL of the broker; empty if there is none.
    fn broker(&self) -> String {
        match self {
            Self::Log => String::new(),
            Self::Nats(server) => format!("nats://{}", server.address()),
            Self::RabbitMq(server) => format!("amqp://{}", server.address()),
        }
    }

    /// An orchestrator that emits to it.
    async fn emitter(&self, store: &Store) -> Orchestrator {
        let (builder, broker) = (Orchestrator::builder().service("shop"), self.broker());
        let builder = match self {
            Self::Log => builder.events(store.clone()),
            Self::Nats(_) => builder.events(graceful_nats::Events::connect(&broker).await.unwrap()),
            Self::RabbitMq(_) => {
                let mut events = graceful_rabbitmq::Events::connect(&broker).await.unwrap();
                for (subscriber, pattern, event) in service::SUBSCRIBERS {
                    let filter = graceful_rabbitmq::Filter::new().pattern(pattern).event(event);
                    events = events.subscriber(subscriber, &filter).await.unwrap();
                }
                builder.events(events)
            }
        };
        builder.build().unwrap()
    }
}

/// How often a process is killed.
const KILLS: u32 = 10;

/// How many events each entity has.
const EVENTS: i64 = 20;

/// How many entities there are; in the long form up to 10,000.
fn entities() -> i64 {
    i64::from(soak::cases(200).min(10_000))
}

#[test(requires(Postgres))]
async fn event_of_the_log_has_one_effect_though_processes_are_killed() {
    match killed::works_in() {
        Some(directory) => service::subscribe(&directory).await,
        None => event_has_one_effect(Source::Log).await,
    }
}

#[test(requires(Postgres, "nats-server"))]
async fn event_of_nats_has_one_effect_though_processes_are_killed() {
    event_has_one_effect(Source::Nats(Server::nats("").await)).await;
}

#[test(requires(Postgres, "rabbitmq-server"))]
async fn event_of_rabbitmq_has_one_effect_though_processes_are_killed() {
    event_has_one_effect(Source::RabbitMq(Server::rabbitmq("").await)).await;
}

/// The test whose process subscribes.
const NAME: &str = "subscribes::event_of_the_log_has_one_effect_though_processes_are_killed";

async fn event_has_one_effect(source: Source) {
    let schema = unique("subscribes").replace('-', "_");
    let mut connection = connect("public").await;
    execute(&mut connection, &format!("CREATE SCHEMA {schema}")).await;
    Store::migrate(&url(&schema)).await.unwrap();
    let mut database = connect(&schema).await;
    execute(
        &mut database,
        "CREATE TABLE effects (position bigint GENERATED ALWAYS AS IDENTITY, entity text, number bigint);
         CREATE TABLE seen (position bigint GENERATED ALWAYS AS IDENTITY, entity text, number bigint);
         CREATE TABLE violations (why text, entity text)",
    )
    .await;
    let store = Store::connect(&url(&schema)).await.unwrap();
    let emitting = tokio::spawn(emit(source.emitter(&store).await));
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("url"), url(&schema)).unwrap();
    std::fs::write(directory.path().join("broker"), source.broker()).unwrap();
    kill(directory.path()).await;
    emitting.await.unwrap();
    let pool = PgPool::connect(&url(&schema)).await.unwrap();
    // The last processes are killed only by the event that kills.
    let mut processes = [0, 1].map(|_| Process::start(directory.path()));
    let done = async || {
        for process in &mut processes {
            if process.0.try_wait().unwrap().is_some() {
                *process = Process::start(directory.path());
            }
        }
        let states = store.subscribers().await.unwrap();
        let parked = states.iter().any(|state| state.subscriber == service::KILLED && state.parked > 0);
        parked
            && count(&pool, "effects").await >= entities() * EVENTS
            && distinct(&pool).await >= entities() * EVENTS
    };
    wait_for(done).await;
    drop(processes);
    check(&pool, &store).await;
    drop((store, database));
    pool.close().await;
    drop_schema(&mut connection, &schema).await;
}

/// Emits the events of all entities, by turns, and one that kills its process.
async fn emit(orchestrator: Orchestrator) {
    for number in 0..EVENTS {
        let mut emitting = tokio::task::JoinSet::new();
        for entity in 0..entities() {
            emitting.spawn(orchestrator.scope(service::order(entity.to_string(), number)));
            if emitting.len() >= 64 {
                emitting.join_next().await.unwrap().unwrap().unwrap();
            }
        }
        while let Some(emitted) = emitting.join_next().await {
            emitted.unwrap().unwrap();
        }
        if number == EVENTS / 2 {
            orchestrator.scope(service::kill("killer".to_owned())).await.unwrap();
        }
    }
}

/// Starts two processes, and kills one after the other, at any moment.
async fn kill(directory: &Path) {
    let mut running = [None, None];
    for kill in 0..soak::cases(KILLS) as usize {
        for place in &mut running {
            place.get_or_insert_with(|| Process::start(directory));
        }
        // The moment is any moment: that is what is tested.
        tokio::time::sleep(Duration::from_millis(fastrand::u64(20..1500))).await;
        drop(running[kill % 2].take());
    }
}

async fn wait_for(mut done: impl AsyncFnMut() -> bool) {
    // A hang is the fault.
    let hang = Duration::from_secs(if soak::is_soak() { 3600 } else { 600 });
    let waiting = tokio::time::timeout(hang, async {
        while !done().await {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    waiting.await.expect("every event is handled or parked");
}

async fn check(pool: &PgPool, store: &Store) {
    let violations: Vec<(String, String)> =
        sqlx::query_as("SELECT why, entity FROM violations").fetch_all(pool).await.unwrap();
    assert_eq!(violations, []);
    assert_eq!(count(pool, "effects").await, entities() * EVENTS, "with `tx` each event has one effect");
    let disordered = "SELECT count(*) FROM (SELECT number - lag(number) OVER (PARTITION BY entity ORDER BY position) AS step \
                      FROM effects) AS steps WHERE step <> 1";
    let disordered: i64 = sqlx::query_scalar(disordered).fetch_one(pool).await.unwrap();
    assert_eq!(disordered, 0, "with `tx` the effects of an entity are in its order");
    let skipped = "SELECT count(*) FROM (SELECT number - lag(number) OVER (PARTITION BY entity ORDER BY position) AS step \
                   FROM seen) AS steps WHERE step > 1";
    let skipped: i64 = sqlx::query_scalar(skipped).fetch_one(pool).await.unwrap();
    assert_eq!(skipped, 0, "without `tx` an event is repeated, but none is skipped");
    let parked = store.parked(service::KILLED.into(), 0, 100).await.unwrap();
    let errors: Vec<_> = parked.iter().map(|event| &*event.error).collect();
    assert_eq!(errors, ["all attempts were interrupted"], "no other event is condemned");
    // A process that is killed before it has parked the event has counted once more.
    assert!(parked[0].attempts >= 4, "{}", parked[0].attempts);
    let seen = count(pool, "seen").await;
    println!("{} events; without `tx` {} repetitions", entities() * EVENTS, seen - entities() * EVENTS);
}

async fn count(pool: &PgPool, table: &str) -> i64 {
    let count = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    sqlx::query_scalar(count).fetch_one(pool).await.unwrap()
}

async fn distinct(pool: &PgPool) -> i64 {
    let count = "SELECT count(*) FROM (SELECT DISTINCT entity, number FROM seen) AS seen";
    sqlx::query_scalar(count).fetch_one(pool).await.unwrap()
}

/// A process that subscribes. It is killed when it is dropped.
struct Process(Child);

impl Process {
    fn start(directory: &Path) -> Self {
        Self(killed::command(NAME, directory).stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn url(schema: &str) -> String {
    format!("postgres://postgres@{POSTGRES}/test?options[search_path]={schema}")
}

async fn connect(schema: &str) -> PgConnection {
    PgConnection::connect(&url(schema)).await.unwrap()
}

async fn execute(connection: &mut PgConnection, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.unwrap();
}
