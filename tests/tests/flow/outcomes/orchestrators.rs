use std::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::*;

/// A key that counts how often it is evaluated.
struct Key(Arc<AtomicUsize>);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fetch_add(1, Ordering::Relaxed);
        f.write_str("42")
    }
}

async fn recover(_: &Failure<'_, UserError>) -> Option<u64> {
    yield_now().await;
    hooks::called("fallback");
    Some(7)
}

#[orchestrate(pattern = "user", cache = key, event = "asked", audit = hooks::both, fallback = recover)]
async fn ask(key: Key, error: Option<UserError>) -> Result<u64, UserError> {
    yield_now().await;
    drop(key);
    error.map_or(Ok(1), Err)
}

#[orchestrate(pattern = "user", cache = key, event = "asked", audit = hooks::both)]
fn ask_sync(key: Key, error: Option<UserError>) -> Result<u64, UserError> {
    drop(key);
    error.map_or(Ok(1), Err)
}

#[tokio::test]
async fn handler_without_an_orchestrator_is_the_plain_function() {
    hooks::calls();
    let count = Arc::<AtomicUsize>::default();
    let key = || Key(Arc::clone(&count));
    assert_eq!(ask(key(), None).await.unwrap(), 1);
    assert!(matches!(ask(key(), Some(UserError::Broken)).await, Err(UserError::Broken)));
    assert_eq!(ask_sync(key(), None).unwrap(), 1);
    assert!(matches!(ask_sync(key(), Some(UserError::Broken)), Err(UserError::Broken)));
    assert_eq!(count.load(Ordering::Relaxed), 0, "no key is evaluated");
    assert_eq!(hooks::calls(), [""; 0]);

    let world = World::new();
    assert_eq!(world.run(ask(key(), Some(UserError::Broken))).await.unwrap(), 7);
    assert_eq!(count.load(Ordering::Relaxed), 1, "with one, once");
}

struct Service {
    orchestrator: Option<Orchestrator>,
}

impl Service {
    #[orchestrate(pattern = "user", id = id, on = self.orchestrator)]
    async fn ask(&self, id: u64) -> Result<u64, UserError> {
        yield_now().await;
        Ok(id)
    }
}

#[tokio::test]
async fn two_orchestrators_run_side_by_side() {
    let (one, two) = (World::new(), World::new());
    let key = || Key(Arc::default());
    let calls = tokio::join!(
        one.run(ask(key(), None)),
        two.run(ask(key(), Some(UserError::Broken))),
        one.run(ask(key(), None)),
    );
    assert_eq!((calls.0.unwrap(), calls.1.unwrap(), calls.2.unwrap()), (1, 7, 1));
    assert_eq!(endings(&one), [CallOutcome::Ok; 2]);
    assert_eq!(endings(&two), [CallOutcome::Err]);
    assert_eq!(one.metadata(&one.entity()).await.unwrap().score, 2);
    assert_eq!(two.metadata(&two.entity()).await.unwrap().score, 0);
    assert_eq!((one.events().len(), two.events().len()), (2, 1));
    assert_eq!(one.open_alerts().await, []);
}

#[tokio::test]
async fn inner_scope_overrides_the_outer_scope() {
    let (outer, inner) = (World::new(), World::new());
    outer.run(inner.run(ask(Key(Arc::default()), None))).await.unwrap();
    assert_eq!((outer.reports.count(), inner.reports.count()), (0, 1));
}

#[tokio::test]
async fn orchestrator_of_the_argument_overrides_the_scope() {
    let (named, scoped) = (World::new(), World::new());
    let service = Service { orchestrator: Some(named.orchestrator.clone()) };
    scoped.run(service.ask(1)).await.unwrap();
    assert_eq!((named.reports.count(), scoped.reports.count()), (1, 0));
    let service = Service { orchestrator: None };
    scoped.run(service.ask(1)).await.unwrap();
    assert_eq!((named.reports.count(), scoped.reports.count()), (1, 0), "and none is none");
}

/// A step without a backend is skipped.
#[tokio::test]
async fn orchestrator_without_backends_skips_every_step() {
    #[orchestrate(pattern = "user", cache = 42, event = "asked")]
    async fn plain(error: Option<UserError>) -> Result<u64, UserError> {
        error.map_or(Ok(1), Err)
    }

    let reports = graceful_tests::Reports::default();
    // Other handlers of this program need a cache.
    let cache = graceful::backends::memory::Cache::new();
    let orchestrator = reports.of(Orchestrator::builder().cache(cache)).build().unwrap();
    for error in [None, Some(UserError::Broken)] {
        drop(orchestrator.scope(plain(error)).await);
        let report = reports.last();
        for step in Step::ALL.into_iter().filter(|step| ![Step::Fallback, Step::Cache].contains(step)) {
            assert_eq!(report.step(step).to_string(), "skipped: no backend");
        }
    }
}

/// The panic of an observer is contained.
#[tokio::test]
async fn panicking_observer_changes_nothing() {
    let (log, _listening) = Log::listen();
    let world = World::with(|builder| builder.on_report(|_| panic!("in the observer")));
    assert_eq!(world.run(ask(Key(Arc::default()), None)).await.unwrap(), 1);
    assert_eq!(world.reports.count(), 1);
    assert_eq!(log.of("graceful::report")[0].field("error"), "panicked: in the observer");
}
