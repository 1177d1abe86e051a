//! What a [`Scheduler`] must do.

use std::{sync::Arc, time::Duration};

use graceful::{
    __private010::Sample,
    Code, Flow,
    backends::{IncidentCursor, IncidentFilter, Job, JobChange, Page, STORM_LIMIT, Scheduler},
};
use tokio::task::JoinSet;

use super::{at, flow, incident_filters, long_names};

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
    jobs_have_pages(fresh().await).await;
    incident_filters::jobs(&fresh).await;
    rescheduled_job_is_due_then_and_its_worker_loses_it(fresh().await, &elapse).await;
    summary_can_be_rescheduled(fresh().await).await;
    storm_is_counted_on_one_summary(fresh().await).await;
    storm_ends_with_its_last_single_job(fresh().await).await;
    summary_is_reviewed_like_any_job(fresh().await).await;
    concurrent_storm_has_the_limit_of_jobs_and_counts_the_rest(fresh().await).await;
}

async fn poll<S: Scheduler>(store: &S, limit: usize) -> Vec<Job> {
    store.poll(limit, HOLD).await.unwrap()
}

async fn jobs<S: Scheduler>(store: &S) -> Vec<Job> {
    store.jobs(IncidentFilter::default(), None, 1000).await.unwrap().items
}

async fn incident_has_one_job<S: Scheduler>(store: S) {
    let [first, second] = [flow("1", Code::Internal, 1), flow("1", Code::Unavailable, 2)];
    let incident = first.incident();
    assert_eq!(store.complete(&incident).await.unwrap(), JobChange::NotOpen);
    assert_eq!(store.open(&first, 2 * HOLD).await.unwrap(), JobChange::Opened);
    let due = jobs(&store).await[0].due;
    assert_eq!(store.open(&second, 3 * HOLD).await.unwrap(), JobChange::Bumped);
    assert_eq!(store.open(&flow("2", Code::Internal, 3), HOLD).await.unwrap(), JobChange::Opened);
    let listed = jobs(&store).await;
    assert_eq!(listed.len(), 2);
    assert_eq!((&*listed[1].id, listed[1].bumps), ("users::user:2", 1), "by the time of opening");
    let job = &listed[0];
    assert_eq!((job.due, job.opened_at), (due, at(1)), "a bump puts nothing off");
    assert_eq!(job.incident(), incident);
    assert_eq!((job.bumps, job.flow, job.code), (2, second.id(), Code::Unavailable));
    assert_eq!((job.attempts, job.held_until, &job.error), (0, None, &None));
    assert_eq!(store.open(&second, Duration::ZERO).await.unwrap(), JobChange::Bumped);
    let job = jobs(&store).await.remove(0);
    assert!(job.due < due, "of two due times the earlier one stays");
    assert_eq!(job.bumps, 2, "a repeated flow is not counted again");
    assert_eq!(store.complete(&incident).await.unwrap(), JobChange::Completed);
    assert_eq!(store.complete(&incident).await.unwrap(), JobChange::NotOpen);
}

async fn job_of_another_handler_is_left_alone<S: Scheduler>(store: S) {
    let [pay, read] =
        ["pay", "read"].map(|handler| Sample::new("1", Code::Internal, 1).handler(handler).flow());
    store.open(&pay, HOLD).await.unwrap();
    assert_eq!(store.complete(&read.incident()).await.unwrap(), JobChange::NotOpen);
    assert_eq!(store.open(&read, 2 * HOLD).await.unwrap(), JobChange::Opened);
    let open = jobs(&store).await;
    assert_eq!(open.iter().map(Job::incident).collect::<Vec<_>>(), [pay.incident(), read.incident()]);
    assert_eq!(store.complete(&pay.incident()).await.unwrap(), JobChange::Completed);
    assert_eq!(jobs(&store).await.len(), 1);
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
    let listed = jobs(&store).await.remove(0);
    assert!(!store.finish(&listed).await.unwrap(), "no worker has it");
    let lost = poll(&store, 1).await.remove(0);
    elapse(&store, 2 * HOLD).await;
    let held = poll(&store, 1).await.remove(0);
    assert!(!store.finish(&lost).await.unwrap());
    assert!(!store.postpone(&lost, Some(HOLD), "too late").await.unwrap());
    assert!(store.finish(&held).await.unwrap());
    assert!(!store.finish(&held).await.unwrap());
    assert!(jobs(&store).await.is_empty());
}

async fn postponed_job_is_due_again<S: Scheduler>(store: S, elapse: &impl AsyncFn(&S, Duration)) {
    store.open(&flow("1", Code::Internal, 1), Duration::ZERO).await.unwrap();
    let job = poll(&store, 1).await.remove(0);
    assert!(store.postpone(&job, Some(4 * HOLD), "not now").await.unwrap());
    let listed = jobs(&store).await.remove(0);
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

async fn jobs_have_pages<S: Scheduler>(store: S) {
    // The due times are in another order, and of some jobs the time of opening is the same.
    for (id, second, holds) in [("e", 5, 1), ("b", 2, 2), ("c", 2, 5), ("a", 2, 4), ("d", 4, 3)] {
        store.open(&flow(id, Code::Internal, second), holds * HOLD).await.unwrap();
    }
    let page = async |after: Option<IncidentCursor>, limit| -> Page<Job, IncidentCursor> {
        store.jobs(IncidentFilter::default(), after, limit).await.unwrap()
    };
    let ids =
        |page: &Page<Job, _>| page.items.iter().map(|job| job.entity.id().to_owned()).collect::<Vec<_>>();
    let first = page(None, 2).await;
    assert_eq!(ids(&first), ["a", "b"]);
    let cursor = first.next.expect("there are more");
    assert_eq!(cursor.to_string().parse(), Ok(cursor.clone()));
    // Neither a bump, which changes the due time, nor a completed job of the page before moves the next page.
    store.open(&flow("c", Code::Internal, 9), Duration::ZERO).await.unwrap();
    store.complete(&flow("b", Code::Ok, 9).incident()).await.unwrap();
    let second = page(Some(cursor), 2).await;
    assert_eq!(ids(&second), ["c", "d"]);
    let last = page(second.next.clone(), 2).await;
    assert_eq!((ids(&last), last.next), (vec!["e".to_owned()], None));
    assert_eq!(page(None, 4).await.next, None, "the limit is the number of jobs");
    assert_eq!(page(None, 0).await, Page { items: Vec::new(), next: None });
}

async fn rescheduled_job_is_due_then_and_its_worker_loses_it<S: Scheduler>(
    store: S,
    elapse: &impl AsyncFn(&S, Duration),
) {
    let [flow, other] = ["1", "2"].map(|id| flow(id, Code::Internal, 1));
    let reschedule = async |after| store.reschedule(&flow.incident(), after).await.unwrap();
    store.open(&other, 1000 * HOLD).await.unwrap();
    assert!(!reschedule(Duration::ZERO).await, "it has no job");
    store.open(&flow, 10 * HOLD).await.unwrap();
    assert!(reschedule(Duration::ZERO).await, "earlier");
    let held = poll(&store, 10).await.remove(0);
    assert_eq!((held.incident(), held.attempts), (flow.incident(), 1));
    assert!(reschedule(2 * HOLD).await, "later, although a worker has it");
    let job = jobs(&store).await.remove(0);
    assert_eq!((job.held_until, job.token, job.attempts), (None, None, 0));
    assert!(job.due > held.due);
    assert!(!store.finish(&held).await.unwrap());
    assert!(!store.postpone(&held, Some(Duration::ZERO), "too late").await.unwrap());
    assert_eq!(poll(&store, 10).await, []);
    elapse(&store, 3 * HOLD).await;
    let job = poll(&store, 10).await.remove(0);
    // One that no worker would get any more.
    assert!(store.postpone(&job, None, "no use").await.unwrap());
    assert!(reschedule(Duration::ZERO).await);
    let again = poll(&store, 10).await.remove(0);
    assert_eq!((again.attempts, again.bumps, again.error.as_deref()), (1, 1, Some("no use")));
    assert!(store.finish(&again).await.unwrap());
    assert!(!reschedule(Duration::ZERO).await, "it is closed");
    assert_eq!(poll(&store, 10).await, [], "another job is left alone");
}

async fn summary_can_be_rescheduled<S: Scheduler>(store: S) {
    for id in 0..STORM_LIMIT + 2 {
        store.open(&failed(id, 1), HOLD).await.unwrap();
    }
    let counted = failed(STORM_LIMIT, 1).incident();
    assert!(!store.reschedule(&counted, Duration::ZERO).await.unwrap(), "it has no job of its own");
    assert!(store.reschedule(&counted.storm(Code::Internal), Duration::ZERO).await.unwrap());
    let polled = poll(&store, 1000).await;
    assert_eq!((polled.len(), polled[0].summary, polled[0].bumps), (1, true, 2));
}

fn failed(id: usize, second: i64) -> Arc<Flow> {
    flow(&format!("{id:03}"), Code::Internal, second)
}

async fn complete<S: Scheduler>(store: &S, id: usize) -> JobChange {
    store.complete(&failed(id, 1).incident()).await.unwrap()
}

/// The single open jobs, and the summary.
async fn singles_and_summary<S: Scheduler>(store: &S) -> (Vec<Job>, Option<Job>) {
    let (mut summaries, singles): (Vec<_>, Vec<_>) =
        jobs(store).await.into_iter().partition(|job| job.summary);
    assert!(summaries.len() < 2, "{summaries:?}");
    (singles, summaries.pop())
}

async fn storm_is_counted_on_one_summary<S: Scheduler>(store: S) {
    for id in 0..STORM_LIMIT {
        assert_eq!(store.open(&failed(id, 1), HOLD).await.unwrap(), JobChange::Opened);
    }
    assert_eq!(singles_and_summary(&store).await.1, None);
    let (first, last) = (failed(STORM_LIMIT, 2), failed(STORM_LIMIT + 1, 3));
    assert_eq!(store.open(&first, 2 * HOLD).await.unwrap(), JobChange::Opened);
    let opened = singles_and_summary(&store).await.1.expect("the summary is open");
    store.open(&first, 2 * HOLD).await.unwrap();
    assert_eq!(store.open(&last, 3 * HOLD).await.unwrap(), JobChange::Bumped);
    let (singles, summary) = singles_and_summary(&store).await;
    let summary = summary.expect("the summary is open");
    assert_eq!((singles.len(), summary.bumps), (STORM_LIMIT, 2), "a repeated flow is not counted again");
    assert_eq!((&summary.due, summary.opened_at), (&opened.due, at(2)), "a bump puts nothing off");
    let incident = first.incident().storm(Code::Internal);
    assert_eq!((summary.incident(), &summary.id), (incident.clone(), &incident.to_string()));
    assert_eq!((summary.flow, summary.code), (last.id(), Code::Internal));
    // An entity with a job of its own is not counted on the summary, and one that is has no job to complete.
    assert_eq!(store.open(&failed(0, 4), HOLD).await.unwrap(), JobChange::Bumped);
    assert_eq!(complete(&store, STORM_LIMIT).await, JobChange::NotOpen);
    assert_eq!(singles_and_summary(&store).await.1.map(|summary| summary.bumps), Some(2));
    // There is room for one more job, and another code has a storm of its own.
    assert_eq!(complete(&store, 1).await, JobChange::Completed);
    assert_eq!(store.open(&failed(STORM_LIMIT, 5), HOLD).await.unwrap(), JobChange::Opened);
    assert_eq!(store.open(&flow("other", Code::DataLoss, 5), HOLD).await.unwrap(), JobChange::Opened);
    let (singles, summary) = singles_and_summary(&store).await;
    assert_eq!((singles.len(), summary.map(|summary| summary.bumps)), (STORM_LIMIT + 1, Some(2)));
    // It can be completed by its incident, e.g. by hand.
    assert_eq!(store.complete(&incident).await.unwrap(), JobChange::Completed);
    assert_eq!(singles_and_summary(&store).await.1, None);
}

async fn storm_ends_with_its_last_single_job<S: Scheduler>(store: S) {
    for id in 0..STORM_LIMIT + 5 {
        store.open(&failed(id, 1), HOLD).await.unwrap();
    }
    // A job belongs to the storm of its first code.
    store.open(&flow("000", Code::DataLoss, 2), HOLD).await.unwrap();
    for id in 1..STORM_LIMIT {
        assert_eq!(complete(&store, id).await, JobChange::Completed);
    }
    let (singles, summary) = singles_and_summary(&store).await;
    assert_eq!((singles.len(), summary.map(|summary| summary.bumps)), (1, Some(5)));
    assert_eq!(complete(&store, 0).await, JobChange::Completed);
    assert_eq!(jobs(&store).await, []);
    for id in 0..=STORM_LIMIT {
        assert_eq!(store.open(&failed(id, 3), HOLD).await.unwrap(), JobChange::Opened);
    }
    assert_eq!(singles_and_summary(&store).await.1.map(|summary| summary.bumps), Some(1));
}

async fn summary_is_reviewed_like_any_job<S: Scheduler>(store: S) {
    for id in 0..STORM_LIMIT + 5 {
        store.open(&failed(id, 1), Duration::ZERO).await.unwrap();
    }
    let polled = poll(&store, 1000).await;
    assert_eq!(polled.len(), STORM_LIMIT + 1);
    let (summaries, singles): (Vec<_>, Vec<_>) = polled.into_iter().partition(|job| job.summary);
    assert_eq!((summaries.len(), summaries[0].bumps, summaries[0].attempts), (1, 5, 1));
    // Jobs that reviewers have closed do not close the summary: it has a review of its own, which can fail.
    for job in &singles {
        assert!(store.finish(job).await.unwrap());
    }
    assert!(store.postpone(&summaries[0], Some(Duration::ZERO), "not now").await.unwrap());
    let again = poll(&store, 1000).await;
    assert_eq!((again.len(), again[0].summary, again[0].attempts), (1, true, 2));
    assert!(store.finish(&again[0]).await.unwrap());
    assert_eq!(jobs(&store).await, []);
    for id in 0..=STORM_LIMIT {
        assert_eq!(store.open(&failed(id, 2), HOLD).await.unwrap(), JobChange::Opened);
    }
}

async fn concurrent_storm_has_the_limit_of_jobs_and_counts_the_rest<S: Scheduler>(store: S) {
    let (store, mut opening) = (Arc::new(store), JoinSet::new());
    let each = 15;
    for task in 0..4 {
        let store = Arc::clone(&store);
        opening.spawn(async move {
            for id in 0..each {
                store.open(&failed(task * each + id, 1), HOLD).await.unwrap();
            }
        });
    }
    opening.join_all().await;
    let (singles, summary) = singles_and_summary(&*store).await;
    let counted = summary.expect("the summary is open").bumps;
    assert_eq!((singles.len(), counted), (STORM_LIMIT, (4 * each - STORM_LIMIT) as u64));
    let mut completing = JoinSet::new();
    for task in 0..4 {
        let store = Arc::clone(&store);
        completing.spawn(async move {
            for id in 0..each {
                complete(&*store, task * each + id).await;
            }
        });
    }
    completing.join_all().await;
    assert_eq!(jobs(&*store).await, []);
}
