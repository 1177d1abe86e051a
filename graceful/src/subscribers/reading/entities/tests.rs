use super::{super::super::job::Kind, *};

fn item(position: u64, kind: Kind) -> Item {
    Item::new(position, Box::default(), kind)
}

fn positions(jobs: &[Job]) -> Vec<Vec<u64>> {
    jobs.iter().map(|job| job.items.iter().map(|item| item.position).collect()).collect()
}

fn take(entities: &mut Entities) -> Vec<Job> {
    entities.take_jobs(8, |_| Some(1))
}

fn handled(mut job: Job) -> Done {
    let handled = job.items.drain(..).map(|item| item.position).collect();
    Done { job, handled, end: End::Over }
}

#[test]
fn events_of_an_entity_are_one_job_and_later_ones_wait_for_its_end() {
    let mut entities = Entities::default();
    for (entity, position) in [(1, 10), (2, 11), (1, 12)] {
        entities.add(entity, item(position, Kind::New));
    }
    let mut jobs = take(&mut entities);
    assert_eq!(positions(&jobs), [vec![10, 12], vec![11]]);
    entities.add(1, item(13, Kind::New));
    assert_eq!((take(&mut entities).len(), entities.open(), entities.running()), (0, 4, 2));
    entities.end(handled(jobs.remove(0)), true);
    assert_eq!(positions(&take(&mut entities)), [vec![13]]);
}

#[test]
fn no_more_jobs_run_than_there_may_and_the_others_count_as_open() {
    let mut entities = Entities::default();
    (0..100).for_each(|entity| entities.add(entity, item(entity.unsigned_abs(), Kind::New)));
    assert_eq!(take(&mut entities).len(), 8);
    assert_eq!((entities.open(), entities.waiting()), (100, 92));
}

#[test]
fn interrupted_events_run_alone_also_beside_a_handler_that_does_not_return() {
    let mut entities = Entities::default();
    entities.add(1, item(10, Kind::New));
    let stuck = take(&mut entities);
    entities.add(2, item(11, Kind::Interrupted));
    entities.add(3, item(12, Kind::Interrupted));
    entities.add(4, item(13, Kind::New));
    assert_eq!(take(&mut entities).len(), 0, "another handler is running");
    entities.mark_stuck(1);
    for expected in [11, 12] {
        let mut jobs = take(&mut entities);
        assert_eq!(positions(&jobs), [[expected]]);
        assert_eq!(take(&mut entities).len(), 0);
        entities.end(handled(jobs.remove(0)), true);
    }
    assert_eq!(positions(&take(&mut entities)), [[13]]);
    assert_eq!((entities.running(), entities.stuck()), (1, 1));
    drop(stuck);
}

#[test]
fn interrupted_event_whose_handler_does_not_return_lets_others_run() {
    let mut entities = Entities::default();
    entities.add(1, item(10, Kind::Interrupted));
    entities.add(2, item(11, Kind::New));
    assert_eq!(positions(&take(&mut entities)), [[10]]);
    entities.mark_stuck(1);
    assert_eq!(positions(&take(&mut entities)), [[11]]);
}

#[test]
fn events_of_handlers_that_do_not_return_do_not_count_as_open() {
    let mut entities = Entities::default();
    for entity in 0..8 {
        (0..100).for_each(|position| entities.add(entity, item(position, Kind::New)));
    }
    let stuck = take(&mut entities);
    assert_eq!((stuck.len(), entities.open()), (8, 8 * (64 + 36)));
    (0..8).for_each(|entity| entities.mark_stuck(entity));
    assert_eq!(entities.open(), 0);
    for job in stuck {
        entities.end(handled(job), true);
    }
    assert_eq!(entities.open(), 8 * 36);
}

#[test]
fn end_of_a_former_tenure_does_not_forget_what_is_parked() {
    let mut entities = Entities::default();
    entities.add(1, item(10, Kind::New));
    let job = take(&mut entities).remove(0);
    entities.forget(1);
    entities.park(1);
    entities.add(1, item(12, Kind::New));
    entities.end(handled(job), false);
    assert!(take(&mut entities).remove(0).is_parked);
}

#[test]
fn pause_of_a_forgotten_retry_does_not_shorten_a_later_one() {
    let mut entities = Entities::default();
    let again = |entities: &mut Entities, pause| {
        entities.add(1, item(10, Kind::New));
        let job = take(entities).remove(0);
        entities.end(Done { job, handled: Vec::new(), end: End::Again(Duration::from_secs(pause)) }, true);
    };
    again(&mut entities, 1);
    entities.forget(1);
    again(&mut entities, 60);
    entities.retry(Instant::now() + Duration::from_secs(2));
    assert_eq!(take(&mut entities).len(), 0);
    entities.retry(Instant::now() + Duration::from_secs(61));
    assert_eq!(take(&mut entities).len(), 1);
}
