//! Runs a claimed flow and its followers: the flows of one entity, one after the other, while the outcomes of those before are recorded.
//!
//! An outcome is recorded after those of all flows before it, so whatever is interrupted is repeated from a flow on, in order.

use std::{collections::VecDeque, pin::pin, sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use super::{
    attempt::{self, Ended},
    complain,
    per_entity::MOST,
    slots::Freeing,
};
use crate::{
    backends::{Claim, FlowStore},
    pipeline::Orchestrator,
};

/// After this time, or half of the lease if that is shorter, followers that have not begun are handed back, so that operators can act on them, and
/// other lanes get their turn. A process that was stopped for longer than its lease begins none of them.
const HELD_FOR: Duration = Duration::from_secs(1);

/// Returns how many flows have run.
pub(super) async fn run(
    orchestrator: Orchestrator,
    flows: Arc<dyn FlowStore>,
    mut first: Claim,
    slot: Freeing,
) -> usize {
    let followers = std::mem::take(&mut first.followers);
    let (last, ran) = if followers.is_empty() {
        (attempt::run(&orchestrator, &*flows, first).await, 1)
    } else {
        // Few flows have followers, and the others need no room for this.
        let claims = std::iter::once(first).chain(followers).collect();
        Box::pin(run_all(&orchestrator, &*flows, claims, &slot)).await
    };
    if let Some(last) = last {
        last.record(&*flows, &slot, ran).await;
    }
    ran
}

/// Runs flows and records which are completed, until one is not. Returns that one if all before it are recorded, otherwise it will run again; and how
/// many were completed.
async fn run_all(
    orchestrator: &Orchestrator,
    flows: &dyn FlowStore,
    claims: VecDeque<Claim>,
    slot: &Freeing,
) -> (Option<Ended>, usize) {
    let (completed, completing) = mpsc::unbounded_channel();
    let (last, (are_recorded, ran)) = tokio::join!(
        run_each(orchestrator, flows, claims, completed),
        complete_each(flows, completing, slot)
    );
    (last.filter(|_| are_recorded), ran)
}

/// Runs flows until one is not completed, which is returned.
async fn run_each(
    orchestrator: &Orchestrator,
    flows: &dyn FlowStore,
    mut claims: VecDeque<Claim>,
    completed: mpsc::UnboundedSender<Ended>,
) -> Option<Ended> {
    let relay = orchestrator.relay();
    let until = Instant::now() + HELD_FOR.min(relay.settings().lease / 2);
    let mut last = None;
    while let Some(claim) = claims.pop_front() {
        let mut attempt = pin!(attempt::run(orchestrator, flows, claim));
        let ended = match timeout_at(until, &mut attempt).await {
            Ok(ended) => ended,
            Err(_) => tokio::join!(attempt, hand_back(flows, std::mem::take(&mut claims))).0,
        };
        match ended {
            Some(ended) if ended.is_completed() => {
                // Another relay may run those behind it by now.
                let is_late = Instant::now() >= until;
                if completed.send(ended).is_err() || relay.is_stopping() || is_late {
                    break;
                }
            }
            other => {
                last = other;
                break;
            }
        }
    }
    hand_back(flows, claims).await;
    last
}

/// Records completed flows, as many at once as have been completed meanwhile. Returns whether it could, and their number.
async fn complete_each(
    flows: &dyn FlowStore,
    mut completing: mpsc::UnboundedReceiver<Ended>,
    slot: &Freeing,
) -> (bool, usize) {
    let (mut completed, mut ran) = (Vec::new(), 0);
    while completing.recv_many(&mut completed, MOST).await > 0 {
        ran += completed.len();
        let are_last = completing.is_closed() && completing.is_empty();
        if !Ended::complete(&mut completed, flows, are_last.then_some((slot, ran))).await {
            return (false, ran);
        }
    }
    (true, ran)
}

async fn hand_back(flows: &dyn FlowStore, claims: VecDeque<Claim>) {
    if claims.is_empty() {
        return;
    }
    let held = claims.iter().map(Claim::claim_id).collect();
    if let Err(error) = flows.hand_back(held, Duration::ZERO).await {
        complain(&error, "handing back flows failed; they are claimed again when their leases expire");
    }
}
