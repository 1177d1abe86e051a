//! Twenty thousand flows are written by transactions that commit late or not at all, and three relays deliver them. One relay is
//! killed again and again, and is once suspended for longer than its lease.

use std::{
    collections::{BTreeMap, HashSet},
    fs::{File, OpenOptions},
    io::Write as _,
    path::Path,
    sync::Arc,
    time::Duration,
};

use graceful::{
    Code, Event, Orchestrator, RelaySettings, StepError,
    backends::{EventEmitter, FlowState, FlowStore as _, Reply},
    orchestrate,
};
use graceful_postgres::Store;
use graceful_tests::{
    gate::until,
    killed::{self, Working},
};
use serde_json::Value;
use sqlx::{Connection as _, PgConnection, Postgres as Database, Transaction};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::{Postgres, execute};

const FLOWS: u32 = 20_000;
const WRITERS: u32 = 12;
/// Of each writer, so that it is known in which order what of them was committed.
const ENTITIES: u32 = 8;
const KILLS: i64 = 6;

/// Of the test below, which is the process that is killed, too.
const NAME: &str = "many::flows_are_delivered_once_and_in_order_while_relays_are_killed";

#[derive(Debug)]
struct Failed;

impl From<StepError> for Failed {
    fn from(error: StepError) -> Self {
        panic!("every flow is stored: {error}");
    }
}

#[orchestrate(pattern = "user", id = entity, event = "done", actor = n, delivery = "durable")]
async fn plain(entity: u32, n: u32, fails: bool) -> Result<u32, Code> {
    if fails { Err(Code::Internal) } else { Ok(n) }
}

#[orchestrate(pattern = "user", id = entity, event = "done", actor = n, delivery = "durable", tx = tx)]
async fn with_data(
    tx: &mut Transaction<'_, Database>,
    entity: u32,
    n: u32,
    fails: bool,
) -> Result<u32, Failed> {
    let written = sqlx::query("INSERT INTO data (n) VALUES ($1)").bind(i64::from(n)).execute(&mut **tx).await;
    written.unwrap();
    if fails { Err(Failed) } else { Ok(n) }
}

/// Appends events to a file, each after a while: what was written is there whenever the process dies.
#[derive(Debug)]
struct Appended(Arc<File>);

impl Appended {
    fn to(directory: &Path) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(directory.join("events"));
        Self(Arc::new(file.unwrap()))
    }
}

impl EventEmitter for Appended {
    fn emit(&self, event: Event) -> Reply<()> {
        let file = Arc::clone(&self.0);
        Reply::pending(async move {
            tokio::time::sleep(Duration::from_micros(fastrand::u64(..20_000))).await;
            // A line that was torn by a kill must not take the next one with it.
            (&*file).write_all(format!("\n{}\n", event.to_json().unwrap()).as_bytes()).unwrap();
            Ok(())
        })
    }
}

/// A process of the service, with its relay.
async fn relay(url: &str, directory: &Path, name: &str) -> Orchestrator {
    let store = Store::connect(&format!("{url}&application_name={name}")).await.unwrap();
    let builder = Orchestrator::builder().service("users").flows(store).events(Appended::to(directory));
    let settings =
        RelaySettings::default().lease(Duration::from_millis(1500)).poll(Duration::from_millis(50));
    builder.relay(settings).build().unwrap()
}

/// Who claimed what, and who completed it, as the database has seen it.
const JOURNAL: &str = "
    CREATE TABLE data (n bigint PRIMARY KEY);
    CREATE UNLOGGED TABLE claims (number bigserial, id uuid, token uuid, relay text);
    CREATE INDEX ON claims (id, number);
    CREATE INDEX ON claims (relay);
    CREATE UNLOGGED TABLE completions (number bigserial, id uuid, token uuid, relay text);
    CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF new.state = 1 THEN
            INSERT INTO completions (id, token, relay) VALUES (old.id, old.token, current_setting('application_name'));
        ELSIF new.token IS NOT NULL THEN
            INSERT INTO claims (id, token, relay) VALUES (new.id, new.token, current_setting('application_name'));
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER noted AFTER UPDATE ON graceful_flows FOR EACH ROW
    WHEN (old.token IS DISTINCT FROM new.token) EXECUTE FUNCTION noted();
    ";

/// Calls handlers, and answers which of their flows were committed, by entity, in their order.
async fn write(
    orchestrator: Orchestrator,
    mut connection: PgConnection,
    writer: u32,
) -> BTreeMap<u32, Vec<u32>> {
    let mut committed = BTreeMap::<_, Vec<_>>::new();
    for round in 0..FLOWS / WRITERS {
        let (entity, n) = (writer * ENTITIES + fastrand::u32(..ENTITIES), round * WRITERS + writer);
        let fails = fastrand::u8(..4) == 0;
        let mut stored = || committed.entry(entity).or_default().push(n);
        if fastrand::u8(..4) == 0 {
            assert_eq!(orchestrator.scope(plain(entity, n, fails)).await.is_err(), fails);
            stored();
            continue;
        }
        let mut transaction = connection.begin().await.unwrap();
        let answer = orchestrator.scope(with_data(&mut transaction, entity, n, fails)).await;
        tokio::time::sleep(Duration::from_micros(fastrand::u64(..10_000))).await;
        match answer {
            // That of an error is stored whatever becomes of the transaction.
            Err(Failed) => {
                transaction.rollback().await.unwrap();
                stored();
            }
            Ok(_) if fastrand::u8(..5) == 0 => transaction.rollback().await.unwrap(),
            Ok(_) => {
                transaction.commit().await.unwrap();
                stored();
            }
        }
    }
    committed
}

#[test(requires(Postgres), flavor = "multi_thread", worker_threads = 2)]
async fn flows_are_delivered_once_and_in_order_while_relays_are_killed() {
    if let Some(directory) = killed::works_in() {
        let told = std::fs::read_to_string(directory.join("relay")).unwrap();
        let (name, url) = told.split_once(' ').unwrap();
        let _relay = relay(url, &directory, name).await;
        return std::future::pending().await;
    }
    let postgres = Postgres::new();
    let (schema, directory) = (postgres.migrated().await, TempDir::new().unwrap());
    let store = postgres.store(&schema).await;
    let mut looking = postgres.connection(&schema).await;
    execute(&mut looking, JOURNAL).await;

    let url = postgres.url(&schema);
    let mut relays = Vec::new();
    for name in ["first", "second"] {
        relays.push(relay(&url, directory.path(), name).await);
    }
    let mut writers = JoinSet::new();
    for (writer, relay) in (0..WRITERS).zip(relays.iter().cycle()) {
        writers.spawn(write(relay.clone(), postgres.connection(&schema).await, writer));
    }
    for kill in 0..KILLS {
        kill_one(&url, directory.path(), &mut looking, kill).await;
    }
    let mut committed = BTreeMap::new();
    for of_one in writers.join_all().await {
        committed.extend(of_one);
    }
    until(async || store.count(FlowState::Queued.into(), 1).await.unwrap().number == 0).await;
    for relay in relays {
        assert_eq!(relay.stats().store_failures(), 0);
    }

    assert_eq!(delivered(directory.path()), committed, "each, and no other, in its entity's order");
    check_the_journal(&mut looking, committed.values().map(Vec::len).sum()).await;
    postgres.clean().await;
}

/// A third relay, killed with flows in its hands. The first of them stands still before, until others have taken its flows.
async fn kill_one(url: &str, directory: &Path, looking: &mut PgConnection, kill: i64) {
    let name = format!("killed_{kill}");
    std::fs::write(directory.join("relay"), format!("{name} {url}")).unwrap();
    let working = Working::start(NAME, directory);
    // The kills are spread over the first half of the flows.
    let far_enough = "SELECT last_value > $2 FROM completions_number_seq WHERE $1 <> ''";
    holds(looking, far_enough, &name, kill * i64::from(FLOWS) / 10).await;
    let has_some = "SELECT count(*) > $2 FROM claims JOIN graceful_flows USING (id, token) WHERE relay = $1";
    holds(looking, has_some, &name, 0).await;
    if kill == 0 {
        working.stop();
        let taken = "SELECT count(*) > $2 FROM claims AS lost JOIN claims AS taken USING (id) \
                     WHERE lost.relay = $1 AND taken.relay <> $1 AND lost.number < taken.number";
        holds(looking, taken, &name, 0).await;
        working.go_on();
        holds(looking, has_some, &name, 0).await;
    }
    working.kill();
}

async fn holds(looking: &mut PgConnection, condition: &'static str, relay: &str, number: i64) {
    let looking = tokio::sync::Mutex::new(looking);
    until(async || {
        let query = sqlx::query_scalar::<_, bool>(condition).bind(relay).bind(number);
        query.fetch_one(&mut **looking.lock().await).await.unwrap()
    })
    .await;
}

/// The numbers that were delivered, by entity, each where it came first.
fn delivered(directory: &Path) -> BTreeMap<u32, Vec<u32>> {
    let text = std::fs::read_to_string(directory.join("events")).unwrap();
    let (mut seen, mut delivered) = (HashSet::new(), BTreeMap::<_, Vec<_>>::new());
    // What is no JSON was torn by a kill.
    for event in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let entity = event["subject"].as_str().unwrap().trim_start_matches("user/").parse().unwrap();
        let n = event["data"]["actor_id"].as_str().unwrap().parse().unwrap();
        if seen.insert(event["id"].as_str().unwrap().to_owned()) {
            delivered.entry(entity).or_default().push(n);
        }
    }
    delivered
}

async fn check_the_journal(looking: &mut PgConnection, flows: usize) {
    let (completed, lost, wrongly): (i64, i64, i64) = sqlx::query_as(
        "SELECT count(*), \
         count(*) FILTER (WHERE (SELECT count(*) FROM claims WHERE claims.id = done.id) > 1), \
         count(*) FILTER (WHERE (relay, token) IS DISTINCT FROM (SELECT (relay, token) FROM claims \
             WHERE claims.id = done.id ORDER BY number DESC LIMIT 1)) \
         FROM completions AS done",
    )
    .fetch_one(looking)
    .await
    .unwrap();
    assert_eq!(usize::try_from(completed).unwrap(), flows, "each is completed once");
    assert!(lost > 0, "the kills hit something");
    assert_eq!(wrongly, 0, "by whom has the newest claim");
}
