//! Chooses due flows fairly by lane, for implementations of [`FlowStore::claim`](super::FlowStore::claim).
//!
//! In PostgreSQL the function `graceful_claim` makes the same choice.

use std::collections::HashMap;

use super::{Lane, Room};

/// A due flow.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Due {
    /// Its lane.
    pub lane: Lane,
    /// When it is due, and its place in the order of the store: the lower comes first.
    pub order: (i64, i64),
}

impl Due {
    /// Creates a due flow.
    pub const fn new(lane: Lane, order: (i64, i64)) -> Self {
        Self { lane, order }
    }
}

/// Chooses the flows to claim: returns the sequence numbers (the second part of [`Due::order`]) of at most `room.flows` due flows.
///
/// Handlers take turns, as do the tenants of one handler. A handler at its limit of running flows gets none.
pub fn choose(room: &Room, mut due: Vec<Due>) -> Vec<i64> {
    due.sort_unstable_by_key(|flow| flow.order);
    // What each lane has had, each handler, and how many of each handler are under way.
    let (mut by_lane, mut by_handler) = (HashMap::<_, usize>::new(), HashMap::<_, (usize, usize)>::new());
    for share in &room.shares {
        *by_lane.entry(share.lane).or_default() += share.under_way + share.recent;
        let (under_way, recent) = by_handler.entry(share.lane.handler()).or_default();
        *under_way += share.under_way;
        *recent += share.recent;
    }
    let mut in_lane: Vec<_> = due
        .into_iter()
        .map(|flow| {
            let turn = by_lane.entry(flow.lane).or_default();
            *turn += 1;
            (*turn, flow)
        })
        .collect();
    in_lane.sort_unstable_by_key(|(turn, flow)| (*turn, flow.order));
    let mut of_handlers = Vec::new();
    for (_, flow) in in_lane {
        let (under_way, recent) = by_handler.entry(flow.lane.handler()).or_default();
        if *under_way < room.per_handler {
            *under_way += 1;
            of_handlers.push((*under_way + *recent, flow.order));
        }
    }
    of_handlers.sort_unstable();
    of_handlers.truncate(room.flows);
    of_handlers.into_iter().map(|(_, (_, sequence))| sequence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::Share;

    fn lane(handler: i64, tenant: i64) -> Lane {
        Lane::from_number((handler << 32) | tenant)
    }

    fn chosen(room: &Room, lanes: &[Lane]) -> Vec<i64> {
        let due = (0..).zip(lanes).map(|(order, lane)| Due { lane: *lane, order: (0, order) });
        choose(room, due.collect())
    }

    #[test]
    fn handlers_take_turns_and_so_do_tenants() {
        let lanes = [(1, 1), (1, 1), (1, 1), (1, 2), (2, 1), (2, 1)].map(|(h, t)| lane(h, t));
        assert_eq!(chosen(&Room::of(6), &lanes), [0, 4, 3, 5, 1, 2]);
        assert_eq!(chosen(&Room::of(3), &lanes), [0, 4, 3]);
    }

    #[test]
    fn full_handler_gets_nothing() {
        let shares = vec![Share { lane: lane(1, 7), under_way: 2, recent: 0 }];
        let room = Room { per_handler: 3, shares, ..Room::of(9) };
        let lanes = [(1, 1), (1, 2), (2, 1), (2, 1), (2, 1), (2, 1)].map(|(h, t)| lane(h, t));
        assert_eq!(chosen(&room, &lanes), [2, 3, 0, 4]);
    }

    #[test]
    fn tenant_served_lately_waits_for_the_other() {
        let shares = vec![Share { lane: lane(1, 1), under_way: 0, recent: 1 }];
        let room = Room { shares, ..Room::of(1) };
        assert_eq!(chosen(&room, &[lane(1, 1), lane(1, 1), lane(1, 2)]), [2]);
    }
}
