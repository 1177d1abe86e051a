//! Counts how much of the relay each lane has used.

use std::collections::{HashMap, VecDeque};

use crate::backends::{Lane, Share};

/// The number of running flows of each lane, and its number among the last flows that ended. The latter is needed because, if each flow
/// ends before the next one begins, the running flows do not show whose turn it is.
pub(super) struct Shares {
    by_lane: HashMap<Lane, Share>,
    ended: VecDeque<Lane>,
    remembered: usize,
}

impl Shares {
    pub fn new(remembered: usize) -> Self {
        Self { by_lane: HashMap::new(), ended: VecDeque::new(), remembered }
    }

    pub fn all(&self) -> Vec<Share> {
        self.by_lane.values().copied().collect()
    }

    pub fn begin(&mut self, lane: Lane) {
        self.by_lane.entry(lane).or_insert(Share { lane, under_way: 0, recent: 0 }).under_way += 1;
    }

    /// One of a lane's running flows has ended, with its followers.
    pub fn end(&mut self, lane: Lane, flows: usize) {
        if let Some(share) = self.by_lane.get_mut(&lane) {
            share.under_way -= 1;
            share.recent += flows;
        }
        self.ended.extend(std::iter::repeat_n(lane, flows));
        while self.ended.len() > self.remembered
            && let Some(forgotten) = self.ended.pop_front()
        {
            self.forget(forgotten);
        }
    }

    fn forget(&mut self, lane: Lane) {
        if let Some(share) = self.by_lane.get_mut(&lane) {
            share.recent -= 1;
            if share.under_way + share.recent == 0 {
                self.by_lane.remove(&lane);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_lane_with_nothing_left_is_forgotten() {
        let [first, second] = [1, 2].map(Lane::from_number);
        let mut shares = Shares::new(1);
        shares.begin(first);
        shares.begin(second);
        shares.end(first, 1);
        assert_eq!(shares.by_lane[&first], Share { lane: first, under_way: 0, recent: 1 });
        shares.end(second, 1);
        assert_eq!(shares.all(), [Share { lane: second, under_way: 0, recent: 1 }]);
    }
}
