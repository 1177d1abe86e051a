//! Polls due review jobs, and calls the reviewer.

use std::sync::Arc;

use tokio::{task::JoinSet, time::timeout};

use super::{backoff::backoff, complain};
use crate::{
    backends::{Job, Scheduler},
    pipeline::{Orchestrator, Reviewer, WeakOrchestrator},
    step::StepError,
};

/// Polls due jobs until the orchestrator is dropped or shut down.
pub(crate) async fn run(orchestrator: WeakOrchestrator) {
    while let Some(strong) = orchestrator.upgrade().filter(|strong| !strong.relay().is_stopping()) {
        let mut every = strong.relay().settings().poll;
        match strong.review().await {
            // Jobs are due after minutes, so after an empty poll the next one can wait longer.
            Ok(0) => every *= 5,
            Ok(_) => {}
            Err(error) => complain(&error, "polling review jobs failed"),
        }
        // The waiting task must not keep the orchestrator alive.
        drop(strong);
        tokio::time::sleep(every).await;
    }
}

impl Orchestrator {
    /// Calls the [reviewer](crate::OrchestratorBuilder::reviewer) with all due review jobs concurrently, waits for it, and returns their
    /// number. An orchestrator with a reviewer does this automatically; this method is for tests, and for reviews on demand.
    ///
    /// If the future is dropped before its end, polled jobs are due again when the relay's [`lease`](crate::RelaySettings::lease) expires.
    ///
    /// # Errors
    /// Fails if polling the scheduler fails. An error of the reviewer is stored in its job instead.
    ///
    /// ```
    /// use graceful::{
    ///     Code, Failure, OrchestrationConfig, Orchestrator, StepError,
    ///     backends::{IncidentFilter, Job},
    /// };
    ///
    /// async fn look_into(_: Job) -> Result<(), StepError> { Ok(()) }
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(async {
    /// let orchestrator = Orchestrator::builder().in_memory().reviewer(look_into).build().unwrap();
    /// let config = OrchestrationConfig::new("user").id(42).on(&orchestrator);
    /// Failure::wrap(Code::Internal, "something failed", "disk full").orchestrate(&config).await;
    ///
    /// assert_eq!(orchestrator.review().await?, 0, "it is due in 5 minutes");
    /// tokio::time::advance(std::time::Duration::from_secs(300)).await;
    /// orchestrator.review().await?;
    /// let jobs = orchestrator.scheduler().unwrap().jobs(IncidentFilter::default(), None, 10).await?;
    /// assert!(jobs.items.is_empty());
    /// # Ok::<(), StepError>(())
    /// # }).unwrap();
    /// ```
    pub async fn review(&self) -> Result<usize, StepError> {
        let (Some(reviewer), Some(scheduler)) = (self.reviewer(), self.scheduler()) else { return Ok(0) };
        let settings = self.relay().settings();
        let jobs = scheduler.poll(settings.concurrency, settings.lease).await?;
        let count = jobs.len();
        let mut reviews = JoinSet::new();
        for job in jobs {
            reviews.spawn(review(self.clone(), reviewer.clone(), Arc::clone(scheduler), job));
        }
        reviews.join_all().await;
        Ok(count)
    }
}

/// Reviews one job, and closes or postpones it.
async fn review(orchestrator: Orchestrator, reviewer: Reviewer, scheduler: Arc<dyn Scheduler>, job: Job) {
    let settings = orchestrator.relay().settings();
    // The reviewer runs in a separate task, so that its panic is caught.
    let mut reviewing = JoinSet::new();
    let looked_into = job.clone();
    reviewing.spawn(orchestrator.scope(async move { (reviewer.0)(looked_into).await }));
    let answer = match timeout(settings.lease, reviewing.join_next()).await {
        Ok(Some(Ok(answer))) => answer,
        Ok(Some(Err(error))) if error.is_panic() => Err(StepError::panicked(&*error.into_panic())),
        Ok(_) => Err(StepError::new("the Tokio runtime ended before the review")),
        Err(_) => Err(StepError::new(format_args!(
            "the review did not end within the lease of {:?}",
            settings.lease
        ))),
    };
    let settled = match &answer {
        Ok(()) => scheduler.finish(&job),
        Err(error) => {
            complain(error, "review failed");
            let again = (job.attempts < settings.attempts).then(|| backoff(settings, job.attempts));
            scheduler.postpone(&job, again, error.message())
        }
    };
    if let Err(error) = settled.await {
        complain(&error, "recording the outcome of a review failed; the review will be repeated");
    }
}
