//! The trait of schedulers, and their review jobs.

use std::{fmt::Debug, sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    backends::{IncidentCursor, IncidentFilter, Page, Reply},
    code::Code,
    flow::{Flow, Incident},
    key::Key,
    text::Text,
};

/// A review job of a [`Scheduler`]: a task to look into an incident.
///
/// ```
/// use graceful::{
///     Code, Failure, OrchestrationConfig, Orchestrator,
///     backends::{IncidentFilter, Scheduler, memory},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let scheduler = memory::Scheduler::new();
/// let orchestrator = Orchestrator::builder().service("users").scheduler(scheduler.clone()).build()?;
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// Failure::wrap(Code::Internal, "disk full", &"cause").orchestrate(&config).await;
///
/// let job = scheduler.jobs(IncidentFilter::default(), None, 10).await?.items.remove(0);
/// assert_eq!((job.id.as_str(), job.bumps, job.code), ("users::user:42", 1, Code::Internal));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Job {
    /// The full name of the incident, which does not change.
    pub id: String,
    /// The entity. That of a summary is no entity's key.
    pub entity: Key,
    /// The handler's identity, or the incident that it shares; see [`Incident`].
    pub owner: Text,
    /// When the job is due, by the scheduler's clock. A job that no worker gets any more is due at the end of time. A bump does not postpone it.
    pub due: Timestamp,
    /// When the job was opened.
    pub opened_at: Timestamp,
    /// How many flows have opened or bumped the job.
    pub bumps: u64,
    /// The last flow that opened or bumped the job.
    pub flow: Uuid,
    /// The code of that flow.
    pub code: Code,
    /// The end of the current worker's lease, by the scheduler's clock.
    pub held_until: Option<Timestamp>,
    /// How often workers have got the job since it was last opened, bumped or rescheduled.
    pub attempts: u32,
    /// Why the last worker failed.
    pub error: Option<String>,
    /// The token of the current worker. A worker without the newest token cannot finish the job.
    pub token: Option<Uuid>,
    /// Whether it is the summary of a [storm](Incident::storm): its `bumps` are the number of flows of all entities that have no job of
    /// their own.
    #[serde(default)]
    pub summary: bool,
}

impl Job {
    /// Creates an open job, which nobody has polled.
    pub fn new(incident: &Incident, flow: Uuid, code: Code, opened_at: Timestamp, due: Timestamp) -> Self {
        Self {
            id: incident.to_string(),
            entity: incident.entity().clone(),
            owner: incident.owner().clone(),
            due,
            opened_at,
            bumps: 1,
            flow,
            code,
            held_until: None,
            attempts: 0,
            error: None,
            token: None,
            summary: incident.is_storm(),
        }
    }

    /// The incident of the job.
    ///
    /// ```
    /// # use graceful::{Code, Failure, OrchestrationConfig, Orchestrator, backends::IncidentFilter};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").handler("update_user").id(42).on(&orchestrator);
    /// let report = Failure::wrap(Code::Internal, "disk full", "cause").orchestrate(&config).await;
    /// let scheduler = orchestrator.scheduler().unwrap();
    /// let job = scheduler.jobs(IncidentFilter::default(), None, 10).await.unwrap().items.remove(0);
    /// assert_eq!(job.incident(), report.flow().incident());
    /// # });
    /// ```
    pub fn incident(&self) -> Incident {
        Incident::new(self.entity.clone(), self.owner.clone())
    }

    /// The place behind this job in a page of [`Scheduler::jobs`].
    pub fn cursor(&self) -> IncidentCursor {
        IncidentCursor::new(self.opened_at, &self.incident())
    }
}

/// How a call changed a job.
///
/// ```
/// use graceful::{
///     Incident, Key,
///     backends::{JobChange, Scheduler, memory},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let user = Key::new("users", None, "user", "42");
/// let incident = Incident::new(user, "update_user");
/// assert_eq!(memory::Scheduler::new().complete(&incident).await?, JobChange::NotOpen);
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobChange {
    /// A new job was opened; in a storm that may be the summary.
    Opened,
    /// The open job was bumped: it counts one more flow.
    Bumped,
    /// The open job was completed.
    Completed,
    /// The incident has no open job. In a storm its failures may be counted on the summary.
    NotOpen,
}

/// Stores review jobs, at most one open job per [incident](Incident).
///
/// In a [storm](Incident::storm), if an entity has no open job and [`STORM_LIMIT`](super::STORM_LIMIT) single jobs of the storm are open, its
/// flow bumps the open *summary* of the storm, or opens it. A worker polls and finishes the summary like any other job. A job belongs to the
/// storm of the code with which it was opened.
///
/// **Time** is the scheduler's: callers pass durations, never points in time, because the clocks of two machines differ.
///
/// ```
/// use std::{sync::Arc, time::Duration};
///
/// use graceful::{
///     Flow, Incident,
///     backends::{IncidentCursor, IncidentFilter, Job, JobChange, Page, Reply, Scheduler},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// /// Opens no jobs.
/// #[derive(Debug)]
/// struct NoReview;
///
/// impl Scheduler for NoReview {
///     fn open(&self, _: &Arc<Flow>, _: Duration) -> Reply<JobChange> {
///         Reply::ready(JobChange::NotOpen)
///     }
///
///     fn complete(&self, _: &Incident) -> Reply<JobChange> {
///         Reply::ready(JobChange::NotOpen)
///     }
///
///     fn jobs(
///         &self,
///         _: IncidentFilter,
///         _: Option<IncidentCursor>,
///         _: usize,
///     ) -> Reply<Page<Job, IncidentCursor>> {
///         Reply::ready(Page { items: Vec::new(), next: None })
///     }
///
///     fn poll(&self, _: usize, _: Duration) -> Reply<Vec<Job>> {
///         Reply::ready(Vec::new())
///     }
///
///     fn finish(&self, _: &Job) -> Reply<bool> {
///         Reply::ready(false)
///     }
///
///     fn postpone(&self, _: &Job, _: Option<Duration>, _: &str) -> Reply<bool> {
///         Reply::ready(false)
///     }
///
///     fn reschedule(&self, _: &Incident, _: Duration) -> Reply<bool> {
///         Reply::ready(false)
///     }
/// }
///
/// assert_eq!(NoReview.jobs(IncidentFilter::default(), None, 10).await?.items, []);
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
pub trait Scheduler: Debug + Send + Sync + 'static {
    /// Opens the job of the flow's [incident](Flow::incident), which is due after this time, or bumps the open job, whose earlier due
    /// time stays; in a storm the same for the summary. A flow that is delivered again is not counted again.
    fn open(&self, flow: &Arc<Flow>, after: Duration) -> Reply<JobChange>;
    /// Completes the open job of an incident. With the last single job of a storm it also completes the summary.
    fn complete(&self, incident: &Incident) -> Reply<JobChange>;
    /// Returns a page of the open jobs that a filter selects, behind a cursor, by the time at which they were opened and the names of their incidents: the due
    /// time of a job changes. A job that is opened or closed meanwhile may be missing or be on two pages.
    fn jobs(
        &self,
        filter: IncidentFilter,
        after: Option<IncidentCursor>,
        limit: usize,
    ) -> Reply<Page<Job, IncidentCursor>>;
    /// Leases up to `limit` due jobs to the caller for the time `hold`. If the worker dies, its jobs can be polled again when the
    /// lease expires.
    fn poll(&self, limit: usize, hold: Duration) -> Reply<Vec<Job>>;
    /// Closes a job that the worker has polled and reviewed; it does not complete the summary of a storm, which is a job of its own. Returns false if another worker has the job by now, or has closed it.
    fn finish(&self, job: &Job) -> Reply<bool>;
    /// Postpones a job whose review has failed: its lease ends, and it is due again after this time, or with `None` only when a flow
    /// bumps it. Returns false if another worker has the job by now.
    fn postpone(&self, job: &Job, after: Option<Duration>, error: &str) -> Reply<bool>;
    /// Makes the open job of an incident due at this time from now, earlier or later than before, as an operator decides. A worker that holds
    /// the job loses it: it can neither finish nor postpone it, though its review may still be running. The attempts count anew, so that a
    /// job which no worker gets any more is reviewed again; the error of its last review stays. Returns false if the incident has no open
    /// job. The summary of a storm is a job like any other.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use graceful::{
    ///     Code, Failure, OrchestrationConfig, Orchestrator,
    ///     backends::{Scheduler, memory},
    /// };
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let scheduler = memory::Scheduler::new();
    /// let orchestrator = Orchestrator::builder().service("users").scheduler(scheduler.clone()).build()?;
    /// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
    /// let report = Failure::wrap(Code::Internal, "disk full", &"cause").orchestrate(&config).await;
    ///
    /// // It would be due after five minutes.
    /// assert!(scheduler.reschedule(&report.flow().incident(), Duration::ZERO).await?);
    /// assert_eq!(scheduler.poll(10, Duration::from_secs(60)).await?.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    fn reschedule(&self, incident: &Incident, after: Duration) -> Reply<bool>;
}
