//! Which partitions this process holds: it joins, takes over and gives back.

use std::time::{Duration, Instant};

use super::{
    FAILED, Reading,
    entities::until,
    partitions::{bits, each},
};
use crate::{
    backends::Join,
    step::StepError,
    text::{Text, text},
};

/// How long running handlers may take when the process stops.
const STOPPING: Duration = Duration::from_secs(10);

impl Reading {
    /// Extends the lease, claims partitions, and begins to give back those beyond the fair share.
    pub(super) async fn join(&mut self) -> Result<(), StepError> {
        let sent = Instant::now();
        self.join_at = sent + self.lease / 3;
        let join = Join::new(self.lease, self.partitions.held(), self.feed.is_copied());
        let joined = self.handling.subscriptions.join(self.handling.reader.clone(), join).await;
        // The lease would end before the next regular one.
        let joined = joined.inspect_err(|_| self.join_at = Instant::now() + FAILED)?;
        self.leased_until = sent + self.lease;
        self.copies.send_if_modified(|copies| std::mem::replace(copies, joined.copies) != joined.copies);
        // One that it was given again was another's meanwhile.
        let again = bits(joined.new.iter().map(|state| usize::from(state.partition)));
        self.lost(self.partitions.held() & (!joined.held | again));
        self.not_behind(!joined.held);
        let new = if self.is_stopping { Vec::new() } else { joined.new };
        for state in new {
            for entity in &state.parked {
                self.entities.park(*entity);
            }
            self.partitions.hold(state);
            self.is_at_end = false;
        }
        let staying = self.partitions.held() & !self.partitions.leaving();
        // One in which a handler does not return could not be given back.
        let free: Vec<_> = each(staying).filter(|at| !self.entities.is_stuck_in(*at)).collect();
        let beyond = usize::try_from(staying.count_ones().saturating_sub(joined.share)).unwrap_or_default();
        free.into_iter().rev().take(beyond).for_each(|partition| self.leave(partition));
        Ok(())
    }

    /// Stops reading these partitions, because events after their position were purged, until an operator lets the subscriber skip them.
    pub(super) async fn fall_behind(
        &mut self,
        partitions: u32,
        handled_to: u64,
        purged_to: u64,
    ) -> Result<(), StepError> {
        self.set_fault(Some(text!(
            "events up to position {purged_to} were purged, and it has read up to {handled_to}: skip them, or unregister it"
        )));
        let was_behind = self.behind != 0;
        self.behind |= partitions;
        if !was_behind {
            tracing::error!(
                target: "graceful::subscriber",
                subscriber = self.handling.subscriber.identity, purged_to, handled_to,
                "events were purged that the subscriber has not read: it stops until an operator lets it skip them"
            );
        }
        // The next time it joins, it finds what the operator has decided.
        self.lost(partitions);
        self.handling.subscriptions.release(self.handling.reader.clone(), partitions).await
    }

    /// These partitions are not behind, or not held.
    pub(super) fn not_behind(&mut self, partitions: u32) {
        if self.behind & partitions != 0 {
            self.behind &= !partitions;
            if self.behind == 0 {
                self.set_fault(None);
            }
        }
    }

    pub(super) fn set_fault(&self, fault: Option<Text>) {
        self.handling.orchestrator.0.subscriber_faults.set(self.handling.subscriber.identity, fault);
    }

    pub(super) fn leave(&mut self, partition: usize) {
        self.take_back();
        self.partitions.leave(partition);
        self.entities.forget(partition);
        self.record_at = Instant::now();
    }

    /// Another process may hold these partitions: what runs in them is stopped.
    pub(super) fn lost(&mut self, partitions: u32) {
        if each(partitions).any(|at| self.entities.runs_in(at)) {
            self.take_back();
            self.handling.stop.send_modify(|stop| *stop += 1);
        }
        self.lose(partitions);
    }

    pub(super) fn lose(&mut self, partitions: u32) {
        for partition in each(partitions) {
            self.partitions.lose(partition);
            self.entities.forget(partition);
        }
    }

    /// The lease could not be extended: another process may hold the partitions now.
    pub(super) fn lose_all(&mut self) {
        tracing::warn!(
            target: "graceful::subscriber",
            subscriber = self.handling.subscriber.identity,
            "the lease of the partitions has expired: running handlers are stopped"
        );
        self.take_back();
        self.handling.stop.send_modify(|stop| *stop += 1);
        self.lose(self.partitions.held());
        self.copies.send_replace(false);
    }

    /// Finishes running handlers, and gives the partitions back.
    pub(super) async fn stop(mut self) {
        self.set_fault(None);
        self.is_stopping = true;
        let deadline = Instant::now() + STOPPING;
        let held = self.partitions.held();
        each(held).for_each(|partition| self.leave(partition));
        while self.entities.running() > 0 && Instant::now() < deadline.min(self.leased_until) {
            let next = deadline.min(self.join_at).min(self.leased_until);
            let wait = tokio::time::timeout(until(next), self.done.recv());
            if let Ok(Some(done)) = wait.await {
                self.end(done);
            }
            if Instant::now() >= self.join_at
                && let Err(error) = self.join().await
            {
                self.failed(&error);
            }
        }
        self.handling.stop.send_modify(|stop| *stop += 1);
        let cancelled = Instant::now() + FAILED;
        while self.entities.running() > 0 {
            let Ok(Some(done)) = tokio::time::timeout(until(cancelled), self.done.recv()).await else {
                break;
            };
            self.end(done);
        }
        if let Err(error) = self.record().await {
            self.failed(&error);
        }
        // Where a handler has not ended, the lease keeps others away for a while, and its event is interrupted.
        let running = bits(each(u32::MAX).filter(|at| self.entities.runs_in(*at)));
        if let Err(error) = self.handling.subscriptions.release(self.handling.reader.clone(), !running).await
        {
            self.failed(&error);
        }
    }
}
