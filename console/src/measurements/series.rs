//! The flows of one arm, in intervals of 10 s.

use std::time::Duration;

use super::snapshot::Interval;

/// The number of intervals that are kept.
pub(super) const INTERVALS: usize = 60;

/// The length of an interval in seconds.
pub(super) const SECONDS: u64 = 10;

/// The number of whole intervals in the minute of the rate.
const OF_A_MINUTE: usize = 6;

pub(super) struct Series {
    /// The number of the interval that runs.
    number: u64,
    /// In a ring.
    intervals: [Interval; INTERVALS],
}

impl Default for Series {
    fn default() -> Self {
        Self { number: 0, intervals: [Interval::default(); INTERVALS] }
    }
}

impl Series {
    /// Counts a flow. `now` is the time since the measurements began.
    pub(super) fn add(&mut self, now: Duration, has_failed: bool) {
        self.advance(now);
        let interval = &mut self.intervals[slot(self.number)];
        interval.flows = interval.flows.saturating_add(1);
        interval.failed = interval.failed.saturating_add(u32::from(has_failed));
    }

    /// Removes the intervals that are too old.
    pub(super) fn advance(&mut self, now: Duration) {
        let number = now.as_secs() / SECONDS;
        // Another thread may have counted a later flow already.
        if number <= self.number {
            return;
        }
        let first = (self.number + 1).max(number.saturating_sub(INTERVALS as u64 - 1));
        for passed in first..=number {
            self.intervals[slot(passed)] = Interval::default();
        }
        self.number = number;
    }

    /// The intervals from the oldest to the one that runs.
    pub(super) fn intervals(&self) -> impl DoubleEndedIterator<Item = Interval> {
        let oldest = slot(self.number + 1);
        let (newer, older) = self.intervals.split_at(oldest);
        older.iter().chain(newer).copied()
    }

    /// The flows per second in the interval that runs and the minute before it.
    pub(super) fn per_second(&self, now: Duration) -> f64 {
        let flows: u64 =
            self.intervals().rev().take(OF_A_MINUTE + 1).map(|interval| u64::from(interval.flows)).sum();
        let complete = Duration::from_secs(SECONDS * OF_A_MINUTE as u64);
        let running = now.saturating_sub(Duration::from_secs(self.number * SECONDS));
        // In its first minute the process has not had that time.
        let covered = now.min(complete + running).max(Duration::from_secs(1));
        #[expect(clippy::cast_precision_loss, reason = "a rate is a float")]
        let flows = flows as f64;
        flows / covered.as_secs_f64()
    }
}

fn slot(number: u64) -> usize {
    usize::try_from(number % INTERVALS as u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flows(series: &Series) -> Vec<(usize, u32)> {
        let intervals = series.intervals().enumerate().filter(|(_, interval)| interval.flows > 0);
        intervals.map(|(index, interval)| (index, interval.flows)).collect()
    }

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn flows_move_to_older_intervals_and_leave_after_ten_minutes() {
        let mut series = Series::default();
        series.add(at(0), false);
        series.add(at(9), true);
        assert_eq!(flows(&series), [(59, 2)]);
        series.add(at(10), false);
        assert_eq!(flows(&series), [(58, 2), (59, 1)]);
        series.advance(at(599));
        assert_eq!(flows(&series), [(0, 2), (1, 1)]);
        assert_eq!(series.intervals().next(), Some(Interval { flows: 2, failed: 1 }));
        series.advance(at(600));
        assert_eq!(flows(&series), [(0, 1)]);
        series.advance(at(100_000));
        assert_eq!(flows(&series), []);
    }

    #[test]
    fn flow_of_an_earlier_time_counts_in_the_interval_that_runs() {
        let mut series = Series::default();
        series.add(at(25), false);
        series.add(at(19), false);
        assert_eq!(flows(&series), [(59, 2)]);
    }

    #[test]
    fn rate_is_that_of_the_last_minute() {
        let mut series = Series::default();
        for second in 0..300 {
            series.add(at(second), false);
            series.add(at(second), false);
        }
        let mut rate = |seconds| {
            series.advance(at(seconds));
            series.per_second(at(seconds))
        };
        assert!((rate(300) - 2.0).abs() < 0.01);
        assert!((rate(330) - 1.0).abs() < 0.01);
        assert!(rate(370).abs() < 0.01);
    }

    #[test]
    fn rate_of_a_young_process_is_that_of_its_age() {
        let mut series = Series::default();
        for second in 0..20 {
            series.add(at(second), false);
        }
        series.advance(at(20));
        assert!((series.per_second(at(20)) - 1.0).abs() < 0.01);
        let mut first = Series::default();
        first.add(at(0), false);
        assert!((first.per_second(at(0)) - 1.0).abs() < 0.01);
    }
}
