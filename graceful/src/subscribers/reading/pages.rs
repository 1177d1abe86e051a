//! Reads pages of events, when there is room for them.

use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::super::job::{Item, Kind};
use super::Reading;
use crate::{backends::LogPage, step::StepError, text::text};

/// How many rows are read at once at least, and at most.
const PAGE: (usize, usize) = (64, 1024);

/// Pages with more bytes do not become larger.
const BYTES: usize = 4 << 20;

/// At most so many events are in memory, with those that wait behind one that is retried.
const WAITING: usize = 10_000;

/// How often a feed is asked without a notification: other processes do not notify.
const POLL: Duration = Duration::from_millis(250);

/// How many rows are read at once now: more, the quicker the handlers are. After a crash those that were read run one at a time.
#[derive(Debug)]
pub(super) struct PageSize {
    rows: usize,
    least: usize,
    /// The last page had more bytes than a page should have.
    is_large: bool,
}

impl PageSize {
    pub(super) const fn new(concurrency: usize) -> Self {
        let least = if concurrency > PAGE.0 { concurrency } else { PAGE.0 };
        Self { rows: least, least, is_large: false }
    }

    /// So many events are left when more are read.
    fn read(&mut self, open: usize) {
        // Soon the threads would have nothing to do.
        if open < self.rows / 2 && !self.is_large {
            self.rows = (self.rows * 2).min(PAGE.1.max(self.least));
        }
    }

    fn was_read(&mut self, page: &LogPage) {
        self.is_large = page.events.iter().map(|event| event.body.len()).sum::<usize>() > BYTES;
        if self.is_large {
            self.shrink();
        }
    }

    /// How many positions after a page may begin without being recorded: where handlers are quick, each record costs more than many of them.
    const fn unrecorded(&self) -> u64 {
        if self.rows > self.least { 2 * self.rows as u64 } else { 0 }
    }

    /// The handlers have had enough events for a while.
    pub(super) fn shrink(&mut self) {
        self.rows = (self.rows / 2).max(self.least);
    }
}

/// A page that is read while the events of the page before are handled.
pub(super) struct Ahead {
    partitions: u32,
    after: u64,
    /// It is read before there is room for it.
    is_early: bool,
    reading: JoinHandle<Result<LogPage, StepError>>,
    read: Option<Result<LogPage, StepError>>,
}

impl Ahead {
    /// Waits until it is read. If the future is dropped, nothing is lost.
    pub(super) async fn read(&mut self) {
        if self.read.is_none() {
            let read = (&mut self.reading).await;
            self.read = Some(read.unwrap_or_else(|failed| Err(StepError::new(text!("reading: {failed}")))));
        }
    }

    pub(super) const fn is_read(&self) -> bool {
        self.read.is_some()
    }
}

impl Reading {
    pub(super) fn has_room(&self) -> bool {
        self.entities.open() < 2 * self.page.rows && self.entities.waiting() < WAITING
    }

    /// Takes the page that was read, if there is room. Its events begin after it is recorded that they may.
    pub(super) async fn read(&mut self) -> Result<(), StepError> {
        if self.is_stopping || self.is_at_end || !self.has_room() {
            return Ok(());
        }
        let Some((partitions, after, others)) = self.partitions.next_read() else { return Ok(()) };
        let is_next = |ahead: &Ahead| (ahead.partitions, ahead.after) == (partitions, after);
        if !self.ahead.as_ref().is_some_and(is_next) {
            self.begin_reading(partitions, after, false);
        }
        let Some(Ahead { is_early, read: Some(page), .. }) = self.ahead.take_if(|ahead| ahead.is_read())
        else {
            return Ok(());
        };
        let page = page?;
        if page.read_to <= after && is_early {
            // There may be more by now.
            self.begin_reading(partitions, after, false);
            return Ok(());
        }
        self.page.read(self.entities.open());
        self.page.was_read(&page);
        if page.purged_to > after {
            return self.fall_behind(partitions, after, page.purged_to).await;
        }
        self.not_behind(partitions);
        let read_to = others.map_or(page.read_to, |others| page.read_to.min(others));
        self.is_at_end = read_to <= after && others.is_none();
        self.poll_at = Instant::now() + POLL;
        // The others go on where these are.
        let read_to = if read_to <= after { others.unwrap_or(after) } else { read_to };
        self.must_record |= self.partitions.read_to(partitions, read_to, self.page.unrecorded());
        if !self.is_at_end
            && let Some((partitions, after, _)) = self.partitions.next_read()
        {
            self.begin_reading(partitions, after, true);
        }
        for event in page.events.into_iter().take_while(|event| event.position <= read_to) {
            if let Some(known) = self.partitions.read(event.entity, event.position) {
                let kind = if known.is_interrupted { Kind::Interrupted } else { Kind::New };
                let mut item = Item::new(event.position, event.body, kind);
                item.attempts = known.attempts;
                self.entities.add(event.entity, item);
            }
        }
        Ok(())
    }

    fn begin_reading(&mut self, partitions: u32, after: u64, is_early: bool) {
        let (feed, subscriber, limit) = (self.feed.clone(), self.handling.subscriber, self.page.rows);
        let reading = tokio::spawn(async move { feed.read(subscriber, after, partitions, limit).await });
        self.ahead = Some(Ahead { partitions, after, is_early, reading, read: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::LoggedEvent;

    #[test]
    fn page_grows_where_handlers_are_quick_and_shrinks_where_events_wait() {
        let mut page = PageSize::new(32);
        page.read(40);
        assert_eq!(page.rows, 64, "the threads have enough to do");
        (0..10).for_each(|_| page.read(0));
        assert_eq!(page.rows, 1024);
        page.shrink();
        assert_eq!(page.rows, 512);
        (0..10).for_each(|_| page.shrink());
        assert_eq!(page.rows, 64);
    }

    #[test]
    fn page_with_many_bytes_does_not_grow() {
        let mut page = PageSize::new(32);
        let large = LoggedEvent::new(1, 1, vec![0; BYTES + 1]);
        page.was_read(&LogPage::new(vec![large], 1));
        page.read(0);
        assert_eq!(page.rows, 64);
        page.was_read(&LogPage::new(Vec::new(), 1));
        page.read(0);
        assert_eq!(page.rows, 128);
    }

    #[test]
    fn page_has_an_event_for_each_thread() {
        let mut page = PageSize::new(2_000);
        page.shrink();
        page.read(0);
        assert_eq!(page.rows, 2_000);
    }
}
