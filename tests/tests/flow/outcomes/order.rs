use super::*;

macro_rules! hook {
    ($name:ident) => {
        async fn $name(_: &Flow) -> HookResult {
            yield_now().await;
            yield_now().await;
            hooks::called(stringify!($name));
            Ok(())
        }
    };
}

hook!(metadata);
hook!(cache);
hook!(graph);
hook!(schedule);
hook!(event);
hook!(nexus);
hook!(audit);
hook!(alert);

async fn fallback(_: &Failure<'_, Code>) -> Option<u64> {
    yield_now().await;
    hooks::called("fallback");
    None
}

#[orchestrate(
    pattern = "user",
    id = 42,
    fallback = fallback,
    metadata(with = metadata),
    cache(with = cache),
    graph = graph,
    schedule = schedule,
    event = event,
    nexus = nexus,
    audit = audit,
    alert = alert
)]
async fn logged(error: Option<Code>) -> Result<u64, Code> {
    hooks::called("body");
    error.map_or(Ok(1), Err)
}

#[tokio::test]
async fn metadata_then_cache_then_the_rest_and_a_fallback_before_all() {
    let mut rest = ["graph", "schedule", "event", "nexus", "audit", "alert"];
    rest.sort_unstable();
    let world = World::new();
    for (error, first) in [(None, &["body"] as &[_]), (Some(Code::Internal), &["body", "fallback"] as &[_])] {
        assert_eq!(world.run(logged(error)).await.err(), error);
        let mut calls = hooks::calls();
        assert_eq!(calls[..first.len()], *first);
        assert_eq!(calls[first.len()..first.len() + 2], ["metadata", "cache"]);
        let last = &mut calls[first.len() + 2..];
        last.sort_unstable();
        assert_eq!(last, rest);
    }
}

/// A consumer that receives the event must find the cache up to date.
#[tokio::test]
async fn event_is_emitted_after_the_cache_is_updated() {
    use graceful::backends::{Cache as _, EventEmitter, Reply, memory};

    #[derive(Debug)]
    struct Looks(memory::Cache);

    impl EventEmitter for Looks {
        fn emit(&self, event: graceful::Event) -> Reply<()> {
            let (cache, key) = (self.0.clone(), event.flow().cache_key().unwrap());
            Reply::pending(async move {
                let cached = cache.get(&key).await?.map(|entry| entry.value.as_json().to_owned());
                hooks::called(format!("{cached:?}"));
                Ok(())
            })
        }
    }

    #[orchestrate(pattern = "user", cache = 42, event = "changed")]
    async fn change(error: Option<Code>) -> Result<u64, Code> {
        error.map_or(Ok(7), Err)
    }

    let cache = memory::Cache::new();
    let world = World::with(|builder| builder.cache(cache.clone()).events(Looks(cache)));
    world.run(change(None)).await.unwrap();
    world.run(change(Some(Code::Internal))).await.unwrap_err();
    assert_eq!(hooks::calls(), [r#"Some("7")"#, "None"]);
}

mod at_once {
    use std::sync::LazyLock;

    use tokio::sync::Barrier;

    use super::*;

    static ALL_SIX: LazyLock<Barrier> = LazyLock::new(|| Barrier::new(6));

    /// Passes only when all six steps are under way.
    async fn meet(_: &Flow) -> HookResult {
        ALL_SIX.wait().await;
        Ok(())
    }

    async fn meet_typed<V>(_: &V) -> HookResult {
        ALL_SIX.wait().await;
        Ok(())
    }

    async fn meet_error(_: &Failure<'_, Code>) -> HookResult {
        ALL_SIX.wait().await;
        Ok(())
    }

    #[orchestrate(
        pattern = "user",
        id = 42,
        graph = meet,
        schedule = meet,
        event = meet,
        nexus = meet,
        audit(ok = meet_typed, err = meet_error),
        alert(ok = meet_typed, err = meet_error)
    )]
    async fn all_meet(error: Option<Code>) -> Result<u64, Code> {
        error.map_or(Ok(1), Err)
    }

    /// The paused clock advances only to the budgets of the steps: if the steps ran one after the other, they would time
    /// out.
    #[tokio::test(start_paused = true)]
    async fn last_six_steps_run_concurrently() {
        let world = World::new();
        for error in [None, Some(Code::Internal)] {
            assert_eq!(world.run(all_meet(error)).await.err(), error);
            assert_eq!(world.reports.last().failures().count(), 0, "{}", world.reports.last());
        }
    }
}
