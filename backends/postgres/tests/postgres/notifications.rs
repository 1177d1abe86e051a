//! A waiting relay is notified of flows that others store. In these tests its poll interval is longer than a year, so only
//! notifications can wake it.

use std::{net::SocketAddr, time::Duration};

use graceful::{
    Code, FlowReport, Orchestrator, RelaySettings, StepError,
    backends::{FlowStore as _, Lane, QueuedFlow, Room, Uuid},
    orchestrate,
};
use graceful_postgres::Store;
use graceful_tests::{Link, Proxy, Reports, gate::until, servers::POSTGRES};
use sqlx::{Connection as _, PgConnection, postgres::PgListener};
use tokio::sync::Mutex;

use super::{Postgres, execute, url};

const YEAR: Duration = Duration::from_hours(8760);

#[orchestrate(pattern = "user", id = id, delivery = "durable")]
async fn save(id: i64, error: Option<Code>) -> Result<i64, StepError> {
    error.map_or(Ok(id), |code| Err(StepError::new(code.as_str())))
}

#[orchestrate(pattern = "user", id = id, delivery = "durable", tx = tx)]
async fn save_with_data(tx: &mut PgConnection, id: i64) -> Result<i64, StepError> {
    let _ = tx;
    Ok(id)
}

/// Whoever stores, the relay, and whoever looks at them have connections of their own, as if in processes of their own.
struct World {
    postgres: Postgres,
    schema: String,
    looking: PgConnection,
    storing: Orchestrator,
    reports: Reports,
    _relay: Orchestrator,
}

impl World {
    async fn new() -> Self {
        Self::with_a_relay_by(Postgres::new(), POSTGRES).await
    }

    async fn with_a_relay_by(postgres: Postgres, address: SocketAddr) -> Self {
        let schema = postgres.schema().await;
        let builder = Orchestrator::builder().service("users").store(postgres.store(&schema).await);
        let storing = builder.relay(RelaySettings::off()).build().unwrap();
        // Its connections bear the name of the schema.
        let url = format!("{}&application_name={schema}", url(address, &schema));
        let (store, reports) = (Store::connect(&url).await.unwrap(), Reports::default());
        let flows = store.timeout(Duration::from_millis(500));
        let builder = reports.of(Orchestrator::builder().service("users").flows(flows));
        let relay = builder.relay(RelaySettings::default().poll(YEAR)).build().unwrap();
        let looking = postgres.connection(&schema).await;
        Self { postgres, schema, looking, storing, reports, _relay: relay }
    }

    async fn holds(&mut self, condition: &'static str) -> bool {
        sqlx::query_scalar(condition).fetch_one(&mut self.looking).await.unwrap()
    }

    /// The relay waits, and has not looked for flows for longer than it does after one.
    async fn waits(&mut self) {
        let waits = "SELECT EXISTS (SELECT FROM graceful_relays WHERE waits_until > now()) AND EXISTS (SELECT FROM pg_stat_activity WHERE \
                     application_name = current_schema() AND query LIKE 'LISTEN %') AND NOT EXISTS (SELECT FROM \
                     pg_stat_activity WHERE application_name = current_schema() AND query LIKE '%graceful_claim%' AND \
                     state_change > clock_timestamp() - interval '300 ms')";
        let looking = Mutex::new(self);
        until(async || looking.lock().await.holds(waits).await).await;
    }

    async fn save(&self, id: i64, error: Option<Code>) {
        assert_eq!(self.storing.scope(save(id, error)).await.is_ok(), error.is_none());
    }

    async fn delivered(&self, count: usize) -> Vec<String> {
        let id = |report: &FlowReport| report.flow().entity_id().to_string();
        self.reports.until(count).await.iter().map(id).collect()
    }
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn flow_stored_by_another_process_is_delivered() {
    let mut world = World::new().await;
    for (id, error) in [(1, None), (2, Some(Code::Internal)), (3, None)] {
        world.waits().await;
        world.save(id, error).await;
        world.delivered(usize::try_from(id).unwrap()).await;
    }
    let first = world.reports.all()[0].flow().id();
    world.waits().await;
    let dead = sqlx::query("UPDATE graceful_flows SET state = 2 WHERE id = $1").bind(first);
    dead.execute(&mut world.looking).await.unwrap();
    let flows = world.storing.flows().unwrap();
    assert!(flows.resubmit(first).await.unwrap().is_done());
    assert_eq!(world.delivered(4).await, ["1", "2", "3", "1"]);
    world.postgres.clean().await;
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn flow_stored_in_a_transaction_is_delivered_after_its_commit() {
    let mut world = World::new().await;
    let mut connection = world.postgres.connection(&world.schema).await;
    for (id, commits, delivered) in [(1, true, 1), (2, false, 1), (3, true, 2)] {
        let mut transaction = connection.begin().await.unwrap();
        world.storing.scope(save_with_data(&mut transaction, id)).await.unwrap();
        world.waits().await;
        if commits {
            transaction.commit().await.unwrap();
        } else {
            transaction.rollback().await.unwrap();
        }
        world.delivered(delivered).await;
    }
    assert_eq!(world.delivered(2).await, ["1", "3"]);
    world.postgres.clean().await;
}

/// The server looks once per transaction whether a relay waits.
#[test(requires(Postgres), flavor = "multi_thread")]
async fn flows_stored_in_one_transaction_are_delivered_without_those_that_were_rolled_back() {
    let mut world = World::new().await;
    let mut connection = world.postgres.connection(&world.schema).await;
    for (first, delivered) in [(1, 2), (4, 4)] {
        world.waits().await;
        let mut transaction = connection.begin().await.unwrap();
        let mut part = transaction.begin().await.unwrap();
        world.storing.scope(save_with_data(&mut part, first)).await.unwrap();
        part.rollback().await.unwrap();
        for id in [first + 1, first + 2] {
            world.storing.scope(save_with_data(&mut transaction, id)).await.unwrap();
        }
        transaction.commit().await.unwrap();
        world.delivered(delivered).await;
    }
    let mut delivered = world.delivered(4).await;
    delivered.sort_unstable();
    assert_eq!(delivered, ["2", "3", "5", "6"]);
    world.postgres.clean().await;
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn flow_stored_while_the_connection_is_cut_is_delivered_after_reconnecting() {
    let postgres = Postgres::new();
    let proxy = Proxy::to(postgres.address).await;
    let mut world = World::with_a_relay_by(postgres, proxy.address()).await;
    let mut count = 0;
    for fault in [Link::Refused, Link::Reset, Link::BlackHole, Link::Slow(Duration::from_millis(20))] {
        world.waits().await;
        proxy.set(fault).await;
        for error in [None, Some(Code::Internal)] {
            count += 1;
            world.save(count, error).await;
        }
        proxy.set(Link::Up).await;
        world.delivered(usize::try_from(count).unwrap()).await;
    }

    // The server may have had enough of it, too.
    world.waits().await;
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = current_schema() AND \
               query LIKE 'LISTEN %'";
    execute(&mut world.looking, end).await;
    world.save(count + 1, None).await;
    world.waits().await;
    world.save(count + 2, Some(Code::Internal)).await;
    world.delivered(usize::try_from(count).unwrap() + 2).await;
    world.postgres.clean().await;
}

/// Transactions that notify commit one after the other, so no notification is sent while a relay finds flows by itself.
#[test(requires(Postgres))]
async fn notification_is_sent_only_while_every_relay_waits() {
    let postgres = Postgres::new();
    let schema = postgres.schema().await;
    let (store, another) = (postgres.store(&schema).await, postgres.store(&schema).await);
    let looking = Mutex::new(postgres.connection(&schema).await);
    let mut told = PgListener::connect(&postgres.url(&schema)).await.unwrap();
    let channel = "SELECT 'graceful_flows_' || 'graceful_flows'::regclass::oid";
    let channel: String = sqlx::query_scalar(channel).fetch_one(&mut told).await.unwrap();
    told.listen(&channel).await.unwrap();

    let mut ids = 0..;
    let mut stored_and_told = async || {
        let id = ids.next().unwrap();
        let entity = format!("entity {id}");
        let flow = QueuedFlow::new(Uuid::from_u128(id), entity, "", Lane::default(), Vec::new());
        store.enqueue(flow).await.unwrap();
        // What was told comes before the answer to what is asked then.
        sqlx::query("SELECT 1").execute(&mut told).await.unwrap();
        told.next_buffered().is_some()
    };
    let claimed = async |by: &Store| by.claim(Room::of(10), Duration::from_secs(30)).await.unwrap().len();
    // What was found just now was found a minute ago, or will have been in a minute.
    let found = async |when: &str| {
        let found = format!(
            "UPDATE graceful_relays SET found_at = now() {when} interval '1 min' WHERE found_at IS NOT NULL"
        );
        execute(&mut *looking.lock().await, &found).await;
    };
    assert!(!stored_and_told().await, "nobody has asked yet");
    assert_eq!(claimed(&store).await, 1);
    for _ in 0..2 {
        found("-").await;
        assert!(!stored_and_told().await, "nobody waits");
        assert_eq!(claimed(&store).await, 1);
        found("-").await;
        assert_eq!((claimed(&store).await, claimed(&another).await), (0, 0));
        assert!(stored_and_told().await, "two wait");
        assert_eq!(claimed(&store).await, 1);
        found("+").await;
        assert!(!stored_and_told().await, "one waits, and the other has just found something");
        assert_eq!(claimed(&another).await, 1);
    }
    found("-").await;
    assert_eq!(claimed(&store).await, 0);
    execute(&mut *looking.lock().await, "UPDATE graceful_relays SET waits_until = now() - interval '1 s'")
        .await;
    assert!(!stored_and_told().await, "who is not heard of any more is not told");
    postgres.clean().await;
}
