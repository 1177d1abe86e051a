//! The mark of each entity's head is right whatever the order of overlapping transactions: the claimed flows of an entity are those of one
//! claim, no flow is left behind, and a flow that was committed before another was inserted is claimed before it.

use std::{collections::HashMap, time::Duration};

use graceful::backends::{
    AttemptFailure, AttemptOutcome, Claim, ClaimId, FailureCause, FlowState, FlowStore as _, Lane,
    QueuedFlow, Room, Uuid,
};
use graceful_postgres::Store;
use graceful_testing::InState as _;
use proptest::{prelude::*, test_runner::TestRunner};
use sqlx::PgConnection;

use super::{Postgres, execute};

#[derive(Clone, Debug)]
enum Op {
    /// In a transaction that stays open.
    Insert {
        by: usize,
        entity: u8,
    },
    /// The same, of the end of a flow that was claimed so many before the last one.
    End {
        by: usize,
        back: usize,
    },
    Commit {
        by: usize,
    },
    Rollback {
        by: usize,
    },
    Enqueue {
        entity: u8,
    },
    Claim {
        limit: usize,
        per_entity: usize,
    },
    /// Of the flows of an entity that are claimed, so many.
    Complete {
        entity: u8,
        count: usize,
    },
    /// Of the flows of an entity that are claimed, all but so many.
    HandBack {
        entity: u8,
        kept: usize,
    },
    Settle {
        back: usize,
        retry: bool,
    },
    Resubmit {
        back: usize,
    },
    /// Somebody deletes a row by hand.
    Delete {
        back: usize,
    },
    /// All leases are over.
    Elapse,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        4 => (0_usize..3, 0_u8..3).prop_map(|(by, entity)| Op::Insert { by, entity }),
        3 => (0_usize..3, 0_usize..3).prop_map(|(by, back)| Op::End { by, back }),
        5 => (0_usize..3).prop_map(|by| Op::Commit { by }),
        1 => (0_usize..3).prop_map(|by| Op::Rollback { by }),
        3 => (0_u8..3).prop_map(|entity| Op::Enqueue { entity }),
        6 => (1_usize..4, 1_usize..5).prop_map(|(limit, per_entity)| Op::Claim { limit, per_entity }),
        3 => (0_u8..3, 1_usize..4).prop_map(|(entity, count)| Op::Complete { entity, count }),
        2 => (0_u8..3, 0_usize..3).prop_map(|(entity, kept)| Op::HandBack { entity, kept }),
        3 => (0_usize..3, any::<bool>()).prop_map(|(back, retry)| Op::Settle { back, retry }),
        1 => (0_usize..5).prop_map(|back| Op::Resubmit { back }),
        1 => (0_usize..5).prop_map(|back| Op::Delete { back }),
        1 => Just(Op::Elapse),
    ];
    proptest::collection::vec(op, 20..60)
}

/// What is known of a flow: when it was inserted, and when that was committed.
struct Known {
    entity: u8,
    inserted: usize,
    committed: Option<usize>,
    ended: bool,
}

/// A connection, and what its open transaction has done.
struct Writer {
    connection: PgConnection,
    inserted: Vec<u128>,
    ended: Option<u128>,
    is_open: bool,
}

struct World<'p> {
    postgres: &'p Postgres,
    store: Store,
    looking: PgConnection,
    writers: Vec<Writer>,
    flows: HashMap<u128, Known>,
    claims: Vec<Claim>,
    /// The flow before each follower, by the follower's token.
    follows: HashMap<Uuid, u128>,
    /// The claims of an entity's flows that are under way, in their order.
    under_way: HashMap<u8, Vec<ClaimId>>,
    now: usize,
}

impl World<'_> {
    fn claim_of(&self, back: usize) -> Option<Claim> {
        let index = self.claims.len().checked_sub(1 + back)?;
        let claim = self.claims[index].clone();
        // Nobody ends a flow before the one that it follows.
        let follows = self.follows.get(&claim.token).is_some_and(|before| !self.flows[before].ended);
        (!follows && !self.is_locked(claim.id)).then_some(claim)
    }

    /// Whether a transaction has changed its row, which would be waited for.
    fn is_locked(&self, flow: Uuid) -> bool {
        self.writers.iter().any(|writer| writer.ended == Some(flow.as_u128()))
    }

    /// The claims of an entity's flows, if no row of theirs is locked.
    fn held(&self, entity: u8) -> Vec<ClaimId> {
        let held = self.under_way.get(&entity).cloned().unwrap_or_default();
        if held.iter().any(|held| self.is_locked(held.id)) { Vec::new() } else { held }
    }

    fn add(&mut self, entity: u8, committed: Option<usize>) -> QueuedFlow {
        let id = self.flows.len() as u128 + 1;
        self.flows.insert(id, Known { entity, inserted: self.now, committed, ended: false });
        let entity = format!("entity {entity}");
        QueuedFlow::new(Uuid::from_u128(id), entity, "", Lane::default(), Vec::new())
    }

    fn end(&mut self, id: u128) {
        let known = self.flows.get_mut(&id).unwrap();
        known.ended = true;
        self.under_way.entry(known.entity).or_default().retain(|held| held.id.as_u128() != id);
    }

    async fn claim(&mut self, limit: usize, per_entity: usize) -> usize {
        let room = Room::of(limit).per_entity(per_entity);
        let claims = self.store.claim(room, Duration::from_hours(1)).await.unwrap();
        let count = claims.len();
        for mut first in claims {
            let entity = self.flows[&first.id.as_u128()].entity;
            let mut under_way = self.under_way.remove(&entity).unwrap_or_default();
            assert_eq!(under_way, [], "two claims of one entity at once");
            let followers = std::mem::take(&mut first.followers);
            for claim in std::iter::once(first).chain(followers) {
                let (id, known) = (claim.id.as_u128(), &self.flows[&claim.id.as_u128()]);
                let before = self.flows.iter().find(|(id, other)| {
                    other.entity == known.entity
                        && !other.ended
                        && other.committed.is_some_and(|at| at < known.inserted)
                        && under_way.iter().all(|held| held.id.as_u128() != **id)
                });
                assert!(before.is_none(), "{id} was handed out before {:?}", before.map(|(id, _)| id));
                assert_eq!(known.entity, entity);
                self.follows.extend(under_way.last().map(|held| (claim.token, held.id.as_u128())));
                under_way.push(claim.claim_id());
                self.claims.push(claim);
            }
            self.under_way.insert(entity, under_way);
        }
        count
    }

    async fn begin(&mut self, by: usize) -> &mut PgConnection {
        let writer = &mut self.writers[by];
        if !writer.is_open {
            execute(&mut writer.connection, "BEGIN").await;
            writer.is_open = true;
        }
        &mut writer.connection
    }

    async fn close(&mut self, by: usize, commits: bool) {
        let writer = &mut self.writers[by];
        if !std::mem::take(&mut writer.is_open) {
            return;
        }
        execute(&mut writer.connection, if commits { "COMMIT" } else { "ROLLBACK" }).await;
        let (inserted, ended) = (std::mem::take(&mut writer.inserted), writer.ended.take());
        for id in inserted {
            let known = self.flows.get_mut(&id).unwrap();
            known.committed = commits.then_some(self.now);
            known.ended = !commits;
        }
        if let Some(id) = ended.filter(|_| commits) {
            self.end(id);
        }
    }

    async fn call(&mut self, op: &Op) {
        self.now += 1;
        match *op {
            Op::Insert { by, entity } => {
                let flow = self.add(entity, None);
                let insert = "INSERT INTO graceful_flows (id, entity, handler, body) VALUES ($1, $2, '', '')";
                let connection = self.begin(by).await;
                sqlx::query(insert).bind(flow.id).bind(flow.entity).execute(connection).await.unwrap();
                self.writers[by].inserted.push(flow.id.as_u128());
            }
            Op::End { by, back } => {
                let Some(claim) = self.claim_of(back).filter(|_| self.writers[by].ended.is_none()) else {
                    return;
                };
                let end = "UPDATE graceful_flows SET state = 1, token = NULL, ended_at = graceful_now() \
                           WHERE id = $1 AND token = $2 AND state = 0";
                let connection = self.begin(by).await;
                let ended =
                    sqlx::query(end).bind(claim.id).bind(claim.token).execute(connection).await.unwrap();
                self.writers[by].ended = (ended.rows_affected() > 0).then_some(claim.id.as_u128());
            }
            Op::Commit { by } => self.close(by, true).await,
            Op::Rollback { by } => self.close(by, false).await,
            Op::Enqueue { entity } => {
                let flow = self.add(entity, Some(self.now));
                self.store.enqueue(flow).await.unwrap();
            }
            Op::Claim { limit, per_entity } => {
                self.claim(limit, per_entity).await;
            }
            Op::Complete { entity, count } => {
                let mut completed = self.held(entity);
                completed.truncate(count);
                if self.store.complete(completed.clone()).await.unwrap() {
                    for held in completed {
                        self.end(held.id.as_u128());
                    }
                }
            }
            Op::HandBack { entity, kept } => {
                let held = self.held(entity);
                self.hand_back(entity, held, kept).await;
            }
            Op::Settle { back, retry } => {
                let Some(claim) = self.claim_of(back) else { return };
                self.record_outcome(claim.claim_id(), retry).await;
            }
            Op::Resubmit { back } => {
                let Some(claim) = self.claim_of(back) else { return };
                if self.store.resubmit(claim.id).await.unwrap().is_done() {
                    let known = self.flows.get_mut(&claim.id.as_u128()).unwrap();
                    (known.inserted, known.committed, known.ended) = (self.now, Some(self.now), false);
                }
            }
            Op::Delete { back } => {
                let Some(claim) = self.claim_of(back) else { return };
                let delete = sqlx::query("DELETE FROM graceful_flows WHERE id = $1").bind(claim.id);
                delete.execute(&mut self.looking).await.unwrap();
                self.end(claim.id.as_u128());
            }
            Op::Elapse => {
                if self.writers.iter().all(|writer| writer.ended.is_none()) {
                    self.postgres.elapse(&self.store, Duration::from_hours(2)).await;
                    self.under_way.clear();
                }
            }
        }
    }

    async fn record_outcome(&mut self, held: ClaimId, retry: bool) {
        let again = AttemptOutcome::Retry {
            after: Duration::ZERO,
            failure: AttemptFailure::new(FailureCause::new("", "")),
            body: None,
        };
        let settlement = if retry { again } else { AttemptOutcome::Completed };
        if !self.store.record_outcome(held, settlement).await.unwrap() {
            return;
        }
        match retry {
            true => self.retried(held).await,
            false => self.end(held.id.as_u128()),
        }
    }

    /// As a relay does, whoever has to retry a flow hands back those that follow it.
    async fn retried(&mut self, held: ClaimId) {
        let entity = self.flows[&held.id.as_u128()].entity;
        let mut followers = self.under_way.remove(&entity).unwrap_or_default();
        followers.retain(|follower| *follower != held);
        self.hand_back(entity, followers, 0).await;
    }

    async fn hand_back(&mut self, entity: u8, mut held: Vec<ClaimId>, kept: usize) {
        let back = held.split_off(kept.min(held.len()));
        if !back.is_empty() {
            self.store.hand_back(back, Duration::ZERO).await.unwrap();
            self.under_way.insert(entity, held);
        }
    }

    /// What waits or follows has a head.
    async fn marks_are_true(&mut self) {
        let wrong: Vec<i64> = sqlx::query_scalar(
            "SELECT seq FROM graceful_flows AS flow WHERE state = 0 AND ((token IS NOT NULL AND head IS NULL) OR (head = false AND \
             NOT EXISTS (SELECT FROM graceful_flows AS other WHERE other.state = 0 AND other.head AND other.entity = flow.entity)))",
        )
        .fetch_all(&mut self.looking)
        .await
        .unwrap();
        assert_eq!(wrong, [0_i64; 0], "rows that no claim would find, or that nobody may hold");
    }

    async fn drain(&mut self) {
        for by in 0..self.writers.len() {
            self.close(by, true).await;
        }
        self.call(&Op::Elapse).await;
        while self.claim(10, 3).await > 0 {
            self.now += 1;
            for claim in std::mem::take(&mut self.claims) {
                self.record_outcome(claim.claim_id(), false).await;
            }
        }
        let left = self.store.in_state(FlowState::Queued).await.unwrap();
        assert!(left.is_empty(), "flows that nobody finds: {left:?}");
    }
}

async fn hold(postgres: &Postgres, ops: &[Op]) {
    let schema = postgres.schema().await;
    let mut writers = Vec::new();
    for _ in 0..3 {
        let connection = postgres.connection(&schema).await;
        writers.push(Writer { connection, inserted: Vec::new(), ended: None, is_open: false });
    }
    let (store, looking) = (postgres.store(&schema).await, postgres.connection(&schema).await);
    let (flows, claims, under_way) = (HashMap::new(), Vec::new(), HashMap::new());
    let follows = HashMap::new();
    let mut world = World { postgres, store, looking, writers, flows, claims, follows, under_way, now: 0 };
    for op in ops {
        world.call(op).await;
        world.marks_are_true().await;
    }
    world.drain().await;
}

#[test(requires(Postgres))]
fn heads_whatever_commits_when_are_one_of_each_entity_and_in_order() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let postgres = Postgres::new();
    let mut runner = TestRunner::new(ProptestConfig {
        cases: graceful_tests::soak::cases(8),
        max_shrink_iters: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&ops(), |ops| {
            runtime.block_on(hold(&postgres, &ops));
            Ok(())
        })
        .unwrap();
    runtime.block_on(postgres.clean());
}
