//! Review jobs.

use std::{fmt::Debug, sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use uuid::Uuid;

use crate::{
    backends::Reply,
    code::Code,
    flow::{Flow, Incident},
    key::Key,
};

/// A review job of a [`Scheduler`]: somebody, or something, should look at an entity.
///
/// ```
/// use graceful::{
///     Code, Failure, OrchestrationConfig, Orchestrator,
///     backends::{Scheduler, memory},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let scheduler = memory::Scheduler::new();
/// let orchestrator = Orchestrator::builder().service("users").scheduler(scheduler.clone()).build()?;
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// Failure::wrap(Code::Internal, "disk full", &"cause").orchestrate(&config).await;
///
/// let job = scheduler.jobs().await?.remove(0);
/// assert_eq!((job.id.as_str(), job.bumps, job.code), ("users::user:42", 1, Code::Internal));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Stable per incident: its full name.
    pub id: String,
    /// The entity.
    pub entity: Key,
    /// Whose failure it was; see [`Incident`].
    pub owner: SmolStr,
    /// When it is due, by the scheduler's clock; at the end of time where it is not handed out any more. A bump does not put it off.
    pub due: Timestamp,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// How many flows asked for it: 1 when it is new.
    pub bumps: u64,
    /// The last flow that asked for it.
    pub flow: Uuid,
    /// What that flow meant.
    pub code: Code,
    /// Until when a worker that polled it holds it, by the scheduler's clock.
    pub held_until: Option<Timestamp>,
    /// How often it was handed to a worker since a flow last asked for it.
    pub attempts: u32,
    /// Why the last worker failed.
    pub error: Option<String>,
    /// Made when it was handed out: who does not hold it any more finishes nothing.
    pub token: Option<Uuid>,
}

impl Job {
    /// What it is about.
    ///
    /// ```
    /// # use graceful::{Code, Failure, OrchestrationConfig, Orchestrator};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").handler("update_user").id(42).on(&orchestrator);
    /// let report = Failure::wrap(Code::Internal, "disk full", "cause").orchestrate(&config).await;
    /// let job = orchestrator.scheduler().unwrap().jobs().await.unwrap().remove(0);
    /// assert_eq!(job.incident(), report.flow().incident());
    /// # });
    /// ```
    pub fn incident(&self) -> Incident {
        Incident::new(self.entity.clone(), self.owner.clone())
    }
}

/// What became of a job.
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
    /// There was none, and now there is.
    Opened,
    /// There was one, and it counts one more.
    Bumped,
    /// There was one, and it is gone.
    Completed,
    /// There was none.
    NotOpen,
}

/// Review jobs, at most one open per [incident](Incident).
///
/// **Time** is the scheduler's: callers say how long, never when, since the clocks of two machines differ.
///
/// ```
/// use std::{sync::Arc, time::Duration};
///
/// use graceful::{
///     Flow, Incident,
///     backends::{Job, JobChange, Reply, Scheduler},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// /// Opens nothing.
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
///     fn jobs(&self) -> Reply<Vec<Job>> {
///         Reply::ready(Vec::new())
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
/// }
///
/// assert_eq!(NoReview.jobs().await?, []);
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
pub trait Scheduler: Debug + Send + Sync + 'static {
    /// Opens the job of the flow's [incident](Flow::incident), due after that time, or bumps the open one; of two due times the
    /// earlier one stays.
    fn open(&self, flow: &Arc<Flow>, after: Duration) -> Reply<JobChange>;
    /// Completes the open job of an incident.
    fn complete(&self, incident: &Incident) -> Reply<JobChange>;
    /// The open jobs, by due time.
    fn jobs(&self) -> Reply<Vec<Job>>;
    /// Takes up to `limit` jobs that are due and held by nobody, and holds them for `hold`: a worker that dies
    /// loses them to the next one when that time is over.
    fn poll(&self, limit: usize, hold: Duration) -> Reply<Vec<Job>>;
    /// The worker is done with a job that it polled: it is closed. False where somebody else has it by now, or has closed it.
    fn finish(&self, job: &Job) -> Reply<bool>;
    /// The worker has failed: the job is held by nobody, and due again after that time; with `None` only when a flow asks for it
    /// again. False where somebody else has it by now.
    fn postpone(&self, job: &Job, after: Option<Duration>, error: &str) -> Reply<bool>;
}
