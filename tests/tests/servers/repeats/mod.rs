//! Clients that hang up and repeat their requests, against two server processes that are killed at any moment: with `tx` each key has one effect, one
//! answer and one event; without `tx` no two bodies of a key run at once, and none runs after an acknowledged answer.

mod clients;
mod service;

use std::{
    path::Path,
    process::{Child, Stdio},
    sync::Arc,
    time::Duration,
};

use graceful::backends::FlowState;
use graceful_postgres::Store;
use graceful_testing::InState as _;
use graceful_tests::{
    killed,
    servers::{POSTGRES, drop_schema, unique},
    soak,
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;

use self::clients::Addresses;

const NAME: &str = "repeats::repeated_request_has_one_effect_though_processes_are_killed";

/// How often a process is killed.
const KILLS: u32 = 25;

/// The clients of each kind that work at the same time.
const CLIENTS: usize = 100;

/// With and without `tx`.
const KINDS: [&str; 2] = ["tx", "claimed"];

#[test(requires(Postgres))]
async fn repeated_request_has_one_effect_though_processes_are_killed() {
    if let Some(directory) = killed::works_in() {
        return service::serve(&directory).await;
    }
    let schema = unique("repeats").replace('-', "_");
    let mut connection = connect("public").await;
    execute(&mut connection, &format!("CREATE SCHEMA {schema}")).await;
    Store::migrate(&url(&schema)).await.unwrap();
    let mut database = connect(&schema).await;
    execute(
        &mut database,
        "CREATE TABLE effects (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text, key text, expected bigint);
         CREATE TABLE acknowledged (kind text, key text, answer bigint, PRIMARY KEY (kind, key));
         CREATE TABLE violations (why text, key text)",
    )
    .await;
    let (directory, addresses) = (TempDir::new().unwrap(), Arc::new(Addresses::default()));
    let work = clients::work(Arc::clone(&addresses), url(&schema), CLIENTS);
    let working = tokio::spawn(work);
    kill(directory.path(), &schema, &addresses).await;
    // The last processes are not killed: every client comes to its end.
    let servers = [0, 1].map(|number| Process::start(number, directory.path(), &schema));
    for server in &servers {
        addresses.set(server.number, server.address().await);
    }
    addresses.finish();
    let answered = working.await.unwrap();
    drop(servers);
    let store = Store::connect(&url(&schema)).await.unwrap();
    check(&mut database, &store, answered).await;
    drop((store, database));
    drop_schema(&mut connection, &schema).await;
}

/// Starts two processes, and kills one after the other, at any moment.
async fn kill(directory: &Path, schema: &str, addresses: &Addresses) {
    let mut running = [None, None];
    for kill in 0..soak::cases(KILLS) as usize {
        for (number, place) in running.iter_mut().enumerate() {
            if place.is_none() {
                let process = Process::start(number, directory, schema);
                addresses.set(number, process.address().await);
                *place = Some(process);
            }
        }
        // The moment is any moment: that is what is tested.
        tokio::time::sleep(Duration::from_millis(fastrand::u64(20..400))).await;
        drop(running[kill % 2].take());
    }
}

async fn check(database: &mut PgConnection, store: &Store, answered: usize) {
    let violations: Vec<(String, String)> =
        sqlx::query_as("SELECT why, key FROM violations").fetch_all(&mut *database).await.unwrap();
    assert_eq!(violations, []);
    let acknowledged: i64 =
        sqlx::query_scalar("SELECT count(*) FROM acknowledged").fetch_one(&mut *database).await.unwrap();
    assert_eq!(acknowledged, i64::try_from(answered).unwrap(), "each client has an answer");
    let effects = "SELECT count(*) FROM acknowledged WHERE kind = 'tx' AND answer <> ALL \
                   (SELECT id FROM effects WHERE effects.kind = 'tx' AND effects.key = acknowledged.key)";
    let lost: i64 = sqlx::query_scalar(effects).fetch_one(&mut *database).await.unwrap();
    assert_eq!(lost, 0, "an answer is that of the effect");
    let twice = "SELECT count(*) FROM (SELECT key FROM effects WHERE kind = 'tx' GROUP BY key HAVING count(*) > 1) AS twice";
    let twice: i64 = sqlx::query_scalar(twice).fetch_one(&mut *database).await.unwrap();
    assert_eq!(twice, 0, "with `tx` an effect is there once");
    let numbers = "SELECT (SELECT count(*) FROM effects WHERE kind = 'tx'), (SELECT count(*) FROM effects WHERE kind = 'claimed')";
    let (effects, others): (i64, i64) = sqlx::query_as(numbers).fetch_one(database).await.unwrap();
    let flows = store.in_state(FlowState::Queued).await.unwrap();
    let flows = flows.iter().map(|stored| stored.flow().unwrap());
    let flows = flows.filter(|flow| flow.pattern() == "paid_tx" && flow.ending().is_success());
    let mut entities: Vec<_> = flows.map(|flow| flow.entity_id().to_string()).collect();
    entities.sort_unstable();
    entities.dedup_by(|flow, other| {
        assert_ne!(flow, other, "with `tx` an effect has one flow, and so one event");
        false
    });
    assert_eq!(i64::try_from(entities.len()).unwrap(), effects, "with `tx` each effect has its flow");
    println!("{answered} clients; {effects} effects with `tx`, {others} without");
}

/// A server process. It is killed when it is dropped.
struct Process {
    number: usize,
    child: Child,
    file: std::path::PathBuf,
}

impl Process {
    fn start(number: usize, directory: &Path, schema: &str) -> Self {
        let file = directory.join(format!("{number}-{}", unique("address")));
        std::fs::create_dir(&file).unwrap();
        std::fs::write(file.join("url"), url(schema)).unwrap();
        let mut command = killed::command(NAME, &file);
        let child = command.stdout(Stdio::null()).spawn().unwrap();
        Self { number, child, file }
    }

    /// The address on which it listens.
    async fn address(&self) -> std::net::SocketAddr {
        let file = self.file.join("address");
        graceful_tests::gate::until(|| async { file.exists() }).await;
        std::fs::read_to_string(file).unwrap().parse().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
