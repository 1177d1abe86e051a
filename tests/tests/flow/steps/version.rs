//! `cache(version = …)`: a late write does not overwrite a newer value.

use std::time::Duration;

use graceful::{Code, Step, orchestrate};
use graceful_tests::{Gate, World, ada};
use tokio::time::advance;

#[orchestrate(pattern = "user", cache(key = 42, version = version))]
async fn rename(name: &'static str, version: u32, error: Option<Code>) -> Result<&'static str, Code> {
    error.map_or(Ok(name), Err)
}

#[orchestrate(pattern = "user", cache(key = 42, version = result.0))]
async fn of_the_result(version: i64) -> Result<(i64,), Code> {
    Ok((version,))
}

#[orchestrate(pattern = "user", cache(key = 42, version = version))]
async fn too_large(version: u64) -> Result<u64, Code> {
    Ok(version)
}

async fn name(world: &World) -> Option<String> {
    world.orchestrator.cached("user", 42).await.unwrap()
}

#[tokio::test]
async fn ok_with_older_version_does_not_overwrite_a_newer_value() {
    let world = World::new();
    world.run(rename("new", 2, None)).await.unwrap();
    world.run(rename("old", 1, None)).await.unwrap();
    assert_eq!(world.last(Step::Cache).1, "skipped: a newer version is cached");
    assert_eq!(name(&world).await.as_deref(), Some("new"));
    world.run(rename("newest", 3, None)).await.unwrap();
    assert_eq!(world.last(Step::Cache).1, "put");
    assert_eq!(name(&world).await.as_deref(), Some("newest"));
    assert_eq!(world.cached(&world.entity()).await.unwrap().version, Some(3));
}

#[tokio::test]
async fn err_with_older_version_does_not_invalidate_a_newer_value() {
    let world = World::new();
    world.run(rename("new", 2, None)).await.unwrap();
    world.run(rename("", 1, Some(Code::Internal))).await.unwrap_err();
    assert_eq!(world.last(Step::Cache).1, "skipped: a newer version is cached");
    assert_eq!(name(&world).await.as_deref(), Some("new"));
    world.run(rename("", 2, Some(Code::Internal))).await.unwrap_err();
    assert_eq!(world.last(Step::Cache).1, "invalidated");
    assert_eq!(name(&world).await, None);
}

#[tokio::test(start_paused = true)]
async fn put_older_than_an_invalidation_is_refused_for_the_time_to_live() {
    let world = World::new();
    world.run(rename("", 2, Some(Code::Internal))).await.unwrap_err();
    world.run(rename("old", 1, None)).await.unwrap();
    assert_eq!(
        (world.last(Step::Cache).1.as_str(), name(&world).await),
        ("skipped: a newer version is cached", None)
    );
    advance(Duration::from_secs(600)).await;
    world.run(rename("old", 1, None)).await.unwrap();
    assert_eq!(name(&world).await.as_deref(), Some("old"));
}

#[tokio::test]
async fn version_can_be_a_part_of_the_result() {
    let world = World::new();
    world.run(of_the_result(7)).await.unwrap();
    assert_eq!(world.cached(&world.entity()).await.unwrap().version, Some(7));
}

#[tokio::test]
async fn version_that_does_not_fit_fails_the_step_and_invalidates_the_key() {
    let world = World::new();
    world.run(crate::steps::update(ada(), None)).await.unwrap();
    assert_eq!(world.run(too_large(u64::MAX)).await, Ok(u64::MAX));
    assert_eq!(world.last(Step::Cache).1, "FAILED: the version does not fit an `i64`");
    assert_eq!(world.cached(&world.entity()).await, None);
}

/// Late writes, beside invalidations that have no version: an `Err` whose version would have been the result's, and a delete.
mod unversioned {
    use graceful::backends::KeySpace;

    use super::*;

    /// Commits, and answers when it may.
    #[orchestrate(pattern = "user", cache(key = 42, version = result.0), fallback = last_good)]
    async fn update(version: i64, gate: Option<&Gate>) -> Result<(i64,), Code> {
        if let Some(gate) = gate {
            gate.pass().await;
        }
        Ok((version,))
    }

    #[orchestrate(pattern = "user", cache(key = 42, version = result.0))]
    async fn fails() -> Result<(i64,), Code> {
        Err(Code::Internal)
    }

    #[orchestrate(pattern = "user", cache = 42)]
    async fn delete() -> Result<(), Code> {
        Ok(())
    }

    #[orchestrate(pattern = "user", cache = 42)]
    async fn import() -> Result<(String,), Code> {
        Ok(("imported".to_owned(),))
    }

    async fn spaces(world: &World) -> [Option<String>; 2] {
        let entity = world.entity();
        [
            world.cached(&entity).await.map(|entry| entry.value.as_json().to_owned()),
            world
                .cached(&entity.in_space(KeySpace::LastGood))
                .await
                .map(|entry| entry.value.as_json().to_owned()),
        ]
    }

    /// Version 1 is committed and not answered; 2 is answered; then `next` runs, and then 1 is answered.
    async fn late(world: &World, next: impl Future<Output = ()>) {
        let gate = Gate::closed();
        let others = async {
            gate.reached().await;
            world.run(update(2, None)).await.unwrap();
            next.await;
            gate.open_for(1);
        };
        let (first, ()) = tokio::join!(world.run(update(1, Some(&gate))), others);
        assert_eq!(first, Ok((1,)));
    }

    #[tokio::test]
    async fn late_put_after_err_is_refused() {
        let world = World::new();
        late(&world, async { assert_eq!(world.run(fails()).await, Err(Code::Internal)) }).await;
        assert_eq!(world.last(Step::Cache).1, "skipped: a newer version is cached");
        // An error does not touch what it could be recovered with.
        assert_eq!(spaces(&world).await, [None, Some("[2]".to_owned())]);
    }

    #[tokio::test]
    async fn late_put_after_delete_is_refused_in_both_spaces() {
        let world = World::new();
        late(&world, async { world.run(delete()).await.unwrap() }).await;
        assert_eq!(world.last(Step::Cache).1, "skipped: a newer version is cached");
        assert_eq!(world.last(Step::Fallback).1, "skipped: a newer version is cached");
        assert_eq!(spaces(&world).await, [None, None]);
    }

    #[tokio::test]
    async fn late_put_after_unversioned_put_is_refused() {
        let world = World::new();
        late(&world, async { drop(world.run(import()).await.unwrap()) }).await;
        assert_eq!(world.last(Step::Cache).1, "skipped: a newer version is cached");
        assert_eq!(spaces(&world).await[0].as_deref(), Some(r#"["imported"]"#));
    }

    #[tokio::test(start_paused = true)]
    async fn late_put_after_time_to_live_of_delete_is_accepted() {
        let world = World::new();
        late(&world, async {
            world.run(delete()).await.unwrap();
            advance(Duration::from_secs(600)).await;
        })
        .await;
        assert_eq!(spaces(&world).await[0].as_deref(), Some("[1]"));
    }
}

/// Calls of handlers, in an order at random: each draws its version, commits, and answers later.
mod schedules {
    use std::{
        cell::Cell,
        rc::Rc,
        sync::{Arc, atomic::AtomicI64, atomic::Ordering::SeqCst},
    };

    use fastrand::Rng;
    use graceful::{Key, backends::KeySpace};
    use tokio::task::{LocalSet, yield_now};

    use super::*;

    const SCHEDULES: u64 = 100;
    const TASKS: u64 = 6;
    const CALLS: usize = 8;

    async fn yields(times: usize) {
        for _ in 0..times {
            yield_now().await;
        }
    }

    #[orchestrate(pattern = "user", cache(key = 42, version = result.0), fallback = last_good)]
    async fn write(drawn: Arc<AtomicI64>, pause: usize, fails: bool) -> Result<(i64,), Code> {
        let version = drawn.fetch_add(1, SeqCst);
        yields(pause).await;
        // What recovers has no server fault.
        if fails { Err(Code::NotFound) } else { Ok((version,)) }
    }

    #[orchestrate(pattern = "user", cache = 42)]
    async fn delete(pause: usize) -> Result<(), Code> {
        yields(pause).await;
        Ok(())
    }

    /// What a read of one space must not find any more.
    #[derive(Default)]
    struct Floor {
        /// The newest version whose write was acknowledged.
        written: Cell<i64>,
        /// The newest of those of which an invalidation has been acknowledged since.
        invalidated: Cell<i64>,
    }

    impl Floor {
        fn raise(cell: &Cell<i64>, to: i64) {
            cell.set(cell.get().max(to));
        }
    }

    struct Schedule {
        world: World,
        drawn: Arc<AtomicI64>,
        value: Floor,
        last_good: Floor,
        hits: Cell<usize>,
    }

    impl Schedule {
        async fn call(&self, dice: &mut Rng) {
            let pause = dice.usize(..12);
            let before = [self.value.written.get(), self.last_good.written.get()];
            match dice.u8(..5) {
                0 => {
                    self.world.run(delete(pause)).await.unwrap();
                    Floor::raise(&self.value.invalidated, before[0]);
                    Floor::raise(&self.last_good.invalidated, before[1]);
                }
                1 => {
                    self.world.run(write(Arc::clone(&self.drawn), pause, true)).await.unwrap_err();
                    Floor::raise(&self.value.invalidated, before[0]);
                }
                _ => {
                    let (version,) =
                        self.world.run(write(Arc::clone(&self.drawn), pause, false)).await.unwrap();
                    Floor::raise(&self.value.written, version);
                    Floor::raise(&self.last_good.written, version);
                }
            }
            let entity = self.world.entity();
            self.read(&entity, &self.value).await;
            self.read(&entity.in_space(KeySpace::LastGood), &self.last_good).await;
        }

        async fn read(&self, key: &Key, floor: &Floor) {
            let Some(found) = self.world.cached(key).await else { return };
            let (written, invalidated) = (floor.written.get(), floor.invalidated.get());
            let version = found.version.unwrap();
            assert!(
                version >= written && version > invalidated,
                "{key}: read {version} after {written} was written and {invalidated} invalidated"
            );
            self.hits.set(self.hits.get() + 1);
        }
    }

    #[tokio::test]
    async fn random_schedule_never_reads_what_was_overwritten_or_invalidated() {
        let mut hits = 0;
        for seed in 0..SCHEDULES {
            let schedule = Rc::new(Schedule {
                world: World::new(),
                drawn: Arc::new(AtomicI64::new(1)),
                value: Floor::default(),
                last_good: Floor::default(),
                hits: Cell::default(),
            });
            let local = LocalSet::new();
            let calls = (0..TASKS).map(|task| {
                let (schedule, mut dice) = (Rc::clone(&schedule), Rng::with_seed(seed * TASKS + task));
                local.spawn_local(async move {
                    for _ in 0..CALLS {
                        schedule.call(&mut dice).await;
                    }
                })
            });
            let calls: Vec<_> = calls.collect();
            local.await;
            for call in calls {
                call.await.unwrap_or_else(|error| panic!("schedule {seed}: {error}"));
            }
            hits += schedule.hits.get();
        }
        assert!(hits > 700, "{hits} hits are too few to say anything");
    }
}
