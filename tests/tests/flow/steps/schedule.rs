//! The `schedule` step completes the incident's review job on `Ok` and opens or bumps it on `Err`.

use std::time::Duration;

use graceful::{Code, Step, backends::Scheduler as _, orchestrate};
use graceful_tests::{User, UserError, World, ada};

step!(Schedule schedule, |user| [] [cache = user.id, event = "user_updated"]);
backend!(Schedule);
by_path!(Schedule schedule, |user| [cache = user.id, event = "user_updated"]);

#[tokio::test]
async fn err_opens_a_job_and_then_bumps_it() {
    let world = World::new();
    world.run(crate::steps::update(ada(), Some(UserError::Broken))).await.unwrap_err();

    let (first, result) = world.last(Step::Schedule);
    assert_eq!(result, "opened");
    let jobs = world.jobs().await;
    let [job] = &jobs[..] else { panic!("one job: {jobs:?}") };
    assert_eq!((job.id.as_str(), &job.entity), ("users::user:42#user", &world.entity()));
    assert_eq!((job.opened_at, job.bumps), (first.flow().timestamp(), 1));
    assert_eq!((job.flow, job.code, job.held_until), (first.flow().id(), Code::Internal, None));
    assert_eq!(job.due.duration_since(first.flow().timestamp()).as_secs(), 5 * 60);

    world.run(crate::steps::answer(ada(), Some(Code::Unavailable))).await.unwrap_err();
    let (second, result) = world.last(Step::Schedule);
    assert_eq!(result, "bumped");
    let bumped = world.jobs().await.remove(0);
    assert_eq!((bumped.bumps, bumped.due, bumped.opened_at), (2, job.due, job.opened_at));
    assert_eq!((bumped.flow, bumped.code), (second.flow().id(), Code::Unavailable));
}

#[tokio::test]
async fn ok_completes_the_job_of_its_entity() {
    let world = World::new();
    world.run(crate::steps::update(ada(), Some(UserError::Broken))).await.unwrap_err();
    world.run(crate::steps::update(User { id: 7, ..ada() }, None)).await.unwrap();
    assert_eq!(world.last(Step::Schedule).1, "no open job");
    assert_eq!(world.jobs().await.len(), 1, "another entity's success completes nothing");

    world.run(crate::steps::update(ada(), None)).await.unwrap();
    assert_eq!(world.last(Step::Schedule).1, "completed");
    assert_eq!(world.jobs().await, []);
}

#[tokio::test]
async fn job_is_opened_for_server_faults_only() {
    for code in Code::ALL.into_iter().skip(1) {
        let world = World::new();
        world.run(crate::steps::answer(ada(), Some(code))).await.unwrap_err();
        let expected = if code.is_server_fault() { "opened" } else { "skipped: not a server fault" };
        assert_eq!(world.last(Step::Schedule).1, expected, "{code}");
        assert_eq!(world.jobs().await.len(), usize::from(code.is_server_fault()), "{code}");
    }
}

#[orchestrate(pattern = "user", id = id, schedule(after = "1h"))]
async fn later(id: u64) -> Result<(), Code> {
    Err(if id == 42 { Code::Internal } else { Code::Unknown })
}

#[tokio::test(start_paused = true)]
async fn job_is_due_after_the_time_of_the_argument() {
    let world = World::new();
    world.run(later(42)).await.unwrap_err();
    let job = world.jobs().await.remove(0);
    let (early, hold) = (Duration::from_secs(59 * 60), Duration::from_secs(60));
    tokio::time::advance(early).await;
    assert_eq!(world.backends.scheduler.poll(1, hold).await.unwrap(), []);
    tokio::time::advance(hold).await;
    let due = world.backends.scheduler.poll(1, hold).await.unwrap();
    assert_eq!(due[0].id, job.id);
}
