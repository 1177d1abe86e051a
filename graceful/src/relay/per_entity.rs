//! How many flows of one entity a relay claims together.

/// The number of flows: more where all of them run soon, fewer where some were handed back, since a flow that is claimed
/// and handed back is written twice in vain.
pub(super) struct PerEntity {
    now: usize,
    most: usize,
}

pub(super) const MOST: usize = 64;

impl PerEntity {
    /// An attempt that is interrupted does not count if its flow was claimed with others, so there are none if it is the only one.
    pub fn new(attempts: u32) -> Self {
        let most = if attempts == 1 { 1 } else { MOST };
        Self { now: most.min(8), most }
    }

    pub fn get(&self) -> usize {
        self.now
    }

    /// Of so many flows that were claimed together, so many have run.
    pub fn learn(&mut self, claimed: usize, ran: usize) {
        if ran < claimed {
            self.now = ran.max(1);
        } else if ran >= self.now {
            self.now = self.most.min(4 * ran);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn per_entity_grows_while_all_run_and_falls_to_as_many_as_have_run() {
        let mut per_entity = PerEntity::new(16);
        let mut learned = |claimed, ran| {
            per_entity.learn(claimed, ran);
            per_entity.get()
        };
        assert_eq!([(8, 8), (1, 1), (32, 3)].map(|(claimed, ran)| learned(claimed, ran)), [32, 32, 3]);
        assert_eq!([(3, 3), (12, 0), (1, 1)].map(|(claimed, ran)| learned(claimed, ran)), [12, 1, 4]);
        assert_eq!([4, 16, 64].map(|all| learned(all, all)), [16, 64, 64]);
    }

    #[test]
    fn per_entity_is_one_if_there_is_one_attempt() {
        let mut per_entity = PerEntity::new(1);
        per_entity.learn(1, 1);
        assert_eq!(per_entity.get(), 1);
    }
}
