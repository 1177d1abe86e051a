use super::{
    super::testing::{answer, at, flow, flow_at, flow_of},
    *,
};
use crate::{Code, backends::Scheduler as _};

const HOLD: Duration = Duration::from_secs(60);

fn open(scheduler: &Scheduler, id: &str, due: i64) -> JobChange {
    answer(scheduler.open(&flow(id, Code::Internal), at(due))).unwrap()
}

fn complete(scheduler: &Scheduler, id: &str) -> JobChange {
    answer(scheduler.complete(&flow(id, Code::Ok).entity())).unwrap()
}

fn poll(scheduler: &Scheduler, now: i64, limit: usize) -> Vec<String> {
    let jobs = answer(scheduler.poll(at(now), limit, HOLD)).unwrap();
    jobs.iter().map(|job| job.entity.id().to_owned()).collect()
}

fn jobs(scheduler: &Scheduler) -> Vec<Job> {
    answer(scheduler.jobs()).unwrap()
}

#[test]
fn an_entity_has_at_most_one_job() {
    let scheduler = Scheduler::new();
    assert_eq!(open(&scheduler, "1", 10), JobChange::Opened);
    assert_eq!(open(&scheduler, "1", 10), JobChange::Bumped);
    assert_eq!(jobs(&scheduler).len(), 1);
    assert_eq!(complete(&scheduler, "1"), JobChange::Completed);
    assert_eq!(complete(&scheduler, "1"), JobChange::NotOpen);
    assert_eq!(jobs(&scheduler), []);
}

#[test]
fn a_bump_counts_and_keeps_the_earlier_due_time() {
    let scheduler = Scheduler::new();
    let [first, second, third] =
        [(1, Code::Internal), (2, Code::DataLoss), (3, Code::Unknown)].map(|(s, c)| flow_at(s, "1", c));
    answer(scheduler.open(&first, at(20))).unwrap();
    answer(scheduler.open(&second, at(10))).unwrap();
    answer(scheduler.open(&third, at(30))).unwrap();
    let expected = Job {
        id: "users::user:1".to_owned(),
        entity: first.entity(),
        due: at(10),
        opened_at: at(1),
        bumps: 3,
        flow: third.id(),
        code: Code::Unknown,
        held_until: None,
        attempts: 0,
        error: None,
        token: None,
    };
    assert_eq!(jobs(&scheduler), [expected]);
}

#[test]
fn ids_of_different_entities_differ() {
    let scheduler = Scheduler::new();
    for (pattern, id) in [("a:b", "c"), ("a", "b:c")] {
        answer(scheduler.open(&flow_of(pattern, id, Code::Internal), at(1))).unwrap();
    }
    let jobs = jobs(&scheduler);
    assert_ne!(jobs[0].id, jobs[1].id);
}

#[test]
fn due_jobs_are_polled_in_due_order() {
    let scheduler = Scheduler::new();
    for (id, due) in [("late", 30), ("b", 10), ("a", 10), ("first", 5)] {
        open(&scheduler, id, due);
    }
    assert_eq!(poll(&scheduler, 4, 9), [""; 0]);
    assert_eq!(poll(&scheduler, 10, 2), ["first", "a"]);
    assert_eq!(poll(&scheduler, 10, 9), ["b"]);
    assert_eq!(poll(&scheduler, 30, 9), ["late"]);
}

#[test]
fn a_held_job_comes_again_when_its_time_is_over() {
    let scheduler = Scheduler::new();
    open(&scheduler, "1", 10);
    assert_eq!(poll(&scheduler, 10, 9), ["1"]);
    assert_eq!(jobs(&scheduler)[0].held_until, Some(at(70)));
    assert_eq!(poll(&scheduler, 69, 9), [""; 0]);
    assert_eq!(poll(&scheduler, 70, 9), ["1"]);
}

#[test]
fn a_bump_does_not_take_a_job_from_its_worker() {
    let scheduler = Scheduler::new();
    open(&scheduler, "1", 10);
    poll(&scheduler, 10, 9);
    open(&scheduler, "1", 5);
    assert_eq!(poll(&scheduler, 10, 9), [""; 0]);
}

#[test]
fn a_job_can_be_held_for_ever() {
    let scheduler = Scheduler::new();
    open(&scheduler, "1", 10);
    let polled = answer(scheduler.poll(at(10), 1, Duration::MAX)).unwrap();
    assert_eq!(polled[0].held_until, Some(Timestamp::MAX));
}

#[test]
fn when_full_the_job_that_is_due_first_makes_room() {
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
    for n in 0..200 {
        open(&scheduler, &n.to_string(), n);
    }
    let work = || (0..50).flat_map(|_| poll(&scheduler, 1000, 3)).collect::<Vec<_>>();
    let mut polled = std::thread::scope(|scope| {
        [scope.spawn(work), scope.spawn(work)].map(|worker| worker.join().unwrap()).concat()
    });
    polled.sort_unstable();
    polled.dedup();
    assert_eq!(polled.len(), 200);
}
