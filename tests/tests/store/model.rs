//! The store in one file against the one in memory, over any sequence of calls: they answer the same, and whatever state the rows
//! are in, every flow that is queued is handed out in the end.

use std::time::Duration;

use graceful::backends::{
    Claim, FlowState, FlowStore, Held, QueuedFlow, Settlement, StoredFlow, Timestamp, Uuid, memory,
    sqlite::Store,
};
use proptest::{prelude::*, test_runner::TestRunner};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

#[derive(Clone, Debug)]
enum Call {
    Enqueue {
        flow: u8,
        entity: u8,
        after: u8,
    },
    Claim {
        limit: usize,
        lease: u8,
    },
    /// Of the claim that was handed out so many before the last one.
    Settle {
        back: usize,
        how: How,
    },
    Extend {
        back: usize,
        by: u8,
    },
    Resubmit {
        flow: u8,
    },
    Purge {
        state: u8,
    },
    /// Time goes on.
    Wait {
        seconds: u8,
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
        4 => (0_u8..12, 0_u8..3, 0_u8..3).prop_map(|(flow, entity, after)| Call::Enqueue { flow, entity, after }),
        4 => (0_usize..4, 1_u8..30).prop_map(|(limit, lease)| Call::Claim { limit, lease }),
        4 => (0_usize..4, how).prop_map(|(back, how)| Call::Settle { back, how }),
        1 => (0_usize..4, 1_u8..30).prop_map(|(back, by)| Call::Extend { back, by }),
        1 => (0_u8..12).prop_map(|flow| Call::Resubmit { flow }),
        1 => (0_u8..3).prop_map(|state| Call::Purge { state }),
        2 => (1_u8..20).prop_map(|seconds| Call::Wait { seconds }),
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
    fn held(&self, back: usize) -> Held {
        let claim = self.claims.len().checked_sub(1 + back).map(|index| self.claims[index].held());
        claim.unwrap_or(Held { id: Uuid::nil(), token: Uuid::nil() })
    }

    async fn call(&mut self, call: &Call, now: Timestamp) -> Answer {
        let later = |seconds: u8| now + Duration::from_secs(seconds.into());
        let flag = |answer: bool| vec![(Uuid::nil(), u32::from(answer), Vec::new())];
        match *call {
            Call::Enqueue { flow, entity, after } => {
                let flow = QueuedFlow {
                    id: Uuid::from_u128(flow.into()),
                    entity: format!("entity {entity}"),
                    handler: String::new(),
                    body: vec![flow],
                    at: later(after),
                };
                self.store.enqueue(flow).await.unwrap();
                Vec::new()
            }
            Call::Claim { limit, lease } => {
                let lease = Duration::from_secs(lease.into());
                let claims = self.store.claim(now, limit, lease).await.unwrap();
                let answer =
                    claims.iter().map(|claim| (claim.id, claim.attempt, claim.body.clone())).collect();
                self.claims.extend(claims);
                answer
            }
            Call::Settle { back, how } => {
                let settlement = match how {
                    How::Completed => Settlement::Completed,
                    How::Retry { after } => Settlement::Retry {
                        due: later(after),
                        error: "again".to_owned(),
                        body: (after % 2 == 0).then(|| vec![after]),
                    },
                    How::Dead => Settlement::Dead { error: "dead".to_owned(), body: None },
                };
                flag(self.store.settle(self.held(back), settlement, now).await.unwrap())
            }
            Call::Extend { back, by } => {
                self.store.extend(vec![self.held(back)], later(by)).await.unwrap();
                Vec::new()
            }
            Call::Resubmit { flow } => {
                flag(self.store.resubmit(Uuid::from_u128(flow.into()), now).await.unwrap())
            }
            Call::Purge { state } => {
                let count = self.store.purge(STATES[usize::from(state)], now).await.unwrap();
                vec![(Uuid::nil(), u32::try_from(count).unwrap(), Vec::new())]
            }
            Call::Wait { .. } => Vec::new(),
        }
    }

    async fn rows(&self) -> Vec<StoredFlow> {
        let mut rows = Vec::new();
        for state in STATES {
            rows.extend(self.store.list(state, 1000).await.unwrap());
        }
        rows
    }

    /// Completes whatever is handed out, until nothing is.
    async fn drain(&mut self, mut now: Timestamp) {
        loop {
            now += Duration::from_secs(3600);
            let claims = self.store.claim(now, 100, Duration::from_secs(1)).await.unwrap();
            if claims.is_empty() {
                return;
            }
            for claim in claims {
                assert!(self.store.settle(claim.held(), Settlement::Completed, now).await.unwrap());
            }
        }
    }
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

async fn agree(calls: Vec<Call>) {
    let (dir, store) = super::fresh().await;
    let options = SqliteConnectOptions::new().filename(dir.path().join("test.db"));
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let mut on_disk: Driven<Store> = Driven { store, claims: Vec::new() };
    let mut in_memory = Driven { store: memory::Flows::new(), claims: Vec::new() };
    let mut now = Timestamp::UNIX_EPOCH;
    for call in &calls {
        if let Call::Wait { seconds } = call {
            now += Duration::from_secs((*seconds).into());
        }
        assert_eq!(on_disk.call(call, now).await, in_memory.call(call, now).await, "{call:?}");
        assert_eq!(on_disk.rows().await, in_memory.rows().await, "after {call:?}");
        heads_are_first(&mut connection).await;
    }
    on_disk.drain(now).await;
    assert!(on_disk.store.list(FlowState::Queued, 1).await.unwrap().is_empty(), "a flow that nobody finds");
}

#[test]
fn every_sequence_of_calls_has_the_same_answers() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut runner = TestRunner::new(ProptestConfig { cases: 60, ..ProptestConfig::default() });
    runner
        .run(&calls(), |calls| {
            runtime.block_on(agree(calls));
            Ok(())
        })
        .unwrap();
}
