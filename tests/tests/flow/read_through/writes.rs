//! Writes of patterns that are read: they are held before their body, and ended after it.

use graceful::{
    CallOutcome, Code, OrchestrationConfig, Orchestrator, Step, Success, backends::FlowState, orchestrate,
};
use graceful_testing::InState as _;
use graceful_testing::Recorder;
use tokio::sync::oneshot;

use super::{
    Database, User, UserError, orchestrator,
    source::{poll_once, yield_until},
};

#[orchestrate(pattern = "rtw_user", cache(key = id, read))]
async fn get_user(database: &Database, id: u64) -> Result<Option<User>, UserError> {
    Ok(database.get(id))
}

#[orchestrate(pattern = "rtw_list", cache(key = (), read, depends_on(rtw_user = ids)))]
async fn list(database: &Database, ids: &[u64]) -> Result<Vec<Option<User>>, UserError> {
    Ok(ids.iter().map(|id| database.get(*id)).collect())
}

/// Writes after it was told to, so that a test can read meanwhile.
#[orchestrate(pattern = "rtw_user", cache = user.id)]
async fn put_user(
    database: &Database,
    user: User,
    go: oneshot::Receiver<Result<(), UserError>>,
) -> Result<User, UserError> {
    go.await.unwrap_or(Err(UserError::Down))?;
    database.put(&user);
    Ok(user)
}

#[orchestrate(pattern = "rtw_user", cache(key = result.id, touches(rtw_user = old)))]
async fn create(database: &Database, user: User, old: Option<u64>) -> Result<User, UserError> {
    database.put(&user);
    if let Some(id) = old {
        database.users.lock().unwrap().remove(&id);
    }
    graceful::touch("rtw_user", user.id + 1);
    Ok(user)
}

#[orchestrate(pattern = "rtw-page", cache(key = (), read, depends_on("rtw.counter" = ())))]
async fn page(database: &Database) -> Result<Option<User>, UserError> {
    Ok(database.get(1))
}

/// The names of both patterns are no identifiers.
#[orchestrate(pattern = "rtw_user", cache(key = user.id, touches("rtw.counter" = ())))]
async fn put_counted(database: &Database, user: User) -> Result<User, UserError> {
    database.put(&user);
    Ok(user)
}

#[orchestrate(pattern = "rtw_user", cache = user.id, when = runs)]
async fn quietly(database: &Database, user: User, runs: bool) -> Result<User, UserError> {
    database.put(&user);
    Ok(user)
}

struct Case {
    orchestrator: Orchestrator,
    database: Database,
}

impl Case {
    fn new() -> Self {
        Self { orchestrator: orchestrator(), database: Database::with(&[User::new(1, "ada")]) }
    }

    async fn read(&self) -> Option<String> {
        let user = self.orchestrator.scope(get_user(&self.database, 1)).await.unwrap();
        user.map(|user| user.name)
    }

    fn filled(&self) -> u64 {
        self.orchestrator.cache_stats("rtw_user").unwrap().filled
    }

    /// Whether reading twice loads once: the first read is stored.
    async fn is_cacheable(&self) -> bool {
        self.read().await;
        let before = self.database.reads();
        self.read().await;
        self.database.reads() == before
    }

    /// Runs a write to the end, with `between` while its body waits.
    async fn write(
        &self,
        outcome: Result<(), UserError>,
        between: impl AsyncFnOnce(),
    ) -> Result<User, UserError> {
        let (go, gone) = oneshot::channel();
        let write = self.orchestrator.scope(put_user(&self.database, User::new(1, "eve"), gone));
        let told = async {
            between().await;
            go.send(outcome).unwrap();
        };
        tokio::join!(write, told).0
    }
}

#[tokio::test]
async fn entry_is_no_hit_while_its_entity_is_written() {
    let case = Case::new();
    assert_eq!(case.read().await.unwrap(), "ada");
    case.write(Ok(()), async || {
        assert_eq!(case.read().await.unwrap(), "ada");
        assert_eq!(case.read().await.unwrap(), "ada");
        assert_eq!((case.database.reads(), case.filled()), (3, 1), "a load under a hold is not stored");
    })
    .await
    .unwrap();
    assert_eq!(case.read().await.unwrap(), "eve");
    assert_eq!(case.database.reads(), 3, "the value of the write was put");
}

#[tokio::test]
async fn load_that_began_before_a_write_is_not_stored_after_it() {
    let case = Case::new();
    // A load that has read before the write, and ends after it.
    let load = case.orchestrator.scope(slow(&case.database, 1));
    let mut load = std::pin::pin!(load);
    poll_once(load.as_mut()).await;
    case.write(Ok(()), async || {}).await.unwrap();
    assert_eq!(load.await.unwrap().unwrap().name, "ada", "it began before the write");
    assert_eq!(case.read().await.unwrap(), "eve");
}

#[orchestrate(pattern = "rtw_user", cache(key = id, read))]
async fn slow(database: &Database, id: u64) -> Result<Option<User>, UserError> {
    let user = database.get(id);
    tokio::task::yield_now().await;
    Ok(user)
}

#[tokio::test]
async fn error_that_touched_nothing_keeps_the_entry() {
    let case = Case::new();
    case.read().await;
    case.write(Err(UserError::EmptyName), async || {}).await.unwrap_err();
    case.read().await;
    assert_eq!(case.database.reads(), 1);
}

#[tokio::test]
async fn error_of_unknown_outcome_leaves_the_hold() {
    let case = Case::new();
    case.read().await;
    case.write(Err(UserError::Down), async || {}).await.unwrap_err();
    assert!(!case.is_cacheable().await);
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(31)).await;
    assert!(case.is_cacheable().await, "the hold has expired");
}

#[tokio::test]
async fn dropped_write_leaves_the_hold() {
    let case = Case::new();
    case.read().await;
    let (_go, gone) = oneshot::channel();
    let mut write = Box::pin(case.orchestrator.scope(put_user(&case.database, User::new(1, "eve"), gone)));
    poll_once(write.as_mut()).await;
    drop(write);
    yield_until(|| case.orchestrator.stats().flows(CallOutcome::Cancelled) == 1).await;
    assert!(!case.is_cacheable().await);
}

#[tokio::test]
async fn hold_is_renewed_while_the_body_runs() {
    tokio::time::pause();
    let case = Case::new();
    case.write(Ok(()), async || {
        tokio::time::sleep(std::time::Duration::from_secs(100)).await;
        assert!(!case.is_cacheable().await, "it is held still");
    })
    .await
    .unwrap();
    assert!(case.is_cacheable().await);
}

#[tokio::test]
async fn write_invalidates_what_it_touches_and_what_depends_on_it() {
    let case = Case::new();
    let list = || case.orchestrator.scope(list(&case.database, &[1, 2]));
    assert_eq!(list().await.unwrap().len(), 2);
    list().await.unwrap();
    assert_eq!(case.database.reads(), 2);
    let created = case.orchestrator.scope(create(&case.database, User::new(7, "bob"), Some(2)));
    created.await.unwrap();
    list().await.unwrap();
    assert_eq!(case.database.reads(), 4, "one of its entities was touched");
}

#[tokio::test]
async fn patterns_named_in_quotes_are_depended_on_and_touched() {
    let case = Case::new();
    let name = async || {
        let page = case.orchestrator.scope(page(&case.database)).await.unwrap();
        page.unwrap().name
    };
    assert_eq!([name().await, name().await], ["ada", "ada"]);
    assert_eq!(case.database.reads(), 1);
    case.orchestrator.scope(put_counted(&case.database, User::new(1, "eve"))).await.unwrap();
    assert_eq!(name().await, "eve");
}

#[tokio::test]
async fn entity_touched_in_the_body_is_invalidated_at_the_end() {
    let case = Case::new();
    case.read().await;
    case.orchestrator.scope(create(&case.database, User::new(0, "zoe"), None)).await.unwrap();
    case.read().await;
    assert_eq!(case.database.reads(), 2);
}

#[tokio::test]
async fn write_without_steps_is_held_and_invalidates() {
    let case = Case::new();
    case.read().await;
    for runs in [false, true] {
        let write = quietly(&case.database, User::new(1, if runs { "eve" } else { "bob" }), runs);
        case.orchestrator.scope(write).await.unwrap();
    }
    assert_eq!(case.orchestrator.stats().flows(CallOutcome::Ok), 2, "the read, and the write with steps");
    case.orchestrator.scope(quietly(&case.database, User::new(1, "bob"), false)).await.unwrap();
    assert_eq!(case.read().await.unwrap(), "bob");
    assert_eq!(case.orchestrator.stats().failures(Step::Cache), 0);
}

#[tokio::test]
async fn whole_pattern_is_invalidated_with_what_depends_on_it() {
    let case = Case::new();
    case.read().await;
    case.orchestrator.scope(list(&case.database, &[1])).await.unwrap();
    assert_eq!(case.database.reads(), 2);
    case.orchestrator.invalidate_pattern("rtw_user").await.unwrap();
    case.read().await;
    case.orchestrator.scope(list(&case.database, &[1])).await.unwrap();
    assert_eq!(case.database.reads(), 4);
}

#[tokio::test]
async fn change_without_a_handler_is_held() {
    let case = Case::new();
    case.read().await;
    let change = case.orchestrator.changing([("rtw_user", 1)], async || {
        case.database.put(&User::new(1, "eve"));
        assert!(!case.is_cacheable().await);
    });
    change.await.unwrap();
    assert_eq!(case.read().await.unwrap(), "eve");
    assert!(case.is_cacheable().await);
    case.database.put(&User::new(1, "bob"));
    case.orchestrator.invalidate([("rtw_user", 1)]).await.unwrap();
    assert_eq!(case.read().await.unwrap(), "bob");
}

#[orchestrate(pattern = "rtw_user", cache = user.id, when = runs, event = "renamed", delivery = "durable")]
async fn rename(
    database: &Database,
    user: User,
    runs: bool,
    go: oneshot::Receiver<()>,
) -> Result<User, UserError> {
    go.await.map_err(|_| UserError::Down)?;
    database.put(&user);
    Ok(user)
}

#[tokio::test]
async fn durable_write_without_steps_runs_none_in_the_relay() {
    let (recorder, database) = (Recorder::new(), Database::default());
    let (go, gone) = oneshot::channel();
    go.send(()).unwrap();
    recorder.run(rename(&database, User::new(1, "eve"), false, gone)).await.unwrap();
    recorder.settled().await;
    let queued = recorder.orchestrator().flows().unwrap().in_state(FlowState::Completed).await.unwrap();
    assert_eq!((queued.len(), recorder.flows().len()), (0, 0));
}

#[tokio::test]
async fn cancelled_durable_write_leaves_the_hold() {
    let (recorder, database) = (Recorder::new(), Database::with(&[User::new(1, "ada")]));
    let read = || recorder.run(get_user(&database, 1));
    read().await.unwrap();
    let (_go, gone) = oneshot::channel();
    let mut write = Box::pin(recorder.run(rename(&database, User::new(1, "eve"), true, gone)));
    poll_once(write.as_mut()).await;
    drop(write);
    recorder.ended(2).await;
    for _ in 0..2 {
        read().await.unwrap();
    }
    assert_eq!((database.reads(), recorder.hits().len()), (3, 0), "its commit may be in flight");
}

/// Its pattern is read by nobody, so it holds nothing.
#[orchestrate(pattern = "rtw_audit", cache = id)]
async fn of_another_pattern(database: &Database, id: u64) -> Result<u64, UserError> {
    database.put(&User::new(1, "uncommitted"));
    let read = get_user(database, 1).await?;
    assert_eq!(read.unwrap().name, "uncommitted");
    database.put(&User::new(1, "ada"));
    Err(UserError::NoSuchUser).or(Ok(id))
}

#[tokio::test]
async fn read_inside_of_a_write_of_another_pattern_is_not_stored() {
    let case = Case::new();
    case.orchestrator.scope(of_another_pattern(&case.database, 7)).await.unwrap();
    assert_eq!((case.filled(), case.read().await.unwrap()), (0, "ada".to_owned()));
    assert!(case.is_cacheable().await);
}

#[tokio::test]
async fn flow_without_a_handler_invalidates_what_it_names() {
    let case = Case::new();
    case.read().await;
    case.database.put(&User::new(1, "eve"));
    let config = OrchestrationConfig::new("rtw_user").cache_key(1).on(&case.orchestrator);
    let report = Success::wrap(Code::Ok, "updated", &User::new(1, "eve")).orchestrate(&config).await;
    assert_eq!(report.step(Step::Cache).to_string(), "invalidated");
    assert_eq!(case.read().await.unwrap(), "eve");
}
