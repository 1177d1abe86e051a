//! Calls per second of handlers with three writes: a value to Redis, an event to JetStream that is acknowledged, and a row to PostgreSQL;
//! compared with the same by hand, with the same clients, the same number of connections and in the same order.
//!
//! `cargo bench -p graceful-benches-distributed` prints the table. The times depend on the machine and its servers; the ratio in one run is
//! comparable.

mod by_hand;
mod place;

use std::{
    pin::Pin,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use graceful::{
    Flow, Orchestrator, OrchestratorBuilder, RelaySettings, Step, StepError,
    backends::{FlowQuery, FlowState, FlowStore as _, Timestamp, memory},
    orchestrate,
};
use graceful_benches::{
    annotated::cached,
    load::per_second,
    user::{JSON, User, UserError, store},
};
use graceful_postgres::Store;
use sqlx::PgPool;
use uuid::Uuid;

use crate::{by_hand::ByHand, place::Place};

/// Many short rounds, so that other load affects only some of them.
const ROUNDS: usize = 41;

/// The number of concurrent handlers, and the number of calls in a round.
const LOADS: [(u64, u64); 2] = [(1, 100), (64, 640)];

static ROWS: OnceLock<PgPool> = OnceLock::new();

fn millis() -> i64 {
    Timestamp::now().as_millisecond()
}

/// Inserts the row, for the code by hand and for the hook.
async fn insert(
    rows: &PgPool,
    flow: Uuid,
    entity: &str,
    code: &str,
    record: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO records (flow, entity, code, at, record) VALUES ($1, $2, $3, $4, $5)")
        .bind(flow)
        .bind(entity)
        .bind(code)
        .bind(millis())
        .bind(record)
        .execute(rows)
        .await?;
    Ok(())
}

async fn insert_by_hook(flow: &Flow) -> Result<(), StepError> {
    let rows = ROWS.get().ok_or_else(|| StepError::new("no pool"))?;
    let (entity, code, record) = (flow.entity().to_string(), flow.code().as_str(), flow.payload().as_json());
    insert(rows, flow.id(), &entity, code, record).await.map_err(StepError::caused_by)
}

#[orchestrate(pattern = "user", cache = user.id, event = "user_updated", audit = insert_by_hook)]
async fn hooked(user: User) -> Result<User, UserError> {
    store(user)
}

/// The answer waits for the flow's row; the relay updates the cache and emits the event.
#[orchestrate(pattern = "user", cache = user.id, event = "user_updated", delivery = "durable")]
async fn durable(user: User) -> Result<User, StepError> {
    Ok(user)
}

type Call = Arc<dyn Fn(User) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// A measured handler.
struct Variant {
    name: &'static str,
    /// The user that it is called with, for an `Ok` or for an `Err`.
    succeeds: bool,
    call: Call,
    ours: Option<Orchestrator>,
    /// Whether the measurement waits for the relay.
    to_the_end: bool,
}

impl Variant {
    fn by_hand<F, Fut>(name: &'static str, succeeds: bool, hand: &Arc<ByHand>, handler: F) -> Self
    where
        F: Fn(Arc<ByHand>, User) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Send> + Send + 'static,
    {
        let hand = Arc::clone(hand);
        let call = move |user| {
            let called = handler(Arc::clone(&hand), user);
            async move { drop(called.await) }
        };
        Self { name, succeeds, call: boxed(call), ours: None, to_the_end: false }
    }

    fn by_graceful<F, Fut>(
        name: &'static str,
        succeeds: bool,
        orchestrator: &Orchestrator,
        handler: F,
    ) -> Self
    where
        F: Fn(User) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Send> + Send + 'static,
    {
        let scope = orchestrator.clone();
        let call = move |user| {
            let called = scope.scope(handler(user));
            async move { drop(called.await) }
        };
        Self { name, succeeds, call: boxed(call), ours: Some(orchestrator.clone()), to_the_end: false }
    }

    async fn per_second(&self, tasks: u64, calls: u64) -> f64 {
        let (call, succeeds, begun) = (Arc::clone(&self.call), self.succeeds, Instant::now());
        let rate = per_second(tasks, calls, move |task, _| call(User::sample(task, succeeds, JSON))).await;
        let Some(flows) = self.ours.as_ref().and_then(Orchestrator::flows).filter(|_| self.to_the_end) else {
            return rate;
        };
        while flows.count(FlowState::Queued.into(), 1).await.unwrap().number > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let calls = calls as f64;
        calls / begun.elapsed().as_secs_f64()
    }
}

/// Boxed on both sides.
fn boxed<F, Fut>(call: F) -> Call
where
    F: Fn(User) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    Arc::new(move |user| Box::pin(call(user)))
}

/// The body of a flow as it is stored, so that both write the same bytes.
async fn body(place: &Place) -> Vec<u8> {
    let store = place.store().await;
    let builder = Orchestrator::builder().service("users").cache(memory::Cache::new()).flows(store.clone());
    let orchestrator = builder.relay(RelaySettings::off()).build().unwrap();
    orchestrator.scope(durable(User::sample(1, true, JSON))).await.unwrap();
    let queued = store.flows(FlowQuery::new(FlowState::Queued, 1)).await.unwrap().items.remove(0);
    store.get(queued.id).await.unwrap().unwrap().body
}

async fn variants(place: &Place, relayed: &Place) -> Vec<Variant> {
    let (rows, store) = (place.pool().await, place.store().await);
    let hand = Arc::new(ByHand::new(place, ROWS.get_or_init(|| rows), body(place).await).await);
    let built = async |change: fn(OrchestratorBuilder, Store) -> OrchestratorBuilder| {
        let builder = place.orchestrator().await.flows(store.clone()).relay(RelaySettings::off());
        change(builder, store.clone()).build().unwrap()
    };
    let plain = built(|builder, _| builder).await;
    let audited = built(OrchestratorBuilder::audit).await;
    let scheduled = built(OrchestratorBuilder::scheduler).await;
    let relayed = relayed.orchestrator().await.flows(relayed.store().await).build().unwrap();
    vec![
        Variant::by_hand("by hand", true, &hand, ByHand::update_user),
        Variant::by_graceful("graceful, the row by a hook", true, &plain, hooked),
        Variant::by_graceful("graceful, the row in the audit chain", true, &audited, cached),
        Variant::by_hand("by hand", false, &hand, ByHand::update_user),
        Variant::by_graceful("graceful, the row a review job", false, &scheduled, cached),
        Variant::by_hand("by hand, into an outbox", true, &hand, ByHand::store_user),
        Variant::by_graceful("graceful, durable: stored", true, &plain, durable),
        Variant {
            to_the_end: true,
            ..Variant::by_graceful("graceful, durable: to the end", true, &relayed, durable)
        },
    ]
}

/// The first quartile, the median and the third quartile.
fn quartiles(of: &[f64]) -> [f64; 3] {
    let mut sorted = of.to_vec();
    sorted.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| sorted[quarter * (sorted.len() - 1) / 4])
}

async fn table(place: &Place, relayed: &Place) {
    let variants = variants(place, relayed).await;
    println!(
        "| handlers at once | arm | by | calls a second | ratio | of half of the rounds |\n| --- | --- | --- | --- | --- | --- |"
    );
    for (tasks, calls) in LOADS {
        let mut rates = vec![Vec::new(); variants.len()];
        // In turns, so that other load affects all alike; the first round warms up.
        for round in 0..=ROUNDS {
            for (variant, rates) in variants.iter().zip(&mut rates) {
                let rate = variant.per_second(tasks, calls).await;
                if round > 0 {
                    rates.push(rate);
                }
            }
        }
        let mut hand = &rates[0];
        for (variant, rates) in variants.iter().zip(&rates) {
            if variant.ours.is_none() {
                hand = rates;
            }
            let ratios: Vec<_> = rates.iter().zip(hand).map(|(ours, hand)| ours / hand).collect();
            let ([_, rate, _], [low, ratio, high]) = (quartiles(rates), quartiles(&ratios));
            println!(
                "| {tasks} | {} | {} | {rate:.0} | {ratio:.2} | {low:.2} to {high:.2} |",
                if variant.succeeds { "`Ok`" } else { "`Err`" },
                variant.name,
            );
        }
    }
    for orchestrator in variants.iter().filter_map(|variant| variant.ours.as_ref()) {
        let failures = Step::ALL.map(|step| orchestrator.stats().failures(step));
        assert_eq!((failures, orchestrator.stats().store_failures()), ([0; 9], 0), "by step, and not stored");
    }
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let [place, relayed] = [Place::create("bench").await, Place::create("relayed").await];
        table(&place, &relayed).await;
        place.remove().await;
        relayed.remove().await;
    });
}
