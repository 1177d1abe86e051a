//! Whether the store answers, and what is wrong with it.

use std::collections::BTreeSet;

use graceful::{
    HealthStatus, Orchestrator,
    backends::{FlowFilter, FlowQuery, FlowState, FlowStore, IncidentFilter, Page, Subscriptions, Uuid},
    operations::json,
};
use serde_json::{Value, json};

use crate::{
    action,
    exit::{Exit, Problem},
    output::{Colour, Output},
    pause, read,
};

/// Up to what number open alerts and review jobs are counted.
const COUNTED: usize = 1000;

/// Says whether the store answers. An orchestrator that cannot be built is not healthy.
pub(crate) async fn health(
    output: &mut Output,
    built: Result<Orchestrator, String>,
) -> Result<Exit, Problem> {
    let (status, reasons, lag) = match &built {
        Err(error) => (HealthStatus::Unavailable, vec![error.clone()], None),
        Ok(orchestrator) => {
            let health = orchestrator.health().await;
            let lag = match orchestrator.flows().filter(|_| health.status != HealthStatus::Unavailable) {
                Some(store) => store.lag(read::CAP).await.ok(),
                None => None,
            };
            (health.status, health.reasons.iter().map(ToString::to_string).collect(), lag)
        }
    };
    let (is_unhealthy, colour) = match status {
        HealthStatus::Ready => (false, Colour::Green),
        HealthStatus::Degraded => (false, Colour::Yellow),
        _ => (true, Colour::Red),
    };
    if output.json {
        let lag = lag.as_ref().map(json::lag);
        output.value(&json!({ "status": status.as_str(), "reasons": reasons, "lag": lag }));
    } else {
        let status = output.coloured(status.as_str(), Some(colour)).into_owned();
        output.line(&status);
        for reason in &reasons {
            output.line(&format!("  {}", graceful::backends::escaped(reason)));
        }
        if let Some(lag) = &lag {
            output.line(&format!("  {}", read::sentence(lag)));
        }
        if let Ok(orchestrator) = &built {
            pause::note_all(orchestrator).await;
        }
    }
    Ok(if is_unhealthy { Exit::Unhealthy } else { Exit::Done })
}

/// One examination: what was looked at, and what is wrong or what was found.
struct Finding {
    subject: &'static str,
    result: Result<String, String>,
    remedy: &'static str,
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(
        &mut self,
        subject: &'static str,
        result: Result<impl ToString, impl ToString>,
        remedy: &'static str,
    ) {
        let result = result.map(|found| found.to_string()).map_err(|error| error.to_string());
        self.0.push(Finding { subject, result, remedy });
    }
}

const CONNECT: &str =
    "correct the URL, start the server, or if tables are missing run `migrate` as the role that owns them";
const READ: &str = "grant the role SELECT on the store's tables: its documentation lists the rights";
const WRITE: &str =
    "reading works; to act on flows connect as a role with the rights that the store's documentation lists";

/// Says what is wrong with configuration, schema and role, and how to fix it. It changes nothing.
pub(crate) async fn examine(
    output: &mut Output,
    built: Result<Orchestrator, String>,
) -> Result<Exit, Problem> {
    let mut findings = Findings::default();
    match built {
        Err(error) => findings.add("configuration and schema", Err::<&str, _>(error), CONNECT),
        Ok(orchestrator) => {
            findings.add("configuration and schema", Ok::<_, &str>("the orchestrator was built"), CONNECT);
            backends(&mut findings, &orchestrator).await;
        }
    }
    report(output, &findings.0);
    Ok(if findings.0.iter().any(|finding| finding.result.is_err()) { Exit::Unhealthy } else { Exit::Done })
}

async fn backends(findings: &mut Findings, orchestrator: &Orchestrator) {
    match orchestrator.flows() {
        None => {
            let remedy = "set a store by `OrchestratorBuilder::store`";
            findings.add("store of flows", Err::<&str, _>("there is none"), remedy);
        }
        Some(store) => flows(findings, &**store).await,
    }
    match orchestrator.audit() {
        None => {
            let remedy = "set a log by `OrchestratorBuilder::audit`";
            findings.add("audit log", Err::<&str, _>("there is none: actions are not recorded"), remedy);
        }
        Some(log) => {
            let read =
                log.records(None, 1).await.map(|_| "can be read").map_err(|error| error.message().to_owned());
            findings.add("audit log", read, READ);
        }
    }
    if let Some(scheduler) = orchestrator.scheduler() {
        let jobs = scheduler.jobs(IncidentFilter::default(), None, COUNTED).await.map(|jobs| open(&jobs));
        findings.add("review jobs", jobs.map_err(|error| error.message().to_owned()), READ);
    }
    if let Some(alerts) = orchestrator.alerts() {
        let alerts = alerts.open(IncidentFilter::default(), None, COUNTED).await.map(|alerts| open(&alerts));
        findings.add("alerts", alerts.map_err(|error| error.message().to_owned()), READ);
    }
    if let Some(subscriptions) = orchestrator.subscriptions() {
        subscribers(findings, &*subscriptions).await;
    }
}

/// Whether each registered subscriber is read, and has no parked events.
async fn subscribers(findings: &mut Findings, subscriptions: &dyn Subscriptions) {
    let states = match subscriptions.subscribers().await {
        Ok(states) => states,
        Err(error) => return findings.add("subscribers", Err::<&str, _>(error.message()), READ),
    };
    for state in &states {
        if state.processes == 0 {
            let found = format!("no process reads the events of {}", state.subscriber);
            let remedy = "start its service; if the subscriber no longer exists: `subscribers unregister`";
            findings.add("subscribers", Err::<&str, _>(found), remedy);
        }
        if state.parked > 0 {
            let found = format!("{} events of {} are parked", state.parked, state.subscriber);
            let remedy =
                "`subscribers parked` says why; then `subscribers resubmit` or `subscribers discard`";
            findings.add("subscribers", Err::<&str, _>(found), remedy);
        }
    }
    if states.iter().all(|state| state.processes > 0 && state.parked == 0) {
        findings.add("subscribers", Ok::<_, &str>(format!("{} registered", states.len())), READ);
    }
}

/// The number of items of the first page: a lower bound if there are more.
fn open<T, C>(page: &Page<T, C>) -> String {
    format!("{}{} open", page.items.len(), if page.next.is_some() { "+" } else { "" })
}

async fn flows(findings: &mut Findings, store: &dyn FlowStore) {
    if let Err(error) = store.probe().await {
        let remedy = "start the server, or check the network between it and this machine";
        return findings.add("store of flows", Err::<&str, _>(error.message()), remedy);
    }
    let read = async {
        let lag = store.lag(read::CAP).await?;
        store.flows(FlowQuery::new(FlowFilter::default(), 1)).await?;
        store.groups(FlowState::Dead.into(), 1).await?;
        store.attempts(Uuid::max()).await?;
        Ok::<_, graceful::StepError>(read::sentence(&lag))
    };
    findings.add("store of flows", read.await.map_err(|error| error.message().to_owned()), READ);
    if let Some(operations) = store.operations() {
        let remedy = "if the reason is over: `resume`";
        match operations.pauses().await {
            Ok(pauses) if pauses.is_empty() => {
                findings.add("pauses", Ok::<_, &str>("nothing is paused"), remedy);
            }
            Ok(pauses) => {
                for pause in &pauses {
                    findings.add("pauses", Err::<&str, _>(pause::sentence(pause)), remedy);
                }
            }
            Err(error) => findings.add("pauses", Err::<&str, _>(error.message()), READ),
        }
    }
    let changes = action::takes_changes(store).await.map(|()| "it may change flows");
    relays(findings, store).await;
    findings.add("role", changes.map_err(|error| format!("it may only read: {}", error.message())), WRITE);
}

/// How many queued flows are examined for handlers that no relay knows.
const EXAMINED: usize = 1000;

/// Whether the relays that are alive can run the queued flows.
async fn relays(findings: &mut Findings, store: &dyn FlowStore) {
    let read = async {
        let relays = store.relays().await?;
        let queued = store.flows(FlowQuery::new(FlowState::Queued, EXAMINED)).await?;
        // A flow whose handler is unknown has failed, so it is in a group however old it is.
        let failing = store.groups(FlowState::Queued.into(), 1).await?;
        let mut handlers: BTreeSet<String> = queued.items.into_iter().map(|flow| flow.handler).collect();
        let is_any_queued = !handlers.is_empty();
        handlers.extend(failing.groups.into_iter().map(|group| group.handler));
        Ok::<_, graceful::StepError>((relays, is_any_queued, handlers))
    };
    let (relays, is_any_queued, handlers) = match read.await {
        Ok(read) => read,
        Err(error) => return findings.add("relays", Err::<&str, _>(error.message()), READ),
    };
    if relays.is_empty() && is_any_queued {
        let remedy = "start the service, or wait 30 seconds if it has just been started";
        return findings.add("relays", Err::<&str, _>("flows are queued, but no relay is alive"), remedy);
    }
    findings.add("relays", Ok::<_, &str>(format!("{} alive", relays.len())), READ);
    if relays.is_empty() {
        return;
    }
    let knows = |handler: &String| relays.iter().any(|relay| relay.info.knows(handler));
    let unknown: Vec<_> = handlers.into_iter().filter(|handler| !knows(handler)).collect();
    match unknown.is_empty() {
        true => findings.add(
            "handlers of queued flows",
            Ok::<_, &str>("a relay knows each that was examined"),
            "",
        ),
        false => {
            let found = format!("no relay that is alive knows {}", unknown.join(", "));
            let remedy =
                "start a program with these handlers, or discard the flows: `discard state=queued handler=…`";
            findings.add("handlers of queued flows", Err::<&str, _>(found), remedy);
        }
    }
}

fn report(output: &mut Output, findings: &[Finding]) {
    if output.json {
        let shown = |Finding { subject, result, remedy }: &Finding| match result {
            Ok(found) => json!({ "subject": subject, "ok": true, "found": found }),
            Err(error) => json!({ "subject": subject, "ok": false, "found": error, "remedy": remedy }),
        };
        return output.value(&json!({ "findings": findings.iter().map(shown).collect::<Vec<Value>>() }));
    }
    for Finding { subject, result, remedy } in findings {
        let (word, colour, found) = match result {
            Ok(found) => ("ok", Colour::Green, found),
            Err(error) => ("problem", Colour::Red, error),
        };
        let word = output.coloured(word, Some(colour)).into_owned();
        output.line(&format!("{word}: {subject}: {}", graceful::backends::escaped(found)));
        if result.is_err() {
            output.line(&format!("  to fix it: {remedy}"));
        }
    }
}
