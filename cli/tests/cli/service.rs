//! The service whose binary has the subcommands: this test binary, in a process of its own.

use std::{
    env,
    process::{Command, ExitCode, Output, Stdio},
    sync::Mutex,
    time::Duration,
};

use graceful::{
    Backend, Flow, Orchestrator, OrchestratorBuilder, RelaySettings, StepError, backends::memory,
    error::ConfigError, orchestrate,
};
use graceful_nats::{Filter, Subscriber};
use graceful_tests::gate::until;
use serde_json::Value;

/// The URL of the store; without it this process runs the tests.
const STORE: &str = "GRACEFUL_CLI_TESTS_STORE";

const BACKENDS: &[Backend] = &[graceful_sqlite::BACKEND, graceful_postgres::BACKEND];

/// The environments in which the causes of failures are repaired.
static REPAIRED: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[orchestrate(pattern = "order", id = id, event = notify, delivery = "durable")]
pub async fn pay(id: usize, secret: String) -> Result<String, StepError> {
    Ok(secret)
}

#[allow(dead_code, reason = "it is listed, and never called")]
#[orchestrate(pattern = "order.line", id = id, event = "line.shipped")]
pub async fn ship(id: usize) -> Result<usize, StepError> {
    Ok(id)
}

/// Fails for one of three causes.
async fn notify(flow: &Flow) -> Result<(), StepError> {
    if REPAIRED.lock().unwrap().iter().any(|repaired| repaired == flow.environment()) {
        return Ok(());
    }
    let id: usize = flow.entity_id().parse().map_err(StepError::caused_by)?;
    Err(StepError::new(match id % 3 {
        0 => format!("the mailbox of order {id} is full"),
        1 => format!("10.0.0.{id}: connection refused (os error 111)"),
        _ => format!("HTTP status 503 after {id} ms\u{202e}"),
    }))
}

/// The tests of one process differ in the kind of their store.
fn environment(url: &str) -> &str {
    url.split_once(':').unwrap().0
}

pub async fn builder(url: &str) -> Result<OrchestratorBuilder, ConfigError> {
    let settings =
        [("GRACEFUL_STORE", url), ("GRACEFUL_SERVICE", "orders"), ("GRACEFUL_ENVIRONMENT", environment(url))];
    Orchestrator::builder().settings(BACKENDS, settings).await
}

/// The URL of the server whose events the service reads.
const EVENTS: &str = "GRACEFUL_CLI_TESTS_EVENTS";

/// The service, as its command line builds it. What it starts has the time to do harm.
async fn built(url: String) -> Result<Orchestrator, String> {
    // In a task of its own, as a program may that connects to several servers at once.
    let orchestrator = tokio::spawn(async move {
        let builder = builder(&url).await.map_err(|error| error.to_string())?;
        if let Ok(events) = env::var(EVENTS) {
            let subscriber = Subscriber::connect(&events, "reader", &Filter::new()).await;
            let subscriber = subscriber.map_err(|error| error.to_string())?;
            let inbox = memory::Inbox::new();
            tokio::spawn(async move { subscriber.run(&inbox, async |_, transaction| Ok(transaction)).await });
        }
        builder.reviewer(async |_| Ok(())).build().map_err(|error| error.to_string())
    });
    let orchestrator = orchestrator.await.map_err(|error| error.to_string())??;
    for _ in 0..10 {
        orchestrator.flows().unwrap().lag(1).await.map_err(|error| error.to_string())?;
    }
    Ok(orchestrator)
}

/// Runs the service's subcommand, if this is such a process.
pub fn main() -> Option<ExitCode> {
    let url = env::var(STORE).ok()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    Some(runtime.block_on(graceful_cli::run(async || built(url).await)))
}

/// A subcommand in a process of its own, which has no terminal.
pub fn command(url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(arguments).env(STORE, url).env_remove("NO_COLOR").stdin(Stdio::null());
    command
}

/// A subcommand of the service that reads events.
pub fn run_with_events(url: &str, events: &str, arguments: &[&str]) -> Ended {
    Ended::of(command(url, arguments).env(EVENTS, events).output().unwrap())
}

/// How a subcommand has ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    pub fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap();
        Self { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

pub fn run(url: &str, arguments: &[&str]) -> Ended {
    Ended::of(command(url, arguments).output().unwrap())
}

/// The JSON of a subcommand that succeeds.
pub fn json(url: &str, arguments: &[&str]) -> Value {
    let ended = run(url, &[arguments, &["--json"]].concat());
    assert_eq!(ended.code, 0, "{arguments:?}: {ended:?}");
    ended.json()
}

/// A relay of the service runs until this many flows are dead and none is queued. Each flow has one attempt.
pub async fn serve(url: &str, payments: usize, is_repaired: bool, dead: u64) {
    if is_repaired {
        REPAIRED.lock().unwrap().push(environment(url).to_owned());
    }
    let relay = RelaySettings::default().attempts(1).poll(Duration::from_millis(50));
    let orchestrator = builder(url).await.unwrap().relay(relay).build().unwrap();
    for id in 0..payments {
        orchestrator.scope(pay(id, format!("secret-{id}"))).await.unwrap();
    }
    let store = orchestrator.flows().unwrap();
    until(async || {
        let lag = store.lag(100_000).await.unwrap();
        lag.queued.number == 0 && lag.dead.number == dead
    })
    .await;
    assert_eq!(orchestrator.shutdown(Duration::from_secs(30)).await, 0);
}
