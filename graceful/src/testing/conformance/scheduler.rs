//! What a [`Scheduler`] must do.

use std::time::Duration;

use super::{at, flow};
use crate::{
    Code,
    backends::{Job, JobChange, Scheduler},
};

const HOLD: Duration = Duration::from_secs(30);

/// Checks the promises of [`Scheduler`].
///
/// # Panics
/// One of them is broken.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use graceful::{backends::memory, testing::conformance};
/// conformance::scheduler(async || memory::Scheduler::new()).await;
/// # });
/// ```
pub async fn scheduler<S: Scheduler>(fresh: impl AsyncFn() -> S) {
    an_entity_has_one_job(fresh().await).await;
    what_is_due_is_handed_out_once(fresh().await).await;
    only_who_holds_a_job_settles_it(fresh().await).await;
    a_job_that_is_put_off_comes_again(fresh().await).await;
}

async fn poll<S: Scheduler>(store: &S, second: i64, limit: usize) -> Vec<Job> {
    store.poll(at(second), limit, HOLD).await.unwrap()
}

async fn an_entity_has_one_job<S: Scheduler>(store: S) {
    let [first, second] = [flow("1", Code::Internal, 1), flow("1", Code::Unavailable, 2)];
    let entity = first.entity();
    assert_eq!(store.complete(&entity).await.unwrap(), JobChange::NotOpen);
    assert_eq!(store.open(&first, at(60)).await.unwrap(), JobChange::Opened);
    assert_eq!(store.open(&second, at(70)).await.unwrap(), JobChange::Bumped);
    assert_eq!(store.open(&flow("2", Code::Internal, 3), at(50)).await.unwrap(), JobChange::Opened);
    let jobs = store.jobs().await.unwrap();
    assert_eq!(jobs.len(), 2);
    assert_eq!((&*jobs[0].id, jobs[0].due, jobs[0].bumps), ("users::user:2", at(50), 1), "by due time");
    let job = &jobs[1];
    assert_eq!((&job.entity, job.due, job.opened_at), (&entity, at(60), at(1)), "a bump puts nothing off");
    assert_eq!((job.bumps, job.flow, job.code), (2, second.id(), Code::Unavailable));
    assert_eq!((job.attempts, job.held_until, &job.error), (0, None, &None));
    assert_eq!(store.complete(&entity).await.unwrap(), JobChange::Completed);
    assert_eq!(store.complete(&entity).await.unwrap(), JobChange::NotOpen);
}

async fn what_is_due_is_handed_out_once<S: Scheduler>(store: S) {
    for (id, due) in [("1", 30), ("2", 10), ("3", 20), ("4", 40)] {
        store.open(&flow(id, Code::Internal, 1), at(due)).await.unwrap();
    }
    let ids = |jobs: &[Job]| jobs.iter().map(|job| job.entity.id().to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(&poll(&store, 30, 2).await), ["2", "3"], "the limit holds, by due time");
    assert_eq!(ids(&poll(&store, 30, 10).await), ["1"]);
    assert!(poll(&store, 39, 10).await.is_empty());
    let again = poll(&store, 60, 10).await;
    assert_eq!(ids(&again), ["2", "3", "1", "4"], "whoever held them is gone");
    assert_eq!((again[0].attempts, again[3].attempts), (2, 1));
    assert_eq!(again[0].held_until, Some(at(90)));
}

async fn only_who_holds_a_job_settles_it<S: Scheduler>(store: S) {
    store.open(&flow("1", Code::Internal, 1), at(10)).await.unwrap();
    let listed = store.jobs().await.unwrap().remove(0);
    assert!(!store.finish(&listed).await.unwrap(), "nobody holds it");
    let lost = poll(&store, 10, 1).await.remove(0);
    let held = poll(&store, 40, 1).await.remove(0);
    assert!(!store.finish(&lost).await.unwrap());
    assert!(!store.put_off(&lost, at(100), "too late").await.unwrap());
    assert!(store.finish(&held).await.unwrap());
    assert!(!store.finish(&held).await.unwrap());
    assert!(store.jobs().await.unwrap().is_empty());
}

async fn a_job_that_is_put_off_comes_again<S: Scheduler>(store: S) {
    store.open(&flow("1", Code::Internal, 1), at(10)).await.unwrap();
    let job = poll(&store, 10, 1).await.remove(0);
    assert!(store.put_off(&job, at(50), "not now").await.unwrap());
    let listed = store.jobs().await.unwrap().remove(0);
    assert_eq!((listed.due, listed.held_until, listed.error.as_deref()), (at(50), None, Some("not now")));
    assert!(poll(&store, 49, 1).await.is_empty());
    assert_eq!(poll(&store, 50, 1).await[0].attempts, 2);
    // The entity fails again while a worker has its job: it is asked for anew.
    assert_eq!(store.open(&flow("1", Code::Internal, 60), at(360)).await.unwrap(), JobChange::Bumped);
    assert_eq!(store.jobs().await.unwrap()[0].attempts, 0);
}
