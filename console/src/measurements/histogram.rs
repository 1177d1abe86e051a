//! The distribution of durations over the last minutes.

use std::time::Duration;

const BUCKETS: usize = 100;

/// The length of a window.
const WINDOW: Duration = Duration::from_secs(5 * 60);

/// The upper bound of each bucket in nanoseconds: from 1 µs, each 20 % above the one before, to 60 s.
const BOUNDS: [u64; BUCKETS] = {
    let mut bounds = [60_000_000_000; BUCKETS];
    let (mut index, mut bound) = (0, 1_000);
    while index < BUCKETS - 1 {
        bounds[index] = bound;
        bound = bound * 6 / 5;
        index += 1;
    }
    assert!(bounds[BUCKETS - 2] < bounds[BUCKETS - 1], "the buckets end at 60 s");
    bounds
};

/// Two histograms, of the window that runs and of the one before. Values leave after 5 to 10 minutes.
pub(super) struct Windows {
    /// The number of the window that runs.
    number: u64,
    current: [u32; BUCKETS],
    previous: [u32; BUCKETS],
}

impl Default for Windows {
    fn default() -> Self {
        Self { number: 0, current: [0; BUCKETS], previous: [0; BUCKETS] }
    }
}

impl Windows {
    /// Counts a duration. `now` is the time since the measurements began.
    pub(super) fn add(&mut self, duration: Duration, now: Duration) {
        self.advance(now);
        let count = &mut self.current[bucket(duration)];
        *count = count.saturating_add(1);
    }

    /// Removes the values that are too old.
    pub(super) fn advance(&mut self, now: Duration) {
        let number = now.as_secs() / WINDOW.as_secs();
        // Another thread may have counted a later value already.
        let passed = number.saturating_sub(self.number);
        if passed == 0 {
            return;
        }
        self.previous = if passed == 1 { self.current } else { [0; BUCKETS] };
        self.current = [0; BUCKETS];
        self.number = number;
    }

    /// The duration in microseconds that `percent` of the values do not exceed, with an error of about 10 %; `None` without a value.
    pub(super) fn percentile(&self, percent: u64) -> Option<u64> {
        let counts = || self.current.iter().zip(&self.previous).map(|(a, b)| u64::from(*a) + u64::from(*b));
        let total: u64 = counts().sum();
        let rank = (total * percent).div_ceil(100).max(1);
        let mut below = 0;
        let index = counts().position(|count| {
            below += count;
            below >= rank
        })?;
        let lower = index.checked_sub(1).map_or(0, |lower| BOUNDS[lower]);
        let middle = u64::midpoint(lower, BOUNDS[index]);
        Some((middle + 500) / 1_000)
    }
}

/// The index of the bucket of a duration; what is longer than 60 s is in the last one.
fn bucket(duration: Duration) -> usize {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    BOUNDS.partition_point(|bound| *bound < nanos).min(BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentile_is_within_ten_percent_of_the_duration() {
        let mut micros = 2;
        while micros < 60_000_000 {
            let mut windows = Windows::default();
            windows.add(Duration::from_micros(micros), Duration::ZERO);
            let found = windows.percentile(50).unwrap();
            assert!(found.abs_diff(micros) * 10 <= micros + 10, "{micros}: {found}");
            micros += 1 + micros / 7;
        }
    }

    #[test]
    fn durations_outside_the_buckets_count_in_the_first_and_the_last() {
        assert_eq!(bucket(Duration::ZERO), 0);
        assert_eq!(bucket(Duration::from_micros(1)), 0);
        assert_eq!(bucket(Duration::from_nanos(1_001)), 1);
        for seconds in [60, 61, u64::MAX] {
            assert_eq!(bucket(Duration::from_secs(seconds)), BUCKETS - 1);
        }
    }

    #[test]
    fn percentiles_of_a_mixture_are_those_of_its_parts() {
        let mut windows = Windows::default();
        for number in 0..100 {
            windows.add(Duration::from_millis(if number < 90 { 1 } else { 1_000 }), Duration::ZERO);
        }
        let (half, most) = (windows.percentile(50).unwrap(), windows.percentile(95).unwrap());
        assert!((900..1_100).contains(&half), "{half}");
        assert!((900_000..1_100_000).contains(&most), "{most}");
    }

    #[test]
    fn values_leave_with_their_window() {
        let mut windows = Windows::default();
        assert_eq!(windows.percentile(50), None);
        windows.add(Duration::from_secs(1), Duration::from_secs(299));
        let mut after = |seconds| {
            windows.advance(Duration::from_secs(seconds));
            windows.percentile(50).is_some()
        };
        assert!(after(300) && after(599));
        assert!(!after(600));
        windows.add(Duration::from_secs(1), Duration::from_secs(601));
        windows.advance(Duration::from_secs(1_300));
        assert_eq!(windows.percentile(50), None, "more than one window has passed");
    }
}
