//! Live updates: what has changed is sent, to whoever may still see it and reads it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body};
use graceful::{Orchestrator, backends::FlowState};
use graceful_console::{Console, access::Access};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, sleep, timeout};
use tower::ServiceExt as _;

use crate::stored::{SHIP, id, kill, orchestrator, queue};

const PAGE: &str = "/live?page=flows&query=&every=1";

fn console(orchestrator: &Orchestrator, may_see: &Arc<AtomicBool>) -> Router {
    let may_see = Arc::clone(may_see);
    let access = move |_| {
        let access = if may_see.load(Ordering::Relaxed) { Access::read("ada") } else { Access::forbidden() };
        std::future::ready(access)
    };
    Console::new(orchestrator, access).router()
}

async fn open(console: &Router) -> (StatusCode, Body) {
    let request = Request::get(PAGE).body(Body::empty()).unwrap();
    let (parts, body) = console.clone().oneshot(request).await.unwrap().into_parts();
    (parts.status, body)
}

/// The next data, without the lines that only keep the connection.
async fn next(body: &mut Body) -> Option<String> {
    loop {
        let frame = body.frame().await?.unwrap().into_data().unwrap();
        let text = String::from_utf8(frame.to_vec()).unwrap();
        if let Some(data) = text.strip_prefix("data: ") {
            return Some(data.trim().to_owned());
        }
    }
}

#[test(start_paused = true)]
async fn only_changed_texts_are_sent() {
    let orchestrator = orchestrator();
    queue(&orchestrator, 2, "orders::parcel:2", SHIP).await;
    kill(&orchestrator, "disk full").await;
    queue(&orchestrator, 1, "orders::parcel:1", SHIP).await;
    let (_, mut body) = open(&console(&orchestrator, &Arc::new(AtomicBool::new(true)))).await;
    let first = next(&mut body).await.unwrap();
    assert!(first.contains("\"queued\""), "{first}");
    assert!(first.contains("\"dead\""), "{first}");
    orchestrator.flows().unwrap().discard(id(1), FlowState::Queued).await.unwrap();
    let second = next(&mut body).await.unwrap();
    assert_eq!(second, format!("{{\"state-{}\":\"discarded\"}}", id(1)));
}

#[test(start_paused = true)]
async fn lost_access_ends_the_updates() {
    let (orchestrator, may_see) = (orchestrator(), Arc::new(AtomicBool::new(true)));
    queue(&orchestrator, 1, "orders::parcel:1", SHIP).await;
    let (_, mut body) = open(&console(&orchestrator, &may_see)).await;
    assert!(next(&mut body).await.is_some());
    may_see.store(false, Ordering::Relaxed);
    let lost = Instant::now();
    while body.frame().await.is_some() {}
    assert!(lost.elapsed() <= Duration::from_secs(16), "{:?}", lost.elapsed());
}

#[test(start_paused = true)]
async fn slow_client_loses_its_place_and_others_do_not() {
    let orchestrator = orchestrator();
    let console = console(&orchestrator, &Arc::new(AtomicBool::new(true)));
    let mut slow = Vec::new();
    for _ in 0..99 {
        slow.push(open(&console).await);
    }
    let (_, mut reading) = open(&console).await;
    let reader = tokio::spawn(async move {
        let mut frames = 0;
        while timeout(Duration::from_secs(60), reading.frame()).await.is_ok_and(|frame| frame.is_some()) {
            frames += 1;
            if frames == 40 {
                return frames;
            }
        }
        frames
    });
    assert_eq!(open(&console).await.0, StatusCode::SERVICE_UNAVAILABLE, "all places are taken");
    sleep(Duration::from_secs(30)).await;
    assert_eq!(open(&console).await.0, StatusCode::OK);
    assert_eq!(reader.await.unwrap(), 40);
    drop(slow);
}

#[test(start_paused = true)]
async fn closed_client_gives_its_place_back() {
    let orchestrator = orchestrator();
    let console = console(&orchestrator, &Arc::new(AtomicBool::new(true)));
    for _ in 0..300 {
        assert_eq!(open(&console).await.0, StatusCode::OK);
        sleep(Duration::from_millis(1)).await;
    }
}

#[test(start_paused = true)]
async fn shutdown_ends_the_updates() {
    let orchestrator = orchestrator();
    let (_, mut body) = open(&console(&orchestrator, &Arc::new(AtomicBool::new(true)))).await;
    assert!(body.frame().await.is_some());
    let begun = tokio::spawn(async move { orchestrator.shutdown(Duration::from_secs(5)).await });
    while timeout(Duration::from_secs(20), body.frame()).await.expect("the updates end").is_some() {}
    begun.await.unwrap();
}

#[test]
async fn page_without_a_place_still_works() {
    let orchestrator = orchestrator();
    let console = console(&orchestrator, &Arc::new(AtomicBool::new(true)));
    let mut open_pages = Vec::new();
    for _ in 0..100 {
        open_pages.push(open(&console).await);
    }
    let request = Request::get("/flows").body(Body::empty()).unwrap();
    assert_eq!(console.clone().oneshot(request).await.unwrap().status(), StatusCode::OK);
    for wrong in ["/live?page=none", "/live?page=flows&every=0", "/live?every=61", "/live?x=1"] {
        let request = Request::get(wrong).body(Body::empty()).unwrap();
        let status = console.clone().oneshot(request).await.unwrap().status();
        assert!(status.is_client_error() || status == StatusCode::SERVICE_UNAVAILABLE, "{wrong}: {status}");
    }
}
