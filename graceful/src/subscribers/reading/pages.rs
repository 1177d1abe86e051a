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
}

impl PageSize {
    pub(super) const fn new(concurrency: usize) -> Self {
        let least = if concurrency > PAGE.0 { concurrency } else { PAGE.0 };
        Self { rows: least, least }
    }

    /// A page was read when so many events were left. It is full if there may be more.
    fn was_read(&mut self, page: &LogPage, is_full: bool, left: usize) {
        let bytes: usize = page.events.iter().map(|event| event.body.len()).sum();
        if !is_full {
            // What comes next may be slower.
            self.rows = self.least;
        } else if bytes > BYTES {
            self.shrink();
        } else if left < self.rows / 2 {
            // Soon the threads would have nothing to do.
            self.rows = (self.rows * 2).min(PAGE.1.max(self.least));
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
    limit: usize,
    reading: JoinHandle<Result<LogPage, StepError>>,
    read: Option<Result<LogPage, StepError>>,
}

impl Ahead {
    /// Waits until it is read. If the future is dropped, nothing is lost.
    pub(super) async fn read(&mut self) {
        if self.read.is_none() {
            let read = (&mut self.reading).await;
            self.read = Some(read.unwrap_or_else(|failed| {
                Err(StepError::new(text!("a page of events could not be read: {failed}")))
            }));
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
            self.begin_reading(partitions, after);
        }
        let Some(Ahead { limit, read: Some(page), .. }) = self.ahead.take_if(|ahead| ahead.is_read()) else {
            return Ok(());
        };
        let page = page?;
        let is_full = page.read_to.saturating_sub(after) >= limit as u64;
        self.page.was_read(&page, is_full, self.entities.open());
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
            self.begin_reading(partitions, after);
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

    fn begin_reading(&mut self, partitions: u32, after: u64) {
        let (feed, subscriber, limit) = (self.feed.clone(), self.handling.subscriber, self.page.rows);
        let reading = tokio::spawn(async move { feed.read(subscriber, after, partitions, limit).await });
        self.ahead = Some(Ahead { partitions, after, limit, reading, read: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::LoggedEvent;

    fn page(bytes: usize) -> LogPage {
        LogPage::new(vec![LoggedEvent::new(1, 1, vec![0; bytes])], 1)
    }

    #[test]
    fn page_grows_where_handlers_are_quick_and_shrinks_where_events_wait() {
        let mut size = PageSize::new(32);
        size.was_read(&page(1), true, 40);
        assert_eq!((size.rows, size.unrecorded()), (64, 0), "the threads have enough to do");
        (0..10).for_each(|_| size.was_read(&page(1), true, 0));
        assert_eq!((size.rows, size.unrecorded()), (1024, 2048));
        size.shrink();
        assert_eq!(size.rows, 512);
        (0..10).for_each(|_| size.shrink());
        assert_eq!(size.rows, 64);
    }

    /// Handlers for which there are few events are not known to be quick.
    #[test]
    fn page_is_small_at_the_end_of_the_log() {
        let mut size = PageSize::new(32);
        (0..10).for_each(|_| size.was_read(&page(1), false, 0));
        assert_eq!(size.rows, 64);
        (0..10).for_each(|_| size.was_read(&page(1), true, 0));
        size.was_read(&page(1), false, 0);
        assert_eq!((size.rows, size.unrecorded()), (64, 0));
    }

    #[test]
    fn page_with_many_bytes_does_not_grow() {
        let mut size = PageSize::new(32);
        size.was_read(&page(BYTES + 1), true, 0);
        assert_eq!(size.rows, 64);
        size.was_read(&page(1), true, 0);
        assert_eq!(size.rows, 128);
        size.was_read(&page(BYTES + 1), true, 0);
        assert_eq!(size.rows, 64);
    }

    #[test]
    fn page_has_an_event_for_each_thread() {
        let mut size = PageSize::new(2_000);
        size.shrink();
        size.was_read(&page(1), true, 0);
        assert_eq!(size.rows, 2_000);
    }
}
