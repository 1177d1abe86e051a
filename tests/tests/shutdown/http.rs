//! Servers of axum that get a signal.

use graceful_tests::gate::awaited;

use crate::process::{Process, assert_order};

/// The last chunk of a body that is complete.
const COMPLETE: &str = "\r\n0\r\n\r\n";

#[test]
async fn live_stream_ends_at_sigterm_as_if_it_were_complete() {
    let mut process = Process::start("axum").await;
    let mut stream = process.get("/events").await;
    stream.reads("data: 1").await;
    process.terminate().await;
    let rest = stream.rest().await;
    assert!(rest.ends_with(COMPLETE), "{rest}");
    let (code, said) = process.ended().await;
    assert_eq!(code, Some(0), "{said:#?}");
    assert_order(&said, &["the shutdown begins", "live streams were ended streams=1"]);
}

#[test]
async fn live_stream_that_always_has_more_ends_at_sigterm() {
    let mut process = Process::start("axum").await;
    let mut stream = process.get("/flood").await;
    stream.reads("data: 1").await;
    process.terminate().await;
    assert!(stream.rest().await.ends_with(COMPLETE));
    assert_eq!(process.ended().await.0, Some(0));
}

/// Each connection has its own state: the listener is closed, and the stream goes on.
#[test]
async fn live_stream_with_time_comes_to_its_own_end() {
    let mut process = Process::with("axum", [0, 300_000, 600_000]).await;
    let mut stream = process.get("/answer").await;
    stream.reads("data: 1").await;
    process.terminate().await;
    process.closes().await;
    process.open_gate();
    let rest = stream.rest().await;
    assert!(rest.contains("data: last") && rest.ends_with(COMPLETE), "{rest}");
}

#[test]
async fn request_under_way_is_answered_and_its_event_exists() {
    let mut process = Process::start("axum").await;
    let mut request = process.get("/work").await;
    process.says("work began").await;
    process.terminate().await;
    process.closes().await;
    process.open_gate();
    let answer = request.rest().await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("done"), "{answer}");
    // Its flow goes on in the background.
    process.says("the servers have ended").await;
    process.open_gate();
    let (code, said) = process.ended().await;
    assert_eq!(code, Some(0), "{said:#?}");
    assert_order(&said, &["the shutdown begins", "alongside ends", "flow OK", "event work_done", "finally"]);
}

#[test]
async fn process_that_waits_is_not_ready_and_answers_new_connections() {
    let mut process = Process::with("axum", [300_000, 0, 600_000]).await;
    assert!(process.get("/ready").await.reads("ready").await.contains("200 OK"));
    process.terminate().await;
    let answer = process.get("/ready").await.reads("unavailable").await;
    assert!(answer.contains("503 Service Unavailable"), "{answer}");
    process.open_gate();
    let answer = process.get("/work").await.rest().await;
    assert!(answer.contains("connection: close") && answer.ends_with("done"), "{answer}");
    process.signal("TERM");
    let (code, said) = process.ended().await;
    assert_eq!(code, Some(143), "{said:#?}");
    assert_order(&said, &["a second signal ends the process at once"]);
}

/// A person who presses Ctrl-C does not wait for load balancers.
#[test]
async fn sigint_ends_a_process_without_the_wait() {
    let process = Process::with("axum", [300_000, 0, 600_000]).await;
    // It receives signals before it answers.
    process.get("/live").await.reads("\r\n\r\nlive").await;
    process.signal("INT");
    assert_eq!(process.ended().await.0, Some(0));
}

#[test]
async fn second_signal_ends_a_process_that_waits_for_a_request() {
    let mut process = Process::start("axum").await;
    let _request = process.get("/work").await;
    process.says("work began").await;
    process.terminate().await;
    process.signal("INT");
    assert_eq!(process.ended().await.0, Some(130));
}

#[test]
async fn request_is_dropped_at_its_deadline_with_its_error_flow_and_logged() {
    let mut process = Process::with("axum", [0, 0, 5_000]).await;
    let mut request = process.get("/work").await;
    process.says("work began").await;
    process.terminate().await;
    let answer = request.rest().await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    let (code, said) = process.ended().await;
    assert_eq!(code, Some(1), "{said:#?}");
    let order = [
        "requests=1 bodies=0",
        "flow CANCELLED",
        "event work_done.failed",
        "finally",
        "left=\"requests: 1\"",
        "TimedOut: left at the deadline of the shutdown: requests: 1",
    ];
    assert_order(&said, &order);
}

/// A body that is cut off must not look complete.
#[test]
async fn other_body_breaks_off_at_its_deadline() {
    let mut process = Process::with("axum", [0, 0, 5_000]).await;
    let mut download = process.get("/log").await;
    download.reads("line 1").await;
    process.terminate().await;
    let rest = download.rest().await;
    assert!(!rest.ends_with(COMPLETE), "{rest}");
    let (code, said) = process.ended().await;
    assert_eq!(code, Some(0), "{said:#?}");
    assert_order(&said, &["requests=0 bodies=1"]);
}

#[test]
async fn process_whose_runtime_is_blocked_ends_after_its_deadline() {
    let mut process = Process::with("axum", [0, 0, 500]).await;
    let _request = process.get("/block").await;
    process.says("blocks").await;
    process.signal("TERM");
    let (code, said) = process.ended().await;
    assert_eq!(code, Some(1), "{said:#?}");
    assert_order(&said, &["the process had not ended at the deadline of the shutdown"]);
}

/// It ends as if nobody received signals.
#[test]
async fn signal_ends_a_process_whose_server_was_dropped() {
    let mut process = Process::start("dropped").await;
    process.says("dropped").await;
    process.signal("TERM");
    assert_eq!(process.ended().await.0, Some(143));
}

#[test]
async fn second_signal_ends_a_process_whose_runtime_is_blocked() {
    let mut process = Process::start("axum").await;
    let _request = process.get("/block").await;
    process.says("blocks").await;
    process.signal("INT");
    process.signal("TERM");
    let (code, said) = process.ended().await;
    assert!(matches!(code, Some(130 | 143)), "{code:?} {said:#?}");
}

/// One connection has had a request, one has sent nothing, and one a part of a request.
#[test]
async fn connections_without_a_request_do_not_keep_a_process() {
    let mut process = Process::start("axum").await;
    let mut idle = process.get("/live").await;
    idle.reads("\r\n\r\nlive").await;
    let mut silent = process.connect().await;
    let mut partial = process.connect().await;
    partial.send("GET /live HTTP/1.1\r\nhost:").await;
    // All are accepted: the listener takes them in their order.
    process.get("/live").await.reads("\r\n\r\nlive").await;
    process.terminate().await;
    assert_eq!(idle.rest().await, "");
    assert_eq!(awaited(silent.rest()).await, "");
    let (code, said) = process.ended().await;
    assert_eq!(code, Some(0), "{said:#?}");
}
