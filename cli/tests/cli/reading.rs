//! Subcommands that read change nothing, need no other right, and end quietly.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::Stdio,
    sync::Arc,
};

use graceful::backends::{FlowFilter, FlowQuery, FlowStore, FlowSummary};
use graceful_tests::servers::{NATS, unique};

use crate::{
    service::{command, json, run, run_with_events},
    stores::{Postgres, Sqlite, id, kill, queue},
};

/// Every subcommand that reads.
const READING: [&[&str]; 18] = [
    &["flows"],
    &["dead"],
    &["groups"],
    &["show", "00000000-0000-0000-0000-000000000001"],
    &["lag"],
    &["jobs"],
    &["alerts"],
    &["alerts", "--resolved"],
    &["audit", "verify"],
    &["audit", "list"],
    &["patterns"],
    &["relays"],
    &["audit", "operations"],
    &["pauses"],
    &["operations", "list"],
    &["health"],
    &["doctor"],
    &["flows", "handler=orders::ship", "state=queued", "--json"],
];

/// All flows, which are due and untried.
async fn untried(store: &Arc<dyn FlowStore>) -> Vec<FlowSummary> {
    let flows = store.flows(FlowQuery::new(FlowFilter::default(), 1000)).await.unwrap().items;
    assert_eq!(flows.len(), 100);
    for flow in &flows {
        assert!(flow.attempts == 0 && !flow.running && flow.due <= flow.stored_at, "{flow:?}");
    }
    flows
}

#[test(flavor = "multi_thread")]
async fn reading_subcommands_leave_due_flows_and_schema_of_sqlite() {
    let sqlite = Sqlite::new();
    let store = sqlite.store().await;
    queue(&store, 1..101).await;
    let schema = async || -> Vec<Option<String>> {
        let mut connection = sqlite.connection().await;
        sqlx::query_scalar("SELECT sql FROM sqlite_master ORDER BY name")
            .fetch_all(&mut connection)
            .await
            .unwrap()
    };
    let before = (schema().await, untried(&store).await);
    for arguments in READING {
        let ended = run(&sqlite.url(), arguments);
        // Flows are queued, and no relay is alive.
        let expected = if *arguments == ["doctor"] { 4 } else { 0 };
        assert_eq!(ended.code, expected, "{arguments:?}: {ended:?}");
    }
    assert_eq!((schema().await, untried(&store).await), before);
    assert_eq!(store.relays().await.unwrap(), []);
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn reading_subcommands_leave_due_flows_relays_and_schema_of_postgres() {
    let postgres = Postgres::new().await;
    let store = postgres.store().await;
    queue(&store, 1..101).await;
    let schema = async || -> Vec<String> {
        let columns = "SELECT table_name || '.' || column_name FROM information_schema.columns \
                       WHERE table_schema = current_schema() ORDER BY 1";
        sqlx::query_scalar(columns).fetch_all(&mut postgres.connection().await).await.unwrap()
    };
    let before = (schema().await, untried(&store).await);
    for arguments in READING {
        let ended = run(&postgres.url(), arguments);
        // Flows are queued, and no relay is alive.
        let expected = if *arguments == ["doctor"] { 4 } else { 0 };
        assert_eq!(ended.code, expected, "{arguments:?}: {ended:?}");
    }
    assert_eq!((schema().await, untried(&store).await), before);
    let relays = "SELECT count(*) FROM graceful_relays";
    let relays: i64 = sqlx::query_scalar(relays).fetch_one(&mut postgres.connection().await).await.unwrap();
    assert_eq!(relays, 0);
    assert_eq!(store.relays().await.unwrap(), []);
    postgres.drop().await;
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn role_that_may_only_read_reads_everything_and_acts_on_nothing() {
    let postgres = Postgres::new().await;
    let store = postgres.store().await;
    queue(&store, 1..11).await;
    kill(&store).await;
    let (role, schema) = (unique("reader").replace('-', "_"), &postgres.schema);
    let grants = format!(
        "CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA {schema} TO {role};
         GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}"
    );
    postgres.execute(&grants).await;
    let url = postgres.url_of(&role);
    for arguments in READING.into_iter().filter(|arguments| *arguments != ["doctor"]) {
        let ended = run(&url, arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {ended:?}");
    }
    let doctor = run(&url, &["doctor"]);
    assert_eq!(doctor.code, 4, "{doctor:?}");
    assert!(doctor.stdout.contains("problem: role: ") && doctor.stdout.contains("to fix it: "), "{doctor:?}");
    let refused = run(&url, &["resubmit", "--all", "--yes"]);
    assert_eq!((refused.code, &*refused.stdout), (2, ""), "{refused:?}");
    assert!(refused.stderr.contains("permission denied"), "{refused:?}");
    assert_eq!(json(&postgres.url(), &["lag"])["dead"]["number"], 10);
    postgres.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    postgres.drop().await;
}

#[test(requires(Nats), flavor = "multi_thread")]
async fn reading_subcommand_creates_no_stream_and_no_consumer() {
    let sqlite = Sqlite::new();
    sqlite.store().await;
    let stream = unique("cli");
    let events = format!("nats://{NATS}?stream={stream}");
    let client = async_nats::connect(NATS.to_string()).await.unwrap();
    let jetstream = async_nats::jetstream::new(client);
    let missing = run_with_events(&sqlite.url(), &events, &["lag"]);
    assert_eq!(missing.code, 1, "{missing:?}");
    assert!(missing.stderr.contains("is missing"), "{missing:?}");
    assert!(jetstream.get_stream(&stream).await.is_err());

    graceful_nats::Events::connect(&events).await.unwrap();
    let ended = run_with_events(&sqlite.url(), &events, &["lag"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(
        jetstream.get_stream(&stream).await.unwrap().get_info().await.unwrap().state.consumer_count,
        0
    );
    jetstream.delete_stream(&stream).await.unwrap();
}

#[test(flavor = "multi_thread")]
async fn subcommand_whose_reader_closes_the_pipe_ends_quietly() {
    let sqlite = Sqlite::new();
    // More than a pipe holds.
    queue(&sqlite.store().await, 1..2001).await;
    for arguments in [&["flows", "--limit", "2000"][..], &["flows", "--limit", "2000", "--json"]] {
        let mut process = command(&sqlite.url(), arguments);
        let mut process = process.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::with_capacity(16, process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty());
        let mut complaint = String::new();
        process.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
        assert_eq!((process.wait().unwrap().code(), &*complaint), (Some(0), ""), "{arguments:?}");
    }
}

#[test(flavor = "multi_thread")]
async fn flow_that_is_unknown_or_unreadable_is_reported() {
    let sqlite = Sqlite::new();
    let store = sqlite.store().await;
    queue(&store, 1..2).await;
    let url = sqlite.url();
    let missing = run(&url, &["show", &id(2).to_string()]);
    assert_eq!(missing.code, 1);
    assert!(missing.stderr.contains("there is no flow 00000000"), "{missing:?}");
    let unreadable = json(&url, &["show", &id(1).to_string()]);
    assert!(unreadable["call"]["unreadable"].as_str().unwrap().contains("cannot be read"), "{unreadable}");
}
