//! Loads that others wait for, in this process and in others.

use std::time::Duration;

use tokio::time::Instant;

use super::call::{Call, Decision};
use crate::{
    backends::{LookUp, ReadThrough},
    cache_stats::CacheOutcome,
    flights::{Landing, Leader, Turn, Wait},
    flow::Payload,
    marks::{Lease, Seen},
};

/// How often the load of another process is asked for.
const POLL: Duration = Duration::from_millis(25);

impl Call {
    /// Loads; first it waits for another process that loads the same.
    pub(super) async fn lead(
        &self,
        protocol: &dyn ReadThrough,
        mut leader: Leader<Payload>,
        mut seen: Seen,
        stale: Option<Payload>,
        deadline: Instant,
    ) -> Decision {
        if seen.lease == Lease::Elsewhere {
            self.held.counters.count(CacheOutcome::Waited);
        }
        while seen.lease == Lease::Elsewhere && Instant::now() < deadline {
            tokio::time::sleep_until(deadline.min(Instant::now() + POLL)).await;
            match self.look_up(protocol, stale.is_some()).await {
                Ok(LookUp::Hit(hit)) => {
                    leader.land(Landing::Loaded(hit.entry.value.clone()));
                    return self.found(hit.entry.value);
                }
                Ok(LookUp::Missed(newer)) => {
                    leader.saw(self.is_storable(&newer).then(|| newer.clone()));
                    seen = newer;
                }
                Err(error) => {
                    self.failed(&error);
                    break;
                }
            }
        }
        self.loaded(Ok((seen, Some(leader))), stale)
    }

    /// Waits for the load of another call; then shares it, or the next one. Those that have waited too long start one further load together,
    /// and wait for that once more.
    pub(super) async fn wait(
        &self,
        protocol: &dyn ReadThrough,
        mut wait: Wait<Payload>,
        seen: Seen,
        mut deadline: Instant,
    ) -> Decision {
        self.held.counters.count(CacheOutcome::Waited);
        let mut was_slow = false;
        loop {
            let landed = wait.landing.wait_for(|landing| !matches!(landing, Landing::Running));
            let landed = match tokio::time::timeout_at(deadline, landed).await {
                Ok(Ok(landed)) => Some(landed.clone()),
                Ok(Err(_)) => Some(Landing::Gone),
                Err(_) => None,
            };
            match landed {
                Some(Landing::Loaded(value)) if wait.shares => return self.found(value),
                // What it loads may be stored if nothing has changed meanwhile.
                Some(Landing::Failed) => return self.loaded(Ok((seen, None)), None),
                None if was_slow => return self.loaded(Ok((seen, None)), None),
                None => {
                    was_slow = true;
                    deadline = Instant::now() + Duration::from_millis(self.reads.wait_ms);
                }
                Some(Landing::Loaded(_) | Landing::Gone | Landing::Running) => {}
            }
            // All who wait began before the look-up of the next load, so they share it.
            let flights = self.orchestrator.flights();
            let looked_up_at = flights.look_up();
            let slow = was_slow.then_some(&wait);
            match flights.turn_after(slow, &self.load, self.began, looked_up_at, None) {
                Turn::Wait(next) => wait = next,
                Turn::Lead(leader) => return self.lead_next(protocol, leader, deadline).await,
            }
        }
    }

    /// Loads after another load has ended.
    async fn lead_next(
        &self,
        protocol: &dyn ReadThrough,
        mut leader: Leader<Payload>,
        deadline: Instant,
    ) -> Decision {
        match self.look_up(protocol, false).await {
            Ok(LookUp::Hit(hit)) => {
                leader.land(Landing::Loaded(hit.entry.value.clone()));
                self.found(hit.entry.value)
            }
            Ok(LookUp::Missed(seen)) => {
                leader.saw(self.is_storable(&seen).then(|| seen.clone()));
                self.lead(protocol, leader, seen, None, deadline).await
            }
            Err(error) => self.unanswered(&error),
        }
    }
}
