//! The in-memory scheduler of review jobs.

use std::{
    fmt,
    ops::ControlFlow,
    sync::{Arc, RwLock},
    time::Duration,
};

use jiff::Timestamp;
use uuid::Uuid;

use super::{Clock, DEFAULT_CAPACITY, after, ordered::Ordered, unpoisoned};
use crate::{
    backends::{self, IncidentCursor, IncidentFilter, Job, JobChange, Page, Reply},
    code::Code,
    flow::{Flow, Incident},
};

/// An in-memory scheduler with at most one open review job per incident, and a summary in a [storm](crate::Incident::storm). Jobs are polled in
/// the order of their due times.
///
/// It runs no jobs itself: a worker [polls](backends::Scheduler::poll) it and finishes the jobs. When it is full, the job that is due
/// first is evicted, and with the last single job of a storm the summary.
///
/// ```
/// use std::time::Duration;
///
/// use graceful::{
///     Code, Failure, OrchestrationConfig, Orchestrator,
///     backends::{JobChange, Scheduler, memory},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let scheduler = memory::Scheduler::new();
/// let orchestrator = Orchestrator::builder().service("users").scheduler(scheduler.clone()).build()?;
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// Failure::wrap(Code::Internal, "disk full", &"cause").orchestrate(&config).await;
///
/// // It is due after five minutes.
/// tokio::time::pause();
/// tokio::time::advance(Duration::from_secs(300)).await;
/// let jobs = scheduler.poll(10, Duration::from_secs(60)).await?;
/// assert_eq!((jobs[0].entity.id(), jobs[0].code), ("42", Code::Internal));
/// assert_eq!(scheduler.complete(&jobs[0].incident()).await?, JobChange::Completed);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
// A lock for many readers: every success asks for its incident's job, and few find one.
#[derive(Clone)]
pub struct Scheduler(Arc<RwLock<Ordered<OpenJob>>>, Clock);

/// A [`Job`] but for its names, which are its key's.
#[derive(Clone)]
struct OpenJob {
    due: Timestamp,
    opened_at: Timestamp,
    bumps: u64,
    flow: Uuid,
    code: Code,
    held_until: Option<Timestamp>,
    attempts: u32,
    error: Option<String>,
    token: Option<Uuid>,
}

impl Scheduler {
    /// Creates a scheduler of 10 000 open jobs.
    ///
    /// ```
    /// let scheduler = graceful::backends::memory::Scheduler::new();
    /// ```
    pub fn new() -> Self {
        Self::with_capacity(DEFAULT_CAPACITY)
    }

    /// Creates a scheduler of this many open jobs.
    ///
    /// ```
    /// let scheduler = graceful::backends::memory::Scheduler::with_capacity(100);
    /// ```
    pub fn with_capacity(jobs: usize) -> Self {
        Self(Arc::new(RwLock::new(Ordered::new(jobs))), Clock::default())
    }

    /// How many open jobs were evicted.
    ///
    /// ```
    /// assert_eq!(graceful::backends::memory::Scheduler::new().dropped(), 0);
    /// ```
    pub fn dropped(&self) -> u64 {
        unpoisoned(self.0.read()).dropped()
    }
}

impl backends::Scheduler for Scheduler {
    fn open(&self, flow: &Arc<Flow>, time: Duration) -> Reply<JobChange> {
        let (mut change, due) = (JobChange::Opened, after(self.1.now(), time));
        unpoisoned(self.0.write()).put(flow.incident(), flow.code(), |_, open| {
            let mut job = OpenJob::new(flow, due);
            if let Some(open) = open {
                change = JobChange::Bumped;
                job = OpenJob {
                    due: open.due.min(due),
                    opened_at: open.opened_at,
                    // A relay may deliver the same flow again.
                    bumps: open.bumps + u64::from(open.flow != flow.id()),
                    held_until: open.held_until,
                    token: open.token,
                    error: open.error.clone(),
                    ..job
                };
            }
            (job.due, job)
        });
        Reply::ready(change)
    }

    fn complete(&self, incident: &Incident) -> Reply<JobChange> {
        let open = unpoisoned(self.0.read()).contains(incident);
        // Asked again for writing: another task may have completed it since.
        let completed = open && unpoisoned(self.0.write()).close(incident).is_some();
        Reply::ready(if completed { JobChange::Completed } else { JobChange::NotOpen })
    }

    fn jobs(
        &self,
        filter: IncidentFilter,
        after: Option<IncidentCursor>,
        limit: usize,
    ) -> Reply<Page<Job, IncidentCursor>> {
        let jobs = unpoisoned(self.0.read());
        Reply::ready(jobs.page(
            &filter,
            after.as_ref(),
            limit,
            |incident, job| job.named(incident),
            |job| job.opened_at,
        ))
    }

    fn poll(&self, limit: usize, hold: Duration) -> Reply<Vec<Job>> {
        let (now, mut polled) = (self.1.now(), Vec::new());
        let held_until = Some(after(now, hold));
        unpoisoned(self.0.write()).change_each(|incident, job| {
            if job.due > now || polled.len() == limit {
                return ControlFlow::Break(());
            }
            if job.held_until.is_none_or(|until| until <= now) {
                job.held_until = held_until;
                job.attempts += 1;
                job.token = Some(Uuid::from_u128(fastrand::u128(..)));
                polled.push(job.named(incident));
            }
            ControlFlow::Continue(())
        });
        Reply::ready(polled)
    }

    fn finish(&self, job: &Job) -> Reply<bool> {
        let mut jobs = unpoisoned(self.0.write());
        Reply::ready(is_held(&jobs, job) && jobs.remove(&job.incident()).is_some())
    }

    fn postpone(&self, job: &Job, time: Option<Duration>, error: &str) -> Reply<bool> {
        let due = time.map_or(Timestamp::MAX, |time| after(self.1.now(), time));
        let mut jobs = unpoisoned(self.0.write());
        if !is_held(&jobs, job) {
            return Reply::ready(false);
        }
        jobs.change(job.incident(), |open| {
            let error = Some(error.to_owned());
            (due, OpenJob { due, error, held_until: None, token: None, ..open.clone() })
        });
        Reply::ready(true)
    }

    fn reschedule(&self, incident: &Incident, time: Duration) -> Reply<bool> {
        let due = after(self.1.now(), time);
        Reply::ready(unpoisoned(self.0.write()).change(incident.clone(), |open| {
            (due, OpenJob { due, attempts: 0, held_until: None, token: None, ..open.clone() })
        }))
    }
}

/// Whether the worker that polled the job still has its lease.
fn is_held(jobs: &Ordered<OpenJob>, job: &Job) -> bool {
    job.token.is_some() && jobs.get(&job.incident()).is_some_and(|open| open.token == job.token)
}

impl OpenJob {
    fn new(flow: &Flow, due: Timestamp) -> Self {
        let (opened_at, flow, code) = (flow.timestamp(), flow.id(), flow.code());
        Self { due, opened_at, bumps: 1, flow, code, held_until: None, attempts: 0, error: None, token: None }
    }

    fn named(&self, incident: &Incident) -> Job {
        Job {
            id: incident.to_string(),
            entity: incident.entity().clone(),
            owner: incident.owner().clone(),
            due: self.due,
            opened_at: self.opened_at,
            bumps: self.bumps,
            flow: self.flow,
            code: self.code,
            held_until: self.held_until,
            attempts: self.attempts,
            error: self.error.clone(),
            token: self.token,
            summary: incident.is_storm(),
        }
    }
}

impl Default for Scheduler {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler").field("open", &unpoisoned(self.0.read()).len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
