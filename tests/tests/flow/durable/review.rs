//! Review jobs are stored, and a worker passes those that are due to the reviewer.

use std::sync::Mutex;

use graceful::backends::{Alerter, IncidentFilter, Job, Scheduler};

use super::*;

#[orchestrate(pattern = "user", id = id, schedule(after = "1ms"))]
async fn ask(id: u8, error: Option<Code>) -> Result<u8, Code> {
    error.map_or(Ok(id), Err)
}

async fn jobs(service: &Service) -> Vec<Job> {
    service.store.jobs(IncidentFilter::default(), None, 99).await.unwrap().items
}

async fn until_closed(service: &Service) {
    awaited(async {
        while !jobs(service).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn review_job_survives_a_restart_and_ok_of_its_entity_completes_it() {
    let service = Service::new().await;
    service.without_a_relay().scope(ask(1, Some(Code::Internal))).await.unwrap_err();
    let next = service.without_a_relay();
    assert_eq!(jobs(&service).await.len(), 1);
    next.scope(ask(2, None)).await.unwrap();
    assert_eq!(jobs(&service).await.len(), 1, "another entity's");
    next.scope(ask(1, None)).await.unwrap();
    assert!(jobs(&service).await.is_empty());
}

#[tokio::test]
async fn due_job_is_reviewed_until_the_reviewer_succeeds() {
    let service = Service::new().await;
    let asked = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&asked);
    let orchestrator = service
        .builder()
        .reviewer(move |job: Job| {
            noted.lock().unwrap().push((job.entity.id().to_owned(), job.attempts));
            async move {
                match job.attempts {
                    1 => Err(StepError::new("not now")),
                    2 => panic!("of the reviewer"),
                    _ => Ok(()),
                }
            }
        })
        .build()
        .unwrap();
    orchestrator.scope(ask(1, Some(Code::Internal))).await.unwrap_err();
    until_closed(&service).await;
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked, [("1".to_owned(), 1), ("1".to_owned(), 2), ("1".to_owned(), 3)]);
}

#[tokio::test]
async fn ok_of_the_reviewer_closes_the_job_and_leaves_the_alert_open() {
    let service = Service::new().await;
    let orchestrator = service.builder().reviewer(|_| async { Ok(()) }).build().unwrap();
    orchestrator.scope(ask(1, Some(Code::Internal))).await.unwrap_err();
    until_closed(&service).await;
    assert_eq!(
        Alerter::open(&service.store, IncidentFilter::default(), None, 9).await.unwrap().items.len(),
        1
    );
    orchestrator.scope(ask(1, None)).await.unwrap();
    assert!(
        Alerter::open(&service.store, IncidentFilter::default(), None, 9).await.unwrap().items.is_empty()
    );
}

#[tokio::test]
async fn reviewer_that_calls_the_handler_closes_the_job_and_the_alert() {
    let service = Service::new().await;
    let reviewer = |job: Job| async move {
        let id = job.entity.id().parse().map_err(StepError::caused_by)?;
        ask(id, None).await.map(drop).map_err(|code| StepError::new(code.as_str()))
    };
    let orchestrator = service.builder().reviewer(reviewer).build().unwrap();
    orchestrator.scope(ask(1, Some(Code::Internal))).await.unwrap_err();
    until_closed(&service).await;
    let last = service.reports.until(2).await.remove(1);
    assert_eq!(last.step(Step::Alert).to_string(), "resolved");
    assert_eq!(last.step(Step::Schedule).to_string(), "completed");
}

#[tokio::test]
async fn review_job_after_its_last_attempt_waits_for_the_next_failure() {
    let service = Service::new().await;
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let orchestrator = service
        .builder()
        .relay(quick().attempts(2))
        .reviewer(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            async { Err(StepError::new("no use")) }
        })
        .build()
        .unwrap();
    orchestrator.scope(ask(1, Some(Code::Internal))).await.unwrap_err();
    awaited(async {
        while jobs(&service).await[0].due < Timestamp::now() + Duration::from_secs(3600) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let job = jobs(&service).await.remove(0);
    assert_eq!((job.attempts, job.error.as_deref(), job.held_until), (2, Some("no use"), None));
    assert_eq!(calls.load(Ordering::Relaxed), 2);
    orchestrator.scope(ask(1, Some(Code::Internal))).await.unwrap_err();
    awaited(async {
        while calls.load(Ordering::Relaxed) < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn hanging_reviewer_loses_the_job() {
    let service = Service::new().await;
    let orchestrator = service
        .builder()
        .relay(quick().lease(Duration::from_millis(100)))
        .reviewer(|job: Job| async move {
            match job.attempts {
                1 => std::future::pending().await,
                _ => Ok(()),
            }
        })
        .build()
        .unwrap();
    orchestrator.scope(ask(1, Some(Code::Internal))).await.unwrap_err();
    until_closed(&service).await;
}
