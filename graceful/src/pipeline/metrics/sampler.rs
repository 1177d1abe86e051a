//! Samples the gauges of the installed orchestrator, and writes the counters that must exist before they count anything.
//!
//! The gauges are sampled on a timer and never per scrape, so that scrapers put no load on a store. Each refresh writes every series again:
//! a recorder that was installed after the orchestrator gets them, too, and an exporter that removes idle series removes none of these.

use std::time::Duration;

use metrics::{counter, gauge};
use tokio::time::timeout;

use super::{OTHER, names};
use crate::{
    backends::{Count, EventLog, FlowStore, Lag, PauseTarget, Subscriptions, client::circuits},
    code::Code,
    flow::CallOutcome,
    pipeline::{Orchestrator, WeakOrchestrator, idempotent::CallResult, registry},
    step::Step,
};

/// The time between two samples.
const EVERY: Duration = Duration::from_secs(10);

/// How long the store may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The store counts up to this number, so that a sample costs the same however much there is to do.
const CAP: u64 = 10_000;

/// Starts to sample the gauges of an orchestrator. There must be only one in a process, because the gauges of another one would overwrite
/// these.
pub(crate) fn start(orchestrator: &Orchestrator) {
    write(orchestrator);
    if let Some(runtime) = orchestrator.runtime() {
        runtime.spawn(sample(orchestrator.downgrade()));
    }
}

async fn sample(orchestrator: WeakOrchestrator) {
    while let Some(orchestrator) = orchestrator.upgrade() {
        write(&orchestrator);
        let (store, log) = (orchestrator.flows().cloned(), orchestrator.event_log());
        let (subscriptions, subscribers) =
            (orchestrator.subscriptions(), orchestrator.0.subscriber_faults.subscribers());
        // While the sampler waits it must not keep the orchestrator alive.
        drop(orchestrator);
        if let Some(store) = store {
            write_lag(&*store).await;
            write_pauses(&*store).await;
        }
        if let Some(subscriptions) = subscriptions {
            write_subscribers(subscribers, &*subscriptions, log.as_deref()).await;
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Writes everything that this process knows without asking a server.
fn write(orchestrator: &Orchestrator) {
    names::describe();
    write_counters(orchestrator);
    let background = orchestrator.background();
    set(names::BACKGROUND, background.under_way());
    set(names::BACKGROUND_CAPACITY, background.capacity());
    set(names::UNENDED, orchestrator.pending_ends());
    if orchestrator.flows().is_some() {
        set(names::ATTEMPTS, orchestrator.relay().under_way());
        set(names::UNKNOWN_HANDLERS, orchestrator.relay().left.handlers().len());
    }
    for (server, open) in circuits() {
        gauge!(names::CIRCUIT_OPEN, "server" => server).set(if open { 1.0 } else { 0.0 });
    }
}

/// Asks the store how much there is to do. If it does not answer, the gauges are not a number: the last values would look as if nothing had
/// happened.
async fn write_lag(store: &dyn FlowStore) {
    let lag = timeout(PATIENCE, store.lag(CAP)).await.ok().and_then(Result::ok);
    gauge!(names::STORE_UP).set(if lag.is_some() { 1.0 } else { 0.0 });
    let count = |count: fn(&Lag) -> Count| lag.as_ref().map_or(f64::NAN, |lag| float(count(lag).number));
    gauge!(names::QUEUED).set(count(|lag| lag.queued));
    gauge!(names::RUNNING).set(count(|lag| lag.running));
    gauge!(names::DEAD).set(count(|lag| lag.dead));
    let oldest = lag.map_or(f64::NAN, |lag| lag.oldest_due.unwrap_or_default().as_secs_f64());
    gauge!(names::OLDEST_DUE).set(oldest);
}

/// Counts what is paused, by kind: the name of a handler or subscriber of another program is no label.
async fn write_pauses(store: &dyn FlowStore) {
    let Some(operations) = store.operations() else { return };
    let pauses = timeout(PATIENCE, operations.pauses()).await.ok().and_then(Result::ok);
    for kind in PauseTarget::KINDS {
        let count = pauses.as_ref().map_or(f64::NAN, |pauses| {
            float(pauses.iter().filter(|pause| pause.target.kind() == kind).count() as u64)
        });
        gauge!(names::PAUSES, "target" => kind).set(count);
    }
}

/// The subscribers that run in this process. What waits at a broker is not known here.
async fn write_subscribers(
    identities: Vec<&'static str>,
    subscriptions: &dyn Subscriptions,
    log: Option<&dyn EventLog>,
) {
    if identities.is_empty() {
        return;
    }
    let known = timeout(PATIENCE, subscriptions.subscribers()).await.ok().and_then(Result::ok);
    let newest = match log {
        Some(log) => timeout(PATIENCE, log.span()).await.ok().and_then(Result::ok).map(|span| span.newest),
        None => None,
    };
    for identity in identities {
        let Some(known) = &known else {
            gauge!(names::PARKED, "subscriber" => identity).set(f64::NAN);
            if log.is_some() {
                gauge!(names::BEHIND, "subscriber" => identity).set(f64::NAN);
            }
            continue;
        };
        let Some(state) = known.iter().find(|state| state.subscriber == *identity) else { continue };
        gauge!(names::PARKED, "subscriber" => identity).set(float(state.parked));
        if state.reads_log() {
            let behind = newest.map_or(f64::NAN, |newest| float(newest.saturating_sub(state.handled_to)));
            gauge!(names::BEHIND, "subscriber" => identity).set(behind);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
const fn float(number: u64) -> f64 {
    number as f64
}

fn set(name: &'static str, number: usize) {
    gauge!(name).set(float(number as u64));
}

/// An alert compares a counter with what it was before. A counter that begins with its first event never rises, so nothing fires; hence
/// the counters of failures begin with 0, for every handler of the program.
fn write_counters(orchestrator: &Orchestrator) {
    if orchestrator.flows().is_some() {
        counter!(names::DEAD_LETTERS, "handler" => OTHER).increment(0);
    }
    for handler in registry::handlers() {
        let (name, pattern) = (handler.handler, handler.pattern);
        if handler.durable.is_some() {
            counter!(names::DEAD_LETTERS, "handler" => name).increment(0);
        }
        if handler.idempotent.is_some() {
            for result in CallResult::ALL {
                counter!(names::IDEMPOTENT, "handler" => name, "result" => result.as_str()).increment(0);
            }
        }
        // The pattern of a generic handler is known at its calls only.
        if pattern.is_empty() {
            continue;
        }
        for (ending, code) in outcomes() {
            let arm = if ending.is_success() { "ok" } else { "err" };
            counter!(
                names::FLOWS,
                "handler" => name, "pattern" => pattern, "arm" => arm, "ending" => ending.as_str(), "code" => code.as_str()
            )
            .increment(0);
        }
        for step in Step::ALL {
            for arm in ["ok", "err"] {
                counter!(
                    names::STEPS,
                    "handler" => name, "pattern" => pattern, "step" => step.as_str(), "arm" => arm, "outcome" => "failed"
                )
                .increment(0);
            }
        }
    }
    orchestrator.write_cache_counters();
}

/// The outcomes of calls that are expected, or that an alert may be about.
fn outcomes() -> impl Iterator<Item = (CallOutcome, Code)> {
    let faults = Code::ALL.into_iter().filter(|code| code.is_server_fault());
    let known = [
        (CallOutcome::Ok, Code::Ok),
        (CallOutcome::Panicked, Code::Internal),
        (CallOutcome::Cancelled, Code::Cancelled),
    ];
    known.into_iter().chain(faults.map(|code| (CallOutcome::Err, code)))
}
