//! A small service with a durable store, a cache and a background queue.

use std::{net::SocketAddr, time::Duration};

use graceful::{
    Code, EventData, Flow, Orchestrator, RelaySettings, StepError, backends::PauseTarget, operations,
    orchestrate, subscribe,
};
use graceful_tests::{
    Gate, Link, Proxy, hooks,
    http::{self, Server},
    servers::{self, POSTGRES, unique},
};
use metrics_util::debugging::Snapshotter;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::exporters;

#[orchestrate(pattern = "payment", id = id, delivery = "durable", audit = hooks::fails)]
async fn pay(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "parcel", id = id, delivery = "durable", event = "parcel_sent")]
async fn send(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "customer", cache(key = id, read))]
async fn read(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "customer", cache(key = id), event = "customer_changed")]
async fn change(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "report", id = id)]
async fn report(id: u64) -> Result<u64, Code> {
    Err(Code::Internal)
}

#[subscribe(event = "parcel_sent", pattern = "parcel", attempts = 1)]
async fn arrive(event: EventData<u64>) -> Result<(), Code> {
    if event.result == LOST { Err(Code::NotFound) } else { Ok(()) }
}

/// The parcel that does not arrive.
const LOST: u64 = 1_000;

static GATE: Gate = Gate::closed();

async fn gated(_: &Flow) -> Result<(), StepError> {
    GATE.pass().await;
    Ok(())
}

#[orchestrate(pattern = "mail", id = id, delivery = "background", audit(with = gated, timeout = "10m"))]
async fn mail(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "freight", id = id, delivery = "durable", audit(with = gated, timeout = "10m"))]
async fn ship(id: u64) -> Result<u64, Code> {
    Ok(id)
}

/// Its queue has a place for one flow in each of its eight lanes.
const CAPACITY: usize = 8;

/// The number of flows that its relay runs at once.
const CONCURRENCY: usize = 2;

/// More than the relay can run while nothing passes the gate.
const SHIPPED: usize = 50;

pub struct Service {
    server: Server,
    orchestrator: Orchestrator,
    redis: servers::Server,
    link: Proxy,
    schema: String,
    pub metrics: Snapshotter,
}

impl Service {
    /// Installs the only orchestrator of this process.
    pub async fn start() -> Self {
        let (routes, metrics) = exporters::install();
        let redis = servers::Server::redis(&[]).await;
        let schema = unique("graceful").replace('-', "_");
        execute(&url(POSTGRES, "public"), &format!("CREATE SCHEMA {schema}")).await;
        let link = Proxy::to(POSTGRES).await;
        let url = url(link.address(), &schema);
        graceful_postgres::Store::migrate(&url).await.unwrap();
        let store = graceful_postgres::Store::connect(&url).await.unwrap();
        let cache = graceful_redis::Cache::connect(&format!("redis://{}", redis.address())).await.unwrap();
        let builder = Orchestrator::builder().service("shop").cache(cache).store(store).in_memory();
        let relay = RelaySettings::default().attempts(1).concurrency(CONCURRENCY);
        let orchestrator = builder.relay(relay).background_queue(CAPACITY).build().unwrap();
        orchestrator.clone().install().unwrap();
        tokio::spawn(orchestrator.subscribers().run());
        Self { server: http::serve(routes).await, orchestrator, redis, link, schema, metrics }
    }

    pub fn port(&self) -> u16 {
        self.server.address.port()
    }

    /// The only attempt at this flow fails.
    pub async fn lose_one_flow(&self) {
        pay(1).await.unwrap();
    }

    /// All that a service usually does.
    pub async fn work(&self) {
        for id in 0..20 {
            change(id).await.unwrap();
            read(id).await.unwrap();
            read(id).await.unwrap();
            send(id).await.unwrap();
        }
    }

    /// A durable flow of another program.
    pub async fn receive_an_unknown_flow(&self) {
        let copy = "SELECT gen_random_uuid(), 'another', 'another::pay', body, graceful_now() FROM graceful_flows LIMIT 1";
        self.execute(&format!("INSERT INTO graceful_flows (id, entity, handler, body, due) {copy}")).await;
    }

    /// All that should not happen: calls fail, the background queue is full, durable flows wait for a relay, and the cache is down.
    pub async fn break_down(&mut self) {
        send(LOST).await.unwrap();
        for id in 0..20 {
            report(id).await.unwrap_err();
        }
        for id in 0..CAPACITY {
            // If its lane is full, the caller waits.
            tokio::spawn(mail(id as u64));
        }
        for id in 0..SHIPPED {
            ship(id as u64).await.unwrap();
        }
        // They were stored ten minutes ago. What runs has a lease, which ends later.
        let late = 600_000_000;
        let waiting = "state = 0 AND due < graceful_now()";
        self.execute(&format!("UPDATE graceful_flows SET due = due - {late} WHERE {waiting}")).await;
        operations::pause(&self.orchestrator, unknown(), "ada", "a test").await.unwrap();
        self.redis.kill();
        for id in 0..20 {
            let _ = self.orchestrator.invalidate([("customer", id)]).await;
        }
    }

    pub async fn lose_the_store(&self) {
        self.link.set(Link::Refused).await;
    }

    /// The servers are up again, and all flows end.
    pub async fn recover(&mut self) {
        self.link.set(Link::Up).await;
        self.redis.start_again().await;
        assert!(operations::resume(&self.orchestrator, unknown(), "ada").await.unwrap());
        // The other program is not running, so nobody ends its flow.
        self.execute("DELETE FROM graceful_flows WHERE handler = 'another::pay'").await;
        GATE.open_for(CAPACITY + SHIPPED);
    }

    pub async fn stop(self) {
        self.orchestrator.shutdown(Duration::from_secs(10)).await;
        let mut connection = PgConnection::connect(&url(POSTGRES, "public")).await.unwrap();
        servers::drop_schema(&mut connection, &self.schema).await;
    }

    /// By a connection of its own.
    async fn execute(&self, statement: &str) {
        execute(&url(POSTGRES, &self.schema), statement).await;
    }
}

/// A handler of another program, which an operator has paused.
fn unknown() -> PauseTarget {
    PauseTarget::Handler("unknown".to_owned())
}

fn url(server: SocketAddr, schema: &str) -> String {
    format!("postgres://postgres@{server}/test?options[search_path]={schema}")
}

async fn execute(url: &str, statement: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
}
