//! Redis is unreachable, answers partly, or is killed: handlers still answer, and the cache works again afterwards.

use std::time::Duration;

use graceful::{Code, Step, StepErrorKind, backends::Cache as _, orchestrate};
use graceful_redis::Cache;
use graceful_tests::{Link, Proxy, User, World, ada, gate::until, servers::Server};

use super::{Redis, entry, url};

#[orchestrate(pattern = "user", cache(key = user.id, version = version))]
async fn update(user: User, version: i64, error: Option<Code>) -> Result<User, Code> {
    error.map_or(Ok(user), Err)
}

/// What became of the cache step, which never waits for its budget: the cache gives up before.
fn cache_step(world: &World) -> Result<String, String> {
    let report = world.reports.last();
    match report.step(Step::Cache).error() {
        None => Ok(report.step(Step::Cache).to_string()),
        Some(error) => {
            assert_ne!(error.kind(), StepErrorKind::TimedOut, "{error}");
            Err(error.message().to_owned())
        }
    }
}

#[test(requires(Redis), flavor = "multi_thread", worker_threads = 2)]
async fn cut_off_a_hundred_times_handlers_answer_and_the_cache_comes_back() {
    let redis = Redis::connect().await;
    let proxy = Proxy::to(redis.address).await;
    let cache = Cache::connect(&url(proxy.address())).await.unwrap().timeout(Duration::from_millis(150));
    let world = World::with(|builder| builder.service(&*redis.service).cache(cache.clone()));
    let direct = redis.cache().await;
    let mut failed = [0; Link::FAULTS.len()];

    for round in 0..20 {
        for (index, fault) in Link::FAULTS.into_iter().enumerate() {
            // Far apart: while the breaker is open, many calls are tried.
            let version = 100_000 * i64::try_from(round * Link::FAULTS.len() + index).unwrap();
            proxy.set(fault).await;
            let answer = world.run(update(ada(), version, None)).await;
            assert_eq!(answer, Ok(ada()));
            failed[index] += usize::from(cache_step(&world).is_err());
            let answer = world.run(update(ada(), version + 1, Some(Code::Internal))).await;
            assert_eq!(answer, Err(Code::Internal));
            failed[index] += usize::from(cache_step(&world).is_err());

            proxy.set(Link::Up).await;
            let mut next = version + 1;
            until(|| {
                next += 1;
                let handler = world.run(update(ada(), next, None));
                let world = &world;
                async move {
                    handler.await.unwrap();
                    cache_step(world).is_ok()
                }
            })
            .await;
            let found = direct.get(&world.entity()).await.unwrap().unwrap();
            assert_eq!((found.version, found.value.decode().ok()), (Some(next), Some(ada())), "{fault:?}");
            world.run(update(ada(), next, Some(Code::Internal))).await.unwrap_err();
            assert_eq!(cache_step(&world).as_deref(), Ok("invalidated"));
            assert_eq!(direct.get(&world.entity()).await.unwrap(), None);
        }
    }
    for (fault, failed) in Link::FAULTS.iter().zip(failed) {
        assert!(failed >= 20 || matches!(fault, Link::Slow(_)), "{fault:?} failed {failed} of 40 calls only");
    }
    redis.clean().await;
}

#[test(requires(Redis))]
async fn calls_to_an_unavailable_server_fail_at_once_until_a_probe_succeeds() {
    let redis = Redis::connect().await;
    for fault in [Link::BlackHole, Link::Refused, Link::Reset] {
        let proxy = Proxy::to(redis.address).await;
        let cache = Cache::connect(&url(proxy.address())).await.unwrap().timeout(Duration::from_millis(500));
        let world = World::with(|builder| builder.service(&*redis.service).cache(cache.clone()));
        proxy.set(fault).await;
        for version in 0..3 {
            world.run(update(ada(), version, None)).await.unwrap();
            let error = cache_step(&world).unwrap_err();
            assert!(error.starts_with(&format!("Redis at {}: ", proxy.address())), "{error}");
        }
        // Between two probes, whoever comes is refused without a look at the network.
        until(|| async {
            let tried = proxy.connections();
            world.run(update(ada(), 3, None)).await.unwrap();
            let refused = cache_step(&world).unwrap_err().starts_with("Redis is unavailable");
            assert!(!refused || proxy.connections() == tried);
            refused
        })
        .await;

        proxy.set(Link::Up).await;
        until(|| async { cache.get(&world.entity()).await.is_ok() }).await;
        world.run(update(ada(), i64::MAX, None)).await.unwrap();
        assert_eq!(cache_step(&world).as_deref(), Ok("put"));
        let () = redis.raw(&[b"DEL", super::name(&world.entity()).as_bytes()]).await;
    }
    redis.clean().await;
}

#[test(requires("redis-server"))]
async fn cache_is_used_again_after_the_server_was_killed_and_restarted() {
    let mut server = Server::redis(&[]).await;
    let cache = Cache::connect(&url(server.address())).await.unwrap();
    let key = graceful::Key::new("users", None, "user", "1");
    cache.put(&key, entry("ada", Some(1)), None).await.unwrap();

    server.kill();
    assert!(cache.get(&key).await.is_err());
    server.start_again().await;
    // Its memory and its scripts are gone with it.
    until(|| async { cache.put(&key, entry("ada", Some(2)), None).await.is_ok() }).await;
    assert_eq!(cache.get(&key).await.unwrap(), Some(entry("ada", Some(2))));
}

#[test(requires(Redis))]
async fn connection_closed_by_the_server_fails_no_call() {
    let redis = Redis::connect().await;
    let proxy = Proxy::to(redis.address).await;
    let cache = Cache::connect(&url(proxy.address())).await.unwrap();
    for number in 0..10 {
        proxy.set(Link::Reset).await;
        proxy.set(Link::Up).await;
        cache.put(&redis.key("1"), entry(&number.to_string(), None), None).await.unwrap();
        proxy.set(Link::Reset).await;
        proxy.set(Link::Up).await;
        let found = cache.get(&redis.key("1")).await.unwrap().unwrap();
        assert_eq!(found.value.decode::<String>().unwrap(), number.to_string());
    }
    redis.clean().await;
}

#[test(requires("redis-server"))]
async fn write_refused_by_the_server_is_reported_and_opens_no_breaker() {
    let server = Server::redis(&["--maxmemory", "1"]).await;
    let cache = Cache::connect(&url(server.address())).await.unwrap();
    let key = graceful::Key::new("users", None, "user", "1");
    for version in [None, Some(1), None, Some(2), None] {
        let error = cache.put(&key, entry("ada", version), None).await.unwrap_err();
        assert!(error.message().contains("OOM") || error.message().contains("memory"), "{error}");
    }
    assert_eq!(cache.get(&key).await.unwrap(), None);
}

/// A sync handler outside of any runtime cannot wait: its flow continues in the runtime of the orchestrator.
#[test(requires(Redis))]
fn sync_handler_needs_no_runtime() {
    #[orchestrate(pattern = "user", cache = user.id)]
    fn store(user: &User) -> Result<User, Code> {
        Ok(user.clone())
    }

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let redis = runtime.block_on(Redis::connect());
    let (world, cache) = runtime.block_on(async {
        let cache = redis.cache().await;
        (World::with(|builder| builder.service(&*redis.service).cache(cache.clone())), cache)
    });
    world.orchestrator.sync_scope(|| store(&ada())).unwrap();
    runtime.block_on(async {
        world.reports.until(1).await;
        assert_eq!(cache_step(&world).as_deref(), Ok("put"));
        assert!(cache.get(&world.entity()).await.unwrap().is_some());
        redis.clean().await;
    });
}
