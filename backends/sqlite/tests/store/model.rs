//! The store in one file answers like the store in memory, for any sequence of calls, and every queued flow is claimed in the
//! end, whatever state the rows are in.

use std::time::Duration;

use graceful::backends::{
    AttemptFailure, AttemptOutcome, Claim, ClaimId, FailureCause, FlowState, FlowStore, Lane, QueuedFlow,
    Room, Share, StoredFlow, Timestamp, Uuid, memory,
};
use graceful_sqlite::Store;
use graceful_testing::InState as _;
use proptest::{prelude::*, test_runner::TestRunner};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::runtime::{Builder, Runtime};

#[derive(Clone, Debug)]
enum Call {
    Enqueue {
        flow: u8,
        entity: u8,
        lane: u8,
    },
    Claim {
        limit: usize,
        per_entity: usize,
        per_handler: usize,
        busy: u8,
        lease: u8,
    },
    /// Of the claim that was handed out so many before the last one.
    Settle {
        back: usize,
        how: How,
    },
    /// Of the last claims, so many.
    Complete {
        count: usize,
    },
    HandBack {
        back: usize,
        time: u8,
    },
    Extend {
        back: usize,
        lease: u8,
    },
    Resubmit {
        flow: u8,
    },
    Purge {
        state: u8,
        age: u8,
    },
    /// Time goes on.
    Wait {
        time: u8,
    },
}

#[derive(Clone, Copy, Debug)]
enum How {
    Completed,
    Retry { after: u8 },
    Dead,
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let how = prop_oneof![
        3 => Just(How::Completed),
        2 => (0_u8..20).prop_map(|after| How::Retry { after }),
        1 => Just(How::Dead),
    ];
    let call = prop_oneof![
        4 => (0_u8..12, 0_u8..5, 0_u8..4).prop_map(|(flow, entity, lane)| Call::Enqueue { flow, entity, lane }),
        4 => (0_usize..4, 1_usize..4, 1_usize..4, 0_u8..4, 1_u8..30)
            .prop_map(|(limit, per_entity, per_handler, busy, lease)| Call::Claim { limit, per_entity, per_handler, busy, lease }),
        2 => (0_usize..4).prop_map(|count| Call::Complete { count }),
        1 => (0_usize..4, 0_u8..3).prop_map(|(back, time)| Call::HandBack { back, time }),
        4 => (0_usize..4, how).prop_map(|(back, how)| Call::Settle { back, how }),
        1 => (0_usize..4, 1_u8..30).prop_map(|(back, lease)| Call::Extend { back, lease }),
        1 => (0_u8..12).prop_map(|flow| Call::Resubmit { flow }),
        1 => (0_u8..3, 0_u8..20).prop_map(|(state, age)| Call::Purge { state, age }),
        2 => (1_u8..20).prop_map(|time| Call::Wait { time }),
    ];
    proptest::collection::vec(call, 0..60)
}

/// A store, and the claims that it has handed out.
struct Driven<S> {
    store: S,
    claims: Vec<Claim>,
}

/// What a call answers: tokens aside, since each store makes its own.
type Answer = Vec<(Uuid, u32, Vec<u8>)>;

impl<S: FlowStore> Driven<S> {
    fn claim_id(&self, back: usize) -> ClaimId {
        let claim = self.claims.len().checked_sub(1 + back).map(|index| self.claims[index].claim_id());
        claim.unwrap_or(ClaimId { id: Uuid::nil(), token: Uuid::max() })
    }

    async fn call(&mut self, call: &Call) -> Answer {
        let flag = |answer: bool| vec![(Uuid::nil(), u32::from(answer), Vec::new())];
        match *call {
            Call::Enqueue { flow, entity, lane } => {
                let (id, entity) = (Uuid::from_u128(flow.into()), format!("entity {entity}"));
                let flow = QueuedFlow::new(id, entity, "", lane_of(lane), vec![flow]);
                self.store.enqueue(flow).await.unwrap();
                Vec::new()
            }
            Call::Claim { limit: flows, per_entity, per_handler, busy, lease } => {
                let shares = vec![Share::new(lane_of(busy), 1, usize::from(busy))];
                let mut room = Room::of(flows).per_entity(per_entity);
                (room.per_handler, room.shares) = (per_handler, shares);
                let (mut answer, claims) = (Vec::new(), self.store.claim(room, length(lease)).await.unwrap());
                for mut first in claims {
                    let followers = std::mem::take(&mut first.followers);
                    let count = u32::try_from(followers.len()).unwrap();
                    for claim in std::iter::once(first).chain(followers) {
                        answer.push((claim.id, claim.attempt * 10 + count, claim.body.clone()));
                        self.claims.push(claim);
                    }
                }
                answer
            }
            Call::Complete { count } => {
                let held = (0..count).map(|back| self.claim_id(back)).collect();
                flag(self.store.complete(held).await.unwrap())
            }
            Call::HandBack { back, time } => {
                self.store.hand_back(vec![self.claim_id(back)], length(time)).await.unwrap();
                Vec::new()
            }
            Call::Settle { back, how } => {
                let settlement = match how {
                    How::Completed => AttemptOutcome::Completed,
                    How::Retry { after } => AttemptOutcome::Retry {
                        after: length(after),
                        failure: failure("again"),
                        body: (after % 2 == 0).then(|| vec![after]),
                    },
                    How::Dead => AttemptOutcome::Dead { failure: failure("dead"), body: None },
                };
                flag(self.store.record_outcome(self.claim_id(back), settlement).await.unwrap())
            }
            Call::Extend { back, lease } => {
                self.store.extend(vec![self.claim_id(back)], length(lease)).await.unwrap();
                Vec::new()
            }
            Call::Resubmit { flow } => {
                flag(self.store.resubmit(Uuid::from_u128(flow.into())).await.unwrap().is_done())
            }
            Call::Purge { state, age } => {
                let count = self.store.purge(STATES[usize::from(state)], length(age)).await.unwrap();
                vec![(Uuid::nil(), u32::try_from(count).unwrap(), Vec::new())]
            }
            Call::Wait { .. } => Vec::new(),
        }
    }

    /// All but the times, which are each store's own.
    async fn rows(&self) -> Vec<StoredFlow> {
        let mut rows = Vec::new();
        for state in STATES {
            rows.extend(self.store.in_state(state).await.unwrap());
        }
        for row in &mut rows {
            assert_eq!(row.summary.ended_at.is_none(), row.summary.state == FlowState::Queued);
            let flow = &mut row.summary;
            assert_eq!(flow.failed_at.is_some(), flow.failure.is_some());
            (flow.due, flow.ended_at) = (Timestamp::UNIX_EPOCH, None);
            (flow.stored_at, flow.failed_at) = (Timestamp::UNIX_EPOCH, None);
        }
        rows
    }
}

fn failure(error: &str) -> AttemptFailure {
    AttemptFailure::new(FailureCause::new("", error))
}

/// Two handlers with two tenants each.
fn lane_of(number: u8) -> Lane {
    Lane::from_number((i64::from(number / 2) << 32) | i64::from(number % 2))
}

/// In units that are longer than a test takes, since the store in the file has the machine's clock.
fn length(units: u8) -> Duration {
    Duration::from_hours(1) * units.into()
}

const STATES: [FlowState; 3] = [FlowState::Queued, FlowState::Completed, FlowState::Dead];

/// Of each entity's queued flows the first one is the head, and no other row is.
async fn heads_are_first(connection: &mut SqliteConnection) {
    let wrong: Vec<i64> = sqlx::query_scalar(
        "SELECT seq FROM graceful_flows f WHERE head <> (state = 0 AND NOT EXISTS \
         (SELECT 1 FROM graceful_flows e WHERE e.state = 0 AND e.entity = f.entity AND e.seq < f.seq))",
    )
    .fetch_all(connection)
    .await
    .unwrap();
    assert_eq!(wrong, [0_i64; 0], "rows that no claim would find, or find too soon");
}

/// The store in memory has Tokio's clock, which is paused for it, and so it has a runtime of its own.
fn agree(runtime: &Runtime, paused: &Runtime, calls: &[Call]) {
    let (dir, store) = runtime.block_on(super::fresh());
    let options = SqliteConnectOptions::new().filename(dir.path().join("test.db"));
    let mut connection = runtime.block_on(SqliteConnection::connect_with(&options)).unwrap();
    let mut on_disk: Driven<Store> = Driven { store, claims: Vec::new() };
    let store = paused.block_on(async { memory::Flows::new() });
    let mut in_memory = Driven { store, claims: Vec::new() };
    for call in calls {
        let answer = runtime.block_on(async {
            if let Call::Wait { time } = call {
                super::elapse(&on_disk.store, length(*time)).await;
            }
            on_disk.call(call).await
        });
        let expected = paused.block_on(async {
            let time = if let Call::Wait { time } = call { length(*time) } else { Duration::ZERO };
            // No two calls come at the same time.
            tokio::time::advance(time + Duration::from_millis(1)).await;
            in_memory.call(call).await
        });
        assert_eq!(answer, expected, "{call:?}");
        let rows = paused.block_on(in_memory.rows());
        runtime.block_on(async {
            assert_eq!(on_disk.rows().await, rows, "after {call:?}");
            heads_are_first(&mut connection).await;
        });
    }
    runtime.block_on(async {
        loop {
            super::elapse(&on_disk.store, length(100)).await;
            let claims = on_disk.store.claim(Room::of(100), length(1)).await.unwrap();
            if claims.is_empty() {
                break;
            }
            for claim in claims {
                assert!(
                    on_disk.store.record_outcome(claim.claim_id(), AttemptOutcome::Completed).await.unwrap()
                );
            }
        }
        assert!(
            on_disk.rows().await.iter().all(|row| row.summary.state != FlowState::Queued),
            "a flow that nobody finds"
        );
    });
}

#[test]
fn every_sequence_of_calls_has_the_same_answers() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let paused = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let mut runner = TestRunner::new(ProptestConfig {
        cases: graceful_tests::soak::cases(60),
        ..ProptestConfig::default()
    });
    runner
        .run(&calls(), |calls| {
            agree(&runtime, &paused, &calls);
            Ok(())
        })
        .unwrap();
}
