use super::{
    super::testing::{answer, at, flow, flow_at, flow_of},
    *,
};
use crate::{backends::Scheduler as _, code::Code};

const HOLD: Duration = Duration::from_secs(60);

/// Due after so many seconds.
fn open(scheduler: &Scheduler, id: &str, due: u64) -> JobChange {
    answer(scheduler.open(&flow(id, Code::Internal), Duration::from_secs(due))).unwrap()
}

fn complete(scheduler: &Scheduler, id: &str) -> JobChange {
    answer(scheduler.complete(&flow(id, Code::Ok).incident())).unwrap()
}

fn poll(scheduler: &Scheduler, limit: usize) -> Vec<String> {
    let jobs = answer(scheduler.poll(limit, HOLD)).unwrap();
    jobs.iter().map(|job| job.entity.id().to_owned()).collect()
}

fn jobs(scheduler: &Scheduler) -> Vec<Job> {
    answer(scheduler.jobs(IncidentFilter::default(), None, usize::MAX)).unwrap().items
}

#[test]
fn entity_has_at_most_one_job() {
    let scheduler = Scheduler::new();
    assert_eq!(open(&scheduler, "1", 10), JobChange::Opened);
    assert_eq!(open(&scheduler, "1", 10), JobChange::Bumped);
    assert_eq!(jobs(&scheduler).len(), 1);
    assert_eq!(complete(&scheduler, "1"), JobChange::Completed);
    assert_eq!(complete(&scheduler, "1"), JobChange::NotOpen);
    assert_eq!(jobs(&scheduler), []);
}

#[tokio::test(start_paused = true)]
async fn bump_counts_and_keeps_the_earlier_due_time() {
    let scheduler = Scheduler::new();
    let [first, second, third] =
        [(1, Code::Internal), (2, Code::DataLoss), (3, Code::Unknown)].map(|(s, c)| flow_at(s, "1", c));
    for (flow, due) in [(&first, 20), (&second, 10), (&third, 30)] {
        answer(scheduler.open(flow, Duration::from_secs(due))).unwrap();
    }
    let jobs = jobs(&scheduler);
    let expected = Job {
        id: "users::user:1".to_owned(),
        entity: first.entity(),
        owner: first.incident().owner().clone(),
        due: after(scheduler.1.start, Duration::from_secs(10)),
        opened_at: at(1),
        bumps: 3,
        flow: third.id(),
        code: Code::Unknown,
        held_until: None,
        attempts: 0,
        error: None,
        token: None,
        summary: false,
    };
    assert_eq!(jobs, [expected]);
}

#[test]
fn ids_of_different_entities_differ() {
    let scheduler = Scheduler::new();
    for (pattern, id) in [("a:b", "c"), ("a", "b:c")] {
        answer(scheduler.open(&flow_of(pattern, id, Code::Internal), Duration::ZERO)).unwrap();
    }
    let jobs = jobs(&scheduler);
    assert_ne!(jobs[0].id, jobs[1].id);
}

async fn wait(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn due_jobs_are_polled_in_due_order() {
    let scheduler = Scheduler::new();
    for (id, due) in [("late", 30), ("b", 10), ("a", 10), ("first", 5)] {
        open(&scheduler, id, due);
    }
    wait(4).await;
    assert_eq!(poll(&scheduler, 9), [""; 0]);
    wait(6).await;
    assert_eq!(poll(&scheduler, 2), ["first", "a"]);
    assert_eq!(poll(&scheduler, 9), ["b"]);
    wait(20).await;
    assert_eq!(poll(&scheduler, 9), ["late"]);
}

#[tokio::test(start_paused = true)]
async fn held_job_is_due_again_after_its_hold() {
    let scheduler = Scheduler::new();
    open(&scheduler, "1", 0);
    assert_eq!(poll(&scheduler, 9), ["1"]);
    assert_eq!(jobs(&scheduler)[0].held_until, Some(after(scheduler.1.start, HOLD)));
    wait(59).await;
    assert_eq!(poll(&scheduler, 9), [""; 0]);
    wait(1).await;
    assert_eq!(poll(&scheduler, 9), ["1"]);
}

#[test]
fn bump_does_not_take_a_job_from_its_worker() {
    let scheduler = Scheduler::new();
    open(&scheduler, "1", 0);
    assert_eq!(poll(&scheduler, 9), ["1"]);
    open(&scheduler, "1", 0);
    assert_eq!(poll(&scheduler, 9), [""; 0]);
}

#[test]
fn job_can_be_held_forever() {
    let scheduler = Scheduler::new();
    open(&scheduler, "1", 0);
    let polled = answer(scheduler.poll(1, Duration::MAX)).unwrap();
    assert_eq!(polled[0].held_until, Some(Timestamp::MAX));
}

#[test]
fn full_scheduler_evicts_the_job_that_is_due_first() {
    let scheduler = Scheduler::with_capacity(2);
    for (id, due) in [("1", 10), ("2", 5), ("2", 5), ("3", 20)] {
        open(&scheduler, id, due);
    }
    let left: Vec<_> = jobs(&scheduler).iter().map(|job| job.entity.id().to_owned()).collect();
    assert_eq!((left, scheduler.dropped()), (vec!["1".to_owned(), "3".to_owned()], 1));
}

#[test]
fn two_workers_never_get_the_same_job() {
    let scheduler = Scheduler::new();
    // Of patterns of their own, so that there is no storm.
    for n in 0..200 {
        answer(scheduler.open(&flow_of(&n.to_string(), &n.to_string(), Code::Internal), Duration::ZERO))
            .unwrap();
    }
    let work = || (0..50).flat_map(|_| poll(&scheduler, 3)).collect::<Vec<_>>();
    let mut polled = std::thread::scope(|scope| {
        [scope.spawn(work), scope.spawn(work)].map(|worker| worker.join().unwrap()).concat()
    });
    polled.sort_unstable();
    polled.dedup();
    assert_eq!(polled.len(), 200);
}
