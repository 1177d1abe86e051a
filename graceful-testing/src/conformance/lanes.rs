//! How a [`FlowStore`] shares its claims among lanes.

use graceful::backends::{FlowStore, Lane, Room, Share};

use super::flows::{LEASE, complete, flow, numbers};

/// Flows of entities of their own, in lanes.
async fn enqueue_in<S: FlowStore>(store: &S, lanes: impl IntoIterator<Item = (u128, Lane)>) {
    for (number, lane) in lanes {
        let mut flow = flow(number, &format!("entity {number}"));
        flow.lane = lane;
        store.enqueue(flow).await.expect("a flow is stored");
    }
}

pub(super) async fn handlers_and_tenants_take_turns<S: FlowStore>(store: S) {
    let lane = |handler: i64, tenant: i64| Lane::from_number((handler << 32) | tenant);
    let lanes =
        [(1, 1), (1, 1), (1, 1), (1, 2), (2, 1), (2, 1)].map(|(handler, tenant)| lane(handler, tenant));
    enqueue_in(&store, (1..).zip(lanes)).await;
    let room = |flows, per_handler, shares: &[(Lane, usize, usize)]| {
        let mut room = Room::of(flows);
        room.per_handler = per_handler;
        room.shares =
            shares.iter().map(|&(lane, under_way, recent)| Share::new(lane, under_way, recent)).collect();
        room
    };
    let claim = async |room| {
        let claims = store.claim(room, LEASE).await.expect("flows can be claimed");
        numbers(&claims)
    };
    assert_eq!(claim(room(9, 2, &[(lane(1, 3), 2, 0), (lane(2, 3), 2, 0)])).await, [0; 0], "both are full");
    assert_eq!(
        claim(room(9, 3, &[(lane(1, 3), 2, 0), (lane(2, 1), 2, 5)])).await,
        [1, 5],
        "room for one of each"
    );
    assert_eq!(
        claim(room(1, 9, &[(lane(1, 1), 1, 0), (lane(2, 1), 2, 0)])).await,
        [4],
        "who has had the least"
    );
    assert_eq!(claim(room(1, 9, &[(lane(1, 1), 0, 1)])).await, [6], "lately counts");
    assert_eq!(claim(room(9, 9, &[])).await, [2, 3]);
}

/// More flows of one lane are due than a store must examine, before some of other lanes: those are claimed soon too.
pub(super) async fn every_lane_gets_its_turn_beside_a_backlog<S: FlowStore>(store: S) {
    let [many, tenant, handler] = [Lane::of("a", "many"), Lane::of("a", "few"), Lane::of("b", "few")];
    enqueue_in(&store, (0..600).map(|number| (number, many))).await;
    enqueue_in(&store, [(1001, tenant), (1002, handler)]).await;
    let (mut found, mut share) = (Vec::new(), Share::new(many, 0, 0));
    for _ in 0..50 {
        let mut room = Room::of(4);
        (room.per_handler, room.shares) = (3, vec![share]);
        let claims = store.claim(room, LEASE).await.expect("flows can be claimed");
        for claim in &claims {
            assert!(complete(&store, claim).await);
            match claim.lane == many {
                true => share.recent += 1,
                false => found.push(claim.id.as_u128()),
            }
        }
        if found.len() == 2 {
            return;
        }
    }
    panic!("of two others were found {found:?}");
}
