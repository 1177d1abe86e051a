//! A batch of writes: what one transaction contains.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use graceful::{
    StepError,
    backends::{AttemptOutcome, ClaimId, LogEntry, QueuedFlow},
};
use sqlx::SqliteConnection;
use tokio::sync::{mpsc, oneshot};

use super::{
    events, flows, outcomes,
    writer::{Running, gone, interrupted},
};

/// A write, and the channel of its caller.
pub(super) enum Write {
    /// A flow. Flows are the most frequent writes, so they are inserted in one statement.
    Flow(Box<QueuedFlow>, Asker<()>),
    /// An event, as frequent.
    Event(Box<LogEntry>, Asker<()>),
    /// The outcome of an attempt, as frequent.
    Outcome(Box<(ClaimId, AttemptOutcome)>, Asker<bool>, Counted),
    Work(Box<dyn Work>),
}

type Asker<T> = oneshot::Sender<Result<T, StepError>>;

/// Counts an outcome until it has been answered.
pub(super) struct Counted(Arc<AtomicUsize>);

impl Counted {
    pub(super) fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Work that may run more than once: a failed batch is retried piece by piece, so that only the failing piece fails.
pub(super) trait Work: Send {
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> Running<'c, ()>;
    fn answer(self: Box<Self>, committed: Result<(), StepError>);
}

pub(super) struct Asked<F, T> {
    run: F,
    answer: Option<T>,
    asker: Asker<T>,
}

impl<F, T> Asked<F, T> {
    pub(super) const fn new(run: F, asker: Asker<T>) -> Self {
        Self { run, answer: None, asker }
    }
}

impl<F, T> Work for Asked<F, T>
where
    F: for<'c> Fn(&'c mut SqliteConnection) -> Running<'c, T> + Send,
    T: Send,
{
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> Running<'c, ()> {
        Box::pin(async move {
            self.answer = Some((self.run)(connection).await?);
            Ok(())
        })
    }

    fn answer(self: Box<Self>, committed: Result<(), StepError>) {
        let Self { answer, asker, .. } = *self;
        let answer = committed.and_then(|()| answer.ok_or_else(gone));
        // A caller that was dropped needs no answer.
        let _ = asker.send(answer);
    }
}

/// Writes, in the groups in which they arrived.
pub(super) struct Batch {
    groups: Vec<Group>,
    /// How many groups are written.
    written: usize,
}

impl Batch {
    pub(super) fn new(writes: impl IntoIterator<Item = Write>) -> Self {
        Self { groups: vec![Group::new(writes)], written: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.groups.iter().map(Group::len).sum()
    }

    /// Takes what has arrived, up to a number of writes in all.
    pub(super) fn take(&mut self, arrived: &mut mpsc::Receiver<Write>, limit: usize) {
        let room = limit.saturating_sub(self.len());
        let more: Vec<_> = std::iter::from_fn(|| arrived.try_recv().ok()).take(room).collect();
        if more.is_empty() {
            return;
        }
        match self.groups.get_mut(self.written) {
            Some(group) => group.extend(more),
            None => self.groups.push(Group::new(more)),
        }
    }

    /// Writes the next group, and returns the position of its newest event. `None` if all are written.
    pub(super) async fn write_next(
        &mut self,
        connection: &mut SqliteConnection,
    ) -> Result<Option<u64>, sqlx::Error> {
        let Some(group) = self.groups.get_mut(self.written) else { return Ok(None) };
        self.written += 1;
        group.write(connection).await.map(Some)
    }

    /// Each write by itself, in an order that is allowed for writes that arrive at once.
    pub(super) fn pieces(self) -> impl Iterator<Item = Self> {
        self.groups.into_iter().flat_map(Group::into_writes).map(|write| Self::new([write]))
    }

    pub(super) fn answer(self, committed: &Result<(), StepError>) {
        for group in self.groups {
            group.answer(committed);
        }
    }
}

/// What is written together: one statement for each kind, then the works.
#[derive(Default)]
struct Group {
    flows: Vec<QueuedFlow>,
    flow_askers: Vec<Asker<()>>,
    events: Vec<LogEntry>,
    event_askers: Vec<Asker<()>>,
    outcomes: Vec<(ClaimId, AttemptOutcome)>,
    outcome_askers: Vec<(Asker<bool>, Counted)>,
    /// The answers to the outcomes.
    recorded: Vec<bool>,
    works: Vec<Box<dyn Work>>,
}

impl Group {
    fn new(writes: impl IntoIterator<Item = Write>) -> Self {
        let mut group = Self::default();
        group.extend(writes);
        group
    }

    fn extend(&mut self, writes: impl IntoIterator<Item = Write>) {
        for write in writes {
            match write {
                Write::Flow(flow, asker) => {
                    self.flows.push(*flow);
                    self.flow_askers.push(asker);
                }
                Write::Event(event, asker) => {
                    self.events.push(*event);
                    self.event_askers.push(asker);
                }
                Write::Outcome(outcome, asker, counted) => {
                    self.outcomes.push(*outcome);
                    self.outcome_askers.push((asker, counted));
                }
                Write::Work(work) => self.works.push(work),
            }
        }
    }

    fn len(&self) -> usize {
        self.flows.len() + self.events.len() + self.outcomes.len() + self.works.len()
    }

    async fn write(&mut self, connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
        if !self.flows.is_empty() {
            interrupted("insert")?;
        }
        flows::insert(connection, &self.flows).await?;
        let newest = events::append(connection, &self.events).await?;
        self.recorded = outcomes::record(connection, &self.outcomes).await?;
        for work in &mut self.works {
            work.run(connection).await?;
        }
        Ok(newest)
    }

    fn into_writes(self) -> impl Iterator<Item = Write> {
        let flows = self.flows.into_iter().zip(self.flow_askers);
        let events = self.events.into_iter().zip(self.event_askers);
        let outcomes = self.outcomes.into_iter().zip(self.outcome_askers);
        let outcomes =
            outcomes.map(|(outcome, (asker, counted))| Write::Outcome(Box::new(outcome), asker, counted));
        flows
            .map(|(flow, asker)| Write::Flow(Box::new(flow), asker))
            .chain(events.map(|(event, asker)| Write::Event(Box::new(event), asker)))
            .chain(outcomes)
            .chain(self.works.into_iter().map(Write::Work))
    }

    /// A caller that was dropped needs no answer.
    fn answer(self, committed: &Result<(), StepError>) {
        for asker in self.flow_askers.into_iter().chain(self.event_askers) {
            let _ = asker.send(committed.clone());
        }
        let mut recorded = self.recorded.into_iter();
        for (asker, counted) in self.outcome_askers {
            let answer = committed.clone().and_then(|()| recorded.next().ok_or_else(gone));
            // Whoever has the answer finds no trace of the outcome.
            drop(counted);
            let _ = asker.send(answer);
        }
        for work in self.works {
            work.answer(committed.clone());
        }
    }
}
