//! What a [`Scheduler`] must do.

use std::time::Duration;

use graceful::{
    __private010::Sample,
    Code,
    backends::{Job, JobChange, Scheduler},
};

use super::{at, flow, long_names};

const HOLD: Duration = Duration::from_secs(600);

/// Checks the promises of [`Scheduler`]. `elapse` makes so much time go by for a store: by waiting, by its own clock, or by moving
/// every time that it has written into the past.
///
/// # Panics
/// One of them is broken.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(async {
/// use graceful::backends::memory;
/// use graceful_testing::conformance;
/// conformance::scheduler(async || memory::Scheduler::new(), async |_, time| tokio::time::advance(time).await).await;
/// # });
/// ```
pub async fn scheduler<S: Scheduler>(fresh: impl AsyncFn() -> S, elapse: impl AsyncFn(&S, Duration)) {
    incident_has_one_job(fresh().await).await;
    job_of_another_handler_is_left_alone(fresh().await).await;
    due_job_is_handed_out_once(fresh().await, &elapse).await;
    only_the_holder_of_a_job_completes_it(fresh().await, &elapse).await;
    postponed_job_is_due_again(fresh().await, &elapse).await;
    long_names::entities_have_jobs(fresh().await).await;
}

async fn poll<S: Scheduler>(store: &S, limit: usize) -> Vec<Job> {
    store.poll(limit, HOLD).await.unwrap()
}

async fn incident_has_one_job<S: Scheduler>(store: S) {
    let [first, second] = [flow("1", Code::Internal, 1), flow("1", Code::Unavailable, 2)];
    let incident = first.incident();
    assert_eq!(store.complete(&incident).await.unwrap(), JobChange::NotOpen);
    assert_eq!(store.open(&first, 2 * HOLD).await.unwrap(), JobChange::Opened);
    let due = store.jobs().await.unwrap()[0].due;
    assert_eq!(store.open(&second, 3 * HOLD).await.unwrap(), JobChange::Bumped);
    assert_eq!(store.open(&flow("2", Code::Internal, 3), HOLD).await.unwrap(), JobChange::Opened);
    let jobs = store.jobs().await.unwrap();
    assert_eq!(jobs.len(), 2);
    assert_eq!((&*jobs[0].id, jobs[0].bumps), ("users::user:2", 1), "by due time");
    let job = &jobs[1];
    assert_eq!((job.due, job.opened_at), (due, at(1)), "a bump puts nothing off");
    assert_eq!(job.incident(), incident);
    assert_eq!((job.bumps, job.flow, job.code), (2, second.id(), Code::Unavailable));
    assert_eq!((job.attempts, job.held_until, &job.error), (0, None, &None));
    assert_eq!(store.open(&second, Duration::ZERO).await.unwrap(), JobChange::Bumped);
    assert!(store.jobs().await.unwrap()[0].due < due, "of two due times the earlier one stays");
    assert_eq!(store.complete(&incident).await.unwrap(), JobChange::Completed);
    assert_eq!(store.complete(&incident).await.unwrap(), JobChange::NotOpen);
}

async fn job_of_another_handler_is_left_alone<S: Scheduler>(store: S) {
    let [pay, read] =
        ["pay", "read"].map(|handler| Sample::new("1", Code::Internal, 1).handler(handler).flow());
    store.open(&pay, HOLD).await.unwrap();
    assert_eq!(store.complete(&read.incident()).await.unwrap(), JobChange::NotOpen);
    assert_eq!(store.open(&read, 2 * HOLD).await.unwrap(), JobChange::Opened);
    let jobs = store.jobs().await.unwrap();
    assert_eq!(jobs.iter().map(Job::incident).collect::<Vec<_>>(), [pay.incident(), read.incident()]);
    assert_eq!(store.complete(&pay.incident()).await.unwrap(), JobChange::Completed);
    assert_eq!(store.jobs().await.unwrap().len(), 1);
}

async fn due_job_is_handed_out_once<S: Scheduler>(store: S, elapse: &impl AsyncFn(&S, Duration)) {
    for (id, holds) in [("1", 30), ("2", 10), ("3", 20), ("4", 60)] {
        store.open(&flow(id, Code::Internal, 1), holds * HOLD).await.unwrap();
    }
    let ids = |jobs: &[Job]| jobs.iter().map(|job| job.entity.id().to_owned()).collect::<Vec<_>>();
    assert!(poll(&store, 10).await.is_empty());
    elapse(&store, 31 * HOLD).await;
    let first = poll(&store, 2).await;
    assert_eq!(ids(&first), ["2", "3"], "the limit holds, by due time");
    assert!(first.iter().all(|job| job.attempts == 1 && job.held_until.is_some()), "{first:?}");
    assert_eq!(ids(&poll(&store, 10).await), ["1"]);
    elapse(&store, HOLD / 2).await;
    assert!(poll(&store, 10).await.is_empty());
    elapse(&store, 30 * HOLD).await;
    let again = poll(&store, 10).await;
    assert_eq!(ids(&again), ["2", "3", "1", "4"], "the leases of the dead worker have expired");
    assert_eq!((again[0].attempts, again[3].attempts), (2, 1));
}

async fn only_the_holder_of_a_job_completes_it<S: Scheduler>(store: S, elapse: &impl AsyncFn(&S, Duration)) {
    store.open(&flow("1", Code::Internal, 1), Duration::ZERO).await.unwrap();
    let listed = store.jobs().await.unwrap().remove(0);
    assert!(!store.finish(&listed).await.unwrap(), "no worker has it");
    let lost = poll(&store, 1).await.remove(0);
    elapse(&store, 2 * HOLD).await;
    let held = poll(&store, 1).await.remove(0);
    assert!(!store.finish(&lost).await.unwrap());
    assert!(!store.postpone(&lost, Some(HOLD), "too late").await.unwrap());
    assert!(store.finish(&held).await.unwrap());
    assert!(!store.finish(&held).await.unwrap());
    assert!(store.jobs().await.unwrap().is_empty());
}

async fn postponed_job_is_due_again<S: Scheduler>(store: S, elapse: &impl AsyncFn(&S, Duration)) {
    store.open(&flow("1", Code::Internal, 1), Duration::ZERO).await.unwrap();
    let job = poll(&store, 1).await.remove(0);
    assert!(store.postpone(&job, Some(4 * HOLD), "not now").await.unwrap());
    let listed = store.jobs().await.unwrap().remove(0);
    assert!(listed.due > job.due, "{listed:?}");
    assert_eq!((listed.held_until, listed.error.as_deref()), (None, Some("not now")));
    elapse(&store, 2 * HOLD).await;
    assert!(poll(&store, 1).await.is_empty());
    elapse(&store, 3 * HOLD).await;
    let job = poll(&store, 1).await.remove(0);
    assert_eq!(job.attempts, 2);
    // The job is postponed without a time; then the entity fails again, and a flow bumps it.
    assert!(store.postpone(&job, None, "no use").await.unwrap());
    elapse(&store, 1000 * HOLD).await;
    assert!(poll(&store, 1).await.is_empty());
    assert_eq!(store.open(&flow("1", Code::Internal, 60), Duration::ZERO).await.unwrap(), JobChange::Bumped);
    assert_eq!(poll(&store, 1).await[0].attempts, 1);
}
