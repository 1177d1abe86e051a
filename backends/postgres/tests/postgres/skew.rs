//! The clock of one machine is an hour ahead of, or behind, that of another. Only times of the server are compared.

use std::{env, path::Path, process::Command, time::Duration};

use graceful::{
    Code, Orchestrator, RelaySettings,
    backends::{
        AttemptFailure, AttemptOutcome, FailureCause, FlowStore as _, Lane, QueuedFlow, Room, Scheduler as _,
        Timestamp, Uuid,
    },
    orchestrate,
};
use graceful_postgres::Store;
use tempfile::TempDir;

use super::Postgres;

/// Of the test below, which is the process whose clock is shifted, too.
const NAME: &str = "skew::process_with_shifted_clock_takes_no_lease_and_waits_for_nothing";
const URL: &str = "GRACEFUL_TESTS_SKEW_URL";

/// Shifts the wall clock of the process that it is loaded into.
const SHIFT: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, time);
    if (!result && clock == CLOCK_REALTIME) time->tv_sec += atol(getenv("GRACEFUL_TESTS_SHIFT"));
    return result;
}
"#;

const LEASE: Duration = Duration::from_mins(1);

#[orchestrate(pattern = "user", id = id, schedule(after = "1ms"))]
async fn ask(id: &str) -> Result<(), Code> {
    let _ = id;
    Err(Code::Internal)
}

fn flow(id: u128) -> QueuedFlow {
    QueuedFlow::new(Uuid::from_u128(id), format!("entity {id}"), "", Lane::default(), Vec::new())
}

async fn claimed(store: &Store) -> Vec<u128> {
    let claims = store.claim(Room::of(10), LEASE).await.unwrap();
    claims.iter().map(|claim| claim.id.as_u128()).collect()
}

async fn open_job(store: &Store, id: &str) {
    let builder =
        Orchestrator::builder().service("users").scheduler(store.clone()).relay(RelaySettings::off());
    builder.build().unwrap().scope(ask(id)).await.unwrap_err();
}

async fn polled(store: &Store) -> usize {
    // A job is due after a millisecond.
    tokio::time::sleep(Duration::from_millis(20)).await;
    store.poll(10, LEASE).await.unwrap().len()
}

/// In the process with the other clock: says its time, and what it was handed out; stores and postpones.
async fn in_the_other_process(url: &str) {
    let store = Store::connect(url).await.unwrap();
    println!("clock {}", Timestamp::now().as_second());
    println!("stole {}", claimed(&store).await.len() + store.poll(10, LEASE).await.unwrap().len());
    store.enqueue(flow(3)).await.unwrap();
    store.enqueue(flow(4)).await.unwrap();
    let claims = store.claim(Room::of(10), LEASE).await.unwrap();
    let again = AttemptOutcome::Retry {
        after: Duration::ZERO,
        failure: AttemptFailure::new(FailureCause::new("", "")),
        body: None,
    };
    assert!(store.record_outcome(claims[0].claim_id(), again).await.unwrap());
    open_job(&store, "of the other").await;
}

fn shift_library(directory: &Path) -> std::path::PathBuf {
    let (source, library) = (directory.join("shift.c"), directory.join("shift.so"));
    std::fs::write(&source, SHIFT).unwrap();
    let made =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).arg("-ldl").status();
    assert!(made.expect("whatever links Rust links C").success());
    library
}

#[cfg(target_os = "linux")]
#[test(requires(Postgres), flavor = "multi_thread")]
async fn process_with_shifted_clock_takes_no_lease_and_waits_for_nothing() {
    if let Ok(url) = env::var(URL) {
        return in_the_other_process(&url).await;
    }
    let postgres = Postgres::new();
    let directory = TempDir::new().unwrap();
    let library = shift_library(directory.path());
    for shift in [3600_i64, -3600] {
        let schema = postgres.schema().await;
        let store = postgres.store(&schema).await;
        store.enqueue(flow(1)).await.unwrap();
        assert_eq!(claimed(&store).await, [1]);
        open_job(&store, "of this").await;
        assert_eq!(polled(&store).await, 1);
        let output = Command::new(env::current_exe().unwrap())
            .args(["--exact", NAME, "--nocapture"])
            .env(URL, postgres.url(&schema))
            .env("LD_PRELOAD", &library)
            .env("GRACEFUL_TESTS_SHIFT", shift.to_string())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
        let clock = said.lines().find_map(|line| line.strip_prefix("clock ")?.parse::<i64>().ok()).unwrap();
        let difference = clock - Timestamp::now().as_second();
        assert!((difference - shift).abs() < 600, "its clock was not shifted: {difference} s");
        assert!(said.contains("stole 0"), "{said}");
        assert_eq!(claimed(&store).await, [3], "what it postponed is due; what it holds is not");
        assert_eq!(polled(&store).await, 1, "the job that it opened is due");
    }
    postgres.clean().await;
}
