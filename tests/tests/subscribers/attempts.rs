//! Failed attempts.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use graceful::{CallOutcome, Classify, Code, EventData, State, backends::memory, subscribe};
use graceful_tests::gate::until;

use super::{Handled, Program, awaited};

#[derive(Debug, Classify)]
#[classify(code = Unavailable, message = "the mail server is down")]
struct MailError;

/// How many attempts fail, and how many were made.
#[derive(Clone, Default)]
struct Failing {
    times: u32,
    attempts: Arc<AtomicU32>,
}

impl Failing {
    fn times(times: u32) -> Self {
        Self { times, attempts: Arc::default() }
    }

    fn fails(&self) -> bool {
        self.attempts.fetch_add(1, Ordering::SeqCst) < self.times
    }
}

#[subscribe(event = "user_updated", pattern = "user", from = "start", attempts = 3)]
async fn mail(
    event: EventData<u64>,
    State(failing): State<Failing>,
    State(handled): State<Handled>,
) -> Result<(), MailError> {
    if failing.fails() {
        return Err(MailError);
    }
    handled.add("mail", event.result);
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user", from = "start", attempts = 3)]
async fn panics(
    event: EventData<u64>,
    State(failing): State<Failing>,
    State(handled): State<Handled>,
) -> Result<(), MailError> {
    assert!(!failing.fails(), "out of paper");
    handled.add("panics", event.result);
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user", from = "start", attempts = 3, timeout = "50ms")]
async fn hangs(
    event: EventData<u64>,
    State(failing): State<Failing>,
    State(handled): State<Handled>,
) -> Result<(), MailError> {
    if failing.fails() {
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
    handled.add("hangs", event.result);
    Ok(())
}

/// Its destructor panics.
struct Careless;

impl Drop for Careless {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "a careless destructor");
    }
}

#[subscribe(event = "user_updated", pattern = "user", from = "start", attempts = 3, timeout = "50ms")]
async fn careless(
    event: EventData<u64>,
    State(failing): State<Failing>,
    State(handled): State<Handled>,
) -> Result<(), MailError> {
    if failing.fails() {
        let _careless = Careless;
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
    handled.add("careless", event.result);
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user", from = "start")]
async fn of_texts(_event: EventData<String>) -> Result<(), MailError> {
    Ok(())
}

async fn parked(program: &Program) -> Vec<(u32, String)> {
    let subscriptions = program.orchestrator.subscriptions().unwrap();
    let subscriber = subscriptions.subscribers().await.unwrap().remove(0).subscriber;
    let parked = subscriptions.parked(subscriber, 0, 100).await.unwrap();
    parked.into_iter().map(|event| (event.attempts, event.error.to_string())).collect()
}

async fn until_parked(program: &Program, events: usize) {
    while program.orchestrator.subscriptions().unwrap().subscribers().await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    while parked(program).await.len() < events {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn event_is_retried_until_its_handler_succeeds() {
    for subscriber in ["mail", "panics", "hangs", "careless"] {
        let program = Program::new();
        program.emit([("ada".to_owned(), 7)]).await;
        let (failing, handled) = (Failing::times(2), Handled::new());
        let path = format!("subscribers::attempts::{subscriber}");
        let subscribers = program.orchestrator.subscribers().only(path);
        let subscribers = subscribers.provide(failing.clone()).provide(handled.clone());
        awaited(subscribers.run_until(handled.wait_for(1))).await.unwrap();
        assert_eq!(handled.all(), [(subscriber.to_owned(), 7)]);
        assert_eq!(failing.attempts.load(Ordering::SeqCst), 3);
        assert_eq!(parked(&program).await, []);
    }
}

#[tokio::test]
async fn event_is_parked_after_its_last_attempt_with_what_clients_may_see() {
    for (subscriber, error) in [
        ("mail", "UNAVAILABLE: the mail server is down"),
        ("panics", "panicked: out of paper"),
        ("hangs", "the handler did not finish within 50ms"),
    ] {
        let program = Program::new();
        program.emit([("ada".to_owned(), 7)]).await;
        let failing = Failing::times(u32::MAX);
        let path = format!("subscribers::attempts::{subscriber}");
        let subscribers = program.orchestrator.subscribers().only(path);
        let subscribers = subscribers.provide(failing.clone()).provide(Handled::new());
        awaited(subscribers.run_until(until_parked(&program, 1))).await.unwrap();
        assert_eq!(parked(&program).await, [(3, error.to_owned())]);
        assert_eq!(failing.attempts.load(Ordering::SeqCst), 3);
    }
}

#[tokio::test]
async fn error_flow_runs_once_after_the_last_attempt() {
    let always = u32::MAX;
    for (subscriber, failures, flow) in [
        ("mail", 2, (CallOutcome::Ok, Code::Ok, 3)),
        ("mail", always, (CallOutcome::Err, Code::Unavailable, 3)),
        ("panics", always, (CallOutcome::Panicked, Code::Internal, 3)),
        ("hangs", always, (CallOutcome::Err, Code::DeadlineExceeded, 3)),
    ] {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (failing, handled) = (Failing::times(failures), Handled::new());
        let (reports, attempts) = (Arc::clone(&seen), Arc::clone(&failing.attempts));
        let program = Program::with(memory::EventLog::new(), |builder| {
            builder.on_report(move |report| {
                let flow = report.flow();
                if flow.handler() == subscriber {
                    assert_eq!(flow.entity_id(), "ada");
                    let flow = (flow.ending(), flow.code(), attempts.load(Ordering::SeqCst));
                    reports.lock().unwrap().push(flow);
                }
            })
        });
        program.emit([("ada".to_owned(), 7)]).await;
        let path = format!("subscribers::attempts::{subscriber}");
        let subscribers = program.orchestrator.subscribers().only(path);
        let subscribers = subscribers.provide(failing).provide(handled);
        let ended = until(|| async { !seen.lock().unwrap().is_empty() });
        awaited(subscribers.run_until(ended)).await.unwrap();
        assert_eq!(*seen.lock().unwrap(), [flow]);
    }
}

#[tokio::test]
async fn event_of_another_form_is_parked_at_once() {
    let program = Program::new();
    program.emit([("ada".to_owned(), 7)]).await;
    let subscribers = program.orchestrator.subscribers().only("subscribers::attempts::of_texts");
    awaited(subscribers.run_until(until_parked(&program, 1))).await.unwrap();
    let [(attempts, error)] = &parked(&program).await[..] else { panic!("one event is parked") };
    assert_eq!(*attempts, 1);
    assert!(
        error.starts_with("the event is no `EventData<alloc::string::String>`: invalid type: integer `7`"),
        "{error}"
    );
}

#[tokio::test]
async fn attempts_are_counted_over_restarts() {
    let program = Program::new();
    program.emit([("ada".to_owned(), 7)]).await;
    let failing = Failing::times(u32::MAX);
    let run = || {
        let subscribers = program.orchestrator.subscribers().only("subscribers::attempts::mail");
        subscribers.provide(failing.clone()).provide(Handled::new())
    };
    for attempts in 1..=2 {
        let begun = async {
            while failing.attempts.load(Ordering::SeqCst) < attempts {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        awaited(run().run_until(begun)).await.unwrap();
    }
    awaited(run().run_until(until_parked(&program, 1))).await.unwrap();
    assert_eq!(failing.attempts.load(Ordering::SeqCst), 3);
}
