//! Handlers that read through the cache on a server.

use std::{
    future::{Future as _, poll_fn},
    pin::pin,
    sync::atomic::{AtomicU64, Ordering},
    task::Poll,
};

use graceful::{Orchestrator, StepError, orchestrate};
use graceful_tests::gate::{awaited, until};

use super::*;

#[orchestrate(pattern = "rh_user", cache(key = id, read, unwritten, wait = "10m"))]
async fn get(loads: &AtomicU64, id: u64) -> Result<u64, StepError> {
    loads.fetch_add(1, Ordering::SeqCst);
    Ok(id)
}

#[orchestrate(pattern = "rh_text", cache(key = id, read, unwritten))]
async fn get_text(id: u64) -> Result<String, StepError> {
    Ok(id.to_string() + "!")
}

#[orchestrate(pattern = "rh_text", cache(key = id, read, unwritten))]
async fn get_number(loads: &AtomicU64, id: u64) -> Result<u64, StepError> {
    loads.fetch_add(1, Ordering::SeqCst);
    Ok(id)
}

struct Service {
    redis: Redis,
    orchestrator: Orchestrator,
}

impl Service {
    async fn new() -> Self {
        let redis = Redis::connect().await;
        let cache = redis.cache().await.timeout(LONG);
        let builder = Orchestrator::builder().service(redis.service.clone()).cache(cache);
        let orchestrator = builder.reads("rh_manual").build().unwrap();
        Self { redis, orchestrator }
    }

    async fn leases(&self) -> Vec<String> {
        let pattern = format!("graceful:{}:*lease*", self.redis.service);
        self.redis.raw(&[b"KEYS", pattern.as_bytes()]).await
    }

    /// Waits until no lease is left, which would end by itself only after minutes.
    async fn until_no_lease_is_left(&self) {
        until(async || self.leases().await.is_empty()).await;
    }
}

#[test(requires(Redis))]
async fn dropped_look_up_leaves_no_lease() {
    let service = Service::new().await;
    let loads = AtomicU64::new(0);
    let misses = || service.orchestrator.cache_stats("rh_user").unwrap().misses;
    let mut read = Box::pin(service.orchestrator.scope(get(&loads, 1)));
    poll_fn(|cx| {
        assert!(read.as_mut().poll(cx).is_pending());
        // It is counted right before the look-up is sent.
        if misses() == 1 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    drop(read);
    // The lease would end after minutes.
    assert_eq!(awaited(service.orchestrator.scope(get(&loads, 1))).await.unwrap(), 1);
    assert_eq!(loads.load(Ordering::SeqCst), 1);
    service.redis.clean().await;
}

#[test(requires(Redis))]
async fn entry_of_another_type_is_loaded_once_more_and_stored() {
    let service = Service::new().await;
    let loads = AtomicU64::new(0);
    assert_eq!(service.orchestrator.scope(get_text(1)).await.unwrap(), "1!");
    for _ in 0..3 {
        assert_eq!(service.orchestrator.scope(get_number(&loads, 1)).await.unwrap(), 1);
    }
    assert!(loads.load(Ordering::SeqCst) <= 2, "the second load is stored at the latest");
    service.redis.clean().await;
}

#[orchestrate(pattern = "rh_when", cache(key = id, read, unwritten, wait = "10m"), when = result.is_some())]
async fn when_there_is_one(id: u64) -> Result<Option<u64>, StepError> {
    let _ = id;
    Ok(None)
}

#[test(requires(Redis))]
async fn load_whose_when_is_false_leaves_no_lease() {
    let service = Service::new().await;
    assert_eq!(service.orchestrator.scope(when_there_is_one(1)).await.unwrap(), None);
    service.until_no_lease_is_left().await;
    service.redis.clean().await;
}

#[test(requires(Redis))]
async fn read_without_a_handler_extends_its_lease() {
    let service = Service::new().await;
    let (started, start) = tokio::sync::oneshot::channel();
    let (finish, finished) = tokio::sync::oneshot::channel::<()>();
    let read = service.orchestrator.read_through("rh_manual", 1).load::<u64, StepError, _, _>(async || {
        started.send(()).unwrap();
        let _ = finished.await;
        Ok(7)
    });
    let mut read = pin!(read);
    let extended = async {
        start.await.unwrap();
        let [lease] = &service.leases().await[..] else { panic!("one load has the lease") };
        let left = async || service.redis.raw::<i64>(&[b"PTTL", lease.as_bytes()]).await;
        let before = std::cell::Cell::new(left().await);
        // Each extension lets it live longer than it did.
        until(async || {
            let now = left().await;
            assert!(now > 0, "the lease has expired while its load runs");
            now > before.replace(now)
        })
        .await;
        finish.send(()).unwrap();
    };
    let (read, ()) = tokio::join!(read.as_mut(), extended);
    assert_eq!(read.unwrap(), 7);
    service.until_no_lease_is_left().await;
    service.redis.clean().await;
}
