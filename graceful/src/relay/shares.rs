//! What each lane has had of this relay.

use std::collections::{HashMap, VecDeque};

use crate::backends::{Lane, Share};

/// How many flows of each lane are under way, and how many of the last ones to end were of it. Those are remembered, since
/// where one flow ends before the next begins, nothing under way says whose turn it is.
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

    pub fn end(&mut self, lane: Lane) {
        if let Some(share) = self.by_lane.get_mut(&lane) {
            share.under_way -= 1;
            share.recent += 1;
        }
        self.ended.push_back(lane);
        if self.ended.len() > self.remembered
            && let Some(forgotten) = self.ended.pop_front()
            && let Some(share) = self.by_lane.get_mut(&forgotten)
        {
            share.recent -= 1;
            if share.under_way + share.recent == 0 {
                self.by_lane.remove(&forgotten);
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
        shares.end(first);
        assert_eq!(shares.by_lane[&first], Share { lane: first, under_way: 0, recent: 1 });
        shares.end(second);
        assert_eq!(shares.all(), [Share { lane: second, under_way: 0, recent: 1 }]);
    }
}
