//! Computes the time before the next attempt.

use std::time::Duration;

use crate::pipeline::RelaySettings;

/// Capped exponential backoff with full jitter: a random time up to the bound, so that flows that failed together are not retried
/// together. See [Exponential Backoff And Jitter](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
pub(super) fn backoff(settings: &RelaySettings, attempt: u32) -> Duration {
    bound(settings, attempt).mul_f64(fastrand::f64())
}

fn bound(settings: &RelaySettings, attempt: u32) -> Duration {
    let doubled =
        2_u32.checked_pow(attempt.saturating_sub(1)).and_then(|times| settings.base.checked_mul(times));
    doubled.map_or(settings.cap, |time| time.min(settings.cap))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_the_cap() {
        let settings = RelaySettings::default().backoff(Duration::from_secs(1), Duration::from_secs(10));
        let bounds = [1, 2, 3, 4, 5, 40, u32::MAX].map(|attempt| bound(&settings, attempt).as_secs());
        assert_eq!(bounds, [1, 2, 4, 8, 10, 10, 10]);
    }

    #[test]
    fn backoff_draws_any_time_up_to_the_bound() {
        let settings = RelaySettings::default().backoff(Duration::from_secs(1), Duration::from_secs(10));
        let drawn: Vec<_> = (0..1000).map(|_| backoff(&settings, 3)).collect();
        assert!(drawn.iter().all(|time| *time < Duration::from_secs(4)));
        for quarter in 0..4 {
            let within = Duration::from_secs(quarter)..Duration::from_secs(quarter + 1);
            assert!(drawn.iter().any(|time| within.contains(time)), "nothing in {within:?}");
        }
    }
}
