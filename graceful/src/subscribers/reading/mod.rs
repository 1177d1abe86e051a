//! Reads the events of one subscriber: holds partitions, reads ahead, hands events to threads, and records progress.

mod entities;
mod feed;
mod membership;
mod pages;
mod partitions;
mod recording;

use std::{
    io,
    pin::{Pin, pin},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

pub(crate) use self::feed::Feed;
use self::{
    entities::{Entities, until},
    pages::{Ahead, PageSize},
    partitions::Partitions,
};
use super::{
    job::{Done, End, Handling, Item, partition_of},
    workers::Workers,
};
use crate::{backends::PauseTarget, step::StepError, text::text};

/// How many jobs may wait for a thread, and how many results of them are taken at once.
const JOBS: usize = 1024;

/// How many resubmitted events are read at once.
const RELEASED: usize = 256;

/// Progress is recorded at least so often.
const RECORDED: Duration = Duration::from_millis(200);

/// How often resubmitted events, pauses and handlers that do not return are looked for.
const LOOKED: Duration = Duration::from_millis(500);

/// The pause after a failure of the store.
const FAILED: Duration = Duration::from_millis(500);

#[expect(clippy::struct_excessive_bools, reason = "facts that do not depend on each other")]
pub(super) struct Reading {
    handling: Arc<Handling>,
    feed: Feed,
    concurrency: usize,
    lease: Duration,
    workers: Workers,
    done: mpsc::UnboundedReceiver<Done>,
    entities: Entities,
    partitions: Partitions,
    /// When the process joins again, and until when it holds its partitions.
    join_at: Instant,
    leased_until: Instant,
    record_at: Instant,
    look_at: Instant,
    /// When the feed is asked again without a notification.
    poll_at: Instant,
    /// What was read may begin only when that is recorded.
    must_record: bool,
    page: PageSize,
    /// The page that comes next.
    ahead: Option<Ahead>,
    /// The feed has no more events for now.
    is_at_end: bool,
    is_paused: bool,
    is_stopping: bool,
    /// The partitions in which events were purged that it has not read, as bits.
    behind: u32,
    /// Whether this process copies from a broker.
    copies: watch::Sender<bool>,
}

impl Reading {
    pub(super) fn new(
        handling: Arc<Handling>,
        feed: Feed,
        concurrency: usize,
        lease: Duration,
        copies: watch::Sender<bool>,
    ) -> Self {
        let (workers, done) = Workers::new(Arc::clone(&handling), concurrency);
        let now = Instant::now();
        Self {
            handling,
            feed,
            concurrency,
            lease,
            workers,
            done,
            entities: Entities::default(),
            partitions: Partitions::default(),
            join_at: now,
            leased_until: now,
            record_at: now,
            look_at: now,
            poll_at: now,
            must_record: false,
            page: PageSize::new(concurrency),
            ahead: None,
            is_at_end: false,
            is_paused: false,
            is_stopping: false,
            behind: 0,
            copies,
        }
    }

    /// Reads until `end` is ready; then running handlers are finished, and the partitions are given back.
    pub(super) async fn run_until(mut self, mut end: Pin<&mut impl Future<Output = ()>>) {
        loop {
            let went_on = self.go_on_within_lease().await;
            let wait = async {
                match went_on {
                    Ok(()) => self.wait().await,
                    Err(error) => {
                        self.failed(&error);
                        sleep(FAILED).await;
                    }
                }
            };
            tokio::select! {
                biased;
                () = &mut end => break,
                () = wait => {}
            }
        }
        self.stop().await;
    }

    /// Does what is due. If the store does not answer before the lease ends, running handlers are stopped meanwhile.
    async fn go_on_within_lease(&mut self) -> Result<(), StepError> {
        let (handling, end) = (Arc::clone(&self.handling), self.leased_until);
        let mut holds = self.partitions.held() != 0;
        let mut going = pin!(self.go_on());
        loop {
            tokio::select! {
                biased;
                went_on = &mut going => return went_on,
                () = sleep(until(end)), if holds => {
                    holds = false;
                    handling.stop.send_modify(|stop| *stop += 1);
                }
            }
        }
    }

    /// Does what is due.
    async fn go_on(&mut self) -> Result<(), StepError> {
        let now = Instant::now();
        if now >= self.leased_until && self.partitions.held() != 0 {
            self.lose_all();
        }
        if now >= self.join_at {
            self.join().await?;
        }
        if now >= self.look_at {
            self.look().await?;
        }
        self.entities.retry(now);
        // However often jobs end before a notification comes.
        self.is_at_end &= now < self.poll_at;
        if !self.is_paused {
            self.read().await?;
        }
        if self.must_record
            || now >= self.record_at && (self.partitions.is_unrecorded() || self.partitions.leaving() != 0)
        {
            self.record().await?;
        }
        self.dispatch();
        Ok(())
    }

    /// Waits until something may be due.
    async fn wait(&mut self) {
        let mut next = self.join_at.min(self.look_at).min(self.leased_until.max(self.join_at));
        if self.partitions.is_unrecorded() || self.partitions.leaving() != 0 {
            next = next.min(self.record_at);
        }
        if let Some(retry) = self.entities.next_retry() {
            next = next.min(retry);
        }
        let can_read =
            !self.is_stopping && !self.is_paused && self.has_room() && self.partitions.next_read().is_some();
        let is_reading = self.ahead.as_ref().is_some_and(|ahead| !ahead.is_read());
        if can_read && !self.is_at_end && !is_reading {
            next = Instant::now();
        }
        let waits_for_feed = can_read && self.is_at_end && self.partitions.held() != 0;
        let mut ended = Vec::new();
        if waits_for_feed {
            next = next.min(self.poll_at);
        }
        let timer = pin!(sleep(until(next)));
        let ahead = async {
            if let Some(ahead) = &mut self.ahead {
                ahead.read().await;
            }
        };
        let after = self.partitions.next_read().map_or(0, |(_, after, _)| after);
        tokio::select! {
            biased;
            _ = self.done.recv_many(&mut ended, JOBS) => {}
            () = ahead, if can_read && is_reading => {}
            () = self.feed.changed(after), if waits_for_feed => self.is_at_end = false,
            () = timer => {}
        }
        for done in ended {
            self.end(done);
        }
    }

    fn end(&mut self, done: Done) {
        let partition = partition_of(done.job.entity);
        let is_held = self.partitions.is_of_tenure(partition, done.job.tenure);
        if is_held {
            for position in &done.handled {
                self.partitions.handle(done.job.entity, *position);
            }
        }
        let goes_on = is_held && self.partitions.tenure(partition).is_some();
        match done.end {
            End::Released => self.look_at = Instant::now(),
            // The store may have answered that another process holds the partition.
            End::Stopped if goes_on && !self.is_stopping => self.join_at = Instant::now(),
            _ => {}
        }
        self.entities.end(done, goes_on);
    }

    /// Looks for resubmitted events, pauses and handlers that do not return.
    async fn look(&mut self) -> Result<(), StepError> {
        self.look_at = Instant::now() + LOOKED;
        for entity in self.workers.find_stuck(self.handling.subscriber.timeout) {
            self.entities.mark_stuck(entity);
        }
        if !self.has_room() {
            self.page.shrink();
        }
        // Also for jobs for which no thread could be started before.
        if let Err(error) = self.workers.start_missing() {
            self.no_thread(&error);
        }
        if self.behind == 0 {
            let stuck = self.entities.stuck();
            let fault = (stuck > 0).then(|| text!("{stuck} handlers do not return from `poll`"));
            self.set_fault(fault);
        }
        if let Some(operations) = self.handling.orchestrator.flows().and_then(|flows| flows.operations()) {
            let target = PauseTarget::Subscriber(self.handling.subscriber.identity.to_owned());
            match operations.pauses().await {
                Ok(pauses) => self.is_paused = pauses.iter().any(|pause| pause.target == target),
                // The last answer holds.
                Err(error) => self.failed(&error),
            }
        }
        if self.is_paused {
            self.take_back();
        }
        let held = self.partitions.held() & !self.partitions.leaving();
        if held != 0 && !self.is_paused {
            let (subscriptions, reader) = (&self.handling.subscriptions, &self.handling.reader);
            for event in subscriptions.released(reader.clone(), held, RELEASED).await? {
                self.entities.add_released(event.entity, Item::released(event));
            }
        }
        Ok(())
    }

    fn dispatch(&mut self) {
        if self.is_stopping || self.is_paused || self.must_record {
            return;
        }
        let partitions = &self.partitions;
        // More than there are threads, so that none waits while a page is read.
        let most = self.concurrency.saturating_add(JOBS);
        let jobs = self.entities.take_jobs(most, |partition| partitions.tenure(partition));
        if !jobs.is_empty()
            && let Err(error) = self.workers.push(jobs)
        {
            self.no_thread(&error);
        }
    }

    fn no_thread(&self, error: &io::Error) {
        tracing::error!(
            target: "graceful::subscriber",
            subscriber = self.handling.subscriber.identity, %error,
            "no thread for handlers could be started: events wait"
        );
    }

    /// Takes back the jobs that no thread has begun.
    fn take_back(&mut self) {
        for job in self.workers.take_back() {
            self.end(Done { job, handled: Vec::new(), end: End::Over });
        }
    }

    fn failed(&self, error: &StepError) {
        if let Some(failures) = self.handling.store.failed() {
            tracing::warn!(
                target: "graceful::subscriber",
                subscriber = self.handling.subscriber.identity, error = error.message(), failures,
                "the state of the subscriber cannot be read or recorded; it is tried again"
            );
        }
    }
}
