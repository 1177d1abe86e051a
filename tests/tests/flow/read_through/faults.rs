//! What could leave an old value in the cache: expressions that panic, hooks, and writes that nobody declared.

use std::{future::Future, pin::Pin};

use graceful::{
    Failure, Key, Orchestrator, StepError,
    backends::{Cache, CacheEntry, CacheWrite, ReadThrough, Reply, memory},
    orchestrate,
};

use super::{Database, User, UserError, orchestrator};

#[orchestrate(pattern = "rtx_user", cache(key = id, read))]
async fn get(database: &Database, id: u64) -> Result<Option<User>, UserError> {
    Ok(database.get(id))
}

#[orchestrate(pattern = "rtx_other", cache(key = id, read, unwritten))]
async fn get_other(database: &Database, id: u64) -> Result<Option<User>, UserError> {
    Ok(database.get(id))
}

/// Panics where an id is not known, as a lookup by index would.
fn id_of(id: Option<u64>) -> u64 {
    id.expect("there is an id")
}

#[orchestrate(pattern = "rtx_write", cache(key = user.id, touches(rtx_other = id_of(id), rtx_user = user.id)))]
async fn touching(database: &Database, user: User, id: Option<u64>) -> Result<(), UserError> {
    database.put(&user);
    Ok(())
}

#[orchestrate(pattern = "rtx_user", cache(key = id_of(id)))]
async fn put(database: &Database, user: User, id: Option<u64>) -> Result<User, UserError> {
    database.put(&user);
    Ok(user)
}

#[orchestrate(pattern = "rtx_user", cache(key = id_of(result.id.checked_sub(1).filter(|_| false))))]
async fn put_late(database: &Database, user: User) -> Result<User, UserError> {
    database.put(&user);
    Ok(user)
}

#[orchestrate(pattern = "rtx_user", cache(key = user.id, depends_on(rtx_other = id_of(id))))]
async fn showing(database: &Database, user: User, id: Option<u64>) -> Result<User, UserError> {
    database.put(&user);
    Ok(user)
}

async fn replaced(_: &Failure<'_, UserError>) -> Result<(), StepError> {
    Ok(())
}

#[orchestrate(pattern = "rtx_user", cache(key = user.id, err = replaced))]
async fn hooked(database: &Database, user: User, fails: bool) -> Result<(), UserError> {
    database.put(&user);
    if fails { Err(UserError::Down) } else { Ok(()) }
}

async fn name(orchestrator: &Orchestrator, database: &Database) -> String {
    orchestrator.scope(get(database, 1)).await.unwrap().unwrap().name
}

/// Reads two entities, writes the first, and reads both again: the write is seen. Returns how often each was loaded again.
async fn loaded_again<T>(write: impl AsyncFnOnce(&Orchestrator, &Database, User) -> T) -> (u64, u64) {
    let (orchestrator, database) = (orchestrator(), Database::with(&[User::new(1, "ada")]));
    assert_eq!(name(&orchestrator, &database).await, "ada");
    orchestrator.scope(get_other(&database, 1)).await.unwrap();
    write(&orchestrator, &database, User::new(1, "eve")).await;
    let before = database.reads();
    assert_eq!(name(&orchestrator, &database).await, "eve");
    let between = database.reads();
    orchestrator.scope(get_other(&database, 1)).await.unwrap();
    (between - before, database.reads() - between)
}

#[tokio::test]
async fn panicking_touches_expression_invalidates_each_pattern_that_it_names() {
    let loads = loaded_again(async |orchestrator, database, user| {
        orchestrator.scope(touching(database, user, None)).await.unwrap();
    });
    assert_eq!(loads.await, (1, 1));
    let loads = loaded_again(async |orchestrator, database, user| {
        orchestrator.scope(touching(database, user, Some(2))).await.unwrap();
    });
    assert_eq!(loads.await, (1, 0), "without a panic, what is not named stays");
}

#[tokio::test]
async fn panicking_key_expression_of_a_write_invalidates_its_pattern() {
    let loads = loaded_again(async |orchestrator, database, user| {
        orchestrator.scope(put(database, user, None)).await.unwrap();
    });
    assert_eq!(loads.await, (1, 0));
    let loads = loaded_again(async |orchestrator, database, user| {
        orchestrator.scope(put_late(database, user)).await.unwrap();
    });
    assert_eq!(loads.await, (1, 0));
}

#[tokio::test]
async fn write_whose_dependencies_are_unknown_is_not_stored() {
    let loads = loaded_again(async |orchestrator, database, user| {
        orchestrator.scope(showing(database, user, None)).await.unwrap();
    });
    assert_eq!(loads.await, (1, 0));
}

#[tokio::test]
async fn hook_of_the_cache_does_not_leave_an_old_value() {
    for fails in [false, true] {
        let loads = loaded_again(async |orchestrator, database, user| {
            let _ = orchestrator.scope(hooked(database, user, fails)).await;
        });
        assert_eq!(loads.await, (1, 0), "fails: {fails}");
    }
}

struct Service {
    orchestrator: Orchestrator,
    database: Database,
}

impl Service {
    #[orchestrate(pattern = "rtx_user", cache(key = id), on = self.orchestrator)]
    async fn touch(&self, id: u64, other: u64) -> Result<(), UserError> {
        self.database.put(&User::new(other, "eve"));
        graceful::touch("rtx_user", other);
        Ok(())
    }

    #[orchestrate(pattern = "rtx_user", cache(key = id, read), on = self.orchestrator)]
    fn later(&self, id: u64) -> Pin<Box<dyn Future<Output = Result<Option<User>, UserError>> + Send + '_>> {
        Box::pin(async move { Ok(self.database.get(id)) })
    }
}

#[tokio::test]
async fn entity_touched_by_a_handler_of_another_orchestrator_is_invalidated() {
    let service = Service { orchestrator: orchestrator(), database: Database::with(&[User::new(1, "ada")]) };
    assert_eq!(name(&service.orchestrator, &service.database).await, "ada");
    service.touch(2, 1).await.unwrap();
    assert_eq!(name(&service.orchestrator, &service.database).await, "eve");
}

#[tokio::test]
async fn reader_in_a_box_reads_when_it_is_polled() {
    let service = Service { orchestrator: orchestrator(), database: Database::with(&[User::new(1, "ada")]) };
    assert_eq!(service.later(1).await.unwrap().unwrap().name, "ada");
    let read = service.later(1);
    service.orchestrator.scope(put(&service.database, User::new(1, "eve"), Some(1))).await.unwrap();
    assert_eq!(read.await.unwrap().unwrap().name, "eve");
}

/// Reads through, and refuses what is put without that.
#[derive(Clone, Debug, Default)]
struct HalfDown(memory::Cache);

impl Cache for HalfDown {
    fn get(&self, key: &Key) -> Reply<Option<CacheEntry>> {
        self.0.get(key)
    }

    fn put(&self, _: &Key, _: CacheEntry, _: Option<std::time::Duration>) -> Reply<CacheWrite> {
        Reply::failed(StepError::new("down"))
    }

    fn invalidate(&self, _: &Key, _: Option<i64>, _: std::time::Duration) -> Reply<CacheWrite> {
        Reply::failed(StepError::new("down"))
    }

    fn read_through(&self) -> Option<&dyn ReadThrough> {
        self.0.read_through()
    }
}

#[tokio::test]
async fn change_that_has_run_returns_its_answer() {
    let orchestrator =
        Orchestrator::builder().in_memory().cache(HalfDown::default()).reads("rtx_user").build().unwrap();
    let changed = orchestrator.changing([("rtx_user", 1), ("rtx_unheld", 1)], async || 7).await;
    assert_eq!(changed.unwrap(), 7);
}

#[tokio::test]
async fn read_that_depends_on_a_pattern_without_holds_is_refused() {
    let orchestrator = orchestrator();
    let read = orchestrator.read_through("rtx_user", 1).depends_on([("rtx_typo", 1)]);
    let error = read.load::<u64, StepError, _, _>(async || Ok(1)).await.unwrap_err();
    assert!(error.message().contains("reads(\"rtx_typo\")"), "{error}");
}

#[tokio::test]
async fn entry_of_another_type_is_loaded_again_and_stored() {
    let orchestrator = orchestrator();
    let text =
        orchestrator.read_through("rtx_user", 1).load::<String, StepError, _, _>(async || Ok("x".to_owned()));
    assert_eq!(text.await.unwrap(), "x");
    let loads = std::cell::Cell::new(0);
    for _ in 0..3 {
        let load = async || {
            loads.set(loads.get() + 1);
            Ok(7)
        };
        let number =
            orchestrator.read_through("rtx_user", 1).load::<u64, StepError, _, _>(load).await.unwrap();
        assert_eq!(number, 7);
    }
    // The first of them found an entry that it could not decode, and has only invalidated it.
    assert_eq!(loads.get(), 2);
}

#[orchestrate(pattern = "rtx_plain", cache(key = user.id, touches(rtx_user = user.id)))]
async fn put_plain(database: &Database, user: User) -> Result<User, UserError> {
    database.put(&user);
    if user.name.is_empty() { Err(UserError::Down) } else { Ok(user) }
}

#[tokio::test]
async fn write_that_touches_a_held_pattern_puts_its_own_value() {
    let (orchestrator, database) = (orchestrator(), Database::default());
    let cached = || orchestrator.cached::<User>("rtx_plain", 1);
    for name in ["ada", "eve"] {
        orchestrator.scope(put_plain(&database, User::new(1, name))).await.unwrap();
        assert_eq!(cached().await.unwrap().unwrap().name, name);
    }
    orchestrator.scope(put_plain(&database, User::new(1, ""))).await.unwrap_err();
    assert_eq!(cached().await.unwrap(), None);
}
