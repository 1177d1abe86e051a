//! The event log: the order of its positions, dumps, change data capture, and who uses it.

use std::{collections::HashSet, process::Command, time::Duration};

use graceful::{
    __private010::Sample,
    Code, Event, OrchestrationConfig, Orchestrator, Step, Success,
    backends::{EventEmitter as _, EventLog, LogQuery, ReceivedEvent, memory},
};
use graceful_postgres::{BACKEND, EVENTS, Store};
use graceful_tests::{
    gate::until,
    requirement::program,
    servers::{Server, unique},
    soak,
};
use sqlx::{Connection as _, PgConnection, Row as _};
use tokio::task::JoinSet;

use super::{Postgres, execute};

fn event(id: &str) -> Event {
    Sample::new(id, Code::Ok, 1).event("user_updated")
}

/// Reads on from a position to the end.
async fn read_on(log: &dyn EventLog, after: &mut u64) -> Vec<String> {
    let mut ids = Vec::new();
    loop {
        let page = log.read(LogQuery::new(*after, 100)).await.unwrap();
        if page.read_to == *after {
            return ids;
        }
        *after = page.read_to;
        for logged in &page.events {
            let event: ReceivedEvent = serde_json::from_slice(&logged.body).unwrap();
            ids.push(event.id);
        }
    }
}

/// In a table without statistics the planner may choose to read all rows for each page.
#[test(requires(Postgres), flavor = "multi_thread")]
async fn page_of_the_log_reads_no_row_of_the_others() {
    const EVENTS: u16 = 5_000;
    let postgres = Postgres::new();
    let schema = postgres.migrated().await;
    let mut connection = postgres.connection(&schema).await;
    execute(&mut connection, "ALTER TABLE graceful_events SET (autovacuum_enabled = false)").await;
    let store = postgres.store(&schema).await;
    let mut emitted = JoinSet::new();
    for number in 0..EVENTS {
        let (store, event) = (store.clone(), event(&number.to_string()));
        emitted.spawn(async move { store.emit(event).await.unwrap() });
    }
    emitted.join_all().await;
    assert_eq!(read_on(&store, &mut 0).await.len(), usize::from(EVENTS));
    drop(store);
    let read = postgres.rows_read(&schema, "graceful_events", EVENTS.into()).await;
    assert!(read <= 2 * i64::from(EVENTS), "{read} rows were read for {EVENTS} events");
    postgres.clean().await;
}

/// Each statement takes some time between its positions and its commit.
const DELAY: &str = "CREATE FUNCTION delay() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
    PERFORM pg_sleep(random() * 0.004); RETURN NULL; END $$; \
    CREATE TRIGGER delay AFTER INSERT ON graceful_events FOR EACH STATEMENT EXECUTE FUNCTION delay()";

#[test(requires(Postgres), flavor = "multi_thread")]
async fn reader_misses_no_event_of_eight_processes_whose_commits_are_delayed() {
    const PROCESSES: usize = 8;
    const AT_ONCE: usize = 25;
    let postgres = Postgres::new();
    let schema = postgres.migrated().await;
    execute(&mut postgres.connection(&schema).await, DELAY).await;
    let rounds = soak::cases(5_000) as usize / PROCESSES / AT_ONCE;
    let mut stores = Vec::new();
    for _ in 0..=PROCESSES {
        stores.push(postgres.store(&schema).await.timeout(Duration::from_mins(1)));
    }
    let reader = stores.pop().unwrap();
    let mut writers = JoinSet::new();
    for (process, store) in stores.into_iter().enumerate() {
        writers.spawn(async move {
            for round in 0..rounds {
                let mut emitted = JoinSet::new();
                for number in 0..AT_ONCE {
                    let (store, event) = (store.clone(), event(&format!("{process}-{round}-{number}")));
                    emitted.spawn(async move { store.emit(event).await.unwrap() });
                }
                emitted.join_all().await;
            }
        });
    }
    let (mut seen, mut after) = (Vec::new(), 0);
    loop {
        // Before it reads: what was committed until then must be read.
        let is_done = writers.is_empty();
        seen.extend(read_on(&reader, &mut after).await);
        if is_done {
            break;
        }
        while writers.try_join_next().is_some() {}
    }
    let expected = rounds * PROCESSES * AT_ONCE;
    assert_eq!((seen.len(), seen.iter().collect::<HashSet<_>>().len()), (expected, expected));
    postgres.clean().await;
}

/// Positions that are read by the ids of transactions would wait for it.
#[test(requires(Postgres))]
async fn open_transactions_delay_no_event() {
    let postgres = Postgres::new();
    let schema = postgres.migrated().await;
    let other = unique("other").replace('-', "_");
    let mut direct = postgres.connection("public").await;
    execute(&mut direct, &format!("CREATE DATABASE {other}")).await;
    let url = format!("postgres://postgres@{}/{other}", postgres.address);
    let mut connections = [PgConnection::connect(&url).await.unwrap(), postgres.connection(&schema).await];
    let mut open = Vec::new();
    for connection in &mut connections {
        let mut transaction = connection.begin().await.unwrap();
        sqlx::raw_sql("CREATE TABLE written (id int)").execute(&mut *transaction).await.unwrap();
        open.push(transaction);
    }
    let store = postgres.store(&schema).await;
    let emitted = event("1");
    store.emit(emitted.clone()).await.unwrap();
    assert_eq!(read_on(&store, &mut 0).await, [emitted.id().to_string()]);
    drop(open);
    for connection in connections {
        connection.close().await.unwrap();
    }
    execute(&mut direct, &format!("DROP DATABASE {other} WITH (FORCE)")).await;
    postgres.clean().await;
}

#[test(requires(Postgres, "pg_dump", "psql"))]
async fn restored_dump_goes_on_after_its_last_position() {
    let postgres = Postgres::new();
    let (before, after) = (unique("dumped").replace('-', "_"), unique("restored").replace('-', "_"));
    let mut direct = postgres.connection("public").await;
    let url = |name: &str| format!("postgres://postgres@{}/{name}", postgres.address);
    for name in [&before, &after] {
        execute(&mut direct, &format!("CREATE DATABASE {name}")).await;
    }
    Store::migrate(&url(&before)).await.unwrap();
    let events: Vec<_> = ["1", "2", "3"].map(event).into();
    let store = Store::connect(&url(&before)).await.unwrap();
    for event in &events {
        store.emit(event.clone()).await.unwrap();
    }
    let dumped = Command::new(program("pg_dump")).arg(url(&before)).output().unwrap();
    assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), dumped.stdout).unwrap();
    let mut psql = Command::new(program("psql"));
    let restored =
        psql.args(["--quiet", "--set=ON_ERROR_STOP=1", "--file"]).arg(file.path()).arg(url(&after));
    assert!(restored.output().unwrap().status.success());

    let restored = Store::connect(&url(&after)).await.unwrap();
    let mut read_to = restored.span().await.unwrap().newest;
    assert_eq!(read_to, store.span().await.unwrap().newest);
    let new = event("new");
    for event in [&events[2], &new] {
        restored.emit(event.clone()).await.unwrap();
    }
    assert_eq!(read_on(&restored, &mut read_to).await, [new.id().to_string()]);
    drop((store, restored));
    for name in [before, after] {
        execute(&mut direct, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
    }
}

/// What Debezium's outbox router reads, by its default names.
const OUTBOX: [&str; 5] = ["id", "aggregatetype", "aggregateid", "type", "payload"];

#[test(requires("initdb", "postgres"), flavor = "multi_thread")]
async fn events_are_captured_by_a_logical_replication_slot() {
    let server = Server::postgres(&["wal_level=logical", "fsync=off"]).await;
    let url = format!("postgres://postgres@{}/postgres", server.address());
    until(async || PgConnection::connect(&url).await.is_ok()).await;
    Store::migrate(&url).await.unwrap();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    // A slot is made in a transaction that has written nothing.
    for statement in [
        "CREATE PUBLICATION events FOR TABLE graceful_events WITH (publish = 'insert')",
        "SELECT pg_create_logical_replication_slot('pgoutput_events', 'pgoutput')",
        "SELECT pg_create_logical_replication_slot('events', 'test_decoding')",
    ] {
        execute(&mut connection, statement).await;
    }
    let store = Store::connect(&url).await.unwrap();
    let events = [event("a'b"), Sample::new("", Code::Ok, 1).without_entity("of a client").event("called")];
    for event in &events {
        store.emit(event.clone()).await.unwrap();
    }
    let changes =
        "SELECT data FROM pg_logical_slot_get_changes('events', NULL, NULL) WHERE data LIKE 'table %'";
    let changes: Vec<String> = sqlx::query_scalar(changes).fetch_all(&mut connection).await.unwrap();
    assert_eq!(changes.len(), 2, "{changes:?}");
    for ((change, event), entity) in changes.iter().zip(&events).zip(["a''b", &events[1].id().to_string()]) {
        assert!(change.starts_with("table public.graceful_events: INSERT: "), "{change}");
        let json = event.to_json().unwrap().replace('\'', "''");
        let (id, pattern, name) = (event.id(), event.flow().pattern(), event.name());
        let columns = [
            format!("id[uuid]:'{id}'"),
            format!("aggregatetype[text]:'{pattern}'"),
            format!("aggregateid[text]:'{entity}'"),
            format!("type[text]:'{name}'"),
            format!("payload[text]:'{json}'"),
        ];
        for (column, name) in columns.iter().zip(OUTBOX) {
            assert!(column.starts_with(name) && change.contains(column), "{column}: {change}");
        }
    }
    // The protocol of the publication: a relation is sent before its first row, with the names of its columns.
    let messages = "SELECT data FROM pg_logical_slot_get_binary_changes('pgoutput_events', NULL, NULL, \
                    'proto_version', '1', 'publication_names', 'events')";
    let messages = sqlx::query(messages).fetch_all(&mut connection).await.unwrap();
    let messages: Vec<Vec<u8>> = messages.iter().map(|row| row.get(0)).collect();
    let of_kind = |kind: u8| messages.iter().filter(move |message| message[0] == kind);
    assert_eq!((of_kind(b'R').count(), of_kind(b'I').count(), of_kind(b'D').count()), (1, 2, 0));
    let relation = of_kind(b'R').next().unwrap();
    for name in OUTBOX {
        let column = [name.as_bytes(), b"\0"].concat();
        assert!(relation.windows(column.len()).any(|part| part == column), "{name}");
    }
}

async fn emitted_by(orchestrator: &Orchestrator) -> String {
    let config = OrchestrationConfig::new("user").id(42).event("user_updated").on(orchestrator);
    let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    assert_eq!(report.step(Step::Event).to_string(), "emitted");
    report.flow().id().to_string()
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn store_is_the_emitter_unless_there_is_another() {
    let postgres = Postgres::new();
    let store = postgres.fresh().await;
    let builder = || Orchestrator::builder().service("users");
    let other = memory::EventLog::new();
    let of_store = builder().store(store.clone()).in_memory().build().unwrap();
    let of_other = builder().events(other.clone()).store(store.clone()).build().unwrap();
    let of_later = builder().store(store.clone()).events(other.clone()).build().unwrap();
    let mut expected = Vec::new();
    for orchestrator in [&of_other, &of_later] {
        expected.push(emitted_by(orchestrator).await);
    }
    assert_eq!(read_on(&other, &mut 0).await, expected);
    assert_eq!(read_on(&store, &mut 0).await, [] as [String; 0]);
    let id = emitted_by(&of_store).await;
    assert_eq!(read_on(&*of_store.event_log().unwrap(), &mut 0).await, std::slice::from_ref(&id));
    assert_eq!(read_on(&store, &mut 0).await, [id]);
    drop((of_store, of_other, of_later));
    postgres.clean().await;
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn events_setting_chooses_the_log_of_another_store() {
    let postgres = Postgres::new();
    let schemas = [postgres.migrated().await, postgres.migrated().await];
    let [store, events] = schemas.each_ref().map(|schema| postgres.url(schema));
    let settings = [("GRACEFUL_STORE", &store), ("GRACEFUL_EVENTS", &events)];
    let builder = Orchestrator::builder().settings(&[BACKEND, EVENTS], settings).await.unwrap();
    let orchestrator = builder.build().unwrap();
    let id = emitted_by(&orchestrator).await;
    let of_store = orchestrator.flows().unwrap().event_log().unwrap();
    assert_eq!(read_on(&*of_store, &mut 0).await, [] as [String; 0]);
    assert_eq!(read_on(&*orchestrator.event_log().unwrap(), &mut 0).await, [id]);
    drop(orchestrator);
    postgres.clean().await;
}
