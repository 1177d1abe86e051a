use graceful::{CallOutcome, Context, Orchestrator, orchestrate};

use super::{Database, User, UserError, orchestrator};

#[orchestrate(pattern = "rt_user", cache(key = id, read))]
async fn get_user(database: &Database, id: u64) -> Result<Option<User>, UserError> {
    Ok(database.get(id))
}

#[orchestrate(pattern = "rt_user", cache = user.id)]
async fn put_user(database: &Database, user: User) -> Result<User, UserError> {
    database.put(&user);
    Ok(user)
}

#[orchestrate(pattern = "rt_user", cache(key = id, on_ok = "invalidate"))]
async fn delete_user(database: &Database, id: u64) -> Result<(), UserError> {
    database.users.lock().unwrap().remove(&id);
    Ok(())
}

#[orchestrate(pattern = "rt_sync", cache(key = id, read, unwritten))]
fn get_now(database: &Database, id: u64) -> Result<Option<User>, UserError> {
    Ok(database.get(id))
}

#[tokio::test]
async fn hit_answers_without_running_the_body_and_without_a_flow() {
    let (orchestrator, database) = (orchestrator(), Database::with(&[User::new(1, "ada")]));
    let read = || orchestrator.scope(get_user(&database, 1));
    let ada = Some(User::new(1, "ada"));
    assert_eq!(read().await.unwrap(), ada);
    assert_eq!(orchestrator.stats().flows(CallOutcome::Ok), 1);
    assert_eq!(read().await.unwrap(), ada);
    assert_eq!((database.reads(), orchestrator.stats().flows(CallOutcome::Ok)), (1, 1));
    let stats = orchestrator.cache_stats("rt_user").unwrap();
    assert_eq!((stats.hits, stats.misses, stats.filled), (1, 1, 1));
}

#[tokio::test]
async fn absent_value_is_cached_until_it_is_created() {
    let (orchestrator, database) = (orchestrator(), Database::default());
    let read = || orchestrator.scope(get_user(&database, 1));
    assert_eq!((read().await.unwrap(), read().await.unwrap()), (None, None));
    assert_eq!(database.reads(), 1);
    orchestrator.scope(put_user(&database, User::new(1, "ada"))).await.unwrap();
    assert_eq!(read().await.unwrap(), Some(User::new(1, "ada")));
    assert_eq!(database.reads(), 1, "the value of the write was put");
    orchestrator.scope(delete_user(&database, 1)).await.unwrap();
    assert_eq!(read().await.unwrap(), None);
    assert_eq!(database.reads(), 2);
}

#[test]
fn sync_reader_is_answered_from_the_cache() {
    let (orchestrator, database) = (orchestrator(), Database::with(&[User::new(1, "ada")]));
    for _ in 0..3 {
        let read = orchestrator.sync_scope(|| get_now(&database, 1));
        assert_eq!(read.unwrap(), Some(User::new(1, "ada")));
    }
    assert_eq!(database.reads(), 1);
}

#[tokio::test]
async fn tenants_and_orchestrators_share_no_entry() {
    let database = Database::with(&[User::new(1, "ada")]);
    let (one, other) = (orchestrator(), orchestrator());
    let read = |orchestrator: &Orchestrator, tenant: &'static str| {
        let read = orchestrator.scope(get_user(&database, 1));
        Context::new().tenant(tenant).scope(read)
    };
    for (orchestrator, tenant, reads) in [(&one, "a", 1), (&one, "b", 2), (&other, "a", 3), (&one, "b", 3)] {
        read(orchestrator, tenant).await.unwrap();
        assert_eq!(database.reads(), reads);
    }
}
